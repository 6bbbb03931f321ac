package sqlite

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"opscom-import/importer"
)

// finishedRun makes a run with these rows, all of which are pushed.
func finishedRun(t *testing.T, j *Journal, rows ...int) *Run {
	t.Helper()
	return finishedOf(t, j, testRun(), rows...)
}

// finishedOf is finishedRun for another run.
func finishedOf(t *testing.T, j *Journal, info importer.RunInfo, rows ...int) *Run {
	t.Helper()
	r, err := j.begin(t.Context(), info)
	must(t, err)
	var plan []importer.PlannedRow
	var outcomes []importer.Outcome
	for _, row := range rows {
		plan = append(plan, testRow(row, importer.StatusPending))
		outcomes = append(outcomes, pushed(row))
	}
	must(t, r.Append(t.Context(), plan))
	must(t, r.Seal(t.Context(), importer.RunPushing, len(rows), nil))
	claim(t, r, len(rows))
	must(t, r.Record(t.Context(), outcomes))
	must(t, r.Finish(t.Context(), testTime))
	return r
}

func TestExpireLeavesNoText(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	old := finishedRun(t, j, 2, 3)
	finishedRun(t, j, 77)
	n, err := j.Expire(t.Context(), old.id)
	if n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	must(t, j.Close())
	for _, text := range []string{"id-2", "id-3"} {
		if holds(t, j.dir, text) {
			t.Errorf("%s is still in the journal", text)
		}
	}
	if !holds(t, j.dir, "id-77") {
		t.Error("the test looks in the wrong place")
	}
}

// TestExpireGivesSpaceBack says so of a new journal, and of an old one once it was
// rewritten.
func TestExpireGivesSpaceBack(t *testing.T) {
	for _, isOld := range []bool{false, true} {
		dir := t.TempDir()
		if isOld {
			version1(t, dir)
		}
		j, err := Open(t.Context(), dir)
		must(t, err)
		for range 2 {
			r, err := j.begin(t.Context(), testRun())
			must(t, err)
			benchAppend(t, r, benchPlan(20_000))
			n, err := j.Expire(t.Context(), r.id)
			if n != 1 || err != nil {
				t.Fatal(n, err)
			}
			var free, pages int
			must(t, j.writer.QueryRow("PRAGMA freelist_count").Scan(&free))
			must(t, j.writer.QueryRow("PRAGMA page_count").Scan(&pages))
			if isOld != (free > 200) {
				t.Errorf("old %t: %d of %d pages are free", isOld, free, pages)
			}
			if !isOld {
				continue
			}
			isOld = false
			other := finishedRun(t, j, 2)
			if n, err = j.Forget(t.Context(), other.id); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		must(t, j.Close())
		info, err := os.Stat(filepath.Join(dir, databaseName))
		must(t, err)
		if info.Size() > 256<<10 {
			t.Errorf("the database still has %d bytes", info.Size())
		}
	}
}

// TestExpireCanStopAnywhere ends the context at random moments, until all runs are
// forgotten. The journal is sound each time.
func TestExpireCanStopAnywhere(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(t.Context(), dir)
	must(t, err)
	var ids []int64
	for range 6 {
		r, err := j.begin(t.Context(), testRun())
		must(t, err)
		benchAppend(t, r, benchPlan(3000))
		ids = append(ids, r.id)
	}
	random := rand.New(rand.NewPCG(12, 9))
	stopped := 0
	for most := time.Millisecond; ; most *= 2 { // at last it is long enough
		ctx, end := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(most))))
		_, err := j.Expire(ctx, ids...)
		end()
		if h, err := j.checkAll(t.Context(), j.payloadsInFile); err != nil || len(h.Damage) > 0 {
			t.Fatal(err, h.Damage)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		stopped++
	}
	runs, err := j.Runs(t.Context())
	must(t, err)
	must(t, j.Close())
	if len(runs) > 0 || sizeOf(filepath.Join(dir, databaseName)) > 256<<10 {
		t.Errorf("%d runs are left, %d bytes", len(runs), sizeOf(filepath.Join(dir, databaseName)))
	}
	t.Logf("stopped %d times", stopped)
}

// A run that could not be deleted keeps its payloads.
func TestForgetThatFailsKeepsPayloads(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := planned(t, j, importer.RunHeld, 2, 3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.delete(ctx, "delete it", r.id); err == nil {
		t.Fatal("it was deleted")
	}
	again, err := j.run(t.Context(), r.id)
	must(t, err)
	if err := again.Start(t.Context()); err != nil {
		t.Error(err)
	}
	if got := claim(t, again, 2); len(got) != 2 {
		t.Errorf("rows %v can be pushed", got)
	}
}
