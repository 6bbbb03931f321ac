package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer/journal/sqlite"
)

// TestReadOnlyStateFolder looks at runs, and checks a file, where the state folder is
// on a read-only file system: as it is after a run, and as a killed program leaves it.
func TestReadOnlyStateFolder(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	tr := newTrial(t, testProgram(t), "", 1)
	tr.flags = []string{"--rate", "0"}
	tr.write("students.csv", trialRecords(20, 0, func(int) bool { return false }))
	tr.run(tr.push())
	copyReadOnly(t, tr, "closed")
	j, err := sqlite.Open(t.Context(), tr.state())
	if err == nil {
		err = j.SaveUserTypes(t.Context(), "somebody else", nil, time.Time{}) // into the log
	}
	if err != nil {
		t.Fatal(err)
	}
	copyReadOnly(t, tr, "killed")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args, want string
		code       int
	}{
		{"runs", "finished", app.ExitDone},
		{"runs show 1", "16  pushed", app.ExitDone},
		{"runs report 1 --results again.csv", "again.csv is written", app.ExitDone},
		{"check --only-changes students.csv", "16  unchanged", app.ExitRows},
		{"push students.csv", "is read-only", app.ExitUsage},
		{"runs forget 1", "is read-only", app.ExitUsage},
	} {
		for _, state := range []string{"closed", "killed"} {
			end := tr.run(tr.command(append(strings.Fields(c.args), "--state", state)...))
			if end.code != c.code || !strings.Contains(end.stdout+end.stderr, c.want) {
				t.Errorf("%s: %s: code %d, want %d and %q\n%s%s", state, c.args, end.code, c.code, c.want, end.stdout, end.stderr)
			}
		}
	}
}

// copyReadOnly copies the state folder as it is to a read-only file system.
func copyReadOnly(t *testing.T, tr *trial, name string) {
	t.Helper()
	mount(t, tr.path(name), roomy)
	if err := os.CopyFS(tr.path(name), os.DirFS(tr.state())); err != nil {
		t.Fatal(err)
	}
	change(t, tr.path(name), roomy, syscall.MS_REMOUNT|syscall.MS_RDONLY)
}

// TestUnprivilegedStateFolder does so with a state folder of another account.
func TestUnprivilegedStateFolder(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("TestReadOnlyStateFolder has to do: only root can be another user")
	}
	const nobody = 65534
	tr := newTrial(t, testProgram(t), "", 1)
	tr.flags = []string{"--rate", "0"}
	tr.write("students.csv", trialRecords(20, 0, func(int) bool { return false }))
	tr.run(tr.push())
	open := func(paths ...string) {
		for _, path := range paths {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	programs := filepath.Dir(tr.program)
	open(filepath.Dir(programs), programs, filepath.Dir(tr.folder), tr.folder)
	other := func(args ...string) *exec.Cmd {
		c := tr.command(args...)
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return c
	}
	if err := other("version").Run(); err != nil {
		t.Skipf("another user cannot run the program: %v", err)
	}
	if end := tr.run(other("runs")); end.code != app.ExitUsage || !strings.Contains(end.stderr, "permission denied") {
		t.Errorf("without permission: %+v", end)
	}
	open(tr.state(), filepath.Join(tr.state(), "journal.db"))
	if end := tr.run(other("runs")); end.code != app.ExitDone || !strings.Contains(end.stdout, "finished") {
		t.Errorf("with permission to read: %+v", end)
	}
}
