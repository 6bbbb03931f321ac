package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
)

// readOnly opens the journal for reading only, as where it cannot be written.
func readOnly(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := openReadOnly(t.Context(), dir)
	must(t, err)
	return j
}

// listing returns the folder's files with their sizes and times.
func listing(t *testing.T, dir string) (files []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		files = append(files, fmt.Sprint(path, info.Mode(), info.Size(), info.ModTime()))
		return err
	}))
	return files
}

// twoPushed plans three rows, of which one is pushed, and then another, and returns
// the run. Nobody has asked for the acceptances.
func twoPushed(t *testing.T, j *Journal) *Run {
	t.Helper()
	r := planned(t, j, importer.RunPushing, 2, 3, 4)
	claim(t, r, 2)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(3)}))
	return r
}

// checkTwoPushed checks that the journal shows what twoPushed has left.
func checkTwoPushed(t *testing.T, j *Journal) {
	t.Helper()
	r, err := j.run(t.Context(), 1)
	must(t, err)
	diff(t, "results", statuses(t, r), []string{"2 pushed 1", "3 pushed 1", "4 not_sent 0"})
	diff(t, "accepted", accepted(t, j, 2, 3, 4), map[int]string{2: "20", 3: "30"})
}

func TestReadOnlyShowsEverything(t *testing.T) {
	t.Run("closed", func(t *testing.T) {
		dir := t.TempDir()
		j, err := Open(t.Context(), dir)
		must(t, err)
		twoPushed(t, j)
		must(t, j.Close())
		before := listing(t, dir)
		read := readOnly(t, dir)
		checkTwoPushed(t, read)
		must(t, read.Close())
		diff(t, "the folder's files", listing(t, dir), before)
	})
	t.Run("killed", func(t *testing.T) {
		first := openTest(t, t.TempDir())
		twoPushed(t, first)
		dir := crashed(t, first)
		index, err := os.ReadFile(filepath.Join(first.dir, databaseName+"-shm"))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, databaseName+"-shm"), index, 0o600))
		if sizeOf(filepath.Join(dir, databaseName+"-wal")) <= 0 {
			t.Fatal("the log is empty")
		}
		read := readOnly(t, dir)
		checkTwoPushed(t, read)
		must(t, read.Close())
	})
	t.Run("in use", func(t *testing.T) {
		dir := t.TempDir()
		j := openTest(t, dir)
		r := twoPushed(t, j)
		read := readOnly(t, dir)
		checkTwoPushed(t, read)
		claim(t, r, 1)
		must(t, r.Record(t.Context(), []importer.Outcome{reference(4, "late")}))
		diff(t, "accepted meanwhile", accepted(t, read, 2, 4), map[int]string{2: "20", 4: "late"})
		diff(t, "folded meanwhile", accepted(t, j, 2, 4), map[int]string{2: "20", 4: "late"})
		must(t, r.Finish(t.Context(), testTime))
		again := planned(t, j, importer.RunPushing, 2)
		claim(t, again, 1)
		must(t, again.Stop(t.Context())) // what the Controller holds is not known any more
		diff(t, "accepted in the end", accepted(t, read, 2, 4), map[int]string{4: "late"})
		must(t, read.Close())
	})
}

// A log without its index cannot be read where SQLite may not create that.
func TestReadOnlyRefusesALogThatItCannotRead(t *testing.T) {
	first := openTest(t, t.TempDir())
	twoPushed(t, first)
	_, err := openReadOnly(t.Context(), crashed(t, first)) // without the index
	if err == nil || !strings.Contains(err.Error(), "copy the whole folder") {
		t.Fatalf("error %v", err)
	}
}

func TestReadOnlyChangesNothing(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(t.Context(), dir)
	must(t, err)
	twoPushed(t, j)
	must(t, j.Close())
	read := readOnly(t, dir)
	_, err = read.begin(t.Context(), testRun())
	for what, err := range map[string]error{
		"begin": err, "save user types": read.SaveUserTypes(t.Context(), testTarget, nil, testTime),
		"recover": read.Recover(t.Context(), testTarget), "forget the target": read.ForgetTarget(t.Context(), testTarget),
	} {
		if !errors.Is(err, errReadOnly) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	if _, err := read.Forget(t.Context(), 1); !errors.Is(err, errReadOnly) {
		t.Errorf("forget: error %v", err)
	}
	must(t, read.Close())
}

// Without a log SQLite takes no locks: that another machine wrote is found out at the end.
func TestReadOnlyNoticesAChange(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(t.Context(), dir)
	must(t, err)
	twoPushed(t, j)
	must(t, j.Close())
	database := filepath.Join(dir, databaseName)
	for what, change := range map[string]func(){
		"the database": func() { must(t, os.Chtimes(database, testTime, testTime.Add(time.Hour))) },
		"a log":        func() { must(t, os.WriteFile(database+"-wal", []byte("new"), 0o600)) },
	} {
		read := readOnly(t, dir)
		change()
		if err := read.Close(); err == nil || !strings.Contains(err.Error(), "changed while it was read; run the command again") {
			t.Errorf("%s: error %v", what, err)
		}
		must(t, os.RemoveAll(database+"-wal"))
	}
}

func TestReadOnlyOfAnotherVersion(t *testing.T) {
	j := openVersion1(t)
	old := t.TempDir()
	version1(t, old)
	_, err := openReadOnly(t.Context(), old)
	provider, err2 := schema(j.reader)
	must(t, err2)
	_, known, err2 := versions(t.Context(), provider)
	must(t, err2)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("an older version of opscom-import wrote it (schema 1, this version reads %d)", known)) {
		t.Errorf("older: error %v", err)
	}
	_, err = j.writer.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	must(t, err)
	_, err = openReadOnly(t.Context(), j.dir)
	if err == nil || !strings.Contains(err.Error(), "a newer version of opscom-import wrote it") {
		t.Errorf("newer: error %v", err)
	}
	empty := t.TempDir()
	must(t, errors.Join(os.Mkdir(filepath.Join(empty, payloadsName), 0o700), os.WriteFile(filepath.Join(empty, databaseName), nil, 0o600)))
	if _, err := openReadOnly(t.Context(), empty); !errors.Is(err, errEmpty) {
		t.Errorf("empty: error %v", err)
	}
	bare := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(bare, databaseName))
	must(t, err)
	_, err = db.Exec("CREATE TABLE other (a)")
	must(t, errors.Join(err, db.Close()))
	if _, err := openReadOnly(t.Context(), bare); !errors.Is(err, errEmpty) {
		t.Errorf("no schema: error %v", err)
	}
}
