package report

import (
	"bytes"
	"os"
	"testing"
)

func TestNoTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	noEnv := func(string) (string, bool) { return "", false }
	if isTerminal(file, noEnv) || Colours(file, noEnv) || isTerminal(&bytes.Buffer{}, noEnv) {
		t.Error("a file or a buffer passes for a terminal")
	}
	if got := columns(file); got != 80 {
		t.Errorf("%d columns, want 80", got)
	}
}
