package journal

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// prepareSchema checks the database and migrates it to the current schema. Programs
// that open a journal at the same time take turns: while one creates it, SQLite
// refuses the others without waiting.
func (j *Journal) prepareSchema(ctx context.Context) (err error) {
	turn := flock.New(j.lockFile("the schema"), flock.SetPermissions(0o600))
	if _, err := turn.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return fmt.Errorf("wait for another program that is opening the journal: %w", err)
	}
	defer func() { err = errors.Join(err, turn.Unlock()) }()
	if err := j.checkPages(ctx, j.writer); err != nil {
		return err
	}
	return j.migrate(ctx)
}

// checkPages has SQLite check the database.
func (j *Journal) checkPages(ctx context.Context, db *sql.DB) error {
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		return err
	}
	if result != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, result)
	}
	return nil
}

// migrate brings the database to the schema of this version of the program.
func (j *Journal) migrate(ctx context.Context) error {
	provider, err := schema(j.writer)
	if err != nil {
		return err
	}
	if stored, known, err := versions(ctx, provider); err != nil || stored == known {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// schema returns what knows the schema's versions.
func schema(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
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
