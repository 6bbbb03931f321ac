package journal

import (
	"context"
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
	var result string
	if err := j.writer.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		return err
	}
	if result != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, result)
	}
	return j.migrate(ctx)
}

// migrate brings the database to the schema of this version of the program.
func (j *Journal) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, j.writer, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	stored, known, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case stored > known:
		return fmt.Errorf("a newer version of opscom-import wrote it (schema %d, this version knows %d); "+
			"install the newer version, or choose another folder with --state", stored, known)
	case stored == known:
		return nil
	}
	_, err = provider.Up(ctx)
	return err
}
