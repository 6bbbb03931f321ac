package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres/pgtest"
	"opscom-import/mapping"
)

// rowsOf returns how many rows tables have, by name.
func rowsOf(t testing.TB, j *Journal, tables ...string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, table := range tables {
		var n int
		must(t, j.pool.QueryRow(t.Context(), "SELECT count(*) FROM opscom."+table).Scan(&n))
		found[table] = n
	}
	return found
}

// nights returns the nights that have tables of their own.
func nights(t testing.TB, j *Journal) []string {
	t.Helper()
	rows, err := j.pool.Query(t.Context(), "SELECT right(inhrelid::regclass::text, 8) FROM pg_inherits WHERE inhparent = 'opscom.chunk'::regclass ORDER BY 1")
	must(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return found
}

func runIDs(t testing.TB, j *Journal) (ids []int64) {
	t.Helper()
	runs, err := j.Runs(t.Context())
	must(t, err)
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestForget(t *testing.T) {
	j := newJournal(t)
	gone := finished(t, j, someSource, somePeople(2, 600))
	held := storeRun(t, j, someRun(importer.RunHeld), somePeople(2, 3))
	n, err := j.Forget(t.Context(), gone.id, 4711)
	if n != 1 || !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("forgot %d, %v", n, err)
	}
	diff(t, "left", rowsOf(t, j, "run", "chunk", "event", "chunk_state", "acceptance", "roster"),
		map[string]int{"run": 1, "chunk": 1, "event": 0, "chunk_state": 1, "acceptance": 599, "roster": 1})
	diff(t, "accepted", accepted(t, j, 2, 600, 601), map[int]string{2: "a", 600: "a"})
	last := lastComplete(t, j)
	if last.ID != gone.id || !last.FinishedAt.Equal(someTime.Add(time.Hour)) {
		t.Errorf("the last complete run is %+v", last)
	}
	diff(t, "missing", missing(t, j, last, somePeople(3, 600)), []string{"?"})
	n, err = j.Forget(t.Context(), held.id)
	if n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
}

// The people of the last complete run are kept with their ids if that is wanted, until it is not.
func TestKeepKeys(t *testing.T) {
	j := newJournal(t)
	j.KeepKeys(true)
	_, err := j.Forget(t.Context(), finished(t, j, someSource, somePeople(2, 4)).id)
	must(t, err)
	diff(t, "with their ids", missing(t, j, lastComplete(t, j), somePeople(2, 3)), []string{"id-4"})
	var holdsID bool
	must(t, j.pool.QueryRow(t.Context(), `SELECT position('id-4'::bytea IN data) > 0 FROM opscom.roster`).Scan(&holdsID))
	if holdsID {
		t.Error("an id is not encrypted")
	}
	_, err = j.Forget(t.Context(), finished(t, j, "/data/alumni.csv", somePeople(30, 31)).id)
	must(t, err)
	j.KeepKeys(false)
	_, err = j.Forget(t.Context(), finished(t, j, "/data/staff.csv", somePeople(20, 21)).id)
	must(t, err)
	diff(t, "without", missing(t, j, lastComplete(t, j), somePeople(2, 3)), []string{"?"})
	rosters, err := j.loadRosters(t.Context(), j.pool, "")
	must(t, err)
	for _, s := range rosters {
		if s.HasKeys {
			t.Errorf("the ids of run %d are left", s.ID)
		}
	}
	if len(rosters) != 3 {
		t.Errorf("%d rosters are left", len(rosters))
	}
}

// Who was in an older run is deleted once a later one is complete.
func TestOlderRostersAreDropped(t *testing.T) {
	j := newJournal(t)
	_, err := j.Forget(t.Context(), finished(t, j, someSource, somePeople(2, 4)).id)
	must(t, err)
	finished(t, j, "/data/students.csv", somePeople(2, 4))
	other := finished(t, j, "/data/staff.csv", somePeople(20, 21))
	_, err = j.Forget(t.Context(), other.id)
	must(t, err)
	rosters, err := j.loadRosters(t.Context(), j.pool, "")
	must(t, err)
	if len(rosters) != 1 || rosters[0].ID != other.id {
		t.Errorf("%d rosters are left", len(rosters))
	}
}

// busy begins a run that is being pushed by somebody.
func busy(t *testing.T, j *Journal) *Run {
	t.Helper()
	info := testInfo()
	info.Target = someTarget
	r, err := j.Begin(t.Context(), info)
	must(t, err)
	run := r.(*Run)
	must(t, run.Append(t.Context(), []importer.PlannedRow{pendingRow(2), pendingRow(3)}))
	must(t, run.Seal(t.Context(), importer.RunPushing, 2, nil))
	execute(t, j, "INSERT INTO opscom.lane (run, lane) VALUES ($1, 0)", run.id)
	return run
}

func TestForgetLeavesWhatIsInUse(t *testing.T) {
	j := newJournal(t)
	old := storeRun(t, j, someRun(importer.RunStopped), somePeople(2, 3))
	run := busy(t, j)
	if n, err := j.Forget(t.Context(), old.id); n != 0 || !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("forgot %d, %v", n, err)
	}
	if n, err := j.Expire(t.Context(), old.id, run.id, 4711); n != 0 || err != nil {
		t.Errorf("expired %d, %v", n, err)
	}
	if err := j.ForgetTarget(t.Context(), someTarget); !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("the target: %v", err)
	}
	diff(t, "runs", runIDs(t, j), []int64{old.id, run.id})
}

func TestForgetTarget(t *testing.T) {
	j := newJournal(t)
	other := someRun(importer.RunFinished)
	other.Target = "OC_OTHER at https://ops.example"
	kept := storeRun(t, j, other, somePeople(2, 3))
	_, err := j.Forget(t.Context(), finished(t, j, someSource, somePeople(2, 4)).id)
	must(t, err)
	finished(t, j, someSource, somePeople(2, 4))
	must(t, j.SaveUserTypes(t.Context(), someTarget, []mapping.UserType{{ID: "1", Name: "Student"}}, someTime))
	must(t, j.ForgetTarget(t.Context(), someTarget))
	must(t, j.ForgetTarget(t.Context(), "OC_NOBODY at https://ops.example"))
	diff(t, "left", rowsOf(t, j, "run", "chunk", "event", "chunk_state", "acceptance", "roster"),
		map[string]int{"run": 1, "chunk": 1, "event": 0, "chunk_state": 1, "acceptance": 0, "roster": 0})
	diff(t, "runs", runIDs(t, j), []int64{kept.id})
	if types, at, err := j.UserTypes(t.Context(), someTarget); len(types) > 0 || !at.IsZero() || err != nil {
		t.Errorf("user types: %v, %v, %v", types, at, err)
	}
	diff(t, "accepted", accepted(t, j, 2), map[int]string{})
}

// onNight stores a run that began some nights before someTime.
func onNight(t testing.TB, j *Journal, before int, state importer.RunState) *storedRun {
	t.Helper()
	run := someRun(state)
	run.StartedAt = run.StartedAt.AddDate(0, 0, -before)
	run.FinishedAt = run.StartedAt.Add(time.Hour)
	return storeRun(t, j, run, somePeople(2, 4))
}

// The tables of nights whose runs were deleted one by one go with the next that is forgotten, but not
// those of a night to which a run may be about to be added.
func TestNightsWithoutRunsAreDropped(t *testing.T) {
	j := newJournal(t)
	execute(t, j, "SELECT opscom.ensure_night(night::date) FROM unnest(ARRAY['2026-09-01', '2026-09-02', (now() AT TIME ZONE 'UTC')::date - 1]) AS night")
	kept := storeRun(t, j, someRun(importer.RunHeld), nil)
	var yesterday string
	must(t, j.pool.QueryRow(t.Context(), "SELECT to_char((now() AT TIME ZONE 'UTC')::date - 1, 'YYYYMMDD')").Scan(&yesterday))
	want := []string{yesterday, kept.night.Format("20060102")}
	slices.Sort(want)
	if n, err := j.Expire(t.Context()); n != 0 || err != nil {
		t.Errorf("expired %d, %v", n, err)
	}
	diff(t, "nights", nights(t, j), slices.Compact(want))
}

// With many nights PostgreSQL joins its catalogs in another way, as here: it must not take the date of a night
// from the name of just any table.
func TestNightsOfALargeJournalAreFound(t *testing.T) {
	j := newJournal(t)
	execute(t, j, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_nestloop = off', current_database()); END $$")
	j.pool.Reset()
	r := onNight(t, j, 9, importer.RunFinished)
	if n, err := j.Expire(t.Context(), r.id); n != 1 || err != nil {
		t.Errorf("expired %d, %v", n, err)
	}
	diff(t, "nights", nights(t, j), []string{})
}

// The night that has begun is never dropped.
func TestTheNightThatHasBegunIsLeft(t *testing.T) {
	j := newJournal(t)
	r := planned(t, j, importer.RunHeld, []int{2})
	must(t, j.Supersede(t.Context(), r.id))
	if n, err := j.Expire(t.Context(), r.id); n != 1 || err != nil {
		t.Errorf("expired %d, %v", n, err)
	}
	diff(t, "nights", len(nights(t, j)), 1)
	diff(t, "left", rowsOf(t, j, "run", "chunk", "payload", "chunk_state"), map[string]int{"run": 0, "chunk": 0, "payload": 0, "chunk_state": 0})
}

// A night with outcomes that cannot be folded now stays, and the others go.
func TestANightIsLeftThatCannotBeFolded(t *testing.T) {
	j := newJournal(t)
	r := onNight(t, j, 9, importer.RunFinished)
	r.record(t, j.pool, pushedAs(2, "a"))
	run := busy(t, j)
	other := someRun(importer.RunFinished)
	other.Target, other.StartedAt = "OC_OTHER at https://ops.example", other.StartedAt.AddDate(0, 0, -8)
	gone := storeRun(t, j, other, somePeople(2, 3))
	if n, err := j.Expire(t.Context(), r.id, gone.id); n != 1 || err != nil {
		t.Errorf("expired %d, %v", n, err)
	}
	diff(t, "runs", runIDs(t, j), []int64{r.id, run.id})
	if _, err := j.pool.Exec(t.Context(), "SELECT opscom.drop_night($1)", r.night); err == nil {
		t.Error("a night was dropped whose outcomes are not folded")
	}
}

// Who submits a run forgets old ones while it is in progress: its plan has folded the outcomes of those
// before, so that nothing of their nights has to wait for the target.
func TestNightsGoWhileTheirTargetIsInUse(t *testing.T) {
	j := newJournal(t)
	old := onNight(t, j, 9, importer.RunFinished)
	old.record(t, j.pool, pushedAs(2, "a"))
	last := finished(t, j, someSource, somePeople(2, 4))
	accepted(t, j, 2)
	run := busy(t, j)
	if n, err := j.Expire(t.Context(), old.id); n != 1 || err != nil {
		t.Errorf("expired %d, %v", n, err)
	}
	diff(t, "runs", runIDs(t, j), []int64{last.id, run.id})
	for _, night := range nights(t, j) {
		if night == old.night.Format("20060102") {
			t.Error("the tables of the night are there")
		}
	}
}

// Where all runs of a night are forgotten, its tables are dropped.
func TestWholeNightsAreDropped(t *testing.T) {
	for name, forget := range map[string]func(*Journal, ...int64) (int, error){
		"Forget": func(j *Journal, ids ...int64) (int, error) { return j.Forget(t.Context(), ids...) },
		"Expire": func(j *Journal, ids ...int64) (int, error) { return j.Expire(t.Context(), ids...) },
	} {
		t.Run(name, func(t *testing.T) {
			j := newJournal(t)
			a, b := onNight(t, j, 9, importer.RunFinished), onNight(t, j, 9, importer.RunFinished)
			b.record(t, j.pool, pushedAs(2, "a"))
			c, kept := onNight(t, j, 8, importer.RunStopped), onNight(t, j, 8, importer.RunFinished)
			d := onNight(t, j, 7, importer.RunHeld)
			n, err := forget(j, a.id, b.id, c.id, d.id)
			if n != 4 || err != nil {
				t.Errorf("forgot %d, %v", n, err)
			}
			diff(t, "runs", runIDs(t, j), []int64{kept.id})
			diff(t, "nights", nights(t, j), []string{"20261122", "20261123"})
			diff(t, "left", rowsOf(t, j, "chunk", "event"), map[string]int{"chunk": 1, "event": 0})
			diff(t, "accepted", accepted(t, j, 2), map[int]string{2: "a"})
		})
	}
}

// A planner may keep what lasts, and forget; a worker may not.
func TestPlannersForget(t *testing.T) {
	j := newJournal(t)
	planner, worker := openedAs(t, j, "opscom_planner"), openedAs(t, j, "opscom_worker")
	first := onNight(t, j, 9, importer.RunFinished)
	first.record(t, j.pool, pushedAs(2, "a"))
	second := finished(t, j, someSource, somePeople(2, 4))
	if _, err := worker.Forget(t.Context(), second.id); !refuses(err) {
		t.Errorf("a worker forgets: %v", err)
	}
	if n, err := worker.Expire(t.Context(), first.id); n != 0 || !refuses(err) {
		t.Errorf("a worker drops a night of %d, %v", n, err)
	}
	if n, err := planner.Expire(t.Context(), first.id); n != 1 || err != nil {
		t.Errorf("expired %d, %v", n, err)
	}
	if n, err := planner.Forget(t.Context(), second.id); n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	execute(t, j, "UPDATE opscom.journal SET timeline = 'another'")
	diff(t, "accepted", accepted(t, planner, 2), map[int]string{2: "a in doubt"})
	wantUnfolded(t, j, 0, 3)
	must(t, planner.ForgetTarget(t.Context(), someTarget))
}

// refuses reports whether the database has refused a right, and the error says so.
func refuses(err error) bool {
	refused := new(pgconn.PgError)
	return errors.As(err, &refused) && refused.Code == "42501" && strings.Contains(err.Error(), "docs/fleet/roles.sql")
}

// BenchmarkPurge drops a night of 100 runs of 40,000 rows whose outcomes are folded, as they are
// after the next night.
func BenchmarkPurge(b *testing.B) {
	url := pgtest.Start(b, pgtest.Options{FSync: true}).NewDatabase(b)
	_, err := Migrate(b.Context(), url, Options{})
	must(b, err)
	j := openJournal(b, url)
	const runs, chunks = 100, 157
	store := func(night time.Time, withRows bool) {
		execute := func(sql string, args ...any) {
			b.Helper()
			_, err := j.pool.Exec(b.Context(), sql, args...)
			must(b, err)
		}
		execute("SELECT opscom.ensure_night($1)", night)
		execute("INSERT INTO opscom.target (name) SELECT 'OC_' || n || ' at https://ops.example' FROM generate_series(1, $1) AS n ON CONFLICT DO NOTHING", runs)
		execute(`INSERT INTO opscom.run (night, target, client, source, file_hash, mapping_hash, state, rows, chunks, planned, started_at, finished_at, timeline)
			SELECT $1::date, id, '', '/data/students.csv', '', '', 'finished', 40000, $2, 40000, $1::date, $1::date, opscom.timeline() FROM opscom.target`, night, chunks)
		if !withRows {
			return
		}
		const random = `(SELECT string_agg(sha512((random()::text || n || i)::bytea), '') FROM generate_series(1, %d) AS i)`
		for _, table := range []struct {
			name, column, value string
			blocks, records     int
		}{{"chunk", "", "", 312, 1}, {"event", ", seq", ", s", 30, 3}} { // 20 kB of a plan, three times 2 kB of events
			execute(fmt.Sprintf(`INSERT INTO opscom.%s (night, run, chunk%s, data) SELECT $1::date, r.id, n%s, `+random+`
				FROM opscom.run r, generate_series(1, $2) AS n, generate_series(1, $3) AS s WHERE r.night = $1::date`, table.name, table.column, table.value, table.blocks), night, chunks, table.records)
		}
		execute("INSERT INTO opscom.chunk_state (run, chunk, events) SELECT r.id, n, 3 FROM opscom.run r, generate_series(1, $2) AS n WHERE r.night = $1::date", night, chunks)
	}
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		store(someTime.AddDate(0, 0, -9), true)
		store(someTime.AddDate(0, 0, -5), false) // a later night has the people of every source
		stats, err := j.Stats(b.Context())
		must(b, err)
		b.ReportMetric(float64(stats.Bytes)/(1<<20), "MiB-before")
		var ids []int64
		must(b, j.pool.QueryRow(b.Context(), "SELECT array_agg(id) FROM opscom.run WHERE night = $1", someTime.AddDate(0, 0, -9)).Scan(&ids))
		b.StartTimer()
		n, err := j.Expire(b.Context(), ids...)
		b.StopTimer()
		if n != runs || err != nil {
			b.Fatalf("purged %d, %v", n, err)
		}
		stats, err = j.Stats(b.Context())
		must(b, err)
		b.ReportMetric(float64(stats.Bytes)/(1<<20), "MiB-after")
		b.StartTimer()
	}
}
