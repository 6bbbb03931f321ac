//go:build unix

package app

import (
	"os"
	"strings"
	"testing"
)

// TestFoldersOfOthers: what root writes for a look, the job cannot change any more.
func TestFoldersOfOthers(t *testing.T) {
	folder := t.TempDir()
	if note := notOwner(folder); note != "" {
		t.Errorf("one's own: %s", note)
	}
	if err := os.Chown(folder, 54321, -1); err != nil {
		t.Skip("only root gives folders away")
	}
	if note := notOwner(folder); !strings.Contains(note, "it belongs to user 54321: run this as that user") {
		t.Errorf("%q", note)
	}
}
