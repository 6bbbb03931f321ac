//go:build unix

package config

import (
	"errors"
	"os"
	"testing"
)

// A secret that is mounted into a container belongs to root there, and its group is how
// others can read it.
func TestFileOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := writeToken(t, "token", 0o600)
	for mode, want := range map[os.FileMode]bool{0o440: false, 0o640: false, 0o660: true, 0o444: true} {
		if err := errors.Join(os.Chown(path, 12345, 0), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		found, err := tokenFromFile(path)
		if err != nil || (found.Warning != "") != want {
			t.Errorf("mode %v: warning %q, %v", mode, found.Warning, err)
		}
	}
}
