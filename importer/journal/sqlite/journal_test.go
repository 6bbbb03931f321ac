package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testTarget = "https://controller.example/OC_TEST"
	testSource = "/data/students.csv"
)

var testTime = time.Date(2026, 9, 1, 8, 30, 0, 123_456_000, time.UTC)

// openTest opens a journal and closes it when the test ends.
func openTest(t testing.TB, dir string) *Journal {
	t.Helper()
	j, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testRun() importer.RunInfo {
	return importer.RunInfo{
		Client: "OC_TEST", Target: testTarget, Source: testSource, FileHash: "f1", MappingHash: "m1",
		Reports: importer.Reports{Results: "/data/students.results.csv", Fix: "-"}, StartedAt: testTime,
	}
}

// testRow is a planned row; its key follows from its unique id.
func testRow(row int, status importer.Status) importer.PlannedRow {
	id := fmt.Sprintf("id-%d", row)
	p := importer.PlannedRow{Row: row, UniqueID: id, LoginSource: "SSO", Key: testKey(row), Hash: importer.Digest{byte(row), 1}, Status: status}
	if status == importer.StatusPending {
		p.Payload = fmt.Appendf(nil, `{"unique_id":%q,"last_name":"Canary-%d"}`, id, row)
		p.Unique = testUnique(row)
	}
	return p
}

func testUnique(row int) importer.UniqueValues {
	return importer.UniqueValues{importer.UniqueValue(1_000_000 + row), importer.UniqueValue(2_000_000 + row)}
}

func testKey(row int) importer.Digest { return importer.Digest{byte(row), byte(row >> 8), 7} }

// planned begins a run with pending rows of those numbers and seals it.
func planned(t testing.TB, j *Journal, state importer.RunState, rows ...int) *Run {
	t.Helper()
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	plan := make([]importer.PlannedRow, len(rows))
	for i, row := range rows {
		plan[i] = testRow(row, importer.StatusPending)
	}
	must(t, r.Append(t.Context(), plan))
	must(t, r.Seal(t.Context(), state, len(rows), nil))
	return r
}

func pushed(row int) importer.Outcome {
	return importer.Outcome{Row: row, Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: fmt.Sprint(row * 10), Attempts: 1}, FinishedAt: testTime}
}

// claim claims rows and returns their numbers.
func claim(t testing.TB, r *Run, max int) []int {
	t.Helper()
	jobs, err := r.Claim(t.Context(), max)
	must(t, err)
	var rows []int
	for _, job := range jobs {
		rows = append(rows, job.Row)
		if want := string(testRow(job.Row, importer.StatusPending).Payload); string(job.Payload) != want {
			t.Errorf("row %d: payload %s, want %s", job.Row, job.Payload, want)
		}
	}
	return rows
}

// statuses returns the results as "row status" and the like, one a row.
func statuses(t testing.TB, r *Run) []string {
	t.Helper()
	var lines []string
	for result, err := range r.Results(t.Context()) {
		must(t, err)
		lines = append(lines, fmt.Sprintf("%d %s %d", result.Row, result.Status, result.Attempts))
	}
	return lines
}

func diff(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("Windows has no such modes")
		return
	}
	dir := filepath.Join(t.TempDir(), "new", "state")
	j := openTest(t, dir)
	r := planned(t, j, importer.RunPushing, 2)
	claim(t, r, 1)
	release, err := j.Lock(t.Context(), testTarget)
	must(t, err)
	defer func() { must(t, release()) }()

	found := map[string]bool{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
		found[d.Name()] = true
		return nil
	}))
	for _, name := range []string{"journal.db", "journal.db-wal", "journal.db-shm", "1"} {
		if !found[name] {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestOpenNarrowsTheDatabasesMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("Windows has no such modes")
		return
	}
	dir := t.TempDir()
	must(t, openTest(t, dir).reader.Ping())
	must(t, os.Chmod(filepath.Join(dir, databaseName), 0o644))
	openTest(t, dir)
	info, err := os.Stat(filepath.Join(dir, databaseName))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode().Perm())
	}
}

func TestOpenAgainKeepsEverything(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's a % folder? #1")
	first, err := Open(t.Context(), dir)
	must(t, err)
	planned(t, first, importer.RunHeld, 2, 3)
	salt := first.Salt()
	must(t, first.Close())
	if _, err := os.Stat(filepath.Join(dir, databaseName+"-wal")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the log is still there: %v", err)
	}

	second := openTest(t, dir)
	if len(salt) != 32 || string(second.Salt()) != string(salt) {
		t.Errorf("salt %x, then %x", salt, second.Salt())
	}
	r, err := second.run(t.Context(), 1)
	must(t, err)
	diff(t, "results", statuses(t, r), []string{"2 not_sent 0", "3 not_sent 0"})
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(t.Context(), dir)
	must(t, err)
	_, err = j.writer.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	must(t, err)
	must(t, j.Close())
	if _, err = Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "a newer version of opscom-import wrote it") {
		t.Errorf("error %v", err)
	}
}

func TestOpenRefusesWhatIsNoJournal(t *testing.T) {
	for name, content := range map[string]string{
		"text":         strings.Repeat("These are somebody's notes.\n", 400),
		"short":        "x",
		"header alone": "SQLite format 3\x00" + strings.Repeat("\xff", 2000),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, databaseName), []byte(content), 0o600))
			_, err := Open(t.Context(), dir)
			damaged := new(journal.DamagedError)
			if !errors.As(err, &damaged) || damaged.Dir != dir || !strings.Contains(err.Error(), "move it away and push again") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestOpenSaysWhatIsInTheWay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := Open(t.Context(), filepath.Join(file, "state")); err == nil || !strings.Contains(err.Error(), "open the journal in "+file) {
		t.Errorf("error %v", err)
	}
}

func TestExists(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if found, err := Exists(dir); found || err != nil {
		t.Errorf("before: %v %v", found, err)
	}
	openTest(t, dir)
	if found, err := Exists(dir); !found || err != nil {
		t.Errorf("after: %v %v", found, err)
	}
}
