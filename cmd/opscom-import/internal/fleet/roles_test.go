package fleet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/postgres/pgtest"
)

// A planner enqueues and a worker pushes with no more rights than docs/fleet/roles.sql gives them.
func TestRolesSuffice(t *testing.T) {
	server := pgtest.Start(t, pgtest.Options{})
	if _, err := postgres.Migrate(t.Context(), server.URL("postgres"), postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	roles, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "fleet", "roles.sql"))
	if err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "postgres", string(roles))
	server.Exec(t, "postgres", `CREATE ROLE planner LOGIN PASSWORD 'secret' IN ROLE opscom_planner; CREATE ROLE worker LOGIN PASSWORD 'secret' IN ROLE opscom_worker`)
	server.Exec(t, "postgres", `SELECT opscom.ensure_night(current_date)`)

	worker := server.URLFor("worker", "secret", "postgres")
	m := newMemory(t, server.URLFor("planner", "secret", "postgres"))
	run := m.submit(t, "OC_TOMA", 40, 2, Person)
	w := startWorker(t, "worker", worker, m, nil, 2, &gate{})
	eventually(t, "the end of the run", func() bool { return run.done() == 40 })
	again := m.submit(t, "OC_OTHER", 40, 1, Scheduled) // while the worker is the leader
	eventually(t, "the end of the second run", func() bool { return again.done() == 40 })
	w.end(t)
	for line := range strings.Lines(server.Log(t)) {
		if strings.Contains(line, "permission denied") || strings.Contains(line, "must be owner") {
			t.Errorf("the database has refused something: %s", line)
		}
	}
}
