package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/postgres/pgtest"
	"opscom-import/importer/sandbox"
)

// An account that may plan is enough to submit, and not to be a worker: it asks the Controller for its user types in turn with the workers.
func TestSubmitAsPlanner(t *testing.T) {
	skipShort(t)
	server := pgtest.Start(t, pgtest.Options{})
	if _, err := postgres.Migrate(t.Context(), server.URL("postgres"), postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	roles, err := os.ReadFile(filepath.Join(moduleRoot, "docs", "fleet", "roles.sql"))
	if err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "postgres", string(roles))
	server.Exec(t, "postgres", `CREATE ROLE opscom_submit LOGIN PASSWORD 'secret' IN ROLE opscom_planner`)
	box, err := sandbox.New(sandbox.Config{Client: scriptClient, Token: scriptToken, KeepRequests: true})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	controller := httptest.NewServer(box)
	defer controller.Close()
	file := filepath.Join(t.TempDir(), "students.csv")
	if err := os.WriteFile(file, []byte("unique_id,login_source,first_name\n1,SSO,Ada\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OPSCOM_API_TOKEN", scriptToken)
	t.Setenv("OPSCOM_JOURNAL", server.URLFor("opscom_submit", "secret", "postgres"))
	t.Setenv("OPSCOM_JOURNAL_KEY", "key-1 "+strings.Repeat("c0ffee00", 8))
	var out, errs strings.Builder
	code := run(t.Context(), []string{"submit", "--client", scriptClient, "--url", controller.URL, "--state", t.TempDir(), file}, streams{stdout: &out, stderr: &errs})
	if code != 0 || !strings.Contains(out.String(), "waiting to be pushed") {
		t.Fatalf("code %d\n%s%s", code, &out, &errs)
	}
	if calls := box.Requests(); len(calls) != 1 || calls[0].Call != sandbox.TypesCall {
		t.Errorf("the Controller got %d requests", len(calls))
	}
	errs.Reset()
	code = run(t.Context(), []string{"worker", "--url", controller.URL, "--state", t.TempDir()}, streams{stdout: &out, stderr: &errs})
	if want := `a right that a worker needs (INSERT on opscom.worker): use another account, or let the owner run docs/fleet/roles.sql`; code != 2 || !strings.Contains(errs.String(), want) || strings.Contains(errs.String(), "Working") {
		t.Errorf("a worker with that account: code %d\n%s", code, &errs)
	}
	refused := func(account, want string, args ...string) {
		t.Helper()
		t.Setenv("OPSCOM_JOURNAL", server.URLFor(account, "secret", "postgres"))
		errs.Reset()
		code := run(t.Context(), append(args, "--client", scriptClient, "--url", controller.URL, "--state", t.TempDir()), streams{stdout: &out, stderr: &errs})
		if said := errs.String(); code != 2 || !strings.Contains(said, want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s as %s: code %d\n%s", strings.Join(args, " "), account, code, said)
		}
	}
	server.Exec(t, "postgres", `CREATE ROLE opscom_reader LOGIN PASSWORD 'secret' IN ROLE opscom_viewer`)
	server.Exec(t, "postgres", `CREATE ROLE opscom_pusher LOGIN PASSWORD 'secret' IN ROLE opscom_worker`)
	const mayNotPlan = `a right that a planner needs (INSERT on opscom.run): use another account, or let the owner run docs/fleet/roles.sql, and then GRANT opscom_planner TO "`
	for _, account := range []string{"opscom_reader", "opscom_pusher"} {
		refused(account, mayNotPlan+account, "push", file)
		refused(account, mayNotPlan+account, "submit", "--fresh", file)
		refused(account, mayNotPlan+account, "approve", "1")
		refused(account, mayNotPlan+account, "runs", "stop", "1")
		refused(account, mayNotPlan+account, "runs", "forget", "1")
		refused(account, mayNotPlan+account, "runs", "forget", "--older-than", "1h")
	}
	refused("opscom_reader", "a right that a worker needs (UPDATE on opscom.run): use another account", "worker")
	server.Exec(t, "postgres", `DELETE FROM opscom.schema_version WHERE version_id = 2`)
	refused("opscom_reader", `does not let this account change the schema (must be owner of table pace): run "opscom-import migrate" with the account that owns the database`, "migrate")
	if calls := box.Requests(); len(calls) != 1 {
		t.Errorf("the Controller got %d requests", len(calls))
	}
}
