package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// What a backup says was true when it was taken. Runs may have gone on since, and other
// runs have been made, of which nobody has a record. So this is not taken for granted any more:
//
//   - what the Controllers last accepted. A person who was changed, and changed back, since
//     then would be taken for unchanged. So it is in doubt until the person is pushed again;
//   - that a row was not sent. Every row without a final outcome may have been, so it is
//     unknown, also in a run that was held;
//   - who was in the last complete run of a file: a newer one may have been. So leavers are
//     looked for once there is another one;
//   - which numbers runs had since. The next ones get others, so that a number in a message
//     or a log is never that of two runs.

// skippedNumbers is how many numbers of runs are left out after a restore.
const skippedNumbers = 1000

// Restored says what was restored.
type Restored struct {
	TakenAt    time.Time          // when the backup was taken
	Runs       int                // in all
	Unfinished []importer.RunInfo // those that wait for somebody, the newest first
}

// Restore makes a journal of a backup in a folder that has none. It returns an error, and
// leaves no journal, if the backup is damaged, or by a newer version of the program.
func Restore(ctx context.Context, path, dir string) (*Restored, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the state folder: %w", err)
	}
	restored, err := restore(ctx, path, dir)
	if err != nil {
		return nil, fmt.Errorf("restore the journal from %s: %w", path, err)
	}
	return restored, nil
}

func restore(ctx context.Context, path, dir string) (restored *Restored, err error) {
	b, err := openBackup(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	health, err := b.checkAll(ctx, b.payloads)
	if err != nil {
		return nil, err
	}
	if len(health.Damage) > 0 {
		return nil, fmt.Errorf("the backup is damaged (%s); restore another one", health.Damage[0])
	}
	j := &Journal{dir: dir}
	if err := j.createFolders(); err != nil {
		return nil, err
	}
	err = j.inTurn(ctx, func() error {
		if exists, err := Exists(dir); err != nil || exists {
			return errors.Join(err, fmt.Errorf("%s has a journal already; move it away, or name another folder with --state", dir))
		}
		return j.restoreFrom(ctx, path)
	})
	if err != nil {
		return nil, err
	}
	restored = &Restored{TakenAt: b.takenAt, Runs: health.Runs}
	opened, err := Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	restored.Unfinished, err = opened.list(ctx, "WHERE state NOT IN (?, ?) ORDER BY run.id DESC", importer.RunFinished, importer.RunSuperseded)
	return restored, errors.Join(err, opened.Close())
}

// restoreFrom copies the backup to another place in the folder, makes a journal of it, and
// moves that here when it is complete.
func (j *Journal) restoreFrom(ctx context.Context, path string) error {
	next, database := filepath.Join(j.dir, newName), filepath.Join(j.dir, databaseName)
	if err := j.removeOld(next, database); err != nil {
		return err
	}
	if err := copyFile(path, next); err != nil {
		_ = os.Remove(next) // of no use; the error says why
		return err
	}
	if err := j.convert(ctx); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if err := syncFile(next, os.O_RDWR); err != nil {
		return err
	}
	return os.Rename(next, database)
}

// copyFile copies a file to a new one, which only its owner can read.
func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	file, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, source)
	return errors.Join(err, file.Close())
}

// convert makes a journal of the copy of a backup.
func (j *Journal) convert(ctx context.Context) (err error) {
	db, err := openFile(filepath.Join(j.dir, newName), url.Values{"_pragma": {"secure_delete(1)", "synchronous(OFF)", "journal_mode(OFF)", cacheSize}}) // if it fails, nobody needs the file
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := migrate(ctx, db); err != nil {
		return err
	}
	unchecked := &Journal{dir: j.dir, reader: db, writer: db}
	for _, p := range []struct {
		statement **sql.Stmt
		query     string
	}{{&unchecked.updateRun, updateRun}, {&unchecked.insertEvents, insertEvents}} {
		if *p.statement, err = db.PrepareContext(ctx, p.query); err != nil {
			return err
		}
	}
	if err := transact(ctx, db, nil, func(tx *sql.Tx) error { return unchecked.doubt(ctx, tx) }); err != nil {
		return err
	}
	if err := unchecked.shrink(ctx); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA journal_mode = WAL")
	return errors.Join(err, unchecked.updateRun.Close(), unchecked.insertEvents.Close())
}

// doubt records what is not certain any more, and moves the payloads into their files. What was
// accepted is folded first: that rows may have been sent since is no reason to forget it.
func (j *Journal) doubt(ctx context.Context, tx *sql.Tx) error {
	names, err := targetNames(ctx, tx)
	for _, name := range names {
		for done := false; err == nil && !done; {
			done, err = foldSome(ctx, tx, name)
		}
	}
	if err != nil {
		return err
	}
	runs, err := loadRuns(ctx, tx, "WHERE state NOT IN (?, ?)", importer.RunFinished, importer.RunSuperseded)
	for i := 0; err == nil && i < len(runs); i++ {
		if run := &runs[i]; run.State == importer.RunPlanning {
			_, err = tx.ExecContext(ctx, deleteRun, run.ID)
		} else if err = j.doubtRun(ctx, tx, run); err == nil {
			err = j.restorePayloads(ctx, tx, run.ID)
		}
	}
	if err != nil {
		return err
	}
	for _, table := range []string{"backup", "backup_payload"} {
		if _, err := tx.ExecContext(ctx, "DROP TABLE "+table); err != nil {
			return err
		}
	}
	var last int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'run'").Scan(&last); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'run'", skippedNumbers); err != nil {
		return err
	}
	var latest int64
	if err := tx.QueryRowContext(ctx, latestEvent).Scan(&latest); err != nil {
		return err
	}
	for _, name := range names {
		var same targets
		if err == nil {
			same, err = loadTargets(ctx, tx, name)
		}
		if err == nil {
			err = same.saveFolded(ctx, tx, latest)
		}
		if err == nil && last > 0 {
			marker := &format.Roster{ID: last, Source: format.RestoredSource, Target: same[0].id, CertainFrom: latest + 1}
			err = storeRoster(ctx, marker, tx, func(func(*format.Person) error) error { return nil })
		}
	}
	return err
}

// doubtRun records that every row that waits may have been sent.
func (j *Journal) doubtRun(ctx context.Context, tx *sql.Tx, record *runRecord) error {
	var doubted []format.Event
	last := record.claimed
	err := record.project(ctx, tx, func(c *format.Chunk) error {
		for row := range c.All {
			if row.Waits() {
				last = max(last, row.Plan.Row)
				doubted = append(doubted, format.Unknown(row.Plan.Row))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	record.claimed = last
	if record.State == importer.RunPushing {
		record.State = importer.RunStopped
	}
	if err := j.storeEvents(ctx, tx, record, doubted); err != nil {
		return err
	}
	return j.save(ctx, tx, record)
}

// restorePayloads writes the payload file of a run.
func (j *Journal) restorePayloads(ctx context.Context, tx *sql.Tx, run int64) error {
	file := j.payloadFile(run)
	if err := file.remove(); err != nil {
		return err
	}
	n := 0
	rows, err := tx.QueryContext(ctx, "SELECT at, data FROM backup_payload WHERE run = ? ORDER BY at", run)
	err = eachRow(rows, err, func() error {
		var at int64
		var data sql.RawBytes
		if err := rows.Scan(&at, &data); err != nil {
			return err
		}
		n++
		return file.write(data, at)
	})
	if err != nil || n == 0 {
		return err
	}
	return file.sync()
}

// removeOld removes what is left of a journal whose database is gone.
func (j *Journal) removeOld(next, database string) error {
	for _, old := range []string{next, next + "-wal", next + "-shm", next + "-journal", database + "-wal", database + "-shm"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return j.removeClean()
}
