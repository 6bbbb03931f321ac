package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gofrs/flock"
)

// A kill in the middle of an upload leaves a part of it, with people in it.
func TestHalfUploadsAreRemoved(t *testing.T) {
	state := t.TempDir()
	if err := RemoveHalfUploads(state); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(state, "web", ".arriving-123")
	whole := filepath.Join(state, "web", "students.csv", "students.csv")
	if err := os.MkdirAll(filepath.Dir(whole), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{half, whole} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	page := flock.New(filepath.Join(state, "web.lock"))
	if got, err := page.TryLock(); err != nil || !got {
		t.Fatal(got, err)
	}
	for _, open := range []bool{true, false} {
		if err := RemoveHalfUploads(state); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(half); (err == nil) != open {
			t.Errorf("page open %t: the half upload is there: %v", open, err)
		}
		if _, err := os.Stat(whole); err != nil {
			t.Error(err)
		}
		if err := page.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
}
