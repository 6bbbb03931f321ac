package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opscom-import/cmd/opscom-import/internal/app"
)

// TestInterruptWhileItStarts interrupts what works for jobs before it has begun.
func TestInterruptWhileItStarts(t *testing.T) {
	folder := t.TempDir()
	state, mapping := filepath.Join(folder, "state"), filepath.Join("..", "..", "samples", "with-faults.mapping.yaml")
	mapping, err := filepath.Abs(mapping)
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(folder, "opscom-import.yaml")
	jobs := "jobs:\n  students:\n    folder: " + filepath.ToSlash(folder) + "\n    files: '*.csv'\n    mapping: " + filepath.ToSlash(mapping) + "\n    sandbox: true\n"
	if err := os.WriteFile(settings, []byte(jobs), 0o600); err != nil {
		t.Fatal(err)
	}
	interrupted, interrupt := context.WithCancel(t.Context())
	command := func(ctx context.Context, args ...string) (code int, said string) {
		t.Helper()
		var out bytes.Buffer
		code = run(ctx, append(args, "--config", settings, "--state", state), streams{stdin: strings.NewReader(""), stdout: &out, stderr: &out})
		return code, out.String()
	}
	if code, said := command(t.Context(), "jobs", "run", "students"); code != app.ExitDone { // the journal is made
		t.Fatalf("jobs run ended with code %d: %s", code, said)
	}
	interrupt()
	if code, said := command(interrupted, "watch"); code != app.ExitDone || said != "" {
		t.Errorf("watch ended with code %d: %s", code, said)
	}
	if code, said := command(interrupted, "jobs", "run", "students"); code != app.ExitIncomplete || said != "opscom-import: the run was interrupted before anything was sent\n" {
		t.Errorf("jobs run ended with code %d: %s", code, said)
	}
}
