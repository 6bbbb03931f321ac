package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"opscom-import/importer/journal/internal/format"
)

// SQLite can check every page of the database, which takes as long as reading it. That
// is done only when nobody vouches for the pages:
//
//   - a program that has the journal open does: it has checked them, or need not;
//   - the file journal.db-clean does. The last to close the journal writes into it which
//     database it has left, and who opens the journal removes it. So there is none after
//     a crash or a power failure, nor in a copy that was made meanwhile, and it is about
//     another database than one that was restored, or changed by something else.
//
// A log that is not empty tells that its writer died, whatever that file says. The
// small tables are checked every time. In the others each record has a checksum, and
// each run counts them.

const cleanName = databaseName + "-clean"

// enter says to others that the journal is open, and reports whether somebody vouches
// for its pages. Nobody else opens or closes it meanwhile.
func (j *Journal) enter() (sound bool, err error) {
	inUse := flock.New(j.lockFile("in use"), flock.SetPermissions(0o600))
	alone, err := inUse.TryLock()
	if err != nil {
		return false, err
	}
	sound = !alone || j.closedCleanly()
	if err := errors.Join(inUse.Unlock(), j.removeClean()); err != nil {
		return false, err
	}
	if _, err := inUse.TryRLock(); err != nil {
		return false, err
	}
	j.inUse = inUse
	return sound, nil
}

// leaveTime is how long closing the journal waits for others that open or close it.
const leaveTime = 100 * time.Millisecond

// leave takes back what enter said. If nobody else has the journal open, its database is
// complete and sound, and vouched for.
func (j *Journal) leave(sound bool) error {
	if j.inUse == nil {
		return nil
	}
	if !sound {
		return j.inUse.Unlock()
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	err := j.inTurn(ctx, func() error {
		if err := j.inUse.Unlock(); err != nil {
			return err
		}
		if alone, err := j.inUse.TryLock(); err != nil || !alone {
			return err
		}
		return j.writeClean()
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // who opens it now sees to the rest
	}
	return errors.Join(err, j.inUse.Unlock())
}

// describe returns what tells the database from what it was, or will be, at another
// time; "" when there is a log, whose content would be missing.
func (j *Journal) describe() string {
	database := filepath.Join(j.dir, databaseName)
	info, err := os.Stat(database)
	if err != nil || sizeOf(database+"-wal") > 0 || sizeOf(database+"-journal") > 0 {
		return ""
	}
	return fmt.Sprintf("%d bytes, %d\n", info.Size(), info.ModTime().UnixNano())
}

// closedCleanly reports whether the database is as the last to close it has left it.
func (j *Journal) closedCleanly() bool {
	clean, err := os.ReadFile(filepath.Join(j.dir, cleanName))
	return err == nil && len(clean) > 0 && string(clean) == j.describe()
}

// writeClean vouches for the database. Without it the next to open the journal checks
// the pages, so that no error is reported, and the disk not waited for.
func (j *Journal) writeClean() error {
	if os.WriteFile(filepath.Join(j.dir, cleanName), []byte(j.describe()), 0o600) != nil {
		return j.removeClean()
	}
	return nil
}

func (j *Journal) removeClean() error {
	if err := os.Remove(filepath.Join(j.dir, cleanName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// checkPages has SQLite check the database: all of it, or the tables that are small
// when somebody vouches for its pages.
func checkPages(ctx context.Context, db *sql.DB, sound bool) error {
	checks := []string{"PRAGMA quick_check(1)"}
	if sound {
		checks = nil
	}
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN "+smallTables)
	err = eachRow(rows, err, func() error {
		var table string
		err := rows.Scan(&table)
		if table == backupTable {
			return errBackup
		}
		checks = append(checks, "PRAGMA integrity_check("+table+")")
		return err
	})
	if err != nil {
		return err
	}
	return checkAll(ctx, db, checks...)
}

// checkAll has SQLite make some checks.
func checkAll(ctx context.Context, q querier, checks ...string) error {
	for _, check := range checks {
		var result string
		if err := q.QueryRowContext(ctx, check).Scan(&result); err != nil {
			return err
		}
		if result != "ok" {
			return fmt.Errorf("%w: %s", format.ErrDamaged, result)
		}
	}
	return nil
}

// Check checks every page of the database, also if someone vouches for them.
func (j *Journal) Check(ctx context.Context) error {
	return j.wrap("check the journal", checkPages(ctx, j.reader, false))
}

// smallTables are those that do not grow with the rows that were pushed.
const smallTables = "('" + backupTable + "', 'journal', 'target', 'run', 'sqlite_sequence', 'goose_db_version')"
