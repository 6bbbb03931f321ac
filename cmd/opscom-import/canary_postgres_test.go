package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer/journal/postgres/pgtest"
)

// canaryKey and canaryPassword must be nowhere but in the environment of the program.
const (
	canaryKey      = "ca9a41e0ca9a41e0ca9a41e0ca9a41e0ca9a41e0ca9a41e0ca9a41e0ca9a41e0"
	canaryPassword = "Kanarie-pw-31f7"
)

// TestCanariesInPostgres pushes the people of TestCanaries with a journal in PostgreSQL, and
// looks for their values, the token, the keys and the database's password in what the program
// says, in all tables, and in all files of the server: its log, its WAL, and what it has
// deleted.
func TestCanariesInPostgres(t *testing.T) {
	skipShort(t)
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Settings: map[string]string{"log_statement": "all", "log_min_duration_statement": "0"}})
	server.Exec(t, "postgres", `CREATE ROLE opscom LOGIN PASSWORD '`+canaryPassword+`'`)
	server.Exec(t, "postgres", `CREATE DATABASE opscom OWNER opscom`)
	c := newCanaries(t)
	c.variables = []string{"OPSCOM_JOURNAL=" + server.URLFor("opscom", canaryPassword, "opscom"), "OPSCOM_JOURNAL_KEY=canary " + canaryKey}
	secrets := []string{canaryPassword, canaryKey[:32]}
	people := slices.Clone(c.words)
	c.words = append(c.words, secrets...)

	c.quiet(app.ExitDone, "migrate")
	c.moody.Store("refuses")
	c.quiet(app.ExitIncomplete, "push", "--json", c.file)
	c.moody.Store("fails")
	c.quiet(app.ExitIncomplete, "push", "--json", "--max-attempts", "1", "--max-failures", "1", c.file)
	process := c.start(nil) // and killed with rows in flight
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed
	c.moody.Store("")
	c.quiet(app.ExitRows, "push", "--json", c.file)
	for _, command := range []string{"runs", "runs --json", "runs show 1", "runs show 1 --json", "runs report 1", "doctor", "migrate --status", "support --yes"} {
		c.quiet(app.ExitDone, strings.Fields(command)...)
	}
	if rows := c.inDatabase(server.URL("opscom"), people); rows < 9 {
		t.Errorf("only %d rows are in the database", rows)
	}
	c.inServer(server, people)
	c.eachFile(func(name, text string) {
		if found := c.found(text, secrets); len(found) > 0 {
			t.Errorf("%s has %q", name, found)
		}
	})
	c.quiet(app.ExitDone, "runs", "forget", "--older-than", "1ns")
	c.inDatabase(server.URL("opscom"), people)
}

// inDatabase looks for the words in every table, and returns how many rows these have.
func (c *canaries) inDatabase(url string, words []string) (rows int64) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), url)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(c.t.Context())
	found, err := conn.Query(c.t.Context(), `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('opscom', 'river')`)
	if err != nil {
		c.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		c.t.Fatalf("%d tables, %v", len(tables), err)
	}
	for _, table := range tables {
		var text bytes.Buffer
		tag, err := conn.PgConn().CopyTo(c.t.Context(), &text, fmt.Sprintf(`COPY (SELECT * FROM %s) TO STDOUT (FORMAT binary)`, table))
		if err != nil {
			c.t.Fatal(err)
		}
		rows += tag.RowsAffected()
		if found := c.found(text.String(), words); len(found) > 0 {
			c.t.Errorf("the table %s has %q", table, found)
		}
	}
	return rows
}

// inServer looks for the words in every file of the server, once all is written there.
func (c *canaries) inServer(server *pgtest.Server, words []string) {
	c.t.Helper()
	server.Exec(c.t, "postgres", `CHECKPOINT`)
	conn, err := pgx.Connect(c.t.Context(), server.URL("postgres"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(c.t.Context())
	var folder string
	if err := conn.QueryRow(c.t.Context(), `SHOW data_directory`).Scan(&folder); err != nil {
		c.t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(filepath.Dir(folder), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // it was removed meanwhile
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		files++
		if found := c.found(string(text), words); len(found) > 0 {
			c.t.Errorf("the server's file %s has %q", filepath.Base(path), found)
		}
		return nil
	})
	if err != nil || files < 100 {
		c.t.Errorf("%d files of the server were read, %v", files, err)
	}
}
