//go:build linux

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shell is a contender that is a line of shell.
func shell(name, line string, rows int) contender {
	return contender{
		name: name, want: rows, done: printedRows(1),
		command: func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, "sh", "-c", line) },
	}
}

func TestWhoIsAbsentOrFailsHasNoFigures(t *testing.T) {
	b := &bench{rounds: 2, dir: t.TempDir()}
	absent := shell("absent", "echo 4", 3)
	absent.absent = "apt-get install it"
	c, err := b.hold(t.Context(), []contender{
		shell("fine", "echo 4", 3), absent, shell("short", "echo 3", 3), shell("broken", "echo no file >&2; exit 2", 3),
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.samples["fine"]); n != 2 || len(c.samples) != 1 {
		t.Errorf("%d samples of fine, %d with samples", n, len(c.samples))
	}
	var out bytes.Buffer
	err = c.print(t.Context(), &out, "title", []string{"rows"}, func([]sample) []string { return []string{"figure"} })
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"fine": "figure", "absent": "absent: apt-get install it", "short": "failed: it did 2 of 3 rows", "broken": "failed: exit status 2: no file",
	} {
		line := ""
		for l := range strings.Lines(out.String()) {
			if strings.HasPrefix(l, "| "+name+" ") {
				line = l
			}
		}
		if !strings.Contains(line, want) || strings.Contains(line, "figure") != (name == "fine") {
			t.Errorf("%s: %q lacks %q", name, line, want)
		}
	}
}

func TestContendersTakeTurns(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	b := &bench{rounds: 1, dir: t.TempDir(), only: []string{"a", "c"}}
	var all []contender
	for _, name := range []string{"a", "b", "c"} {
		all = append(all, shell(name, "echo -n "+name+" >>"+log+"; echo 1", 0))
	}
	if _, err := b.hold(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(log); err != nil || string(text) != "acac" {
		t.Errorf("%q %v, want each in turn", text, err)
	}
	b.only = []string{"d"}
	if _, err := b.hold(t.Context(), all); err == nil {
		t.Error("nobody was measured, and nothing was said")
	}
}

func TestMedian(t *testing.T) {
	samples := []sample{{wall: 9 * time.Second}, {wall: time.Second}, {wall: 2 * time.Second}}
	if got := median(samples, seconds); got != 2 {
		t.Errorf("median %v", got)
	}
}

func TestOutputs(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "out")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	long := strings.Repeat("x", 2<<20)
	if rows, err := lines(3, 2)(write("[\n1\n" + long + "\n3\n4\n5\n6\n]\n")); rows != 2 || err != nil {
		t.Errorf("lines: %d %v", rows, err)
	}
	if rows, err := checkedRows(write(`{"command":"check","rows":9,"valid":7}`)); rows != 7 || err != nil {
		t.Errorf("checked: %d %v", rows, err)
	}
	if took, err := saidTime(write("Running\n\nrequests 5 microseconds 1500 errors 0\n")); took != 1500*time.Microsecond || err != nil {
		t.Errorf("said: %v %v", took, err)
	}
	for _, text := range []string{"", "requests 5 microseconds 1500 errors 1\n"} {
		if took, err := saidTime(write(text)); err == nil {
			t.Errorf("%q gave %v", text, took)
		}
	}
}
