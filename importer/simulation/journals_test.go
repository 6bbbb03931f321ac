package simulation_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/postgres/keyring"
	"opscom-import/importer/journal/postgres/pgtest"
	"opscom-import/importer/journal/sqlite"
)

// journals is where the processes of a course have their journal.
type journals struct {
	open        func(ctx context.Context, machine string) (journal.Journal, error)
	isOnMachine bool // it is in the machine's folder, and dies with it
}

// onMachine has the journal in the machine's folder.
func onMachine() journals {
	return journals{isOnMachine: true, open: func(ctx context.Context, machine string) (journal.Journal, error) {
		return sqlite.Open(ctx, filepath.Join(machine, stateFolder))
	}}
}

// inDatabase has the journal in a copy of a database. The server is a real one, and has its own
// clock: virtual time stands still while anybody waits for an answer of the server.
func inDatabase(t *testing.T, migrated string) journals {
	t.Helper()
	url := pgtest.Shared(t).CopyDatabase(t, migrated)
	keys, err := keyring.Parse("test " + strings.Repeat("0123456789abcdef", 4))
	if err != nil {
		t.Fatal(err)
	}
	return journals{open: func(ctx context.Context, _ string) (journal.Journal, error) {
		return postgres.Open(ctx, url, postgres.Options{Keys: keys})
	}}
}

// migratedDatabase returns a database with the schema.
func migratedDatabase(t *testing.T) string {
	t.Helper()
	url := pgtest.Shared(t).NewDatabase(t)
	if _, err := postgres.Migrate(t.Context(), url, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	return url
}
