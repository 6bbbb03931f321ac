package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"opscom-import/importer"
	"opscom-import/importer/journal/postgres/pgtest"
)

// rolesSQL returns docs/fleet/roles.sql.
func rolesSQL(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "fleet", "roles.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// withRoles returns a database with the schema and the roles, and the URLs of accounts in it, by the roles that
// they have: "planner", "worker", "viewer", and "planner, worker".
func withRoles(t *testing.T) (owner *Journal, urls map[string]string) {
	t.Helper()
	server := pgtest.Shared(t)
	url := migrated(t)
	owner = opened(t, url)
	for range 2 { // it can be run again
		execute(t, owner, rolesSQL(t))
	}
	urls = make(map[string]string)
	for i, roles := range []string{"planner", "worker", "viewer", "planner, worker"} {
		account := fmt.Sprintf("%s_%d", databaseOf(t, url), i)
		groups := "opscom_" + strings.ReplaceAll(roles, ", ", ", opscom_")
		server.Exec(t, "postgres", fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD 'secret' IN ROLE %s", account, groups))
		t.Cleanup(func() { server.Exec(t, "postgres", "DROP ROLE "+account) })
		urls[roles] = server.URLFor(account, "secret", databaseOf(t, url))
	}
	return owner, urls
}

func TestRoles(t *testing.T) {
	owner, urls := withRoles(t)
	for _, statement := range []string{
		`INSERT INTO opscom.target (name) VALUES ('OC_TOMA')`,
		`SELECT opscom.ensure_night('2026-11-30')`,
		`INSERT INTO opscom.run (night, target, client, source, file_hash, mapping_hash, state, started_at, timeline)
			SELECT '2026-11-30', id, 'OC_TOMA', 'a.csv', '', '', 'pushing', now(), opscom.timeline() FROM opscom.target`,
		`INSERT INTO opscom.chunk VALUES ('2026-11-30', 1, 0, '\x00')`,
		`INSERT INTO opscom.payload VALUES ('2026-11-30', 1, 0, '\x00')`,
		`INSERT INTO opscom.chunk_state (run, chunk) VALUES (1, 0)`,
		`INSERT INTO opscom.lane (run, lane) VALUES (1, 0)`,
	} {
		execute(t, owner, statement)
	}
	const all, nobody = "planner worker viewer", ""
	for _, c := range []struct{ statement, may string }{
		// what there is
		{`SELECT FROM opscom.run, opscom.target, opscom.chunk_state, opscom.lane, opscom.worker, opscom.job_run, opscom.journal`, all},
		{`SELECT FROM opscom.chunk, opscom.event`, all},
		{`SELECT opscom.timeline()`, all},
		{`SELECT FROM river.river_job, river.river_queue`, all},
		{`SELECT FROM opscom.payload`, "planner worker"},
		{`SELECT FROM opscom.acceptance`, "planner viewer"},
		{`SELECT FROM opscom.roster`, "planner viewer"},

		// to plan
		{`INSERT INTO opscom.target (name) VALUES ('OC_OTHER')`, "planner"},
		{`SELECT opscom.ensure_night('2026-12-01')`, "planner"},
		{`INSERT INTO opscom.run (night, target, client, source, file_hash, mapping_hash, state, started_at, timeline)
			VALUES ('2026-11-30', 1, 'OC_TOMA', 'a.csv', '', '', 'finished', now(), '')`, "planner"},
		{`INSERT INTO opscom.chunk VALUES ('2026-11-30', 1, 1, '\x00')`, "planner"},
		{`INSERT INTO opscom.payload VALUES ('2026-11-30', 1, 1, '\x00')`, "planner"},
		{`INSERT INTO opscom.chunk_state (run, chunk) VALUES (1, 1)`, "planner"},
		{`INSERT INTO opscom.lane (run, lane) VALUES (1, 1)`, "planner"},
		{`UPDATE opscom.run SET file_hash = 'another' WHERE id = 1`, "planner"},
		{`UPDATE opscom.run SET client = 'OC_OTHER' WHERE id = 1`, "planner"},
		{`UPDATE opscom.target SET rate = 1000`, "planner"},
		{`UPDATE opscom.journal SET salt = '\x00'`, "planner"},
		{`UPDATE opscom.chunk SET data = '\x01'`, "planner"},
		{`UPDATE opscom.payload SET data = '\x01'`, "planner"},
		{`INSERT INTO river.river_job (kind, max_attempts, args) VALUES ('lanes', 25, '{}')`, "planner worker"},

		// to push
		{`UPDATE opscom.chunk_state SET epoch = epoch + 1, lease_until = now(), claimed = 7, events = 1 WHERE run = 1`, "planner worker"},
		{`INSERT INTO opscom.event (night, run, chunk, seq, data) VALUES ('2026-11-30', 1, 0, 1, '\x00')`, "planner worker"},
		{`UPDATE opscom.run SET state = 'stopped', reason = 'test', finished_at = now(), payload_key = NULL, folded = false WHERE id = 1`, "planner worker"},
		{`UPDATE opscom.lane SET epoch = epoch + 1, worker = 'w', lease_until = now() WHERE run = 1`, "planner worker"},
		{`SELECT FROM opscom.run WHERE id = 1 FOR NO KEY UPDATE`, "planner worker"},
		{`INSERT INTO opscom.worker (name, host, process, version, slots) VALUES ('w', 'h', 1, '1', 1)`, "worker"},
		{`UPDATE opscom.worker SET seen_at = now()`, "worker"},
		{`DELETE FROM opscom.worker`, "worker"},
		{`UPDATE opscom.target SET paused_until = now()`, "planner worker"},
		{`INSERT INTO opscom.pace (target, tat) VALUES (1, 1)`, "planner worker"},
		{`SELECT opscom.reserve(ARRAY['OC_TOMA'], ARRAY[1])`, "planner worker"},
		{`UPDATE opscom.acceptance SET data = data`, "planner"},
		{`UPDATE river.river_job SET attempt = 1`, "planner worker"},
		{`DELETE FROM river.river_job`, "worker"},
		{`INSERT INTO river.river_leader (elected_at, expires_at, leader_id, name) VALUES (now(), now(), 'a', 'default')`, "worker"},
		{`SELECT pg_notify('river.insert', '')`, all},

		// to forget
		{`SELECT opscom.drop_payloads('2026-12-01')`, "planner worker"},
		{`SELECT opscom.drop_night('2026-12-01')`, "planner"},
		{`DELETE FROM opscom.event WHERE run = 1`, "planner"},
		{`DELETE FROM opscom.run WHERE id = 1`, "planner"},
		{`DELETE FROM opscom.acceptance`, "planner"},
		{`DELETE FROM opscom.roster`, "planner"},
		{`SELECT opscom.follow_timeline()`, "planner worker"},
		{`DELETE FROM opscom.target`, nobody},

		// to change the database
		{`CREATE TABLE opscom.mine (id int)`, nobody},
		{`CREATE TABLE river.mine (id int)`, nobody},
		{`ALTER TABLE opscom.run ADD mine int`, nobody},
		{`TRUNCATE opscom.event`, nobody},
		{`DROP TABLE opscom.event`, nobody},
		{`UPDATE opscom.journal SET timeline = ''`, nobody},
		{`INSERT INTO opscom.schema_version (version_id, is_applied) VALUES (99, true)`, nobody},
		{`SET ROLE opscom_planner; INSERT INTO opscom.target (name) VALUES ('OC_THIRD')`, "planner"},
	} {
		for _, role := range strings.Fields(all) {
			err := tryOut(t, urls[role], c.statement)
			refused := new(pgconn.PgError)
			switch {
			case strings.Contains(c.may, role) && err != nil:
				t.Errorf("%s may not %s: %v", role, c.statement, err)
			case !strings.Contains(c.may, role) && err == nil:
				t.Errorf("%s may %s", role, c.statement)
			case err != nil && !(errors.As(err, &refused) && refused.Code == "42501"):
				t.Errorf("%s: %s: %v", role, c.statement, err)
			}
		}
	}
}

// tryOut executes a statement and rolls it back.
func tryOut(t *testing.T, url, statement string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	_, err = tx.Exec(t.Context(), statement)
	return err
}

// Everybody can open the journal; who may not migrate reads what to do.
func TestOpenWithRoles(t *testing.T) {
	_, urls := withRoles(t)
	for roles, url := range urls {
		j, err := connect(t.Context(), url, Options{}, nil)
		if err != nil {
			t.Fatalf("%s: %v", roles, err)
		}
		if err := j.checkSchema(t.Context()); err != nil {
			t.Errorf("%s: %v", roles, err)
		}
		j.Close()
	}
	for roles, want := range map[string]string{
		"planner":         "this account may look at runs, plan runs, and not push them (no INSERT on opscom.worker)\n",
		"worker":          "this account may look at runs, push them, and not plan runs (no INSERT on opscom.run)\n",
		"viewer":          "this account may look at runs, and not plan runs (no INSERT on opscom.run), push them (no UPDATE on opscom.run)\n",
		"planner, worker": "this account may look at runs, plan runs, push them\n",
	} {
		wantTold(t, roles, Examine(t.Context(), urls[roles], Options{}), "rights: "+want)
	}
}

// A person who adds a table or a function says who may use it.
func TestRolesNameEverything(t *testing.T) {
	text := rolesSQL(t)
	j := opened(t, migrated(t))
	rows, err := j.pool.Query(t.Context(), `
		SELECT relnamespace::regnamespace || '.' || relname FROM pg_class WHERE relnamespace::regnamespace::text IN ('opscom', 'river') AND relkind IN ('r', 'p', 'S') AND NOT relispartition
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_class.oid AND d.deptype = 'i')
		UNION ALL
		SELECT pronamespace::regnamespace || '.' || proname FROM pg_proc WHERE pronamespace::regnamespace::text = 'opscom'`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 15 {
		t.Errorf("only %q", names)
	}
	for _, name := range names {
		if name != "opscom.schema_version_id_seq" && !strings.Contains(text, name) {
			t.Errorf("docs/fleet/roles.sql does not say who may use %s", name)
		}
	}
}

// A worker is told which right it lacks before it begins, whichever it is, also if it may not even look.
func TestOpenToPush(t *testing.T) {
	owner, urls := withRoles(t)
	keys := testKeys(t)
	open := func(roles string) error {
		j, err := Open(t.Context(), urls[roles], Options{Keys: keys, Push: true})
		if err == nil {
			j.Close()
		}
		return err
	}
	for _, roles := range []string{"worker", "planner, worker"} {
		must(t, open(roles))
	}
	wantRefused := func(what, missing string, err error) {
		t.Helper()
		want := "refuses this account a right that a worker needs (" + missing + `): use another account, or let the owner run docs/fleet/roles.sql, and then GRANT opscom_worker TO "`
		if err == nil || !strings.Contains(err.Error(), want) || IsTransient(err) {
			t.Errorf("%s: %v\nwant …%s…", what, err, want)
		}
	}
	wantRefused("planner", "INSERT on opscom.worker", open("planner"))
	for _, right := range rightsToPush() {
		privilege, name, _ := strings.Cut(right, " ")
		on := map[string]string{"USAGE": "SEQUENCE ", "EXECUTE": "FUNCTION "}[privilege]
		execute(t, owner, fmt.Sprintf("REVOKE %s ON %s%s FROM opscom_worker", privilege, on, name))
		if privilege == "UPDATE" { // of columns
			execute(t, owner, fmt.Sprintf(`DO $$ DECLARE name text; BEGIN FOR name IN SELECT attname FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 AND NOT attisdropped LOOP
				EXECUTE format('REVOKE UPDATE (%%I) ON %s FROM opscom_worker', name); END LOOP; END $$`, name, name))
		}
		wantRefused(right, privilege+" on "+name, open("worker"))
		execute(t, owner, rolesSQL(t))
	}
	worker, err := Open(t.Context(), urls["worker"], Options{Keys: keys})
	must(t, err)
	defer worker.Close()
	execute(t, owner, "REVOKE EXECUTE ON FUNCTION opscom.reserve FROM opscom_worker") // while it works
	if _, err := keeps(t, worker).Turns(testTarget).Reserve(t.Context(), 1); !errors.As(err, new(*importer.NoTurnsError)) || !strings.Contains(err.Error(), "docs/fleet/roles.sql") {
		t.Errorf("turns: %v", err)
	}
	execute(t, owner, "REVOKE USAGE ON SCHEMA opscom FROM opscom_worker")
	wantRefused("the schema", "SELECT on opscom.journal", open("worker"))
	execute(t, owner, rolesSQL(t))
	must(t, open("worker"))
}

// What a command needs is said before it changes anything.
func TestCheckRights(t *testing.T) {
	_, urls := withRoles(t)
	keys := testKeys(t)
	for roles, want := range map[string]string{
		"viewer": "a right that a planner needs (INSERT on opscom.run)", "worker": "a right that a planner needs (INSERT on opscom.run)",
		"planner": "", "planner, worker": "",
	} {
		j, err := Open(t.Context(), urls[roles], Options{Keys: keys})
		must(t, err)
		defer j.Close()
		must(t, j.CheckRights(t.Context(), ToLook()))
		err = j.CheckRights(t.Context(), ToPlan())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "GRANT opscom_planner TO")) {
			t.Errorf("%s: %v", roles, err)
		}
	}
}
