package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// TestDiskFull makes SQLite believe that the disk is full.
func TestDiskFull(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := planned(t, j, importer.RunPushing, 2, 3)
	claim(t, r, 2)
	var pages int
	must(t, j.writer.QueryRow("PRAGMA page_count").Scan(&pages))
	_, err := j.writer.Exec("PRAGMA max_page_count = 1") // the lowest is what there is
	must(t, err)
	large := pushed(2)
	large.Message = strings.Repeat("Canary", 100_000)
	err = r.Record(t.Context(), []importer.Outcome{large})
	if err == nil || !strings.Contains(err.Error(), "record the outcomes of run 1: no space is left for the journal in "+j.dir) {
		t.Errorf("error %.300v", err)
	}
	if err != nil && strings.Contains(err.Error(), "Canary") {
		t.Error("the error holds a value")
	}
	_, err = j.writer.Exec("PRAGMA max_page_count = 100000")
	must(t, err)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2), pushed(3)})) // there is room again
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "results", statuses(t, r), []string{"2 pushed 1", "3 pushed 1"})
}

func TestJournalHeldByAnother(t *testing.T) {
	dir := t.TempDir()
	j, other := openTest(t, dir), openTest(t, dir)
	_, err := j.writer.Exec("PRAGMA busy_timeout = 1")
	must(t, err)
	tx, err := other.writer.Begin()
	must(t, err)
	if _, err = j.begin(t.Context(), testRun()); err == nil || !strings.Contains(err.Error(), "another program is using the journal in "+dir) {
		t.Errorf("error %v", err)
	}
	must(t, tx.Rollback())
	planned(t, j, importer.RunHeld, 2)
}

// TestALongPlanNeedsLittle plans many rows: neither the log nor the memory may
// grow with them.
func TestALongPlanNeedsLittle(t *testing.T) {
	j := openTest(t, t.TempDir())
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	batch := benchPlan(256)
	row := 2
	appendRows := func(n int) {
		for ; n > 0; n -= len(batch) {
			for i := range batch {
				batch[i].Row = row
				row++
			}
			must(t, r.Append(t.Context(), batch))
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	appendRows(10_000)
	before := heap()
	appendRows(300_000)
	if grown := int64(heap()) - int64(before); grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	info, err := os.Stat(filepath.Join(j.dir, databaseName+"-wal"))
	must(t, err)
	if info.Size() > 20<<20 {
		t.Errorf("the log has %d bytes", info.Size())
	}
}

func TestIndexesAreUsed(t *testing.T) {
	j := openTest(t, t.TempDir())
	for name, query := range map[string]string{
		"chunks":      strings.NewReplacer("?1", "1", "?2", "0", "?3", "9").Replace(selectChunks),
		"acceptances": strings.NewReplacer("target = ?", "target = 1", "?", "x'00'").Replace(selectSegment),
		"outcomes":    strings.NewReplacer("id > ?", "id > 1", "id <= ?", "id <= 9", "(?)", "'[1]'").Replace(countOutcomes),
	} {
		rows, err := j.reader.Query("EXPLAIN QUERY PLAN " + query)
		must(t, err)
		var steps []string
		for rows.Next() {
			var id, parent, unused int
			var step string
			must(t, rows.Scan(&id, &parent, &unused, &step))
			steps = append(steps, step)
		}
		must(t, rows.Close())
		if slices.ContainsFunc(steps, func(s string) bool { return strings.Contains(s, "TEMP B-TREE") }) ||
			!slices.ContainsFunc(steps, func(s string) bool { return strings.Contains(s, "USING") }) {
			t.Errorf("%s: %q", name, steps)
		}
	}
}

// TestWhatWaitsForTheDisk looks at SQLite's own word for it: 1 (NORMAL) may lose
// the last transactions when the power fails, 2 (FULL) loses none.
func TestWhatWaitsForTheDisk(t *testing.T) {
	j := openTest(t, t.TempDir())
	level := func(step string, want int) {
		t.Helper()
		var got int
		must(t, j.writer.QueryRow("PRAGMA synchronous").Scan(&got))
		if got != want {
			t.Errorf("%s: synchronous is %d, want %d", step, got, want)
		}
	}
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	level("begin", 1) // the plan is lost with it, until it is sealed
	must(t, j.SaveUserTypes(t.Context(), testTarget, nil, testTime))
	level("user types", 1)
	var rows []importer.PlannedRow
	for chunk := range planBatch + 1 {
		rows = append(rows, testRow(chunk*format.ChunkRows+2, importer.StatusPending))
	}
	must(t, r.Append(t.Context(), rows))
	level("append", 1)
	must(t, r.Seal(t.Context(), importer.RunPushing, len(rows), nil))
	level("seal", 2)
	_, err = j.begin(t.Context(), testRun())
	must(t, err)
	claim(t, r, 1)
	level("claim", 2)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	level("record", 2)
}

// finish is on the disk when the log is in the database, and waits for it otherwise.
func TestFinishIsOnTheDisk(t *testing.T) {
	for name, isRead := range map[string]bool{"alone": false, "while another program reads": true} {
		t.Run(name, func(t *testing.T) {
			j := openTest(t, t.TempDir())
			r := planned(t, j, importer.RunPushing, 2)
			claim(t, r, 1)
			must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
			if isRead {
				tx, err := j.reader.Begin()
				must(t, err)
				var runs int
				must(t, tx.QueryRow("SELECT count(*) FROM run").Scan(&runs))
				defer func() { must(t, tx.Rollback()) }()
			}
			must(t, r.Finish(t.Context(), testTime))
			var level, busy, pages, moved int
			must(t, j.writer.QueryRow("PRAGMA synchronous").Scan(&level))
			must(t, j.writer.QueryRow("PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &pages, &moved))
			if isRead != (level == 2) || isRead != (moved < pages) {
				t.Errorf("synchronous is %d, %d of %d pages are moved", level, moved, pages)
			}
		})
	}
}

func TestForgetShrinksTheDatabase(t *testing.T) {
	j := openTest(t, t.TempDir())
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	benchAppend(t, r, benchPlan(10_000))
	n, err := j.Forget(t.Context(), r.id)
	if n != 1 || err != nil {
		t.Fatal(n, err)
	}
	info, err := os.Stat(filepath.Join(j.dir, databaseName))
	must(t, err)
	if info.Size() > 128<<10 {
		t.Errorf("the database still has %d bytes", info.Size())
	}
}
