package postgres

import (
	"errors"
	"strings"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// finished stores a finished run of a source.
func finished(t testing.TB, j *Journal, source string, rows []importer.PlannedRow) *storedRun {
	t.Helper()
	run := someRun(importer.RunFinished)
	run.Source, run.FinishedAt = source, run.StartedAt.Add(3600e9)
	r := storeRun(t, j, run, rows)
	var outcomes []importer.Outcome
	for _, row := range rows {
		outcomes = append(outcomes, pushedAs(row.Row, "a"))
	}
	r.record(t, j.pool, outcomes...)
	return r
}

func lastComplete(t testing.TB, j *Journal) *journal.CompleteRun {
	t.Helper()
	last, why, err := j.LastComplete(t.Context(), someTarget, someSource, "")
	must(t, err)
	if last == nil {
		t.Fatalf("there is none: %s", why)
	}
	return last
}

// missing returns the ids of those of a run who are not among the people of these rows; "?" for
// one whose id is not known.
func missing(t testing.TB, j *Journal, run *journal.CompleteRun, present []importer.PlannedRow) (ids []string) {
	t.Helper()
	roster, err := j.Roster(t.Context(), someTarget, run)
	must(t, err)
	for _, row := range present {
		roster.See(row.Key)
	}
	left, _, err := roster.Missing(t.Context())
	must(t, err)
	for _, leaver := range left {
		if leaver.UniqueID == "" {
			leaver.UniqueID = "?"
		}
		if leaver.ReferenceID != "a" {
			t.Errorf("the reference id is %q", leaver.ReferenceID)
		}
		ids = append(ids, leaver.UniqueID)
	}
	return ids
}

func TestRoster(t *testing.T) {
	j := newJournal(t)
	r := finished(t, j, someSource, somePeople(2, 600))
	last := lastComplete(t, j)
	if last.ID != r.id {
		t.Errorf("the last is run %d", last.ID)
	}
	diff(t, "missing", missing(t, j, last, somePeople(3, 599)), []string{"id-2", "id-600"})
	diff(t, "what a viewer sees", missing(t, viewer(t, j), last, somePeople(3, 599)), []string{"id-2", "id-600"})

	finished(t, j, "/data/staff.csv", somePeople(600, 601))
	diff(t, "with another source", missing(t, j, last, somePeople(3, 599)), []string{"id-2"})
}

// A roster is read while other connections are busy: it needs one at a time.
func TestRosterNeedsOneConnection(t *testing.T) {
	j := newJournal(t)
	finished(t, j, someSource, somePeople(2, 600))
	config := j.pool.Config()
	url := config.ConnString() + "&pool_max_conns=1"
	one := openJournal(t, url)
	diff(t, "missing", missing(t, one, lastComplete(t, one), somePeople(3, 599)), []string{"id-2", "id-600"})
}

// waits is a leaver who is still to be pushed.
func TestMovedLeavers(t *testing.T) {
	j := newJournal(t)
	rows := somePeople(2, 6)
	for i := range rows[3:] {
		rows[3+i].Leaver = true
	}
	run := someRun(importer.RunHeld)
	run.StartedAt = run.StartedAt.AddDate(0, 0, -1)
	held := storeRun(t, j, run, rows)
	if n, by, err := j.MovedLeavers(t.Context(), held.id); err != nil || n != 0 || by != 0 {
		t.Errorf("%d have moved to run %d, %v", n, by, err)
	}
	other := finished(t, j, "/data/staff.csv", somePeople(6, 9))
	if n, by, err := j.MovedLeavers(t.Context(), held.id); err != nil || n != 1 || by != other.id {
		t.Errorf("%d have moved to run %d, %v; want 1 to run %d", n, by, err, other.id)
	}
}

// After a failover a newer run may be lost, so that nobody knows who left since.
func TestLeaversAreNotLookedForAcrossTimelines(t *testing.T) {
	j := newJournal(t)
	before := finished(t, j, someSource, somePeople(2, 4))
	restored := func(who *Journal, run int64) bool {
		t.Helper()
		is, err := who.WasRestoredSince(t.Context(), someTarget, run)
		must(t, err)
		return is
	}
	if restored(j, before.id) {
		t.Error("it was restored")
	}
	v := viewer(t, j)
	execute(t, j, "UPDATE opscom.journal SET timeline = 'another'")
	for _, who := range []*Journal{v, j, v} {
		if !restored(who, before.id) {
			t.Error("it was not restored")
		}
		if last, why, err := who.LastComplete(t.Context(), someTarget, someSource, ""); err != nil || last != nil || !strings.Contains(why, "restored") {
			t.Errorf("%v, %q, %v", last, why, err)
		}
	}
	after := finished(t, j, someSource, somePeople(2, 4))
	if restored(j, after.id) {
		t.Error("it was restored since the next run")
	}
	if last := lastComplete(t, j); last.ID != after.id {
		t.Errorf("the last is run %d", last.ID)
	}
}

func TestDamagedHistory(t *testing.T) {
	for name, damage := range map[string]string{
		"a roster":            `UPDATE opscom.roster SET data = set_byte(data, 50, get_byte(data, 50) # 1)`,
		"another run's":       `UPDATE opscom.roster SET run = run + 1`,
		"of another source":   `UPDATE opscom.roster SET series = 'another'`,
		"the reasons":         `UPDATE opscom.run SET held = '{"a": 1}'`,
		"the journal's row":   `DELETE FROM opscom.journal`,
		"a chunk":             `UPDATE opscom.chunk SET data = set_byte(data, 50, get_byte(data, 50) # 1)`,
		"a chunk's place":     `UPDATE opscom.chunk SET chunk = chunk + 10; UPDATE opscom.chunk_state SET chunk = chunk + 10; UPDATE opscom.event SET chunk = chunk + 10`,
		"an outcome":          `DELETE FROM opscom.event`,
		"the last chunk":      `DELETE FROM opscom.chunk WHERE chunk > 0`,
		"the number of a row": `UPDATE opscom.run SET planned = planned + 1`,
	} {
		t.Run(name, func(t *testing.T) {
			j := newJournal(t)
			kept := finished(t, j, someSource, somePeople(2, 4))
			_, err := j.Forget(t.Context(), kept.id)
			must(t, err)
			finished(t, j, "/data/staff.csv", somePeople(2, 300))
			execute(t, j, "UPDATE opscom.run SET folded = true") // the people are read, not the outcomes
			execute(t, j, damage)
			_, err = j.Roster(t.Context(), someTarget, &journal.CompleteRun{ID: kept.id + 1, Source: "/data/staff.csv"})
			if !errors.As(err, new(*journal.DamagedError)) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
