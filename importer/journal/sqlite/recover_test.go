package sqlite

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// holds reports whether any file of the folder holds the text. The journal must be
// closed: reading its database would take its locks away.
func holds(t *testing.T, dir, text string) bool {
	t.Helper()
	found := false
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found = found || bytes.Contains(content, []byte(text))
		return err
	}))
	return found
}

// crashed copies the journal as it is now on the disk: what a process that dies
// leaves behind.
func crashed(t testing.TB, j *Journal) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{databaseName, databaseName + "-wal", payloadsName} {
		path := filepath.Join(j.dir, name)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		must(t, err)
		if info.IsDir() {
			must(t, os.CopyFS(filepath.Join(dir, name), os.DirFS(path)))
			continue
		}
		content, err := os.ReadFile(path)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return dir
}

func TestRecover(t *testing.T) {
	claimTwo := func(t *testing.T, j *Journal) *Run {
		r := planned(t, j, importer.RunPushing, 2, 3, 4)
		claim(t, r, 2)
		must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
		return r
	}
	for name, tc := range map[string]struct {
		before func(*testing.T, *Journal)
		state  importer.RunState // "" when the run is gone
		rows   []string
		again  []int // what going on claims
	}{
		"planning": {before: func(t *testing.T, j *Journal) {
			r, err := j.begin(t.Context(), testRun())
			must(t, err)
			must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(400, importer.StatusPending)}))
		}},
		"held": {
			before: func(t *testing.T, j *Journal) { planned(t, j, importer.RunHeld, 2) },
			state:  importer.RunHeld, rows: []string{"2 not_sent 0"}, again: []int{2},
		},
		"sealed": {
			before: func(t *testing.T, j *Journal) { planned(t, j, importer.RunPushing, 2) },
			state:  importer.RunStopped, rows: []string{"2 not_sent 0"}, again: []int{2},
		},
		"in flight": {
			before: func(t *testing.T, j *Journal) { claimTwo(t, j) },
			state:  importer.RunStopped, rows: []string{"2 pushed 1", "3 unknown 0", "4 not_sent 0"}, again: []int{3, 4},
		},
		"in flight again": {
			before: func(t *testing.T, j *Journal) {
				r := claimTwo(t, j)
				must(t, r.Record(t.Context(), []importer.Outcome{{Row: 3, Answer: importer.Answer{Status: importer.StatusNotSent}, Retry: true}}))
				must(t, r.Stop(t.Context()))
				must(t, r.Start(t.Context()))
				claim(t, r, 1)
			},
			state: importer.RunStopped, rows: []string{"2 pushed 1", "3 unknown 0", "4 not_sent 0"}, again: []int{3, 4},
		},
		"all recorded": {
			before: func(t *testing.T, j *Journal) {
				r := claimTwo(t, j)
				claim(t, r, 1)
				must(t, r.Record(t.Context(), []importer.Outcome{pushed(3), pushed(4)}))
			},
			state: importer.RunStopped, rows: []string{"2 pushed 1", "3 pushed 1", "4 pushed 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			first := openTest(t, t.TempDir())
			tc.before(t, first)
			j := openTest(t, crashed(t, first))
			for range 2 { // a second time changes nothing
				must(t, j.Recover(t.Context(), testTarget))
			}
			r, err := j.run(t.Context(), 1)
			if tc.state == "" {
				files, readErr := os.ReadDir(filepath.Join(j.dir, payloadsName))
				if !errors.Is(err, journal.ErrNoRun) || readErr != nil || len(files) > 0 {
					t.Errorf("still there: %v, payloads %v %v", err, files, readErr)
				}
				return
			}
			must(t, err)
			if r.Info().State != tc.state {
				t.Errorf("state %s, want %s", r.Info().State, tc.state)
			}
			diff(t, "rows", statuses(t, r), tc.rows)
			must(t, r.Start(t.Context()))
			diff(t, "claimed again", claim(t, r, 100), tc.again)
		})
	}
}

func TestRecoverLeavesOtherTargetsAlone(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := planned(t, j, importer.RunPushing, 2)
	claim(t, r, 1)
	must(t, j.Recover(t.Context(), "another target"))
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	must(t, r.Finish(t.Context(), testTime))
}

func TestRecoverDeletesLeftoverPayloads(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := planned(t, j, importer.RunPushing)
	must(t, r.Finish(t.Context(), testTime))
	held := planned(t, j, importer.RunHeld, 2)
	for _, id := range []int64{r.id, 99} { // of a finished run, of none
		must(t, os.WriteFile(string(j.payloadFile(id)), []byte("x"), 0o600))
	}
	must(t, j.Recover(t.Context(), testTarget))
	files, err := os.ReadDir(filepath.Join(j.dir, payloadsName))
	must(t, err)
	if len(files) != 1 || files[0].Name() != "2" {
		t.Errorf("left: %v, want that of run %d", files, held.id)
	}
}

func TestPayloadsLeaveWithTheRun(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *Journal, *Run){
		"finish": func(t *testing.T, _ *Journal, r *Run) {
			must(t, r.Start(t.Context()))
			claim(t, r, 9)
			must(t, r.Record(t.Context(), []importer.Outcome{pushed(2), pushed(3)}))
			must(t, r.Finish(t.Context(), testTime))
		},
		"supersede": func(t *testing.T, j *Journal, r *Run) { must(t, j.Supersede(t.Context(), r.id)) },
	} {
		t.Run(name, func(t *testing.T) {
			j, err := Open(t.Context(), t.TempDir())
			must(t, err)
			r := planned(t, j, importer.RunHeld, 2, 3)
			before := crashed(t, j)
			end(t, j, r)
			must(t, j.Close())
			if !holds(t, before, "Canary-3") || !holds(t, j.dir, "id-3") {
				t.Error("the test looks in the wrong place")
			}
			if holds(t, j.dir, "Canary-3") {
				t.Error("a payload is still in the journal")
			}
		})
	}
}

func TestForget(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	finished := planned(t, j, importer.RunPushing, 2, 3)
	claim(t, finished, 2)
	must(t, finished.Record(t.Context(), []importer.Outcome{pushed(2), pushed(3)}))
	must(t, finished.Finish(t.Context(), testTime))
	dead := planned(t, j, importer.RunPushing, 4)
	claim(t, dead, 1)
	planning, err := j.begin(t.Context(), testRun())
	must(t, err)
	elsewhere := testRun()
	elsewhere.Target = "busy"
	busy, err := j.begin(t.Context(), elsewhere)
	must(t, err)
	must(t, busy.Append(t.Context(), []importer.PlannedRow{testRow(77, importer.StatusPending), testRow(400, importer.StatusPending)}))
	release, err := j.Lock("busy")
	must(t, err)

	n, err := j.Forget(t.Context(), finished.id, dead.id, planning.id, busy.id, 99)
	if n != 3 || !errors.As(err, new(*journal.BusyError)) || !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("forgot %d, %v", n, err)
	}
	runs, err := j.Runs(t.Context())
	must(t, err)
	if len(runs) != 1 || runs[0].ID != busy.id {
		t.Errorf("left: %+v", runs)
	}
	accepted, err := j.Acceptances().Accepted(t.Context(), testTarget, []importer.Digest{testKey(2), testKey(4)})
	must(t, err)
	diff(t, "acceptances outlive their run", accepted, map[importer.Digest]importer.Acceptance{
		testKey(2): {Hash: importer.Digest{2, 1}, Unique: testUnique(2), ReferenceID: "20", AcceptedAt: testTime},
	})
	must(t, release())
	must(t, j.Close())
	for _, text := range []string{"id-2", "id-3", "id-4", "Canary-4"} {
		if holds(t, j.dir, text) {
			t.Errorf("%s is still in the journal", text)
		}
	}
	if !holds(t, j.dir, "id-77") {
		t.Error("the test looks in the wrong place")
	}
}

func TestErrorsHoldNoValue(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := planned(t, j, importer.RunPushing, 2)
	must(t, os.WriteFile(string(j.payloadFile(r.id)), []byte(`{"last_name":"Canary-2"}`), 0o600))
	_, err := r.Claim(t.Context(), 1)
	if !errors.As(err, new(*journal.DamagedError)) || strings.Contains(err.Error(), "Canary") {
		t.Errorf("error %v", err)
	}
}

func TestForgetTarget(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	r := planned(t, j, importer.RunPushing, 2)
	claim(t, r, 1)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "accepted", accepted(t, j, 2), map[int]string{2: "20"})
	planned(t, j, importer.RunHeld, 3)
	elsewhere := testRun()
	elsewhere.Target = "another target"
	other, err := j.begin(t.Context(), elsewhere)
	must(t, err)

	release, err := j.Lock(testTarget)
	must(t, err)
	if err := j.ForgetTarget(t.Context(), testTarget); !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("while a run is in progress: %v", err)
	}
	must(t, release())
	for range 2 { // the second time there is nothing
		must(t, j.ForgetTarget(t.Context(), testTarget))
	}
	diff(t, "accepted", accepted(t, j, 2), map[int]string{})
	runs, err := j.Runs(t.Context())
	must(t, err)
	if len(runs) != 1 || runs[0].ID != other.id {
		t.Errorf("left: %+v", runs)
	}
	must(t, j.Close())
	for _, text := range []string{"id-2", "id-3", "Canary-3", testTarget} {
		if holds(t, j.dir, text) {
			t.Errorf("%s is still in the journal", text)
		}
	}
}
