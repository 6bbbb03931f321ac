package sqlite

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"opscom-import/importer/journal"
)

// Of a restored journal nobody knows whether a run before was the last complete one.
func TestLeaversAfterARestore(t *testing.T) {
	first := openTest(t, t.TempDir())
	finishedRun(t, first, 2, 3, 4)
	staff := testRun()
	staff.Source = "/x/staff.csv"
	finishedOf(t, first, staff, 4)
	j := restoredFrom(t, backedUp(t, first))
	want := func(what, want, source string, present ...int) {
		t.Helper()
		last, why, err := j.LastComplete(t.Context(), testTarget, source, "")
		must(t, err)
		if last != nil {
			roster, err := j.Roster(t.Context(), testTarget, last)
			must(t, err)
			for _, row := range present {
				roster.See(testKey(row))
			}
			missing, elsewhere, err := roster.Missing(t.Context())
			must(t, err)
			why = fmt.Sprintf("run %d, %d elsewhere:", last.ID, elsewhere)
			for _, leaver := range missing {
				why += " " + leaver.UniqueID
			}
		}
		diff(t, what, why, want)
	}
	const restored = "the journal was restored from a backup, and there is no complete run of this file since"
	want("restored", restored, testSource)
	_, err := j.Forget(t.Context(), 1)
	must(t, err)
	want("forgotten", restored, testSource)
	want("a new file", "there is no earlier run of this file, nor of one whose name differs only in a date (run 2 is of staff.csv)", "/x/new.csv")
	finishedRun(t, j, 2, 4)
	want("since then", "run 1003, 1 elsewhere: id-2", testSource)
	want("since then, with somebody", "run 1003, 0 elsewhere:", testSource, 2, 4)
	for run, want := range map[int64]bool{1: true, 2: true, 1003: false} {
		if was, err := j.WasRestoredSince(t.Context(), testTarget, run); was != want || err != nil {
			t.Errorf("restored since run %d: %v, %v", run, was, err)
		}
	}
}

// Of a run that is forgotten no id is left, unless those of its people are to be kept, and
// there is one roster of a source.
func TestForgettingLeavesNoID(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			j, err := Open(t.Context(), t.TempDir())
			must(t, err)
			j.KeepKeys(keep)
			finishedRun(t, j, 2, 3)
			finishedRun(t, j, 2, 4)
			for _, id := range []int64{1, 2} {
				_, err := j.Forget(t.Context(), id)
				must(t, err)
			}
			must(t, j.Close())
			if found := holds(t, j.dir, "id-"); found != keep {
				t.Errorf("ids in the folder: %v", found)
			}
			if keep { // and are forgotten when they are to be kept no more
				j, err = Open(t.Context(), j.dir)
				must(t, err)
				j.KeepKeys(false)
				other := testRun()
				other.Source = "/x/other.csv"
				_, err := j.Forget(t.Context(), finishedOf(t, j, other, 5).id)
				must(t, err)
				must(t, j.Close())
				if holds(t, j.dir, "id-") {
					t.Error("ids are still in the folder")
				}
			}
			j = openTest(t, j.dir)
			rosters := func() (n int) {
				must(t, j.reader.QueryRow("SELECT count(*) FROM roster WHERE series = ?", testSource).Scan(&n))
				return n
			}
			diff(t, "rosters of the source", rosters(), 1)
			finishedRun(t, j, 2)
			diff(t, "rosters of runs before the last one", rosters(), 0)
		})
	}
}

func TestDamagedRoster(t *testing.T) {
	j := openTest(t, t.TempDir())
	_, err := j.Forget(t.Context(), finishedRun(t, j, 2, 3).id)
	must(t, err)
	var data []byte
	must(t, j.reader.QueryRow("SELECT data FROM roster").Scan(&data))
	for i := range data {
		damaged := slices.Clone(data)
		damaged[i] ^= 0x10
		_, err := j.writer.Exec("UPDATE roster SET data = ?", damaged)
		must(t, err)
		if _, _, err := j.LastComplete(t.Context(), testTarget, testSource, ""); !errors.As(err, new(*journal.DamagedError)) {
			t.Fatalf("byte %d changed: error %v", i, err)
		}
	}
}
