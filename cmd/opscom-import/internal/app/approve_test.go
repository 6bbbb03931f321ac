package app

import (
	"testing"

	"opscom-import/importer"
)

// TestSandboxedGoesByTheTarget: the command sandbox proposes the client code
// "sandbox", and a run that was pushed to it elsewhere could not be approved.
func TestSandboxedGoesByTheTarget(t *testing.T) {
	for target, want := range map[string]bool{SandboxTarget: true, "sandbox at http://127.0.0.1:8480": false} {
		env := Env{}.sandboxed(importer.RunInfo{Client: "sandbox", Target: target})
		if env.Settings.Sandbox != want {
			t.Errorf("a run for %q: in the sandbox %v, want %v", target, env.Settings.Sandbox, want)
		}
	}
}
