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
	must(t, copyDisk(j.dir, dir))
	return dir
}

func TestRecoverDeletesLeftoverPayloads(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := planned(t, j, importer.RunPushing)
	must(t, r.Finish(t.Context(), testTime))
	held := planned(t, j, importer.RunHeld, 2)
	planning, err := j.begin(t.Context(), testRun())
	must(t, err)
	must(t, planning.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(400, importer.StatusPending)}))
	if sizeOf(string(j.payloadFile(planning.id))) <= 0 {
		t.Error("the plan has no payloads")
	}
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

func TestForgetLeavesNoText(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	over := finishedRun(t, j, 2, 3)
	dead := planned(t, j, importer.RunPushing, 4)
	claim(t, dead, 1)
	planning, err := j.begin(t.Context(), testRun())
	must(t, err)
	must(t, planning.Append(t.Context(), []importer.PlannedRow{testRow(5, importer.StatusPending), testRow(500, importer.StatusPending)}))
	elsewhere := testRun()
	elsewhere.Target = "busy"
	busy, err := j.begin(t.Context(), elsewhere)
	must(t, err)
	must(t, busy.Append(t.Context(), []importer.PlannedRow{testRow(77, importer.StatusPending), testRow(400, importer.StatusPending)}))
	release, err := j.Lock(t.Context(), "busy")
	must(t, err)
	if n, err := j.Forget(t.Context(), over.id, dead.id, planning.id, busy.id); n != 3 || !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("forgot %d, %v", n, err)
	}
	must(t, release())
	must(t, j.Close())
	for _, text := range []string{"id-2", "id-3", "id-4", "Canary-4", "id-5", "Canary-5"} {
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

func TestForgetTargetLeavesNoText(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	finishedRun(t, j, 2)
	diff(t, "accepted", accepted(t, j, 2), map[int]string{2: "20"})
	planned(t, j, importer.RunHeld, 3)
	must(t, j.ForgetTarget(t.Context(), testTarget))
	must(t, j.Close())
	for _, text := range []string{"id-2", "id-3", "Canary-3", testTarget} {
		if holds(t, j.dir, text) {
			t.Errorf("%s is still in the journal", text)
		}
	}
}
