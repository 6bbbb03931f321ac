package sqlite

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
	"opscom-import/importer/journal"
)

// halfPushed makes a journal as it is after a crash in mid-run, its log moved into
// the database or not, and returns its folder. Of the rows 2 to 601 every seventh
// is invalid; a third was pushed, rejected or failed.
func halfPushed(t *testing.T, inLog bool) string {
	t.Helper()
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	r, err := j.begin(t.Context(), testRun())
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

// goneOn is what a command found that goes on with a run.
type goneOn struct {
	before   []importer.Result // each row as it stood
	accepted map[importer.Digest]importer.Acceptance
	again    []int // what was claimed
}

// goOn does with a journal what the same command does after a crash, and what one
// does that compares with what was accepted.
func goOn(t *testing.T, dir string) (found goneOn, err error) {
	j, err := Open(t.Context(), dir)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if err := j.Recover(t.Context(), testTarget); err != nil {
		return found, err
	}
	var keys []importer.Digest
	for row := 2; row <= 601; row++ {
		keys = append(keys, testKey(row))
	}
	if found.accepted, err = j.Acceptances().Accepted(t.Context(), testTarget, keys); err != nil {
		return found, err
	}
	runs, err := j.Unfinished(t.Context(), testTarget, testSource)
	if err != nil || len(runs) == 0 {
		return found, err
	}
	r, err := j.run(t.Context(), runs[0].ID)
	if err != nil {
		return found, err
	}
	for result, err := range r.Results(t.Context()) {
		if err != nil {
			return found, err
		}
		found.before = append(found.before, result)
	}
	if err := r.Start(t.Context()); err != nil {
		return found, err
	}
	for {
		jobs, err := r.Claim(t.Context(), 100)
		if err != nil {
			return found, err
		}
		if len(jobs) == 0 {
			return found, nil
		}
		for _, job := range jobs {
			if want := string(testRow(job.Row, importer.StatusPending).Payload); string(job.Payload) != want {
				t.Errorf("row %d would be pushed with a wrong payload", job.Row)
			}
			found.again = append(found.again, job.Row)
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
		want, err := goOn(t, copyOf(t, whole))
		must(t, err)
		if len(want.before) != 600 || len(want.again) < 300 || len(want.accepted) < 150 {
			t.Fatalf("%d rows, %d to go on with, %d accepted", len(want.before), len(want.again), len(want.accepted))
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
				kept := i%2 == 1 // nobody has written the file: the disk has lost a bit
				must(t, damageFile(filepath.Join(dir, name), kept, damage))
				if kept {
					what += ", as old as before"
				}
				got, err := goOn(t, dir)
				if err != nil {
					refused++
					if !errors.As(err, new(*journal.DamagedError)) {
						t.Errorf("%s: refused with %v", what, err)
					}
					continue
				}
				right++
				checkEarlier(t, what, got, want, name == databaseName+"-wal")
				for j, row := range got.again {
					if j > 0 && row <= got.again[j-1] {
						t.Errorf("%s: row %d would be pushed after row %d", what, row, got.again[j-1])
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

// checkEarlier compares what was found with what is found in the undamaged journal.
// When earlier is allowed, a row may not have come as far.
func checkEarlier(t *testing.T, what string, got, want goneOn, earlier bool) {
	t.Helper()
	for key, a := range got.accepted {
		if a != want.accepted[key] {
			t.Errorf("%s: of key %x %+v was accepted, want %+v", what, key, a, want.accepted[key])
			return
		}
	}
	if len(got.accepted) != len(want.accepted) && !earlier {
		t.Errorf("%s: %d keys were accepted, want %d", what, len(got.accepted), len(want.accepted))
	}
	if len(got.before) == 0 && earlier {
		return // the log was torn before the plan was complete
	}
	if len(got.before) != len(want.before) {
		t.Errorf("%s: %d rows, want %d", what, len(got.before), len(want.before))
		return
	}
	for i, row := range want.before {
		is := got.before[i]
		unsettled := is.Status == importer.StatusNotSent || is.Status == importer.StatusUnknown
		if !reflect.DeepEqual(is, row) && !(earlier && unsettled) {
			t.Errorf("%s: row %d is %s, want %s", what, row.Row, is.Status, row.Status)
			return
		}
	}
}

// copyOf copies the folder; the database stays as old as it is.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	into := t.TempDir()
	must(t, os.CopyFS(into, os.DirFS(dir)))
	info, err := os.Stat(filepath.Join(dir, databaseName))
	must(t, err)
	must(t, os.Chtimes(filepath.Join(into, databaseName), info.ModTime(), info.ModTime()))
	return into
}

// damageFile damages a file, and makes it as old as it was if it is to keep its age.
func damageFile(path string, keepAge bool, damage func(path string) error) error {
	info, err := os.Stat(path)
	if err == nil {
		err = damage(path)
	}
	if err == nil && keepAge {
		err = os.Chtimes(path, info.ModTime(), info.ModTime())
	}
	return err
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
			_, acceptErr := j.Acceptances().Accepted(t.Context(), testTarget, []importer.Digest{testKey(2)})
			if err := errors.Join(j.Recover(t.Context(), testTarget), acceptErr); !errors.As(err, new(*journal.DamagedError)) {
				t.Errorf("error %v", err)
			}
		})
	}
}
