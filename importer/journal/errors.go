package journal

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"opscom-import/importer"
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

// ErrNoRun says that the journal has no run of that number.
var ErrNoRun = errors.New("there is no such run; opscom-import runs lists them")

// StateError says that a run is in a state in which this cannot be done.
type StateError struct {
	Run   int64
	State importer.RunState
}

func (e *StateError) Error() string { return fmt.Sprintf("run %d is %s", e.Run, e.State) }

// DamagedError says that the journal's files were changed or are incomplete.
type DamagedError struct {
	Dir    string // the state folder
	Reason error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the journal in %s is damaged (%v); restore a backup with \"opscom-import journal restore\", "+
		"or move it away and push again: people who exist are updated, nobody is created twice", e.Dir, e.Reason)
}

func (e *DamagedError) Unwrap() error { return e.Reason }

// BusyError says that another run to the same target is in progress.
type BusyError struct {
	Target string
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("another run to %s is in progress; wait until it has ended, then run the command again", e.Target)
}

// wrap adds what could not be done to an error, and says what to do about the
// database's codes for damage, for a full disk and for a lock.
func (j *Journal) wrap(action string, err error) error {
	if err == nil {
		return nil
	}
	code := sqliteCode(err)
	switch {
	case errors.As(err, new(*DamagedError)):
		return err
	case code == sqlite3.SQLITE_CORRUPT, code == sqlite3.SQLITE_NOTADB, errors.Is(err, errDamaged),
		code == sqlite3.SQLITE_ERROR: // the statements are right, so the schema is not
		j.damaged.Store(true)
		return &DamagedError{Dir: j.dir, Reason: err}
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
