package sqlite

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// IsFull reports whether something failed, in the journal or elsewhere, because a disk has
// no space left, or a user has used up what is theirs.
func IsFull(err error) bool {
	return sqliteCode(err) == sqlite3.SQLITE_FULL || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// sqliteCode returns the primary code of an error of SQLite; 0 for others.
func sqliteCode(err error) int {
	if e := new(sqlite.Error); errors.As(err, &e) {
		return e.Code() & 0xFF
	}
	return 0
}

// wrap adds what could not be done to an error, and says what to do about the
// database's codes for damage, for a full disk and for a lock.
func (j *Journal) wrap(action string, err error) error {
	if err == nil {
		return nil
	}
	code := sqliteCode(err)
	switch {
	case errors.As(err, new(*journal.DamagedError)):
		return err
	case code == sqlite3.SQLITE_CORRUPT, code == sqlite3.SQLITE_NOTADB, errors.Is(err, format.ErrDamaged),
		code == sqlite3.SQLITE_ERROR: // the statements are right, so the schema is not
		j.damaged.Store(true)
		return &journal.DamagedError{Dir: j.dir, Reason: err}
	case code == sqlite3.SQLITE_FULL, errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%s: no space is left for the journal in %s; free some space, then run the command again: %w", action, j.dir, err)
	case code == sqlite3.SQLITE_IOERR, errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("%s: the journal in %s cannot be read or written; check whether the disk is full, over your quota or failing, "+
			"then run the command again: %w", action, j.dir, err)
	case IsUnwritable(err):
		return fmt.Errorf("%s: the state folder %s is read-only, or this account has no access to it; use the account that pushes, or name another folder with --state: %w", action, j.dir, err)
	case code == sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%s: another program is using the journal in %s; close it, then run the command again: %w", action, j.dir, err)
	}
	return fmt.Errorf("%s: %w", action, err)
}
