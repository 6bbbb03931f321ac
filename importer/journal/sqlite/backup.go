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
	"runtime"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// A backup is one file: the database as it was at one moment, without free pages, and in
// tables of its own when that was and the payloads of the runs that are not over. It is
// restored, never opened as a journal, because what it says is not true any more: see
// restore.go.
const backupTables = `CREATE TABLE backup (taken_at INTEGER NOT NULL); -- microseconds since 1970: one row
	CREATE TABLE backup_payload (run INTEGER NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (run, at))`

// backupTable is a table that only a backup has.
const backupTable = "backup"

var errBackup = errors.New("it is a backup, and what it says need not be true any more: move it away, then restore it with \"opscom-import journal restore\"")

// Backup copies the journal, as it is at one moment, into a new file, which only its
// owner can read, and returns what CheckAll says of the copy. Others may use the journal
// meanwhile. There is no file unless the copy is complete, on the disk, and sound; one
// that exists is never replaced.
func (j *Journal) Backup(ctx context.Context, path string, at time.Time) (*Health, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("back up the journal: %s exists already, and is not replaced; name another file", path)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*") // with mode 0600
	if err != nil {
		return nil, fmt.Errorf("back up the journal: %w", err)
	}
	name := temporary.Name()
	defer func() { // they are gone by now, or of no use
		_ = os.Remove(name)
		_ = os.Remove(name + "-journal")
	}()
	if err := temporary.Close(); err != nil {
		return nil, fmt.Errorf("back up the journal: %w", err)
	}
	health, err := j.backupTo(ctx, name, at)
	if err == nil {
		err = syncFile(name, os.O_RDWR)
	}
	if err == nil {
		err = place(name, path)
	}
	if IsFull(err) {
		return health, fmt.Errorf("back up the journal: no space is left for %s; free some space, or name a file on another disk: %w", path, err)
	}
	return health, j.wrap("back up the journal to "+path, err)
}

// copies is how often a copy is begun. One is of no use if a run ended before its payloads
// were copied.
const copies = 5

// errRunEnded says that a run ended before its payloads were copied.
var errRunEnded = errors.New("runs ended again and again while it was copied; run the command again")

func (j *Journal) backupTo(ctx context.Context, name string, at time.Time) (*Health, error) {
	err := errRunEnded
	for n := 0; errors.Is(err, errRunEnded) && n < copies; n++ {
		if err = os.Truncate(name, 0); err == nil {
			err = j.copyTo(ctx, name, at)
		}
	}
	if err != nil {
		return nil, err
	}
	b, err := openBackup(ctx, name)
	if err != nil {
		return nil, err
	}
	health, err := b.checkAll(ctx, b.payloads)
	if err == nil && len(health.Damage) > 0 {
		err = fmt.Errorf("%w: %s", format.ErrDamaged, health.Damage[0])
	}
	health.Bytes = sizeOf(name)
	return health, errors.Join(err, b.Close())
}

// copyTo copies the database into the empty file, and then the payloads.
func (j *Journal) copyTo(ctx context.Context, name string, at time.Time) error {
	source := j.dsn("deferred", cacheSize)
	if j.writer == nil {
		parameters, err := j.howToRead(filepath.Join(j.dir, databaseName))
		if err != nil {
			return err
		}
		source = j.address(databaseName, parameters)
	}
	if err := vacuumInto(ctx, source, name); err != nil {
		return err
	}
	copied, err := openFile(name, url.Values{"_pragma": {"synchronous(OFF)", "journal_mode(OFF)", cacheSize}})
	if err != nil {
		return err
	}
	err = transact(ctx, copied, nil, func(tx *sql.Tx) error { return j.copyPayloads(ctx, tx, at) })
	return errors.Join(err, copied.Close())
}

// vacuumInto copies a database, as it is at one moment, into an empty file. The copy can be
// shrunk, also where the database is of an earlier version that could not.
func vacuumInto(ctx context.Context, source, name string) (err error) {
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	var mode int
	if err := db.QueryRowContext(ctx, "PRAGMA auto_vacuum").Scan(&mode); err != nil {
		return err
	}
	if mode == 0 { // to set it again would write
		if _, err := db.ExecContext(ctx, "PRAGMA auto_vacuum = INCREMENTAL"); err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", name)
	return err
}

// openFile opens a database that is no journal, on one connection.
func openFile(path string, parameters url.Values) (*sql.DB, error) {
	j := Journal{dir: filepath.Dir(path)}
	db, err := sql.Open("sqlite", j.address(filepath.Base(path), parameters))
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// copyPayloads copies the payloads of the runs that are not over into their copy.
func (j *Journal) copyPayloads(ctx context.Context, tx *sql.Tx, at time.Time) error {
	if _, err := tx.ExecContext(ctx, backupTables); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO backup VALUES (?)", format.MicroOf(at)); err != nil {
		return err
	}
	runs, err := loadRuns(ctx, tx, "WHERE state IN (?, ?, ?)", importer.RunHeld, importer.RunPushing, importer.RunStopped)
	for i := 0; err == nil && i < len(runs); i++ {
		err = j.copyPayloadsOf(ctx, tx, runs[i].ID)
	}
	return err
}

func (j *Journal) copyPayloadsOf(ctx context.Context, tx *sql.Tx, run int64) (err error) {
	var sections []format.Section
	rows, err := tx.QueryContext(ctx, "SELECT payloads_at, payloads_size FROM chunk WHERE run = ? AND payloads_size > 0 ORDER BY payloads_at", run)
	err = eachRow(rows, err, func() error {
		var s format.Section
		err := rows.Scan(&s.At, &s.Size)
		sections = append(sections, s)
		return err
	})
	if err != nil || len(sections) == 0 {
		return err
	}
	file, err := j.payloadFile(run).open()
	if errors.Is(err, format.ErrDamaged) { // it is not there
		now, failed := loadRun(ctx, j.reader, run)
		if errors.Is(failed, journal.ErrNoRun) || failed == nil && now.isOver() {
			return errRunEnded
		}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for _, s := range sections {
		data, err := readSection(file, s)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO backup_payload VALUES (?, ?, ?)", run, s.At, data); err != nil {
			return err
		}
	}
	return nil
}

// backup is an open backup. It is only read.
type backup struct {
	*Journal
	takenAt time.Time
}

// openBackup opens a backup for reading. It creates nothing beside it.
func openBackup(ctx context.Context, path string) (*backup, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder, not the file of a backup", path)
	}
	b := &backup{Journal: &Journal{dir: filepath.Dir(path)}}
	if b.reader, err = openFile(path, url.Values{"mode": {"ro"}, "immutable": {"1"}}); err != nil {
		return nil, err
	}
	b.reader.SetMaxOpenConns(readers)
	if err := b.identify(ctx, path); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// identify makes sure that it is a backup, by a version of the program that this one
// knows.
func (b *backup) identify(ctx context.Context, path string) error {
	isBackup, err := hasBackupTable(ctx, b.reader)
	if err == nil && !isBackup {
		return fmt.Errorf("%s is not a backup of a journal", path)
	}
	if isDamage(err) {
		return fmt.Errorf("%s is not a backup of a journal, or is damaged (%w); restore another one", path, err)
	}
	var at int64
	if err == nil {
		err = b.reader.QueryRowContext(ctx, "SELECT taken_at FROM backup").Scan(&at)
	}
	if err != nil {
		return err
	}
	b.takenAt = format.TimeOf(at)
	provider, err := schema(b.reader)
	if err == nil {
		_, _, err = versions(ctx, provider)
	}
	return err
}

// hasBackupTable reports whether a database is a backup.
func hasBackupTable(ctx context.Context, q querier) (has bool, err error) {
	err = q.QueryRowContext(ctx, "SELECT EXISTS (SELECT * FROM sqlite_schema WHERE name = ?)", backupTable).Scan(&has)
	return has, err
}

// payloads returns the payloads of a chunk as they were stored.
func (b *backup) payloads(ctx context.Context, run int64, s format.Section) (data []byte, err error) {
	err = b.reader.QueryRowContext(ctx, "SELECT data FROM backup_payload WHERE run = ? AND at = ?", run, s.At).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w: some profiles are missing", format.ErrDamaged)
	}
	return data, err
}

// Close closes it. The file is never changed, so that it need not be looked at again.
func (b *backup) Close() error { return b.disconnect() }

// place gives the file its name, unless a file has it by now, and makes sure that it
// lasts.
func place(temporary, path string) error {
	err := os.Link(temporary, path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // the file system knows no second name
		if _, found := os.Lstat(path); errors.Is(found, fs.ErrNotExist) {
			err = os.Rename(temporary, path)
		}
	}
	if err != nil || runtime.GOOS == "windows" {
		return err
	}
	return syncFile(filepath.Dir(path), os.O_RDONLY)
}
