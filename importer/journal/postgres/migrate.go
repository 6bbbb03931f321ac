package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Each file is one step. One that was released never changes. Processes of the version before work while it runs, and
// after it until they are replaced: it adds tables, and columns with a default, and drops only what no released
// version uses. There is no way back.
//
//go:embed migrations/*.sql
var migrations embed.FS

const (
	schema       = "opscom"
	riverSchema  = "river"
	versionTable = schema + ".schema_version"

	migrateLock = 0x6F7073636F6D // advisory: of two that migrate, one waits for the other
)

// Step is one version of a schema.
type Step struct {
	Schema  string // "opscom", or "river" for the queue
	Version int64
	Name    string // "journal"; "" if it is not known
	Applied bool   // the database has it
	Known   bool   // to this version of the program
}

// Migrate brings a database to the schema of this version of the program, and returns the steps that were missing.
// It goes forward only. Processes of the version before may work meanwhile, and others may migrate.
func Migrate(ctx context.Context, url string, options Options) ([]Step, error) {
	j, err := connect(ctx, url, options, patient)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	taken, err := j.migrate(ctx)
	if server := new(pgconn.PgError); errors.As(err, &server) && server.Code == "42501" { // no role may do this
		return taken, j.refuse("does not let this account change the schema (%s): "+migrate, server.Message)
	}
	return taken, j.wrap("migrate the schema", err)
}

// Status returns all steps, of one schema after the other, in the order of their versions.
func Status(ctx context.Context, url string, options Options) ([]Step, error) {
	j, err := connect(ctx, url, options, nil)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	steps, err := j.steps(ctx)
	return steps, j.wrap("read the schema's version", err)
}

// patient lets the steps of a connection take long. A lock that they wait for stops everybody else, and may not.
func patient(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '5s'`)
	return err
}

func (j *Journal) migrate(ctx context.Context) ([]Step, error) {
	pooled, err := j.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	lock := pooled.Hijack()
	defer lock.Close(context.WithoutCancel(ctx)) // which unlocks
	if _, err := lock.Exec(ctx, `SET lock_timeout = 0`); err != nil {
		return nil, err
	}
	if _, err := lock.Exec(ctx, `SELECT pg_advisory_lock($1)`, migrateLock); err != nil {
		return nil, err
	}
	before, err := j.steps(ctx)
	if err != nil {
		return nil, err
	}
	if err := j.notNewer(before); err != nil {
		return nil, err
	}
	if err := j.apply(ctx); err != nil {
		return nil, err
	}
	var missing []Step
	for _, s := range before {
		if !s.Applied {
			s.Applied = true
			missing = append(missing, s)
		}
	}
	return missing, nil
}

func (j *Journal) apply(ctx context.Context) error {
	for _, name := range []string{schema, riverSchema} {
		var exists bool
		if err := j.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, name).Scan(&exists); err != nil {
			return err
		}
		if exists { // IF NOT EXISTS would need the right to create one
			continue
		}
		if _, err := j.pool.Exec(ctx, `CREATE SCHEMA `+name); err != nil {
			return err
		}
	}
	db := stdlib.OpenDBFromPool(j.pool)
	defer db.Close()
	ours, err := provider(db)
	if err != nil {
		return err
	}
	if _, err := ours.Up(ctx); err != nil {
		return err
	}
	rivers, err := riverMigrator(riverpgxv5.New(j.pool))
	if err != nil {
		return err
	}
	_, err = rivers.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// provider returns what applies our steps, each in a transaction of its own.
func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
}

// ourSteps returns the files of the migrations.
func ourSteps() (steps []Step, err error) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		version, err := goose.NumericComponent(file.Name())
		if err != nil {
			return nil, err
		}
		_, name, _ := strings.Cut(strings.TrimSuffix(file.Name(), ".sql"), "_")
		steps = append(steps, Step{Schema: schema, Version: version, Name: strings.ReplaceAll(name, "_", " "), Known: true})
	}
	return steps, nil
}

func riverMigrator(driver *riverpgxv5.Driver) (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(driver, &rivermigrate.Config{Schema: riverSchema, Logger: slog.New(slog.DiscardHandler)})
}

// steps returns all steps that the program or the database knows.
func (j *Journal) steps(ctx context.Context) ([]Step, error) {
	ours, err := ourSteps()
	if err != nil {
		return nil, err
	}
	ours, err = j.applied(ctx, ours, schema, versionTable, `SELECT version_id FROM `+versionTable+` WHERE version_id > 0 ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	migrator, err := riverMigrator(riverpgxv5.New(nil))
	if err != nil {
		return nil, err
	}
	var rivers []Step
	for _, m := range migrator.AllVersions() {
		rivers = append(rivers, Step{Schema: riverSchema, Version: int64(m.Version), Name: m.Name, Known: true})
	}
	const table = riverSchema + ".river_migration"
	rivers, err = j.applied(ctx, rivers, riverSchema, table, `SELECT version FROM `+table+` WHERE line = 'main' ORDER BY 1`)
	return append(ours, rivers...), err
}

// applied marks the steps that a table has, and adds those of a newer program.
func (j *Journal) applied(ctx context.Context, steps []Step, schema, table, query string) ([]Step, error) {
	var exists bool
	if err := j.pool.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&exists); err != nil || !exists {
		return steps, err
	}
	rows, err := j.pool.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	versions, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, err
	}
	known := len(steps)
next:
	for _, version := range versions {
		for i := range steps[:known] {
			if steps[i].Version == version {
				steps[i].Applied = true
				continue next
			}
		}
		steps = append(steps, Step{Schema: schema, Version: version, Applied: true})
	}
	return steps, nil
}

// checkSchema says what is wrong with the schema of the database.
func (j *Journal) checkSchema(ctx context.Context) error {
	steps, err := j.steps(ctx)
	if err != nil {
		return j.wrap("", err)
	}
	if err := j.notNewer(steps); err != nil {
		return err
	}
	none := true
	for _, s := range steps {
		none = none && !s.Applied
	}
	if none {
		return j.refuse("has no schema yet: %s", migrate)
	}
	for _, s := range steps {
		if !s.Applied {
			return j.refuse("has an older schema: it lacks version %d of %s, which this version of opscom-import needs: %s", s.Version, s.Schema, migrate)
		}
	}
	return nil
}

// notNewer refuses a database that a newer version of the program has migrated.
func (j *Journal) notNewer(steps []Step) error {
	newest := map[string]int64{}
	for _, s := range steps {
		if s.Known {
			newest[s.Schema] = max(newest[s.Schema], s.Version)
		} else if s.Version > newest[s.Schema] {
			return j.refuse("has version %d of the schema %s, and this version of opscom-import knows %d: install the newer version of opscom-import here",
				s.Version, s.Schema, newest[s.Schema])
		}
	}
	return nil
}
