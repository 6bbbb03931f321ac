package journal

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"opscom-import/importer"
)

// halfPushed makes a journal as it is after a crash in mid-run, its log moved into
// the database or not, and returns its folder. Of the rows 2 to 601 every seventh
// is invalid; a third was pushed, rejected or failed.
func halfPushed(t *testing.T, inLog bool) string {
	t.Helper()
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	r, err := j.Begin(t.Context(), testRun())
	must(t, err)
	var rows []importer.PlannedRow
	for row := 2; row <= 601; row++ {
		status := importer.StatusPending
		if row%7 == 0 {
			status = importer.StatusInvalid
		}
		rows = append(rows, testRow(row, status))
	}
	must(t, r.Append(t.Context(), rows))
	must(t, r.Amend(t.Context(), []importer.Amendment{{Row: 300, DuplicateOf: 299}}))
	must(t, r.Seal(t.Context(), importer.RunPushing, len(rows), nil))
	for range 3 {
		var outcomes []importer.Outcome
		for i, row := range claim(t, r, 80) {
			o := pushed(row)
			switch i % 10 {
			case 3:
				o = importer.Outcome{Row: row, Answer: importer.Answer{Status: importer.StatusRejected, ErrorCode: "9019", Message: "not unique", Attempts: 1}, FinishedAt: testTime}
			case 4:
				o = importer.Outcome{Row: row, Answer: importer.Answer{Status: importer.StatusFailed, Attempts: 3}, Retry: true, FinishedAt: testTime}
			case 5:
				continue // no answer came
			}
			outcomes = append(outcomes, o)
		}
		must(t, r.Record(t.Context(), outcomes))
	}
	if inLog {
		dir := crashed(t, j)
		must(t, j.Close())
		return dir
	}
	must(t, j.Close())
	return j.dir
}

// goOn does with a journal what the same command does after a crash, and returns
// each row as it stood before, and what was claimed.
func goOn(t *testing.T, dir string) (before []importer.Result, again []int, err error) {
	j, err := Open(t.Context(), dir)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := j.Recover(t.Context(), testTarget); err != nil {
		return nil, nil, err
	}
	runs, err := j.Unfinished(t.Context(), testTarget, testSource)
	if err != nil || len(runs) == 0 {
		return nil, nil, err
	}
	r, err := j.Run(t.Context(), runs[0].ID)
	if err != nil {
		return nil, nil, err
	}
	for result, err := range r.Results(t.Context()) {
		if err != nil {
			return nil, nil, err
		}
		before = append(before, result)
	}
	if err := r.Start(t.Context()); err != nil {
		return nil, nil, err
	}
	for {
		jobs, err := r.Claim(t.Context(), 100)
		if err != nil {
			return nil, nil, err
		}
		if len(jobs) == 0 {
			return before, again, nil
		}
		for _, job := range jobs {
			if want := string(testRow(job.Row, importer.StatusPending).Payload); string(job.Payload) != want {
				t.Errorf("row %d would be pushed with a wrong payload", job.Row)
			}
			again = append(again, job.Row)
		}
	}
}

var (
	damagePlaces = flag.Int("places", 16, "at how many places TestDamageIsNeverAWrongOutcome damages each file")
	damageSeed   = flag.Uint64("damage-seed", 2, "seed of these places")
)

// TestDamageIsNeverAWrongOutcome flips a bit or cuts a file off at many places. A
// journal may be refused. If it is not, each row must stand as it did, or as it did
// a few batches earlier: the end of a log that is torn is what a power failure
// leaves. The long version:
//
//	go test ./importer/journal -run Damage -v -places 1000 -timeout 1h
func TestDamageIsNeverAWrongOutcome(t *testing.T) {
	if testing.Short() {
		t.Skip("damages hundreds of journals: not with -short")
	}
	for _, inLog := range []bool{false, true} {
		whole := halfPushed(t, inLog)
		want, wantAgain, err := goOn(t, copyOf(t, whole))
		must(t, err)
		if len(want) != 600 || len(wantAgain) < 300 {
			t.Fatalf("%d rows, %d to go on with", len(want), len(wantAgain))
		}
		random := rand.New(rand.NewPCG(1, *damageSeed))
		refused, right := 0, 0
		for _, name := range []string{databaseName, databaseName + "-wal", filepath.Join(payloadsName, "1")} {
			content, err := os.ReadFile(filepath.Join(whole, name))
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			must(t, err)
			for i := range *damagePlaces {
				at := random.IntN(len(content))
				damage := func(path string) error { return os.Truncate(path, int64(at)) }
				what := fmt.Sprintf("log %v: %s cut at %d", inLog, name, at)
				if i%4 != 0 {
					bit := byte(1) << random.IntN(8)
					damage = func(path string) error { return flip(path, at, bit) }
					what = fmt.Sprintf("log %v: %s, byte %d, bit %#x", inLog, name, at, bit)
				}
				dir := copyOf(t, whole)
				must(t, damage(filepath.Join(dir, name)))
				got, again, err := goOn(t, dir)
				if err != nil {
					refused++
					if !errors.As(err, new(*DamagedError)) {
						t.Errorf("%s: refused with %v", what, err)
					}
					continue
				}
				right++
				checkEarlier(t, what, got, want, name == databaseName+"-wal")
				for j, row := range again {
					if j > 0 && row <= again[j-1] {
						t.Errorf("%s: row %d would be pushed after row %d", what, row, again[j-1])
					}
				}
			}
		}
		t.Logf("log %v: %d refused, %d right", inLog, refused, right)
		if refused == 0 || right == 0 {
			t.Errorf("log %v: %d refused, %d right: the test damages nothing, or everything", inLog, refused, right)
		}
	}
}

// checkEarlier compares results with those of the undamaged journal. When earlier
// is allowed, a row may not have come as far.
func checkEarlier(t *testing.T, what string, got, want []importer.Result, earlier bool) {
	t.Helper()
	if len(got) == 0 && earlier {
		return // the log was torn before the plan was complete
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		unsettled := got[i].Status == importer.StatusNotSent || got[i].Status == importer.StatusUnknown
		if !reflect.DeepEqual(got[i], want[i]) && !(earlier && unsettled) {
			t.Errorf("%s: row %d is %s, want %s", what, want[i].Row, got[i].Status, want[i].Status)
			return
		}
	}
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	into := t.TempDir()
	must(t, os.CopyFS(into, os.DirFS(dir)))
	return into
}

func flip(path string, at int, bit byte) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	content[at] ^= bit
	return os.WriteFile(path, content, 0o600)
}

// TestMissingRecordsAreNoticed takes records out of a sound database: none of its
// own checks can tell.
func TestMissingRecordsAreNoticed(t *testing.T) {
	whole := halfPushed(t, false)
	for _, query := range []string{
		"DELETE FROM chunk WHERE chunk = 1",
		"DELETE FROM event WHERE seq = 2",
		"UPDATE event SET chunk = 2 WHERE seq = 2",
		"UPDATE chunk SET chunk = 9 WHERE chunk = 2",
		"UPDATE run SET claimed = 2",
		"UPDATE target SET folded = 9",
	} {
		t.Run(query, func(t *testing.T) {
			j := openTest(t, copyOf(t, whole))
			_, err := j.writer.Exec(query)
			must(t, err)
			_, acceptErr := j.Accepted(t.Context(), testTarget, []importer.Digest{testKey(2)})
			if err := errors.Join(j.Recover(t.Context(), testTarget), acceptErr); !errors.As(err, new(*DamagedError)) {
				t.Errorf("error %v", err)
			}
		})
	}
}
