package app

import (
	"errors"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// TestSandboxedGoesByTheTarget: the command sandbox proposes the client code
// "sandbox", and a run that was pushed to it elsewhere could not be approved.
func TestSandboxedGoesByTheTarget(t *testing.T) {
	for target, want := range map[string]bool{"sandbox": true, "sandbox of a-1": true, "sandbox at http://127.0.0.1:8480": false} {
		env := Env{}.sandboxed(importer.RunInfo{Client: "sandbox", Target: target})
		if env.Settings.Sandbox != want {
			t.Errorf("a run for %q: in the sandbox %v, want %v", target, env.Settings.Sandbox, want)
		}
	}
}

// TestApprovingAnOlderExport refuses it once a newer one was sent, also in part.
func TestApprovingAnOlderExport(t *testing.T) {
	env := newEnv(t, "--sandbox")
	begin := func(source string, state importer.RunState) journal.Run {
		t.Helper()
		var run journal.Run
		err := env.withJournal(t.Context(), func(j journal.Journal) (err error) {
			run, err = j.Begin(t.Context(), importer.RunInfo{Client: env.client(), Target: env.target(), Source: source, StartedAt: time.Now()})
			if err == nil {
				err = run.Seal(t.Context(), state, 0, nil)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	held := begin("/in/students-2026-11-29.csv", importer.RunHeld).Info()
	check := func() (err error) {
		t.Helper()
		return errors.Join(env.withJournal(t.Context(), func(j journal.Journal) error {
			err = env.checkNewest(t.Context(), j, held)
			return nil
		}), err)
	}
	begin("/in/staff-2026-11-30.csv", importer.RunPushing)
	begin("/in/students-2026-11-30.csv", importer.RunHeld)
	if err := check(); err != nil {
		t.Errorf("nothing newer was sent: %v", err)
	}
	begin("/in/students-2026-12-01.csv", importer.RunPushing)
	if err := check(); err == nil || !strings.Contains(err.Error(), "students-2026-12-01.csv was pushed since") {
		t.Errorf("a newer one is being sent: %v", err)
	}
	env.Settings.Yes = true
	if err := check(); err != nil {
		t.Errorf("with --yes: %v", err)
	}
}
