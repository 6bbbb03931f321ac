package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
)

// pushedTrial is a trial of 1,500 rows whose run is complete.
func pushedTrial(t *testing.T) *trial {
	t.Helper()
	tr := fullTrial(t, "")
	if end := tr.run(tr.push()); end.code != app.ExitRows {
		t.Fatalf("push: exit %d\n%s", end.code, end.stderr)
	}
	return tr
}

// journalCommand returns a command about the journal in the folder of that name.
func (tr *trial) journalCommand(state string, args ...string) *exec.Cmd {
	return tr.command(append(append([]string{"journal"}, args...), "--state", tr.path(state))...)
}

func (tr *trial) mustRun(c *exec.Cmd) {
	tr.t.Helper()
	if out, err := c.CombinedOutput(); err != nil {
		tr.t.Fatalf("%s: %v\n%s", strings.Join(c.Args[1:], " "), err, out)
	}
}

// TestJournalKill kills backup and restore at random moments. There is no backup and no
// journal then, or a complete one, and the same command works afterwards.
func TestJournalKill(t *testing.T) {
	skipShort(t)
	t.Parallel()
	tr := pushedTrial(t)
	start := time.Now()
	tr.mustRun(tr.journalCommand("state", "backup", "whole.db"))
	whole := time.Since(start)
	want := tr.run(tr.command("runs", "show", "1", "--json"))
	random := rand.New(rand.NewPCG(12, 8))
	complete := 0
	kill := func(c *exec.Cmd) {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(whole))))
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
	}
	for range 12 {
		kill(tr.journalCommand("state", "backup", "killed.db"))
		if _, err := os.Stat(tr.path("killed.db")); err != nil {
			tr.mustRun(tr.journalCommand("state", "backup", "killed.db"))
		} else {
			complete++
		}
		kill(tr.journalCommand("restored", "restore", "killed.db"))
		if _, err := os.Stat(tr.path("restored/journal.db")); err != nil {
			tr.mustRun(tr.journalCommand("restored", "restore", "killed.db"))
		} else {
			complete++
		}
		tr.mustRun(tr.journalCommand("restored", "check"))
		if got := tr.run(tr.command("runs", "show", "1", "--json", "--state", tr.path("restored"))); got != want {
			t.Fatalf("restored: %+v, want %+v", got, want)
		}
		left, err := filepath.Glob(tr.path("killed.db*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range append(left, tr.path("restored")) {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d of 24 commands were complete before they were killed", complete)
}

// TestJournalDiskFull backs up to, and restores on, disks that are too small: nothing is
// left there, and it works once there is room.
func TestJournalDiskFull(t *testing.T) {
	skipShort(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	tr := pushedTrial(t)
	tr.mustRun(tr.journalCommand("state", "backup", "whole.db"))
	mount(t, tr.path("small"), 4)
	for _, test := range []struct {
		made string
		args []string
	}{
		{"small/backup.db", []string{"state", "backup", "small/backup.db"}},
		{"small/state/journal.db", []string{"small/state", "restore", "whole.db"}},
	} {
		refused := 0
		for kib := 40; ; kib += 60 {
			change(t, tr.path("small"), kib, syscall.MS_REMOUNT)
			out, err := tr.journalCommand(test.args[0], test.args[1:]...).CombinedOutput()
			if err == nil {
				break
			}
			refused++
			if !strings.Contains(string(out), "space") && !strings.Contains(string(out), "full") {
				t.Errorf("%d KiB: %s", kib, out)
			}
			if _, err := os.Stat(tr.path(test.made)); err == nil {
				t.Errorf("%d KiB: %s is there", kib, test.made)
			}
			if left, err := filepath.Glob(tr.path("small/*.db*")); err != nil || len(left) > 0 {
				t.Errorf("%d KiB: left %v", kib, left)
			}
		}
		if refused < 2 {
			t.Errorf("%s was refused %d times only", test.made, refused)
		}
		if err := os.RemoveAll(tr.path("small/backup.db")); err != nil {
			t.Fatal(err)
		}
	}
	tr.mustRun(tr.journalCommand("small/state", "check"))
}
