package app

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer/journal/postgres/pgtest"
	"opscom-import/report"
)

// newFleetEnv returns an environment whose journal is a new database without a schema.
func newFleetEnv(t *testing.T, variables ...string) Env {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse([]string{"--config", "", "--state", t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load(flags, config.Environment{Variables: append([]string{
		"OPSCOM_JOURNAL=" + pgtest.Shared(t).NewDatabase(t), "OPSCOM_JOURNAL_KEY=first " + strings.Repeat("c0ffee00", 8),
	}, variables...)})
	if err != nil {
		t.Fatal(err)
	}
	return Env{
		Settings: settings, Log: slog.New(slog.DiscardHandler), Notify: func(string) {},
		Progress: report.NewProgress(io.Discard, report.Quiet), Stdin: strings.NewReader(""), Stdout: io.Discard,
	}
}

func toldOf(findings []Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s: %s%s %v\n", result(f), f.What, f.Detail, f.Note, f.Err)
	}
	return b.String()
}

// Everything about a journal in PostgreSQL is looked at, and what comes first is said first.
func TestDoctorOfAJournalInPostgres(t *testing.T) {
	env := newFleetEnv(t)
	want := func(text string, words ...string) {
		t.Helper()
		rest := text
		for _, word := range words {
			_, after, found := strings.Cut(rest, word)
			if !found {
				t.Errorf("%q is not in this order in\n%s", word, text)
				return
			}
			rest = after
		}
		if strings.Contains(text, "secret@") || strings.Contains(text, "c0ffee") {
			t.Errorf("a secret is told:\n%s", text)
		}
	}
	want(toldOf(env.examineJournal(t.Context())), `ok journal keys: from OPSCOM_JOURNAL_KEY; "first" encrypts`, "ok database: ", "ok sessions: ", "ok db clock: ",
		"fail schema: ", "has no schema yet", "opscom-import migrate")
	if _, err := Migrate(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	want(toldOf(env.examineJournal(t.Context())), "ok journal keys: ", "ok schema: ", "rights: this account may ")
	if findings, err := Doctor(t.Context(), env); err != nil {
		t.Error(err)
	} else {
		want(toldOf(findings), "state folder: ", "disk space: ", "journal keys: ", "database: ", "Controller: ")
	}
}
