package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary stand in for the program, so that the scripts run
// it as a process of its own, and for the server of BenchmarkPush.
func TestMain(m *testing.M) {
	if settings := os.Getenv(serverVariable); settings != "" {
		serveForBenchmark(settings)
		return
	}
	if os.Getenv(launcherVariable) != "" {
		os.Exit(launchForBenchmark())
	}
	testscript.Main(m, map[string]func(){"opscom-import": main})
}

// skipShort skips a test that takes over a second when -short is given.
func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes over a second")
	}
}
