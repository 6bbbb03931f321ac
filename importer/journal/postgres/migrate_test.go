package postgres

import (
	"io/fs"
	"strings"
	"sync"
	"testing"

	"opscom-import/importer/journal/postgres/pgtest"
)

// migrated returns the URL of a new database that has the schema.
func migrated(t *testing.T) string {
	t.Helper()
	url := pgtest.Shared(t).NewDatabase(t)
	if _, err := Migrate(t.Context(), url, Options{}); err != nil {
		t.Fatal(err)
	}
	return url
}

// opened returns the journal of a URL, until the test ends.
func opened(t *testing.T, url string) *Journal {
	t.Helper()
	j, err := Open(t.Context(), url, Options{Keys: testKeys(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func execute(t *testing.T, j *Journal, sql string, args ...any) {
	t.Helper()
	if _, err := j.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestMigrate(t *testing.T) {
	url := pgtest.Shared(t).NewDatabase(t)
	for _, s := range status(t, url) {
		if s.Applied || !s.Known || s.Name == "" {
			t.Errorf("before: %+v", s)
		}
	}
	taken, err := Migrate(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	after := status(t, url)
	if len(taken) != len(after) {
		t.Errorf("%d of %d steps", len(taken), len(after))
	}
	for _, s := range after {
		if !s.Applied {
			t.Errorf("after: %+v", s)
		}
	}
	if taken, err = Migrate(t.Context(), url, Options{}); len(taken) != 0 || err != nil {
		t.Errorf("again: %v, %v", taken, err)
	}
	j := opened(t, url)
	var tables int
	if err := j.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'river' AND tablename = 'river_job'`).Scan(&tables); err != nil || tables != 1 {
		t.Errorf("%d tables of River's jobs, %v", tables, err)
	}
}

func status(t *testing.T, url string) []Step {
	t.Helper()
	steps, err := Status(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// Each step is taken by one of those that migrate at once.
func TestMigrateAtOnce(t *testing.T) {
	url := pgtest.Shared(t).NewDatabase(t)
	var (
		mu    sync.Mutex
		times = make(map[string]int)
		wg    sync.WaitGroup
	)
	for range 4 {
		wg.Go(func() {
			taken, err := Migrate(t.Context(), url, Options{})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			for _, s := range taken {
				times[s.Schema+s.Name]++
			}
		})
	}
	wg.Wait()
	if len(times) != len(status(t, url)) {
		t.Errorf("%d steps", len(times))
	}
	for step, n := range times {
		if n != 1 {
			t.Errorf("%s was taken %d times", step, n)
		}
	}
}

func TestSchemaOfAnotherVersion(t *testing.T) {
	empty := pgtest.Shared(t).NewDatabase(t)
	refused(t, empty, `has no schema yet: run "opscom-import migrate"`)

	url := migrated(t)
	j := opened(t, url)
	execute(t, j, `INSERT INTO opscom.schema_version (version_id, is_applied) VALUES (4711, true)`)
	refused(t, url, "has version 4711 of the schema opscom", "install the newer version")
	if _, err := Migrate(t.Context(), url, Options{}); err == nil || !strings.Contains(err.Error(), "4711") {
		t.Errorf("migrating a newer schema: %v", err)
	}
	execute(t, j, `DELETE FROM opscom.schema_version WHERE version_id = 4711`)
	opened(t, url)

	execute(t, j, `INSERT INTO river.river_migration (line, version) VALUES ('main', 4712)`)
	refused(t, url, "has version 4712 of the schema river")
	execute(t, j, `DELETE FROM river.river_migration WHERE version IN (4712, (SELECT max(version) FROM river.river_migration WHERE version < 4712))`)
	refused(t, url, "has an older schema", "of river", `run "opscom-import migrate"`)
}

// refused checks that Open fails, with an error that has these words and is not transient.
func refused(t *testing.T, url string, words ...string) {
	t.Helper()
	refusedWith(t, url, Options{}, words...)
}

func refusedWith(t *testing.T, url string, options Options, words ...string) {
	t.Helper()
	j, err := Open(t.Context(), url, options)
	if err == nil {
		j.Close()
		t.Errorf("opened; want an error with %q", words)
		return
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has a password, or more than a line: %v", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error lacks %q: %v", word, err)
		}
	}
	if IsTransient(err) {
		t.Errorf("transient: %v", err)
	}
}

// A step has no way back, and no two have the same number.
func TestMigrationsGoForward(t *testing.T) {
	known, err := ourSteps()
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range known {
		if step.Version != int64(i+1) {
			t.Errorf("step %d has the number %d", i+1, step.Version)
		}
	}
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) != len(known) {
		t.Fatalf("%d files, %d steps (%v)", len(files), len(known), err)
	}
	for _, file := range files {
		text, err := migrations.ReadFile(file)
		if err != nil || strings.Contains(string(text), "+goose Down") {
			t.Errorf("%s goes back (%v)", file, err)
		}
	}
}
