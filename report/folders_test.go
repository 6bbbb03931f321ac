package report

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"opscom-import/importer"
)

// Reports that are written together name each folder once, and only if it has changed.
func TestSyncLater(t *testing.T) {
	one, other := t.TempDir(), t.TempDir()
	var folders Folders
	to := func(folder, name string) Destination { return To(filepath.Join(folder, name), nil).SyncLater(&folders) }
	wantFolders := func(step string, want ...string) {
		t.Helper()
		if !slices.Equal(folders.paths, want) {
			t.Errorf("%s: %q are to be synced, want %q", step, folders.paths, want)
		}
	}
	problem := importer.RowProblem{Row: 2}
	write := func(to Destination, problems ...importer.RowProblem) {
		t.Helper()
		if _, err := WriteProblems(to, yielding(problems, nil)); err != nil {
			t.Fatal(err)
		}
	}
	write(to(one, "a.csv"))
	wantFolders("nothing was there to remove")
	write(to(one, "a.csv"), problem)
	write(to(one, "b.csv"), problem)
	write(to(other, "b.csv"), problem)
	wantFolders("written", one, other)
	if err := folders.Sync(); err != nil {
		t.Fatal(err)
	}
	wantFolders("synced")
	write(to(other, "b.csv"))
	wantFolders("removed", other)

	if err := os.RemoveAll(other); err != nil {
		t.Fatal(err)
	}
	if err := folders.Sync(); !errors.Is(err, fs.ErrNotExist) && runtime.GOOS != "windows" {
		t.Errorf("error %v for a folder that cannot be synced", err)
	}
}
