package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"opscom-import/importer/journal/internal/format"
)

// newName is the database while it is created.
const newName = databaseName + "-new"

// ensureDatabase creates the database if there is none. Its mode does not depend on the
// umask, and SQLite gives its other files the same. It never opens an existing database:
// closing that again would release the locks that this process holds on it.
func (j *Journal) ensureDatabase(ctx context.Context) error {
	database := filepath.Join(j.dir, databaseName)
	_, err := os.Stat(database)
	if errors.Is(err, fs.ErrNotExist) {
		return j.create(ctx, database)
	}
	if err != nil {
		return err
	}
	return errors.Join(os.Chmod(database, 0o600), j.checkSize(database))
}

// create creates the database in another place and moves it here when it is complete:
// that takes one sync, where SQLite takes nine. The folder is synced with the log,
// before anything is recorded.
func (j *Journal) create(ctx context.Context, database string) (err error) {
	path := filepath.Join(j.dir, newName)
	if err := j.removeOld(path, database); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Close(), j.fill(ctx)); err != nil {
		return err
	}
	if err := syncFile(path, os.O_RDWR); err != nil {
		return err
	}
	return os.Rename(path, database)
}

// fill makes the new database a journal.
func (j *Journal) fill(ctx context.Context) (err error) {
	db, err := sql.Open("sqlite", j.address(newName, url.Values{"_pragma": {"auto_vacuum(INCREMENTAL)", "synchronous(OFF)", "journal_mode(MEMORY)"}}))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrate(ctx, db); err != nil {
		return err
	}
	if err := insertSalt(ctx, db); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return err
}

const selectSalt = "SELECT salt FROM journal"

// insertSalt creates the salt, unless there is one.
func insertSalt(ctx context.Context, db *sql.DB) error {
	salt := make([]byte, 32)
	if _, err := rand.Read(salt); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, "INSERT INTO journal (salt) SELECT ? WHERE NOT EXISTS (SELECT * FROM journal)", salt)
	return err
}

// checkSize refuses a database that is so short that SQLite would take it for a new
// one.
func (j *Journal) checkSize(database string) error {
	const smallestPage = 512
	info, err := os.Stat(database)
	if err != nil || info.Size() >= smallestPage {
		return err
	}
	payloads, err := os.ReadDir(filepath.Join(j.dir, payloadsName))
	closed := sizeOf(filepath.Join(j.dir, cleanName)) > 0 // so it was complete once
	if err == nil && (info.Size() > 0 || len(payloads) > 0 || closed) {
		err = fmt.Errorf("%w: %s is cut short", format.ErrDamaged, database)
	}
	return err
}
