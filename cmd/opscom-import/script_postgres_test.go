package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/postgres/pgtest"
)

// onlyEmbedded are the scripts that look into the state folder, or say themselves which
// journal they want. Those that make a database of their own need not be named.
func onlyEmbedded() []string {
	return []string{
		"doctor",           // counts what is looked at
		"job_killed",       // a database of its own
		"journal",          // its commands are for the state folder
		"journal_address",  // an address of its own
		"no_runs",          // there is a journal
		"push_controller",  // journal.db is there
		"sandboxes",        // a database of its own
		"runs_stop",        // only a process can stop what it pushes
		"job_stopped_here", // likewise
		"stop_pause",       // a pause that the Controller asks for is kept for all processes
		"support",          // the files of the journal
		"swap",             // nothing of a person is in journal.db
	}
}

// TestScriptsWithPostgres runs the scripts again with a journal in PostgreSQL: the commands do
// the same with it. Each script has a database of its own.
func TestScriptsWithPostgres(t *testing.T) {
	skipShort(t)
	const owner, password, template = "opscom", "s3cr3t", "template_opscom"
	server := pgtest.Start(t, pgtest.Options{})
	server.Exec(t, "postgres", fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", owner, password))
	server.Exec(t, "postgres", fmt.Sprintf("CREATE DATABASE %s OWNER %s", template, owner))
	if _, err := postgres.Migrate(t.Context(), server.URLFor(owner, password, template), postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	var number atomic.Int64
	params := scriptParams(t, func(env *testscript.Env) {
		name := fmt.Sprintf("script%d", number.Add(1))
		server.Exec(t, "postgres", fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s OWNER %s", name, template, owner))
		env.Setenv("OPSCOM_JOURNAL", server.URLFor(owner, password, name))
		env.Setenv("OPSCOM_JOURNAL_KEY", "script "+strings.Repeat("c0ffee00", 8))
	})
	scripts, err := filepath.Glob(filepath.Join(params.Dir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	params.Dir = ""
	for _, script := range scripts {
		database := strings.Contains("\n"+readText(t, script), "\ndatabase\n")
		if !database && !slices.Contains(onlyEmbedded(), strings.TrimSuffix(filepath.Base(script), ".txtar")) {
			params.Files = append(params.Files, script)
		}
	}
	testscript.Run(t, params)
}
