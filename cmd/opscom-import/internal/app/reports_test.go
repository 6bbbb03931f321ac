package app

import (
	"path/filepath"
	"testing"
)

func TestShortPath(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	inside, outside := filepath.Join(folder, "a", "b.csv"), filepath.Join(filepath.Dir(folder), "b.csv")
	for path, want := range map[string]string{inside: filepath.Join("a", "b.csv"), outside: outside, "-": "-", "": ""} {
		if got := ShortPath(path); got != want {
			t.Errorf("ShortPath(%q) = %q, want %q", path, got, want)
		}
	}
	root := filepath.VolumeName(folder) + string(filepath.Separator)
	t.Chdir(root) // as cron and systemd do
	if got := ShortPath(inside); got != inside {
		t.Errorf("from %s: ShortPath(%q) = %q", root, inside, got)
	}
}
