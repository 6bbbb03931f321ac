package journal

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

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
