package postgres

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres/pgtest"
)

// accepted returns the reference ids of the acceptances of people, by the numbers of their rows.
func accepted(t testing.TB, j *Journal, rows ...int) map[int]string {
	t.Helper()
	found, err := acceptedOf(t, j, rows...)
	must(t, err)
	return found
}

func acceptedOf(t testing.TB, j *Journal, rows ...int) (map[int]string, error) {
	var keys []importer.Digest
	for _, row := range rows {
		keys = append(keys, somePerson(row).Key)
	}
	found, err := j.Acceptances().Accepted(t.Context(), someTarget, keys)
	references := map[int]string{}
	for _, row := range rows {
		if a, ok := found[somePerson(row).Key]; ok {
			references[row] = a.ReferenceID + map[bool]string{true: " in doubt"}[a.IsDoubted]
		}
	}
	return references, err
}

// unfolded returns how many runs are not folded, and stored how many acceptances are stored.
func unfolded(t testing.TB, j *Journal) (runs, stored int) {
	t.Helper()
	must(t, j.pool.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM opscom.run WHERE NOT folded), (SELECT count(*) FROM opscom.acceptance)").Scan(&runs, &stored))
	return runs, stored
}

func wantUnfolded(t testing.TB, j *Journal, runs, stored int) {
	t.Helper()
	if r, s := unfolded(t, j); r != runs || s != stored {
		t.Errorf("%d runs are not folded, and %d acceptances are stored; want %d and %d", r, s, runs, stored)
	}
}

func TestAcceptancesFollowTheOutcomes(t *testing.T) {
	j := newJournal(t)
	diff(t, "of a new journal", accepted(t, j, 2), map[int]string{})
	first := storeRun(t, j, someRun(importer.RunFinished), somePeople(2, 700))
	first.record(t, j.pool, pushedAs(2, "a"), pushedAs(3, "a"), pushedAs(4, "a"), pushedAs(5, "a"), pushedAs(6, "a"), pushedAs(700, "a"))
	want := map[int]string{2: "a", 3: "a", 4: "a", 5: "a", 6: "a", 700: "a"}
	diff(t, "after a run", accepted(t, j, 2, 3, 4, 5, 6, 7, 700), want)
	wantUnfolded(t, j, 0, 6)
	diff(t, "asked again", accepted(t, j, 2, 3, 4, 5, 6, 7, 700), want)

	second := storeRun(t, j, someRun(importer.RunStopped), somePeople(2, 6))
	second.record(t, j.pool, pushedAs(2, "b"), endedAs(3, importer.StatusRejected, 1), endedAs(4, importer.StatusFailed, 1), endedAs(5, importer.StatusRejected, 2), endedAs(6, importer.StatusNotSent, 0))
	want = map[int]string{2: "b", 3: "a", 6: "a", 700: "a"}
	diff(t, "after another run", accepted(t, j, 2, 3, 4, 5, 6, 7, 700), want)
	wantUnfolded(t, j, 0, 4)

	second.become(t, importer.RunPushing) // resumed
	second.record(t, j.pool, pushedAs(4, "c"))
	second.become(t, importer.RunFinished)
	want[4] = "c"
	diff(t, "after it was resumed", accepted(t, j, 2, 3, 4, 5, 6, 7, 700), want)
	wantUnfolded(t, j, 0, 5)
}

// The lanes of a run commit out of order. A process that folded what there is would never see what is
// committed later under a lower number.
func TestNothingIsFoldedWhileARunIsPushed(t *testing.T) {
	j := newJournal(t)
	r := storeRun(t, j, someRun(importer.RunPushing), somePeople(2, 700))
	slow, err := j.pool.Begin(t.Context())
	must(t, err)
	r.record(t, slow, pushedAs(2, "a"))
	r.record(t, j.pool, pushedAs(600, "a"))
	diff(t, "while it is pushed", accepted(t, j, 2, 600), map[int]string{600: "a"})
	wantUnfolded(t, j, 1, 0)
	must(t, slow.Commit(t.Context()))
	diff(t, "when both are committed", accepted(t, j, 2, 600), map[int]string{2: "a", 600: "a"})
	wantUnfolded(t, j, 1, 0)
	r.become(t, importer.RunStopped)
	diff(t, "when it is stopped", accepted(t, j, 2, 600), map[int]string{2: "a", 600: "a"})
	wantUnfolded(t, j, 0, 2)
}

// A run that is resumed between the question and the lock is not folded either.
func TestARunThatIsResumedMeanwhileIsNotFolded(t *testing.T) {
	j := newJournal(t)
	r := storeRun(t, j, someRun(importer.RunPushing), somePeople(2, 3))
	r.record(t, j.pool, pushedAs(2, "a"))
	must(t, j.update(t.Context(), "fold", func(tx pgx.Tx) error {
		done, err := j.foldSome(t.Context(), tx, someTarget)
		if !done {
			t.Error("it goes on")
		}
		return err
	}))
	wantUnfolded(t, j, 1, 0)
}

// A run of another night that was stopped is pushed again while a new one is planned.
func TestOutcomesOfSeveralRunsAreInOrder(t *testing.T) {
	j := newJournal(t)
	one := storeRun(t, j, someRun(importer.RunStopped), somePeople(2, 300))
	later := someRun(importer.RunFinished)
	later.StartedAt = later.StartedAt.AddDate(0, 0, 1)
	two := storeRun(t, j, later, somePeople(2, 300))
	one.record(t, j.pool, pushedAs(2, "a"), pushedAs(3, "a"), pushedAs(300, "a"))
	two.record(t, j.pool, pushedAs(2, "b"), pushedAs(3, "b"))
	one.record(t, j.pool, pushedAs(3, "c"), endedAs(300, importer.StatusUnknown, 1))
	diff(t, "accepted", accepted(t, j, 2, 3, 300), map[int]string{2: "b", 3: "c"})
}

// More than fits into one transaction, and into one fetch.
func TestManyOutcomesAreFolded(t *testing.T) {
	j := newJournal(t)
	const last = foldRows + 3000
	r := storeRun(t, j, someRun(importer.RunFinished), somePeople(2, last))
	tx, err := j.pool.Begin(t.Context())
	must(t, err)
	for row := 2; row <= last; row += 97 { // some 370 records on 140 chunks
		var outcomes []importer.Outcome
		for n := row; n < row+97 && n <= last; n++ {
			outcomes = append(outcomes, pushedAs(n, fmt.Sprint(n)))
		}
		r.record(t, tx, outcomes...)
	}
	for row := 2; row < 2000; row++ { // a record a row
		r.record(t, tx, pushedAs(row, "again"))
	}
	must(t, tx.Commit(t.Context()))
	diff(t, "accepted", accepted(t, j, 2, 1999, 2000, last), map[int]string{2: "again", 1999: "again", 2000: "2000", last: fmt.Sprint(last)})
	wantUnfolded(t, j, 0, last-1)
}

// What was stored of somebody whose profile did not send a value is still there.
func TestUniqueValuesStay(t *testing.T) {
	j := newJournal(t)
	full, partial := somePerson(2), somePerson(2)
	full.Unique = importer.UniqueValues{1 << 60, 1<<60 + 1}
	partial.Unique = importer.UniqueValues{1<<60 + 2, importer.ValueNotSent}
	for _, row := range []importer.PlannedRow{full, partial} {
		r := storeRun(t, j, someRun(importer.RunFinished), []importer.PlannedRow{row})
		r.record(t, j.pool, pushedAs(2, "a"))
		accepted(t, j, 2) // folds
	}
	found, err := j.Acceptances().Accepted(t.Context(), someTarget, []importer.Digest{full.Key})
	must(t, err)
	if got, want := found[full.Key].Unique, (importer.UniqueValues{1<<60 + 2, 1<<60 + 1}); got != want {
		t.Errorf("the values are %v, want %v", got, want)
	}
	if owner, ok, err := j.Acceptances().Owner(t.Context(), someTarget, 1<<60+1); err != nil || !ok || owner.Key != full.Key {
		t.Errorf("the owner is %v, %v, %v", owner, ok, err)
	}
}

// Of several that fold at once, each gets the whole truth.
func TestFoldingAtOnce(t *testing.T) {
	j := newJournal(t)
	r := storeRun(t, j, someRun(importer.RunFinished), somePeople(2, 3000))
	for row := 2; row <= 3000; row++ {
		if row%50 == 2 {
			r.record(t, j.pool, pushedAs(row, "a"))
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			found, err := acceptedOf(t, j, 2, 3, 2952)
			if err != nil || len(found) != 2 {
				t.Errorf("found %v, %v", found, err)
			}
		})
	}
	wg.Wait()
	wantUnfolded(t, j, 0, 60)
}

// openedAs opens the journal as an account that has only these roles of docs/fleet/roles.sql.
func openedAs(t *testing.T, j *Journal, roles string) *Journal {
	t.Helper()
	return openJournal(t, urlAs(t, j, roles))
}

// urlAs returns the URL of the journal for an account that has only these roles.
func urlAs(t *testing.T, j *Journal, roles string) string {
	t.Helper()
	server := pgtest.Shared(t)
	database := j.pool.Config().ConnConfig.Database
	account := fmt.Sprintf("%s_of_%s", strings.NewReplacer("opscom_", "", ", ", "_").Replace(roles), database)
	server.Exec(t, database, rolesSQL(t)+fmt.Sprintf("; CREATE ROLE %s LOGIN PASSWORD 'secret' IN ROLE %s", account, roles))
	t.Cleanup(func() { server.Exec(t, database, "DROP ROLE "+account) })
	return server.URLFor(account, "secret", database)
}

// viewer opens the journal as somebody who may only read.
func viewer(t *testing.T, j *Journal) *Journal { return openedAs(t, j, "opscom_viewer") }

// Somebody who may only read cannot fold, and sees the same.
func TestViewersReplay(t *testing.T) {
	j := newJournal(t)
	r := storeRun(t, j, someRun(importer.RunFinished), somePeople(2, 4))
	r.record(t, j.pool, pushedAs(2, "a"), pushedAs(3, "a"))
	v := viewer(t, j)
	diff(t, "what a viewer sees", accepted(t, v, 2, 3, 4), map[int]string{2: "a", 3: "a"})
	wantUnfolded(t, j, 1, 0)
	accepted(t, j, 2)
	r = storeRun(t, j, someRun(importer.RunStopped), somePeople(2, 4))
	r.record(t, j.pool, endedAs(2, importer.StatusUnknown, 1), pushedAs(4, "b"))
	diff(t, "with some that are stored", accepted(t, v, 2, 3, 4), map[int]string{3: "a", 4: "b"})
	wantUnfolded(t, j, 1, 2)
}

// What was accepted is in doubt after a failover, which may have lost the last outcomes.
func TestFailoverDoubtsWhatWasAccepted(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two servers")
	}
	server := pgtest.Start(t, pgtest.Options{})
	url := server.NewDatabase(t)
	_, err := Migrate(t.Context(), url, Options{})
	must(t, err)
	j := openJournal(t, url)
	r := finished(t, j, someSource, somePeople(2, 4))
	diff(t, "before", accepted(t, j, 2), map[int]string{2: "a"})
	standby := server.Standby(t)
	standby.Detach()
	again := storeRun(t, j, someRun(importer.RunFinished), somePeople(2, 4))
	again.record(t, j.pool, pushedAs(2, "lost"))
	server.Kill()
	standby.Promote()
	after := openJournal(t, standby.URL(j.pool.Config().ConnConfig.Database))
	diff(t, "afterwards", accepted(t, after, 2), map[int]string{2: "a in doubt"})
	sent := storeRun(t, after, someRun(importer.RunFinished), somePeople(2, 4))
	sent.record(t, after.pool, pushedAs(2, "a"))
	diff(t, "sent again", accepted(t, after, 2), map[int]string{2: "a"})
	if is, err := after.WasRestoredSince(t.Context(), someTarget, r.id); err != nil || !is {
		t.Errorf("restored: %v, %v", is, err)
	}
}

// After a failover the last outcomes may be lost: what is stored may not be the last any more.
func TestAcceptancesAreInDoubtWithTheTimeline(t *testing.T) {
	j := newJournal(t)
	one := storeRun(t, j, someRun(importer.RunFinished), somePeople(2, 4))
	one.record(t, j.pool, pushedAs(2, "a"))
	accepted(t, j, 2)
	two := storeRun(t, j, someRun(importer.RunStopped), somePeople(2, 4))
	two.record(t, j.pool, pushedAs(3, "a"))
	v := viewer(t, j)
	execute(t, j, "UPDATE opscom.journal SET timeline = 'another'")
	want := map[int]string{2: "a in doubt", 3: "a in doubt"}
	diff(t, "what a viewer sees", accepted(t, v, 2, 3), want)
	wantUnfolded(t, j, 1, 1)
	diff(t, "accepted", accepted(t, j, 2, 3), want)
	wantUnfolded(t, j, 0, 2)
	two.become(t, importer.RunPushing)
	two.record(t, j.pool, pushedAs(4, "b"))
	two.become(t, importer.RunFinished)
	for _, who := range []*Journal{v, j, v} {
		diff(t, "afterwards", accepted(t, who, 2, 3, 4), map[int]string{2: "a in doubt", 3: "a in doubt", 4: "b"})
	}
	next := storeRun(t, j, someRun(importer.RunFinished), somePeople(2, 4))
	if next.id < two.id+1000 {
		t.Errorf("the next run has the number %d, after %d", next.id, two.id)
	}
}

func TestDamagedAcceptances(t *testing.T) {
	for name, damage := range map[string]string{
		"an acceptance":      `UPDATE opscom.acceptance SET data = set_byte(data, 3, get_byte(data, 3) # 1)`,
		"its key":            `UPDATE opscom.acceptance SET key = set_byte(key, 3, get_byte(key, 3) # 1)`,
		"a short key":        `UPDATE opscom.acceptance SET key = '\x01'`,
		"an outcome":         `UPDATE opscom.event SET data = set_byte(data, 30, get_byte(data, 30) # 1)`,
		"a missing outcome":  `DELETE FROM opscom.event WHERE ctid = (SELECT max(ctid) FROM opscom.event)`,
		"outcomes exchanged": `UPDATE opscom.event SET seq = CASE seq WHEN 1 THEN 101 ELSE 102 END; UPDATE opscom.event SET seq = 103 - seq`,
		"a plan":             `UPDATE opscom.chunk SET data = set_byte(data, 50, get_byte(data, 50) # 1)`,
		"a missing plan":     `DELETE FROM opscom.chunk`,
	} {
		t.Run(name, func(t *testing.T) {
			j := newJournal(t)
			r := storeRun(t, j, someRun(importer.RunFinished), somePeople(2, 4))
			r.record(t, j.pool, pushedAs(2, "a"))
			if strings.Contains(damage, "acceptance") {
				accepted(t, j, 2)
			} else {
				r.record(t, j.pool, pushedAs(3, "a"))
			}
			execute(t, j, damage)
			damaged := new(journal.DamagedError)
			if _, err := acceptedOf(t, j, 2); !errors.As(err, &damaged) || damaged.Database != j.address {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func BenchmarkAcceptances(b *testing.B) {
	j := newJournal(b)
	const last = 40_001
	for _, state := range []string{"folded", "replayed"} {
		r := storeRun(b, j, someRun(importer.RunFinished), somePeople(2, last))
		tx, err := j.pool.Begin(b.Context())
		must(b, err)
		for row := 2; row <= last; row += 100 {
			var outcomes []importer.Outcome
			for n := row; n < row+100 && n <= last; n++ {
				outcomes = append(outcomes, pushedAs(n, fmt.Sprint(100_000+n)))
			}
			r.record(b, tx, outcomes...)
		}
		must(b, tx.Commit(b.Context()))
		if state == "replayed" {
			r.become(b, importer.RunPushing)
		} else {
			began := time.Now()
			accepted(b, j, 2)
			b.Logf("folded 40,000 in %v", time.Since(began))
		}
		b.Run(state, func(b *testing.B) {
			for b.Loop() {
				accepted(b, j, 2)
			}
		})
	}
}
