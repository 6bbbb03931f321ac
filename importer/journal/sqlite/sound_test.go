package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// unsound copies a journal, and damages the first page of the events, which are not
// read when the journal is opened. The file that vouches for the pages still does.
func unsound(t *testing.T, whole string) string {
	t.Helper()
	dir := copyOf(t, whole)
	at := pageOf(t, dir, "event") + 3 // how much is on it
	must(t, damageFile(filepath.Join(dir, databaseName), true, func(path string) error { return flip(path, at, 0xFF) }))
	return dir
}

// pageOf returns where the first page of a table or an index stands in the database.
func pageOf(t *testing.T, dir, name string) int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(dir, databaseName))+"?mode=ro&immutable=1")
	must(t, err)
	var page, size int
	must(t, db.QueryRow("SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = ?", name).Scan(&page, &size))
	must(t, db.Close())
	return (page - 1) * size
}

// opens reports whether the journal is opened although it is damaged.
func opens(t *testing.T, dir string) bool {
	t.Helper()
	j, err := Open(t.Context(), dir)
	if err == nil {
		must(t, j.Close())
		return true
	}
	if !errors.As(err, new(*journal.DamagedError)) {
		t.Errorf("refused with %v", err)
	}
	return false
}

func TestPagesAreCheckedUnlessSomebodyVouchesForThem(t *testing.T) {
	whole := halfPushed(t, false)
	database := func(dir string) string { return filepath.Join(dir, databaseName) }
	for name, tc := range map[string]struct {
		change func(dir string) // before it is opened
		opens  bool
	}{
		"closed cleanly": {func(string) {}, true},
		"written since":  {func(dir string) { must(t, os.Chtimes(database(dir), testTime, testTime)) }, false},
		"a log": {func(dir string) {
			must(t, os.WriteFile(database(dir)+"-wal", make([]byte, 100), 0o600))
		}, false},
		"an empty log":     {func(dir string) { must(t, os.WriteFile(database(dir)+"-wal", nil, 0o600)) }, true},
		"nobody closed it": {func(dir string) { must(t, os.Remove(filepath.Join(dir, cleanName))) }, false},
		"a power failure":  {func(dir string) { must(t, os.WriteFile(filepath.Join(dir, cleanName), nil, 0o600)) }, false},
		"of another database": {func(dir string) {
			must(t, os.WriteFile(filepath.Join(dir, cleanName), []byte("4096 bytes, 1\n"), 0o600))
		}, false},
		"another program has it": {func(dir string) { must(t, os.Remove(filepath.Join(dir, cleanName))); hold(t, dir) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := unsound(t, whole)
			tc.change(dir)
			if got := opens(t, dir); got != tc.opens {
				t.Errorf("opens: %v, want %v", got, tc.opens)
			}
			if !tc.opens && opens(t, dir) {
				t.Error("it opens when it is tried again")
			}
		})
	}
}

// hold says that a program has the journal open, until the test ends.
func hold(t *testing.T, dir string) {
	t.Helper()
	j := &Journal{dir: dir}
	must(t, j.createFolders())
	_, err := j.enter()
	must(t, err)
	t.Cleanup(func() { must(t, j.leave(false)) })
}

// The journal is vouched for by the last who closes it, and only while nobody has it
// open.
// SQLite takes an empty database for a new one. It is none where one was closed, though
// all its runs have ended; opened again, it still is none.
func TestAnEmptyDatabaseThatWasClosedIsDamaged(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(t.Context(), dir)
	must(t, err)
	must(t, j.Close())
	must(t, os.Truncate(filepath.Join(dir, databaseName), 0))
	for range 2 {
		if opens(t, dir) {
			t.Error("opened as a new journal")
		}
		if _, err := openReadOnly(t.Context(), dir); !errors.As(err, new(*journal.DamagedError)) {
			t.Errorf("read, with %v", err)
		}
	}
}

func TestTheLastToCloseVouches(t *testing.T) {
	dir := t.TempDir()
	vouched := func(when string, want bool) {
		t.Helper()
		if got := (&Journal{dir: dir}).closedCleanly(); got != want {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	open := func() *Journal {
		t.Helper()
		j, err := Open(t.Context(), dir)
		must(t, err)
		return j
	}
	first := open()
	planned(t, first, importer.RunHeld, 2)
	vouched("open", false)
	second := open()
	must(t, first.Close())
	vouched("open for the second", false)
	must(t, second.Close())
	vouched("closed", true)
	first = open()
	vouched("open again", false)
	must(t, first.Close())
	vouched("closed again", true)

	read := readOnly(t, dir)
	vouched("only read", true)
	must(t, read.Close())

	busy := open()
	opening := make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- busy.inTurn(context.Background(), func() error {
			close(opening)
			time.Sleep(2 * leaveTime)
			return nil
		})
	}()
	<-opening
	must(t, busy.Close()) // does not wait for long
	must(t, <-ended)
	vouched("closed while another opened it", false)
}

// Who has found damage does not vouch: the next to open the journal checks all of it.
func TestWhoHasFoundDamageDoesNotVouch(t *testing.T) {
	dir := unsound(t, halfPushed(t, false))
	j, err := Open(t.Context(), dir)
	must(t, err)
	if err := j.Check(t.Context()); !errors.As(err, new(*journal.DamagedError)) {
		t.Errorf("check: error %v", err)
	}
	j.damaged.Store(false)
	r, err := j.run(t.Context(), 1)
	must(t, err)
	if _, _, err := r.Counts(t.Context()); !errors.As(err, new(*journal.DamagedError)) {
		t.Errorf("counts: error %v", err)
	}
	must(t, j.Close())
	if opens(t, dir) {
		t.Error("it opens again")
	}
}

// What is read only is checked likewise.
func TestReadOnlyChecksPagesUnlessSomebodyVouches(t *testing.T) {
	dir := unsound(t, halfPushed(t, false))
	must(t, readOnly(t, dir).Close())
	must(t, os.Remove(filepath.Join(dir, cleanName)))
	if _, err := openReadOnly(t.Context(), dir); !errors.As(err, new(*journal.DamagedError)) {
		t.Errorf("error %v", err)
	}
}

// A flipped bit in a table that is small, or in its index, is found although somebody
// vouches for the pages.
func TestSmallTablesAreAlwaysChecked(t *testing.T) {
	dir := copyOf(t, halfPushed(t, false))
	must(t, damageFile(filepath.Join(dir, databaseName), true, func(path string) error {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		at := bytes.LastIndex(content, []byte(testSource)) // in run's index: its table comes first
		content[at+3] ^= 1
		return os.WriteFile(path, content, 0o600)
	}))
	if opens(t, dir) {
		t.Error("it opens")
	}
}

// A page of the outcomes leads to the wrong page, and so the last ones are not found:
// one of them says that what was accepted before is not known any more.
func TestOutcomesThatAreNotFoundAreMissed(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	rows := make([]int, 100)
	for i := range rows {
		rows[i] = i*format.ChunkRows + 2
	}
	must(t, planned(t, j, importer.RunPushing, rows...).Stop(t.Context()))
	r, err := j.run(t.Context(), 1)
	must(t, err)
	must(t, r.Start(t.Context()))
	claim(t, r, len(rows))
	for _, row := range rows {
		o := pushed(row)
		o.Message = strings.Repeat("long ", 100)
		must(t, r.Record(t.Context(), []importer.Outcome{o}))
	}
	must(t, r.Finish(t.Context(), testTime))
	must(t, j.Close())

	dir := j.dir
	at := pageOf(t, dir, "event")
	must(t, damageFile(filepath.Join(dir, databaseName), true, func(path string) error {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if content[at] != 5 {
			t.Fatal("the outcomes have one page")
		}
		cell := at + int(binary.BigEndian.Uint16(content[at+12:]))
		copy(content[at+8:at+12], content[cell:cell+4]) // the last page is the first once more
		return os.WriteFile(path, content, 0o600)
	}))
	for what, open := range map[string]func(context.Context, string) (*Journal, error){"open": Open, "read only": openReadOnly} {
		j, err := open(t.Context(), copyOf(t, dir))
		must(t, err)
		if _, err := j.Acceptances().Accepted(t.Context(), testTarget, []importer.Digest{testKey(rows[99])}); !errors.As(err, new(*journal.DamagedError)) {
			t.Errorf("%s: error %v", what, err)
		}
		must(t, j.Close())
	}
}
