package app

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/report"
)

// The target is what a database says: no token goes to another Controller than the settings name.
func TestConnectLane(t *testing.T) {
	tokens := t.TempDir()
	if err := os.WriteFile(filepath.Join(tokens, "OC_A"), []byte("t0k3n"), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse([]string{"--config", "", "--state", t.TempDir(), "--url", "https://OPS.example/", "--token-folder", tokens, "--workers", "7"}); err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load(flags, config.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	env := Env{Settings: settings, Log: slog.New(slog.DiscardHandler), Progress: report.NewProgress(io.Discard, report.Quiet)}
	session, err := env.connectLane(t.Context(), "OC_A at https://ops.example")
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if session.Workers != 7 || session.MaxFailures != settings.MaxFailures {
		t.Errorf("%+v", session)
	}
	for target, want := range map[string]string{
		"OC_A at https://elsewhere.example":  "this worker pushes to https://OPS.example",
		"OC_A at http://ops.example":         "this worker pushes to https://OPS.example",
		"OC_B at https://ops.example":        "there is no token for OC_B",
		"../OC_A at https://ops.example":     "is not a client code",
		"the sandbox":                        "no client code",
		"OC_A at https://ops.example:8443/a": "let a worker with that --url run",
	} {
		if session, err := env.connectLane(t.Context(), target); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "t0k3n") {
			t.Errorf("%s: %v, %v, want %q", target, session, err, want)
		}
	}
}
