package app

import (
	"context"
	"errors"

	"opscom-import/importer/journal/postgres"
)

// SchemaStep is one version of the schema of a journal in PostgreSQL.
type SchemaStep = postgres.Step

var errNoDatabase = errors.New("no database is named: name it with --journal, such as postgres://opscom@db.example.edu/opscom; the journal in the state folder needs no migration")

// Migrate brings the schema of the journal in PostgreSQL to this version of the program, and returns the steps that it took.
func Migrate(ctx context.Context, env Env) ([]SchemaStep, error) {
	if env.Settings.Journal.IsZero() {
		return nil, errNoDatabase
	}
	return postgres.Migrate(ctx, env.Settings.Journal.Reveal(), env.postgresOptions())
}

// SchemaStatus returns the steps that the program or the database knows.
func SchemaStatus(ctx context.Context, env Env) ([]SchemaStep, error) {
	if env.Settings.Journal.IsZero() {
		return nil, errNoDatabase
	}
	return postgres.Status(ctx, env.Settings.Journal.Reveal(), env.postgresOptions())
}

func (e Env) postgresOptions() postgres.Options {
	return postgres.Options{Insecure: e.Settings.InsecureJournal}
}
