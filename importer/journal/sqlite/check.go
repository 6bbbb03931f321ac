package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	sqlite3 "modernc.org/sqlite/lib"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// Health is what a check of a whole journal found.
type Health struct {
	journal.Stats
	Rows   int      // rows of the runs that could be read
	Damage []string // what is damaged, a clause each; none when the journal is sound
	Notes  []string // what is unusual, and no damage, likewise
}

// CheckAll reads everything in the journal in the folder, changes nothing, and says what
// is damaged: SQLite's pages and indexes, the checksum of every record, whether the rows
// of every run add up, whether every row of a finished run has its outcome, the payloads
// of runs that are not finished, what the Controllers last accepted, and the form of what
// has no checksum. A run may be in progress meanwhile. The error is about a journal that cannot be read at all.
func CheckAll(ctx context.Context, dir string) (*Health, error) {
	j, err := OpenToRead(ctx, dir)
	if errors.As(err, new(*journal.DamagedError)) {
		j, err = openDamaged(dir)
	}
	if err != nil {
		return nil, err
	}
	h, err := j.checkAll(ctx, j.payloadsInFile)
	if err == nil {
		err = j.checkPayloadFiles(ctx, h)
	}
	if err == nil {
		h.Bytes, err = j.size()
	}
	if closed := j.Close(); err == nil && !isDamage(closed) {
		err = closed
	}
	return h, err
}

// openDamaged opens a journal that Open refuses, to find out what is wrong with it.
func openDamaged(dir string) (*Journal, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	j := &Journal{dir: dir}
	j.damaged.Store(true)
	j.reader, err = sql.Open("sqlite", j.dsn("deferred", "query_only(1)", cacheSize))
	return j, err
}

// isDamage reports whether an error says that the journal is damaged, and not that it
// could not be read just now.
func isDamage(err error) bool {
	code := sqliteCode(err)
	return errors.As(err, new(*journal.DamagedError)) || errors.Is(err, format.ErrDamaged) ||
		code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB || code == sqlite3.SQLITE_ERROR
}

// payloadsOf returns the payloads of a chunk as they were stored.
type payloadsOf func(ctx context.Context, run int64, s format.Section) ([]byte, error)

// checkAll checks what Health says of a journal.
func (j *Journal) checkAll(ctx context.Context, payloads payloadsOf) (*Health, error) {
	h := new(Health)
	note := func(what string, err error) error {
		if !isDamage(err) {
			return err
		}
		var damaged *journal.DamagedError
		if errors.As(err, &damaged) {
			err = damaged.Reason
		}
		h.Damage = append(h.Damage, what+": "+err.Error())
		return nil
	}
	if err := j.checkDatabase(ctx, h); err != nil { // nothing else can be read either
		return h, note("the database", err)
	}
	for _, part := range []struct {
		what  string
		check func(context.Context, *Health) error
	}{
		{"the tables of the database", j.checkSchema},
		{"the records of the database", j.checkReferences},
		{"the key of the digests", j.checkSalt},
		{"what is known of the targets", j.checkTargets},
		{"the lists of user types", j.checkUserTypes},
		{"the history of the jobs", j.checkJobRuns},
	} {
		if err := note(part.what, part.check(ctx, h)); err != nil {
			return h, err
		}
	}
	ids, err := j.runIDs(ctx)
	if err := note("the list of the runs", err); err != nil {
		return h, err
	}
	for _, id := range ids {
		if err := note(fmt.Sprintf("run %d", id), j.checkRun(ctx, h, id, payloads)); err != nil {
			return h, err
		}
	}
	h.Runs = len(ids)
	return h, nil
}

// mostFaults is how many faults SQLite names at most.
const mostFaults = 10

// checkDatabase has SQLite check every page and index.
func (j *Journal) checkDatabase(ctx context.Context, h *Health) error {
	rows, err := j.reader.QueryContext(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", mostFaults))
	err = eachRow(rows, err, func() error {
		var fault string
		err := rows.Scan(&fault)
		if err == nil && fault != "ok" {
			h.Damage = append(h.Damage, "the database: "+fault)
		}
		return err
	})
	return err
}

// checkReferences has SQLite look for records that belong to nothing.
func (j *Journal) checkReferences(ctx context.Context, _ *Health) error {
	orphans := 0
	rows, err := j.reader.QueryContext(ctx, "PRAGMA foreign_key_check")
	err = eachRow(rows, err, func() error { orphans++; return nil })
	if err == nil && orphans > 0 {
		err = fmt.Errorf("%w: %d records belong to no run or target", format.ErrDamaged, orphans)
	}
	return err
}

func (j *Journal) checkSalt(ctx context.Context, _ *Health) error {
	var n, size int
	err := j.reader.QueryRowContext(ctx, "SELECT count(*), coalesce(sum(length(salt)), 0) FROM journal").Scan(&n, &size)
	if err == nil && (n != 1 || size != 32) {
		err = fmt.Errorf("%w: %d bytes in %d records", format.ErrDamaged, size, n)
	}
	return err
}

// checkTargets reads what is known of every target.
func (j *Journal) checkTargets(ctx context.Context, _ *Health) error {
	return j.view(ctx, "read the targets", func(tx *sql.Tx) error {
		names, err := targetNames(ctx, tx)
		for _, name := range names {
			if err == nil {
				_, err = loadHeld(ctx, tx, name)
			}
			if err == nil {
				err = checkRosters(ctx, tx, name)
			}
		}
		return err
	})
}

// checkRosters reads the people who are kept of forgotten runs.
func checkRosters(ctx context.Context, q querier, name string) error {
	same, err := loadTargets(ctx, q, name)
	if err != nil {
		return err
	}
	rosters, err := loadRosters(ctx, q, same, "")
	for _, s := range rosters {
		if err == nil {
			err = s.Each(func(*format.Person) error { return nil })
		}
	}
	return err
}

// targetNames returns one name for each target.
func targetNames(ctx context.Context, q querier) (names []string, err error) {
	rows, err := q.QueryContext(ctx, "SELECT name FROM target")
	err = eachRow(rows, err, func() error {
		var name string
		err := rows.Scan(&name)
		names = append(names, importer.SameTarget(name))
		return err
	})
	slices.Sort(names)
	return slices.Compact(names), err
}

func (j *Journal) runIDs(ctx context.Context) (ids []int64, err error) {
	rows, err := j.reader.QueryContext(ctx, "SELECT id FROM run ORDER BY id")
	err = eachRow(rows, err, func() error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// checkRun reads a run with all its rows, and the payloads of one that is not finished.
func (j *Journal) checkRun(ctx context.Context, h *Health, id int64, payloads payloadsOf) error {
	rows := 0
	err := j.view(ctx, "read it", func(tx *sql.Tx) error {
		record, err := loadRun(ctx, tx, id)
		if errors.Is(err, journal.ErrNoRun) { // forgotten meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		if h.Oldest.IsZero() || record.StartedAt.Before(h.Oldest) {
			h.Oldest = record.StartedAt
		}
		if !record.isOver() {
			h.Unfinished++
		}
		open := 0
		err = record.project(ctx, tx, func(c *format.Chunk) error {
			for row := range c.All {
				rows++
				line := row.Result(record.claimed)
				open += format.OpenRow(&line)
			}
			if record.isOver() || record.State == importer.RunPlanning {
				return nil
			}
			return j.checkPayloads(ctx, &record, c, payloads)
		})
		if err == nil && open > 0 && record.State == importer.RunFinished {
			err = fmt.Errorf("%w: it is finished, and %d rows have no outcome", format.ErrDamaged, open)
		}
		return err
	})
	h.Rows += rows
	return err
}

// checkPayloads checks that every row of the chunk that waits has its payload, unless the
// run has ended meanwhile.
func (j *Journal) checkPayloads(ctx context.Context, record *runRecord, c *format.Chunk, payloads payloadsOf) error {
	waiting := map[int]int{} // rows by round
	for row := range c.All {
		if row.Waits() {
			waiting[row.Plan.Round]++
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	data, err := payloads(ctx, record.ID, c.Payloads)
	for round, n := range waiting {
		var jobs []importer.Job
		if err == nil {
			jobs, err = format.ReadPayloads(record.ID, round, c, data)
		}
		if err == nil && len(jobs) != n {
			err = fmt.Errorf("%w: %d of %d profiles are there", format.ErrDamaged, len(jobs), n)
		}
	}
	if isDamage(err) {
		now, failed := loadRun(ctx, j.reader, record.ID)
		if errors.Is(failed, journal.ErrNoRun) || failed == nil && now.isOver() {
			return nil
		}
	}
	return err
}

func (j *Journal) payloadsInFile(_ context.Context, run int64, s format.Section) (data []byte, err error) {
	file, err := j.payloadFile(run).open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return readSection(file, s)
}

// checkPayloadFiles notes payloads that nobody needs. The files are listed before the runs
// are looked at: a run is stored before its file is created.
func (j *Journal) checkPayloadFiles(ctx context.Context, h *Health) error {
	files, err := os.ReadDir(filepath.Join(j.dir, payloadsName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, file := range files {
		id, err := strconv.ParseInt(file.Name(), 10, 64)
		if err != nil {
			h.Notes = append(h.Notes, "payloads/"+file.Name()+" is not a file of the journal")
			continue
		}
		record, err := loadRun(ctx, j.reader, id)
		switch {
		case errors.Is(err, journal.ErrNoRun):
			h.Notes = append(h.Notes, fmt.Sprintf("payloads/%d belongs to no run; the next push removes it", id))
		case err == nil && record.isOver():
			h.Notes = append(h.Notes, fmt.Sprintf("payloads/%d belongs to a run that is over; the next push removes it", id))
		case err != nil && !isDamage(err): // damage of the run is reported with it
			return err
		}
	}
	return nil
}

// Stats returns how large the journal is.
func (j *Journal) Stats(ctx context.Context) (s journal.Stats, err error) {
	var oldest int64
	err = j.reader.QueryRowContext(ctx, "SELECT count(*), coalesce(min(started_at), 0), coalesce(sum(state NOT IN (?, ?)), 0) FROM run",
		importer.RunFinished, importer.RunSuperseded).Scan(&s.Runs, &oldest, &s.Unfinished)
	if err == nil {
		s.Oldest = format.TimeOf(oldest)
		s.Bytes, err = j.size()
	}
	return s, j.wrap("measure the journal", err)
}

// size returns the size of the database, its log, and the payloads in bytes.
func (j *Journal) size() (bytes int64, err error) {
	paths := []string{filepath.Join(j.dir, databaseName), filepath.Join(j.dir, databaseName+"-wal")}
	files, err := os.ReadDir(filepath.Join(j.dir, payloadsName))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	for _, file := range files {
		paths = append(paths, filepath.Join(j.dir, payloadsName, file.Name()))
	}
	for _, path := range paths {
		bytes += max(sizeOf(path), 0)
	}
	return bytes, err
}
