package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// backedUp backs the journal up, and returns the file.
func backedUp(t *testing.T, j *Journal) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup.db")
	_, err := j.Backup(t.Context(), path, testTime)
	must(t, err)
	return path
}

// restoredFrom restores a backup, and opens the journal.
func restoredFrom(t *testing.T, path string) *Journal {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	restored, err := Restore(t.Context(), path, dir)
	must(t, err)
	if !restored.TakenAt.Equal(testTime) {
		t.Errorf("taken at %s", restored.TakenAt)
	}
	return openTest(t, dir)
}

func runOf(t *testing.T, j *Journal, id int64) *Run {
	t.Helper()
	r, err := j.run(t.Context(), id)
	must(t, err)
	return r
}

// TestRestore restores a backup that was taken during a run.
func TestRestore(t *testing.T) {
	j := openTest(t, t.TempDir())
	finished := finishedRun(t, j, 2, 3)
	diff(t, "accepted", accepted(t, j, 2, 3), map[int]string{2: "20", 3: "30"}) // that is stored; what comes later is not yet
	held := planned(t, j, importer.RunHeld, 10, 11)
	stopped := planned(t, j, importer.RunPushing, 300, 301, 302, 900)
	claim(t, stopped, 3)
	again := importer.Outcome{Row: 302, Answer: importer.Answer{Status: importer.StatusNotSent}, Retry: true}
	must(t, stopped.Record(t.Context(), []importer.Outcome{pushed(300), again}))
	must(t, stopped.Stop(t.Context()))
	running := planned(t, j, importer.RunPushing, 20, 21, 22, 23)
	claim(t, running, 2)
	must(t, running.Record(t.Context(), []importer.Outcome{pushed(20)}))
	planning, err := j.begin(t.Context(), testRun())
	must(t, err)
	must(t, planning.Append(t.Context(), []importer.PlannedRow{testRow(30, importer.StatusPending), testRow(600, importer.StatusPending)}))

	path := backedUp(t, j)
	restored := restoredFrom(t, path)
	for _, test := range []struct {
		run   *Run
		state importer.RunState
		rows  []string
	}{
		{finished, importer.RunFinished, []string{"2 pushed 1", "3 pushed 1"}},
		{held, importer.RunHeld, []string{"10 unknown 0", "11 unknown 0"}},
		{stopped, importer.RunStopped, []string{"300 pushed 1", "301 unknown 0", "302 unknown 0", "900 unknown 0"}},
		{running, importer.RunStopped, []string{"20 pushed 1", "21 unknown 0", "22 unknown 0", "23 unknown 0"}},
	} {
		got := runOf(t, restored, test.run.id)
		diff(t, fmt.Sprintf("run %d", test.run.id), got.Info().State, test.state)
		diff(t, fmt.Sprintf("rows of run %d", test.run.id), statuses(t, got), test.rows)
	}
	if _, err := restored.run(t.Context(), planning.id); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("a plan that was not complete: %v", err)
	}
	want := map[int]string{2: "20 in doubt", 3: "30 in doubt", 20: "200 in doubt", 300: "3000 in doubt"}
	diff(t, "what was accepted is not certain", accepted(t, restored, 2, 3, 10, 20, 21, 300), want)

	resumed := runOf(t, restored, running.id)
	must(t, resumed.Start(t.Context()))
	diff(t, "claimed", claim(t, resumed, 9), []int{21, 22, 23}) // with their payloads
	must(t, resumed.Record(t.Context(), []importer.Outcome{pushed(21), pushed(22), pushed(23)}))
	must(t, resumed.Finish(t.Context(), testTime))
	diff(t, "resumed", statuses(t, resumed), []string{"20 pushed 1", "21 pushed 1", "22 pushed 1", "23 pushed 1"})
	want[21] = "210"
	diff(t, "accepted since", accepted(t, restored, 2, 3, 10, 20, 21, 300), want)
	if next := planned(t, restored, importer.RunPushing, 2); next.id <= planning.id+900 {
		t.Errorf("the next run is %d: since the backup others may have had that number", next.id)
	}
	diff(t, "damage", checked(t, restored.dir).Damage, []string(nil))
	diff(t, "the journal itself", statuses(t, running), []string{"20 pushed 1", "21 unknown 0", "22 not_sent 0", "23 not_sent 0"})
	claim(t, running, 9)
	must(t, running.Record(t.Context(), []importer.Outcome{pushed(21), pushed(22), pushed(23)}))
	must(t, running.Finish(t.Context(), testTime))
}

// TestRestoredRowsStayUnknown: a row that is released unsent after a restore may have been
// sent before it.
func TestRestoredRowsStayUnknown(t *testing.T) {
	j := openTest(t, t.TempDir())
	held := planned(t, j, importer.RunHeld, 2, 3)
	resumed := runOf(t, restoredFrom(t, backedUp(t, j)), held.id)
	must(t, resumed.Start(t.Context()))
	claim(t, resumed, 2)
	released := importer.Outcome{Row: 2, Answer: importer.Answer{Status: importer.StatusNotSent}, Retry: true}
	must(t, resumed.Record(t.Context(), []importer.Outcome{released, pushed(3)}))
	must(t, resumed.Stop(t.Context()))
	diff(t, "rows", statuses(t, resumed), []string{"2 unknown 0", "3 pushed 1"})
}

func TestBackupIsPrivateAndReplacesNothing(t *testing.T) {
	j := openTest(t, t.TempDir())
	planned(t, j, importer.RunHeld, 2)
	path := backedUp(t, j)
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 && !strings.Contains(os.Getenv("OS"), "Windows") {
		t.Errorf("mode %s", info.Mode())
	}
	before, err := os.ReadFile(path)
	must(t, err)
	if _, err := j.Backup(t.Context(), path, testTime); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a second time: %v", err)
	}
	after, err := os.ReadFile(path)
	must(t, err)
	if string(before) != string(after) {
		t.Error("the backup was changed")
	}
	if _, err := j.Backup(t.Context(), filepath.Join(path, "not", "there"), testTime); err == nil {
		t.Error("no folder, no error")
	}
}

// leftOver fails unless the folder is empty.
func leftOver(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	must(t, err)
	if len(files) > 0 {
		t.Errorf("left: %v", files)
	}
}

func TestBackupOfWhatIsDamaged(t *testing.T) {
	whole := halfPushed(t, false)
	for what, damage := range map[string]func(j *Journal) error{
		"records":    func(j *Journal) error { _, err := j.writer.Exec("DELETE FROM chunk WHERE chunk = 1"); return err },
		"payloads":   func(j *Journal) error { return flip(string(j.payloadFile(1)), 9000, 1) },
		"no payload": func(j *Journal) error { return os.Remove(string(j.payloadFile(1))) },
	} {
		j := openTest(t, copyOf(t, whole))
		must(t, damage(j))
		dir := t.TempDir()
		if _, err := j.Backup(t.Context(), filepath.Join(dir, "backup.db"), testTime); !errors.As(err, new(*journal.DamagedError)) {
			t.Errorf("%s: %v", what, err)
		}
		leftOver(t, dir)
	}
	j := openTest(t, copyOf(t, whole))
	ended, end := context.WithCancel(t.Context())
	end()
	dir := t.TempDir()
	if _, err := j.Backup(ended, filepath.Join(dir, "backup.db"), testTime); err == nil {
		t.Error("interrupted, no error")
	}
	leftOver(t, dir)
}

// TestBackupBeginsAgain ends a run between the copy of the database and that of the
// payloads.
func TestBackupBeginsAgain(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := planned(t, j, importer.RunPushing, 2)
	path := filepath.Join(t.TempDir(), "copy.db")
	_, err := j.writer.Exec("VACUUM INTO ?", path)
	must(t, err)
	claim(t, r, 1)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	must(t, r.Finish(t.Context(), testTime))
	db, err := openFile(path, url.Values{})
	must(t, err)
	err = transact(t.Context(), db, nil, func(tx *sql.Tx) error { return j.copyPayloads(t.Context(), tx, testTime) })
	if !errors.Is(err, errRunEnded) {
		t.Errorf("error %v", err)
	}
	must(t, db.Close())
}

// TestBackupWhileRunsGoOn takes backups as fast as it can while runs are planned, pushed
// and forgotten. Each is complete: it can be restored, and every run in it be resumed.
func TestBackupWhileRunsGoOn(t *testing.T) {
	j := openTest(t, t.TempDir())
	other := openTest(t, j.dir)                           // as another program has it open
	claim(t, planned(t, j, importer.RunPushing, 2, 3), 1) // whatever the others come to, this one goes on
	ended := make(chan error)
	ctx, end := context.WithCancel(t.Context())
	go func() { ended <- keepPushing(ctx, j) }()
	dir := t.TempDir()
	runs, waiting := 0, 0
	for n := range 8 {
		path := filepath.Join(dir, fmt.Sprint(n))
		_, err := other.Backup(t.Context(), path, testTime)
		if err != nil {
			t.Error(err)
			continue
		}
		restored := restoredFrom(t, path)
		list, err := restored.Runs(t.Context())
		must(t, err)
		runs += len(list)
		for _, info := range list {
			if info.State != importer.RunStopped {
				continue
			}
			r := runOf(t, restored, info.ID)
			must(t, r.Start(t.Context()))
			waiting += len(claim(t, r, 10_000))
			for _, line := range statuses(t, r) {
				if !strings.HasSuffix(line, "pushed 1") && !strings.HasSuffix(line, "unknown 0") {
					t.Errorf("run %d: %s", info.ID, line)
				}
			}
		}
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if waiting == 0 {
		t.Error("no backup was taken during a run")
	}
	t.Logf("%d runs, %d rows that may have been sent", runs, waiting)
}

// keepPushing makes runs until the context ends.
func keepPushing(ctx context.Context, j *Journal) error {
	var rows []importer.PlannedRow
	for row := 2; row < 2000; row++ {
		rows = append(rows, testRow(row, importer.StatusPending))
	}
	begin := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		r, err := j.begin(begin, testRun())
		if err == nil {
			err = r.Append(begin, rows)
		}
		if err == nil {
			err = r.Seal(begin, importer.RunPushing, len(rows), nil)
		}
		for err == nil {
			var jobs []importer.Job
			if jobs, err = r.Claim(begin, 100); err != nil || len(jobs) == 0 {
				break
			}
			var outcomes []importer.Outcome
			for _, job := range jobs {
				outcomes = append(outcomes, pushed(job.Row))
			}
			err = r.Record(begin, outcomes)
		}
		if err == nil {
			err = r.Finish(begin, testTime)
		}
		if err == nil && r.id%3 == 0 {
			_, err = j.Expire(begin, r.id-1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func TestRestoreRefuses(t *testing.T) {
	j := openTest(t, t.TempDir())
	planned(t, j, importer.RunHeld, slices.Collect(func(yield func(int) bool) {
		for row := 2; row < 500 && yield(row); row++ {
		}
	})...)
	path := backedUp(t, j)
	changed := func(change func(path string) error) string {
		to := filepath.Join(t.TempDir(), "changed.db")
		must(t, copyFile(path, to))
		must(t, change(to))
		return to
	}
	query := func(statement string) func(string) error {
		return func(path string) error {
			db, err := openFile(path, url.Values{})
			must(t, err)
			_, err = db.Exec(statement)
			return errors.Join(err, db.Close())
		}
	}
	for what, test := range map[string]struct{ path, want string }{
		"no file":              {filepath.Join(t.TempDir(), "none.db"), "no such file"},
		"a folder":             {t.TempDir(), "is a folder"},
		"an empty file":        {changed(func(path string) error { return os.Truncate(path, 0) }), "is not a backup"},
		"another file":         {changed(func(path string) error { return os.WriteFile(path, make([]byte, 9000), 0o600) }), "is not a backup"},
		"a journal":            {filepath.Join(halfPushed(t, false), databaseName), "is not a backup"},
		"a file that is cut":   {changed(func(path string) error { return os.Truncate(path, sizeOf(path)/2) }), "damaged"},
		"a changed byte":       {changed(func(path string) error { return flip(path, int(sizeOf(path))-9000, 1) }), "damaged"},
		"without its profiles": {changed(query("DELETE FROM backup_payload")), "damaged"},
		"of a newer version":   {changed(query("UPDATE goose_db_version SET version_id = 9999 WHERE version_id = 2")), "newer version"},
	} {
		dir := t.TempDir()
		_, err := Restore(t.Context(), test.path, dir)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "Canary") {
			t.Errorf("%s: %v, want %q", what, err, test.want)
		}
		if exists, err := Exists(dir); exists || err != nil {
			t.Errorf("%s: there is a journal, %v", what, err)
		}
	}
	before := checked(t, j.dir)
	if _, err := Restore(t.Context(), path, j.dir); err == nil || !strings.Contains(err.Error(), "has a journal already") {
		t.Errorf("over a journal: %v", err)
	}
	after := checked(t, j.dir)
	after.Bytes = before.Bytes // the log is moved whenever it is closed
	diff(t, "the journal that was there", after, before)
}

// TestRestoreOfAnOlderVersion restores a backup by the first version that made any, whose tables are
// the same, and whose acceptances do not say which event told of them.
func TestRestoreOfAnOlderVersion(t *testing.T) {
	j := openTest(t, t.TempDir())
	finishedRun(t, j, 2, 3)
	diff(t, "accepted", accepted(t, j, 2, 3), map[int]string{2: "20", 3: "30"})
	finishedRun(t, j, 4) // nobody asks
	stopped := planned(t, j, importer.RunPushing, 5, 6)
	claim(t, stopped, 1)
	must(t, stopped.Record(t.Context(), []importer.Outcome{pushed(5)}))
	must(t, stopped.Stop(t.Context()))
	for _, row := range []int{2, 3} {
		key := testKey(row)
		var data []byte
		must(t, j.reader.QueryRow("SELECT data FROM acceptance WHERE key = ?", key[:]).Scan(&data))
		a, err := format.ReadAcceptance(data)
		must(t, err)
		if a.Event == 0 {
			t.Error("the acceptance has no event")
		}
		a.Event = 0
		_, err = j.writer.Exec("UPDATE acceptance SET data = ? WHERE key = ?", format.AppendAcceptance(key, a), key[:])
		must(t, err)
	}
	path := backedUp(t, j)
	db, err := openFile(path, url.Values{})
	must(t, err)
	_, err = db.Exec("DELETE FROM goose_db_version WHERE version_id > 5")
	must(t, errors.Join(err, db.Close()))

	restored := restoredFrom(t, path)
	want := map[int]string{2: "20 in doubt", 3: "30 in doubt", 4: "40 in doubt", 5: "50 in doubt"}
	diff(t, "accepted before", accepted(t, restored, 2, 3, 4, 5, 6), want)
	r := runOf(t, restored, stopped.id)
	must(t, r.Start(t.Context()))
	diff(t, "claimed", claim(t, r, 9), []int{6})
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(6)}))
	must(t, r.Finish(t.Context(), testTime))
	want[6] = "60"
	diff(t, "accepted then", accepted(t, restored, 2, 3, 4, 5, 6), want)
	diff(t, "damage", checked(t, restored.dir).Damage, []string(nil))
	own, err := schema(restored.reader)
	must(t, err)
	if stored, known, err := versions(t.Context(), own); err != nil || stored != known {
		t.Errorf("it has version %d of %d, %v", stored, known, err)
	}
}

// TestRestoreAfterAnInterruption restores into a folder in which the same was interrupted.
func TestRestoreAfterAnInterruption(t *testing.T) {
	j := openTest(t, t.TempDir())
	held := planned(t, j, importer.RunHeld, 2, 3)
	path, dir := backedUp(t, j), t.TempDir()
	left := &Journal{dir: dir}
	must(t, left.createFolders())
	for _, name := range []string{newName, newName + "-journal", databaseName + "-wal", cleanName, filepath.Join(payloadsName, fmt.Sprint(held.id))} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat("left over", 1000)), 0o600))
	}
	_, err := Restore(t.Context(), path, dir)
	must(t, err)
	payloads, err := os.ReadFile(string(left.payloadFile(held.id)))
	must(t, err)
	if strings.Contains(string(payloads), "left over") {
		t.Error("the payloads have more than the run's")
	}
	restored, err := Open(t.Context(), dir)
	must(t, err)
	r := runOf(t, restored, held.id)
	must(t, r.Start(t.Context()))
	diff(t, "claimed", claim(t, r, 9), []int{2, 3})
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2), pushed(3)}))
	must(t, r.Finish(t.Context(), testTime))
	must(t, restored.Close())
	diff(t, "damage", checked(t, dir).Damage, []string(nil))
	for _, text := range []string{"Canary", "left over"} {
		if holds(t, dir, text) {
			t.Errorf("%s is in the journal", text)
		}
	}
}

// TestBackupIsNoJournal: what it says need not be true any more.
func TestBackupIsNoJournal(t *testing.T) {
	j := openTest(t, t.TempDir())
	planned(t, j, importer.RunHeld, 2)
	path, dir := backedUp(t, j), t.TempDir()
	must(t, copyFile(path, filepath.Join(dir, databaseName)))
	for what, open := range map[string]func() (*Journal, error){
		"open":      func() (*Journal, error) { return Open(t.Context(), dir) },
		"read only": func() (*Journal, error) { return openReadOnly(t.Context(), dir) },
	} {
		if _, err := open(); !errors.Is(err, errBackup) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestRestoredJournalOfTwoSpellings restores a journal that has two rows for one target.
func TestRestoredJournalOfTwoSpellings(t *testing.T) {
	dir := t.TempDir()
	version1(t, dir)
	j := openTest(t, dir)
	_, err := j.Backup(t.Context(), filepath.Join(dir, "backup.db"), time.Now())
	must(t, err)
	state := t.TempDir()
	restored, err := Restore(t.Context(), filepath.Join(dir, "backup.db"), state)
	must(t, err)
	if len(restored.Unfinished) != 1 || restored.Unfinished[0].ID != 2 || restored.Runs != 2 {
		t.Errorf("%+v", restored)
	}
	diff(t, "damage", checked(t, state).Damage, []string(nil))
	var free, mode int
	opened := openTest(t, state)
	must(t, opened.reader.QueryRow("PRAGMA auto_vacuum").Scan(&mode))
	must(t, opened.reader.QueryRow("PRAGMA freelist_count").Scan(&free))
	if mode != 2 || free > 0 {
		t.Errorf("auto_vacuum is %d, %d pages are free", mode, free)
	}
}
