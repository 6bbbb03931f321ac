package app

import (
	"io"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/report"
)

// newEnv returns an environment with a state folder of its own.
func newEnv(t testing.TB, args ...string) Env {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse(append([]string{"--config", "", "--state", t.TempDir()}, args...)); err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load(flags, config.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return Env{
		Settings: settings, Log: slog.New(slog.DiscardHandler), Notify: func(string) {},
		Progress: report.NewProgress(io.Discard, report.Quiet), Stdin: strings.NewReader(""), Stdout: io.Discard,
	}
}

// A use case leaves its environment as it was, and says what it has to say there.
func TestPushToTheSandbox(t *testing.T) {
	env := newEnv(t, "--rate", "0")
	file := writeBirths(t, []string{"2004-05-13", "2004-05-14", "2090-05-14"})
	var receipts []report.Receipt
	keep := func(r report.Receipt) error {
		receipts = append(receipts, r)
		return nil
	}
	if err := Push(t.Context(), t.Context(), env, []string{file}, keep); err == nil || !strings.Contains(err.Error(), "no client code") {
		t.Errorf("without a client: %v", err)
	}
	var notes []string
	env.Notify = func(note string) { notes = append(notes, note) }
	env.Settings = env.Settings.ForSandbox()
	env.Settings.MaxBad = importer.Limit{}
	if err := Push(t.Context(), t.Context(), env, []string{file}, keep); err != nil {
		t.Fatal(err)
	}
	if len(receipts) != 1 || receipts[0].Counts[importer.StatusPushed] != 2 || receipts[0].Counts[importer.StatusInvalid] != 1 || receipts[0].Exit != ExitRows {
		t.Errorf("receipts %+v", receipts)
	}
	if want := "Reading " + file + " with the file's own headers."; !slices.Contains(notes, want) {
		t.Errorf("notes %q, want %q among them", notes, want)
	}
	run, shown, err := ShowRun(t.Context(), env, receipts[0].Run)
	if err != nil || run.State != importer.RunFinished || shown.Counts[importer.StatusPushed] != 2 || shown.Reports.Fix == "" {
		t.Errorf("run %+v, receipt %+v, %v", run, shown, err)
	}
	before := run.StartedAt.Add(-time.Hour) // as when an earlier run has written it, and this one nothing
	if err := os.Chtimes(run.Reports.Results, before, before); err != nil {
		t.Fatal(err)
	}
	if _, shown, err := ShowRun(t.Context(), env, receipts[0].Run); err != nil || shown.Reports.Results != "" || shown.Reports.Fix == "" {
		t.Errorf("the results of an earlier run are taken for those of this one: %+v, %v", shown.Reports, err)
	}
	problems, err := Problems(t.Context(), env, receipts[0].Run)
	if err != nil || len(problems) == 0 || !reflect.DeepEqual(problems, receipts[0].Problems) {
		t.Errorf("the journal's problems %+v, %v; want those of the receipt, %+v", problems, err, receipts[0].Problems)
	}
	if err := os.WriteFile(file, []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	notes = nil
	written, err := WriteReports(t.Context(), env, receipts[0].Run)
	if err != nil || len(written) != 2 || len(notes) != 1 || !strings.Contains(notes[0], "the file, its mapping or the settings are not those that were planned") {
		t.Errorf("written %q, notes %q, %v", written, notes, err)
	}
	if n, err := Forget(t.Context(), env, nil, time.Nanosecond); n != 1 || err != nil {
		t.Errorf("%d runs forgotten, %v", n, err)
	}
}

// Rows that nobody knows the end of are not done: they are sent again, and would count twice.
func TestProgressCountsWhatIsDone(t *testing.T) {
	progress := report.NewProgress(io.Discard, report.Quiet)
	progress.Start(4)
	var outcomes []importer.Outcome
	for i, status := range []importer.Status{importer.StatusUnknown, importer.StatusPushed, importer.StatusNotSent, importer.StatusFailed} {
		outcomes = append(outcomes, importer.Outcome{Row: i + 2, Answer: importer.Answer{Status: status}})
	}
	addOutcomes(progress, outcomes)
	if done := progress.Snapshot().Done; done != 2 {
		t.Errorf("%d rows are done, want 2", done)
	}
}
