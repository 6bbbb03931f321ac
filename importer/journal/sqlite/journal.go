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
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the database driver

	"opscom-import/importer/journal"
)

// Journal is an open journal. Its methods may be called by several goroutines,
// and several programs may have one folder open.
type Journal struct {
	journal.Earlier
	dir  string
	salt []byte

	reader *sql.DB
	writer *sql.DB      // one connection: there is one writer at a time; nil in a journal that is only read
	inUse  *flock.Flock // held while it is open; nil in a journal that is only read

	damaged  atomic.Bool // damage was found
	keepKeys atomic.Bool // see KeepKeys

	found os.FileInfo // of a database that is taken to be unchangeable, else nil

	writing      sync.Mutex // held during every use of writer
	synced       bool       // whether writer's commits wait for the disk
	updateRun    *sql.Stmt  // by writer, as the next two
	insertChunk  *sql.Stmt
	insertEvents *sql.Stmt
	selectChunks *sql.Stmt // by reader
}

const (
	databaseName = "journal.db"
	payloadsName = "payloads"
	locksName    = "locks"
)

// Owns reports whether the journal keeps a file or folder of this name in its folder.
func Owns(name string) bool {
	return name == payloadsName || name == locksName || name == databaseName || strings.HasPrefix(name, databaseName+"-")
}

// Exists reports whether the folder holds a journal. A command that changes nothing
// asks before it opens one, because Open creates it.
func Exists(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, databaseName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("find the journal: %w", err)
	}
	return true, nil
}

// Open opens the journal in the folder and creates what is missing, readable by
// its owner only. It returns a *DamagedError for a damaged journal, and an error for
// one that a newer version of this program wrote.
func Open(ctx context.Context, dir string) (*Journal, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the state folder: %w", err)
	}
	j := &Journal{dir: dir, synced: true}
	j.Earlier = journal.NewEarlier(history{j})
	if err = j.createFolders(); err == nil {
		err = j.inTurn(ctx, func() error { return j.connect(ctx) })
	}
	if err != nil {
		return nil, errors.Join(j.wrap("open the journal in "+j.dir, err), j.disconnect(), j.leave(false))
	}
	return j, nil
}

// inTurn calls do while no other program opens or closes the journal: while one creates
// it, SQLite refuses the others without waiting.
func (j *Journal) inTurn(ctx context.Context, do func() error) (err error) {
	turn := flock.New(j.lockFile("the schema"), flock.SetPermissions(0o600))
	if _, err := turn.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return fmt.Errorf("wait for another program that is opening the journal: %w", err)
	}
	defer func() { err = errors.Join(err, turn.Unlock()) }()
	return do()
}

// Close closes the journal, and moves what is left in its log into the database. When
// it was opened for reading only, an error says that what was read may be wrong.
func (j *Journal) Close() error {
	if j.writer == nil {
		return errors.Join(j.wrap("close the journal", j.disconnect()), j.checkUnchanged())
	}
	_, err := j.writer.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	err = errors.Join(err, j.disconnect())
	return j.wrap("close the journal", errors.Join(err, j.leave(err == nil && !j.damaged.Load())))
}

// Salt returns 32 random bytes that were created with the journal: the key of its
// digests.
func (j *Journal) Salt() []byte { return j.salt }

func (j *Journal) createFolders() error {
	for _, dir := range []string{j.dir, filepath.Join(j.dir, payloadsName), filepath.Join(j.dir, locksName)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) connect(ctx context.Context) (err error) {
	if err = j.ensureDatabase(ctx); err != nil {
		return err
	}
	sound, err := j.enter()
	if err != nil {
		return err
	}
	if j.writer, err = sql.Open("sqlite", j.dsn("immediate", "synchronous(FULL)", cacheSize)); err != nil {
		return err
	}
	j.writer.SetMaxOpenConns(1)
	if err = checkPages(ctx, j.writer, sound); err != nil {
		return err
	}
	if err = migrate(ctx, j.writer); err != nil {
		return err
	}
	if j.reader, err = sql.Open("sqlite", j.dsn("deferred", "query_only(1)", cacheSize)); err != nil {
		return err
	}
	j.reader.SetMaxOpenConns(readers)
	if err = j.prepare(ctx); err != nil {
		return err
	}
	return j.loadSalt(ctx)
}

// cacheSize bounds the memory of a connection: pages are read and written once or
// twice, in their order.
const cacheSize = "cache_size(-2048)"

// readers is how many connections read: one run may be read while another is.
const readers = 4

// dsn returns the address of the database for reading and writing, with how its
// transactions lock it and pragmas.
func (j *Journal) dsn(lock string, pragmas ...string) string {
	return j.address(databaseName, url.Values{"_txlock": {lock}, "_pragma": append(pragmas,
		"journal_mode(WAL)", "secure_delete(1)", "wal_autocheckpoint(4000)", "journal_size_limit(33554432)")})
}

// address returns the address of a database in the folder, with parameters.
func (j *Journal) address(name string, parameters url.Values) string {
	path := filepath.ToSlash(filepath.Join(j.dir, name))
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/… on Windows
	}
	parameters["_pragma"] = append([]string{"busy_timeout(10000)", "foreign_keys(1)", "cell_size_check(1)"}, parameters["_pragma"]...)
	return (&url.URL{Scheme: "file", Path: path, RawQuery: parameters.Encode()}).String()
}

// prepare prepares the statements that are run often.
func (j *Journal) prepare(ctx context.Context) (err error) {
	for _, p := range []struct {
		statement **sql.Stmt
		db        *sql.DB
		query     string
	}{
		{&j.updateRun, j.writer, updateRun},
		{&j.insertChunk, j.writer, insertChunk},
		{&j.insertEvents, j.writer, insertEvents},
		{&j.selectChunks, j.reader, selectChunks},
	} {
		if p.db == nil {
			continue // the journal is only read
		}
		if *p.statement, err = p.db.PrepareContext(ctx, p.query); err != nil {
			return err
		}
	}
	return nil
}

// loadSalt reads the salt. A journal whose creation was interrupted, by an earlier
// version, has none yet.
func (j *Journal) loadSalt(ctx context.Context) error {
	err := j.reader.QueryRowContext(ctx, selectSalt).Scan(&j.salt)
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := insertSalt(ctx, j.writer); err != nil {
		return err
	}
	return j.reader.QueryRowContext(ctx, selectSalt).Scan(&j.salt)
}

func (j *Journal) disconnect() error {
	var errs []error
	for _, db := range []*sql.DB{j.reader, j.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// durability reports whether a change must be on the disk before its call returns.
type durability bool

const (
	durable durability = true
	relaxed durability = false // may be lost in a power failure, up to the next durable change
)

// update runs change in a transaction.
func (j *Journal) update(ctx context.Context, action string, d durability, change func(tx *sql.Tx) error) error {
	if j.writer == nil {
		return j.wrap(action, errReadOnly)
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	err := j.setDurability(ctx, d)
	if err == nil {
		err = transact(ctx, j.writer, nil, change)
	}
	return j.wrap(action, err)
}

func (j *Journal) setDurability(ctx context.Context, d durability) error {
	if j.synced == bool(d) {
		return nil
	}
	level := "NORMAL"
	if d == durable {
		level = "FULL"
	}
	if _, err := j.writer.ExecContext(ctx, "PRAGMA synchronous="+level); err != nil {
		return err
	}
	j.synced = bool(d)
	return nil
}

// view runs read on one state of the journal, even if something is written meanwhile.
func (j *Journal) view(ctx context.Context, action string, read func(tx *sql.Tx) error) error {
	return j.wrap(action, transact(ctx, j.reader, &sql.TxOptions{ReadOnly: true}, read))
}

func transact(ctx context.Context, db *sql.DB, options *sql.TxOptions, do func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		if rollbackErr := tx.Rollback(); rollbackErr != nil && !errors.Is(rollbackErr, sql.ErrTxDone) {
			return errors.Join(err, rollbackErr)
		}
		return err
	}
	return tx.Commit()
}
