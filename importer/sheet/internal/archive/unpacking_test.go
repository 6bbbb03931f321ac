package archive

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// What fills the disk is given up, and leaves nothing there.
func TestUnpackingIsBounded(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} { // the latter two on Windows
		t.Setenv(name, dir)
	}
	c := Plain(strings.NewReader("0123456789"), 10)
	for most, tooLarge := range map[int64]bool{9: true, 10: false} {
		file, size, err := c.ToDisk(most)
		if errors.Is(err, ErrTooLarge) != tooLarge {
			t.Errorf("%d bytes: error %v", most, err)
		}
		if err != nil {
			continue
		}
		if err := file.Close(); err != nil || size != 10 {
			t.Errorf("%d bytes, error %v", size, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

func TestLimit(t *testing.T) {
	part := Limit(io.NopCloser(strings.NewReader("0123456789")), 9)
	if _, err := io.ReadAll(part); err == nil {
		t.Error("ten bytes were read of a part that may have nine")
	}
	part = Limit(io.NopCloser(strings.NewReader("0123456789")), 10)
	if _, err := io.ReadAll(part); err != nil {
		t.Error(err)
	}
}
