package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"

	"opscom-import/importer/journal"
)

// A journal that cannot be written is read as it stands, log included:
//
//	journal.db-wal  journal.db-shm
//	absent, empty   –               nobody has it open: the database is all there is
//	–               present         a program has it open, or died: SQLite reads the log too, and locks
//	not empty       absent          refused: without its index the log cannot be read here

var errReadOnly = errors.New("the journal was opened for reading only")

// OpenToRead opens an existing journal as Open does or, where its folder cannot be
// written, for reading only: then nothing in the folder is created or changed, methods
// that would change the journal return an error, and a journal of an older version is
// refused. What it shows is never older than what was recorded when it was opened.
func OpenToRead(ctx context.Context, dir string) (*Journal, error) {
	j, err := Open(ctx, dir)
	if IsUnwritable(err) {
		return openReadOnly(ctx, dir)
	}
	return j, err
}

// IsUnwritable reports whether the error says that files cannot be written.
func IsUnwritable(err error) bool {
	if code := sqliteCode(err); code != 0 {
		return code == sqlite3.SQLITE_READONLY || code == sqlite3.SQLITE_CANTOPEN || code == sqlite3.SQLITE_PERM
	}
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// openReadOnly opens the journal for reading only.
func openReadOnly(ctx context.Context, dir string) (*Journal, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the state folder: %w", err)
	}
	j := &Journal{dir: dir}
	j.Earlier = journal.NewEarlier(history{j})
	if err := j.connectReadOnly(ctx); err != nil {
		return nil, errors.Join(j.wrap("read the journal in "+dir, err), j.disconnect())
	}
	return j, nil
}

func (j *Journal) connectReadOnly(ctx context.Context) (err error) {
	database := filepath.Join(j.dir, databaseName)
	if err := j.checkSize(database); err != nil {
		return err
	}
	parameters, err := j.howToRead(database)
	if err != nil {
		return err
	}
	if j.reader, err = sql.Open("sqlite", j.address(databaseName, parameters)); err != nil {
		return err
	}
	j.reader.SetMaxOpenConns(readers)
	if err := checkPages(ctx, j.reader, j.closedCleanly()); err != nil {
		return err
	}
	if err := j.checkVersion(ctx); err != nil {
		return err
	}
	if err := j.prepare(ctx); err != nil {
		return err
	}
	err = j.reader.QueryRowContext(ctx, selectSalt).Scan(&j.salt)
	if errors.Is(err, sql.ErrNoRows) {
		err = errEmpty
	}
	return err
}

// howToRead returns SQLite's parameters for reading the database with nothing but
// the files that exist. A database without a log is taken to be unchangeable, because
// SQLite would create the log; Close finds out whether it was.
func (j *Journal) howToRead(database string) (url.Values, error) {
	log, index := sizeOf(database+"-wal"), sizeOf(database+"-shm")
	switch {
	case log >= 0 && index >= 0:
		return url.Values{"mode": {"ro"}, "readonly_shm": {"1"}}, nil
	case log > 0, sizeOf(database+"-journal") > 0:
		return nil, errors.New("its newest answers are in a log that can only be read where the folder can be written; " +
			"copy the whole folder to such a place, and name the copy with --state")
	}
	var err error
	if j.found, err = os.Stat(database); err == nil && j.found.Size() == 0 {
		err = errEmpty
	}
	return url.Values{"mode": {"ro"}, "immutable": {"1"}}, err
}

var errEmpty = errors.New("it is not complete: a program was interrupted while it created it; any push with this state folder completes it")

// sizeOf returns a file's size, -1 when there is none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}

// checkUnchanged returns an error when a database that was taken to be unchangeable
// was changed, by another account or machine, while it was read.
func (j *Journal) checkUnchanged() error {
	if j.found == nil {
		return nil
	}
	database := filepath.Join(j.dir, databaseName)
	now, err := os.Stat(database)
	if err == nil && (now.Size() != j.found.Size() || !now.ModTime().Equal(j.found.ModTime()) || sizeOf(database+"-wal") > 0) {
		err = fmt.Errorf("the journal in %s was changed while it was read; run the command again", j.dir)
	}
	return err
}

// checkVersion returns an error when this version of the program cannot read the
// journal as it is.
func (j *Journal) checkVersion(ctx context.Context) error {
	var tables int // goose would try to create its table
	err := j.reader.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = 'goose_db_version'").Scan(&tables)
	if err == nil && tables == 0 {
		err = errEmpty
	}
	if err != nil {
		return err
	}
	provider, err := schema(j.reader)
	if err != nil {
		return err
	}
	stored, known, err := versions(ctx, provider)
	if err == nil && stored < known {
		err = fmt.Errorf("an older version of opscom-import wrote it (schema %d, this version reads %d), and it cannot be brought up to date where it cannot be written: "+
			"run \"opscom-import runs\" once with an account that may write there, then run the command again", stored, known)
	}
	return err
}
