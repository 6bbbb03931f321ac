package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"opscom-import/cmd/opscom-import/internal/app"
)

// TestMountedResults pushes where the results are a file that is mounted by itself, as
// into a container: a rename to it fails, which is found out before anything is sent. A
// file in a mounted folder, and a mounted file that is only read, are as any other.
func TestMountedResults(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	tr := newTrial(t, testProgram(t), "", 1)
	tr.flags = []string{"--rate", "0"}
	tr.write("students.csv", trialRecords(20, 0, func(int) bool { return false }))
	bind := func(name string) {
		t.Helper()
		path := tr.path(name)
		if err := syscall.Mount(path, path, "", syscall.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(path, 0); err != nil {
				t.Error(err)
			}
		})
	}
	mount(t, tr.path("reports"), roomy)
	if err := os.WriteFile(tr.path("my results.csv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("my results.csv", tr.path("link.csv")); err != nil {
		t.Fatal(err)
	}
	bind("my results.csv")
	bind("students.csv")
	for _, name := range []string{"my results.csv", "link.csv"} {
		end := tr.run(tr.command("push", "--results", name, "students.csv"))
		if end.code != app.ExitUsage || !strings.Contains(end.stderr, "is mounted by itself") || strings.Contains(end.stderr, "Resuming") {
			t.Errorf("%s: %+v", name, end)
		}
	}
	end := tr.run(tr.command("push", "--results", "reports/results.csv", "students.csv"))
	if end.code != app.ExitRows || !strings.Contains(end.stdout, "pushed") {
		t.Errorf("in a mounted folder: %+v", end)
	}
}
