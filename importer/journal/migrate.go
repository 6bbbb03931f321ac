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

// migrate brings the database to the schema of this version of the program. Two
// programs that open a new journal at once take turns.
func (j *Journal) migrate(ctx context.Context) (err error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, j.writer, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	turn := flock.New(j.lockFile("the schema"), flock.SetPermissions(0o600))
	if _, err := turn.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return fmt.Errorf("wait for another program that opens the journal: %w", err)
	}
	defer func() { err = errors.Join(err, turn.Unlock()) }()

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
