package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"opscom-import/cmd/opscom-import/internal/app"
)

// openTerminal returns the program's side of a new pseudo-terminal, and a function
// that closes it and returns all that was written to it.
func openTerminal(t *testing.T) (terminal *os.File, written func() string) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&text, screen) // ends with an error when the other side is closed
	}()
	return terminal, func() string {
		if err := terminal.Close(); err != nil {
			t.Error(err)
		}
		<-read
		if err := screen.Close(); err != nil {
			t.Error(err)
		}
		return text.String()
	}
}

// pushOnTerminal pushes two people to the sandbox, and returns what a terminal
// shows, and what was written to a standard output that is none.
func pushOnTerminal(t *testing.T, args ...string) (shown, piped string) {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "students.csv")
	if err := os.WriteFile(file, []byte("unique_id,login_source\n1,SSO\n2,SSO\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	terminal, written := openTerminal(t)
	var out bytes.Buffer
	s := streams{strings.NewReader(""), terminal, terminal}
	if len(args) > 0 {
		s.stdout = &out
	}
	args = append([]string{"push", "--sandbox", "--config", "", "--state", filepath.Join(folder, "state"), file}, args...)
	if code := run(context.Background(), args, s); code != app.ExitDone {
		t.Errorf("exit code %d", code)
	}
	return written(), out.String()
}

var (
	colour = regexp.MustCompile(`\x1b\[[0-9;]+m`)
	bar    = regexp.MustCompile(`%.*\|.*\| *.*of 2 rows`)
)

func TestTerminalShowsProgressAndColours(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	shown, _ := pushOnTerminal(t)
	if !bar.MatchString(shown) {
		t.Errorf("no bar in %q", shown)
	}
	if !colour.MatchString(shown) {
		t.Errorf("no colours in %q", shown)
	}
}

func TestTerminalWithoutColours(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	shown, _ := pushOnTerminal(t)
	if !bar.MatchString(shown) {
		t.Errorf("no bar in %q", shown)
	}
	if colour.MatchString(shown) {
		t.Errorf("colours in %q", shown)
	}
}

func TestTerminalLeavesStandardOutputClean(t *testing.T) {
	t.Setenv("TERM", "xterm")
	shown, piped := pushOnTerminal(t, "--json")
	if !bar.MatchString(shown) || strings.Contains(shown, "{") {
		t.Errorf("the terminal shows %q", shown)
	}
	if !strings.HasPrefix(piped, "{") || strings.Count(piped, "\n") != 1 || strings.Contains(piped, "\x1b") {
		t.Errorf("standard output holds %q", piped)
	}
	shown, piped = pushOnTerminal(t, "--no-progress")
	if bar.MatchString(shown) || colour.MatchString(piped) {
		t.Errorf("the terminal shows %q, standard output holds %q", shown, piped)
	}
	if shown, piped = pushOnTerminal(t, "--quiet"); shown+piped != "" {
		t.Errorf("the terminal shows %q, standard output holds %q", shown, piped)
	}
}
