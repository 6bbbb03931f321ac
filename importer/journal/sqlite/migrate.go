package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings a database to the schema of this version of the program.
func migrate(ctx context.Context, db *sql.DB) error {
	provider, err := schema(db)
	if err != nil {
		return err
	}
	if stored, known, err := versions(ctx, provider); err != nil || stored == known {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// schema returns what knows the schema's versions, one a file. The files are executed
// here, because goose reads SQL through buffers of 4 MiB.
func schema(db *sql.DB) (*goose.Provider, error) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	steps := make([]*goose.Migration, len(files))
	for i, file := range files {
		version, err := goose.NumericComponent(file.Name())
		if err != nil {
			return nil, err
		}
		steps[i] = goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			statements, err := migrations.ReadFile("migrations/" + file.Name())
			if err == nil {
				_, err = tx.ExecContext(ctx, string(statements))
			}
			return err
		}}, nil)
	}
	return goose.NewProvider(goose.DialectSQLite3, db, nil, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(steps...))
}

// versions returns the version of the database's schema and the one that this
// program knows. It is an error when the program is the older one.
func versions(ctx context.Context, provider *goose.Provider) (stored, known int64, err error) {
	stored, known, err = provider.GetVersions(ctx)
	if err == nil && stored > known {
		err = fmt.Errorf("a newer version of opscom-import wrote it (schema %d, this version knows %d); "+
			"install the newer version, or choose another folder with --state", stored, known)
	}
	return stored, known, err
}
