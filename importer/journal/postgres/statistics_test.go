package postgres

import (
	"errors"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

func TestStatistics(t *testing.T) {
	j := newJournal(t)
	empty, err := j.Stats(t.Context())
	must(t, err)
	if empty.Bytes == 0 || empty.Runs != 0 || !empty.Oldest.IsZero() {
		t.Errorf("an empty journal has %+v", empty)
	}
	finished(t, j, someSource, somePeople(2, 3000))
	storeRun(t, j, someRun(importer.RunHeld), somePeople(2, 3))
	stats, err := j.Stats(t.Context())
	must(t, err)
	if stats.Bytes <= empty.Bytes || stats.Runs != 2 || stats.Unfinished != 1 || !stats.Oldest.Equal(someTime) {
		t.Errorf("the journal has %+v", stats)
	}
	for name, who := range map[string]*Journal{"owner": j, "viewer": viewer(t, j)} {
		s, err := who.Statistics(t.Context())
		must(t, err)
		rows := map[string]int64{}
		for _, table := range s.Tables {
			rows[table.Table] = table.Rows
		}
		if s.Schema < 1 || s.PageSize != 8192 || s.Pages*s.PageSize != stats.Bytes || rows["run"] != 2 || rows["chunk"] != 13 || rows["event"] != 12 || rows["chunk_20261130"] != 0 {
			t.Errorf("%s: %+v, with %v", name, s, rows)
		}
	}
}

// The rows of a large table are PostgreSQL's estimate.
func TestLargeTablesAreEstimated(t *testing.T) {
	j := newJournal(t)
	execute(t, j, "SELECT opscom.ensure_night('2026-11-30')")
	execute(t, j, "INSERT INTO opscom.event (night, run, chunk, seq, data) SELECT '2026-11-30', 1, 1, n, '' FROM generate_series(1, $1) AS n", exactRows+50)
	execute(t, j, "VACUUM ANALYZE opscom.event_20261130")
	s, err := j.Statistics(t.Context())
	must(t, err)
	for _, table := range s.Tables {
		if table.Table == "event" && (table.Rows < exactRows*9/10 || table.Rows > exactRows*11/10) {
			t.Errorf("%d events", table.Rows)
		}
	}
}

func TestCheck(t *testing.T) {
	j := newJournal(t)
	must(t, j.Check(t.Context()))
	execute(t, j, "UPDATE opscom.journal SET salt = $1", j.keys.Seal(nil, make([]byte, 32)))
	if err := j.Check(t.Context()); !errors.As(err, new(*journal.DamagedError)) {
		t.Errorf("another salt: %v", err)
	}
	execute(t, j, `UPDATE opscom.journal SET salt = '\x01'`)
	if err := j.Check(t.Context()); !errors.As(err, new(*journal.DamagedError)) {
		t.Errorf("no salt: %v", err)
	}
	execute(t, j, "INSERT INTO opscom.schema_version (version_id, is_applied) VALUES (4711, true)")
	if err := j.Check(t.Context()); err == nil || errors.As(err, new(*journal.DamagedError)) {
		t.Errorf("a newer schema: %v", err)
	}
}
