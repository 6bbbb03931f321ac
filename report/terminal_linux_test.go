package report

import (
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns the master side of a new pseudo-terminal.
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := terminal.Close(); err != nil {
			t.Error(err)
		}
	})
	return terminal
}

func TestTerminal(t *testing.T) {
	terminal := openTerminal(t)
	for _, tc := range []struct {
		env                 map[string]string
		isTerminal, colours bool
	}{
		{nil, true, true},
		{map[string]string{"TERM": "xterm", "NO_COLOR": ""}, true, true},
		{map[string]string{"NO_COLOR": "1"}, true, false},
		{map[string]string{"TERM": "dumb"}, false, false},
	} {
		lookup := func(name string) (string, bool) {
			value, set := tc.env[name]
			return value, set
		}
		if got := isTerminal(terminal, lookup); got != tc.isTerminal {
			t.Errorf("%v: isTerminal = %v", tc.env, got)
		}
		wantMode := Lines
		if tc.isTerminal {
			wantMode = Bar
		}
		if got := ProgressMode(terminal, lookup, false); got != wantMode {
			t.Errorf("%v: ProgressMode = %v", tc.env, got)
		}
		if got := ProgressMode(terminal, lookup, true); got != Quiet {
			t.Errorf("%v, quiet: ProgressMode = %v", tc.env, got)
		}
		if got := Colours(terminal, lookup); got != tc.colours {
			t.Errorf("%v: Colours = %v", tc.env, got)
		}
	}
}

func TestColumns(t *testing.T) {
	terminal := openTerminal(t)
	if got := columns(terminal); got != 80 {
		t.Errorf("%d columns for a terminal that does not know, want 80", got)
	}
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 132}); err != nil {
		t.Fatal(err)
	}
	if got := columns(terminal); got != 132 {
		t.Errorf("%d columns, want 132", got)
	}
}
