package fleet

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A job that was late, or ran twice, changes nothing for the one that has the lane since.
func TestJobOfAnEarlierEpochDoesNothing(t *testing.T) {
	t.Parallel()
	m := newMemory(t, newDatabase(t))
	lane := LaneArgs{Run: m.submit(t, "OC_A", 1, 1, Person).info.ID}
	if _, err := m.pool.Exec(t.Context(), "UPDATE opscom.lane SET epoch = 1"); err != nil {
		t.Fatal(err)
	}
	s := &store{m.pool, testLease}
	holder := func() (worker string) {
		t.Helper()
		if err := m.pool.QueryRow(t.Context(), "SELECT worker FROM opscom.lane").Scan(&worker); err != nil {
			t.Fatal(err)
		}
		return worker
	}
	later := lane
	later.Epoch = 1
	if held, err := s.take(t.Context(), later, "new"); !held || err != nil {
		t.Errorf("the lane was not taken: %v", err)
	}
	if held, err := s.take(t.Context(), lane, "old"); held || err != nil || holder() != "new" {
		t.Errorf("the earlier job has taken it: %v", err)
	}
	var before, after time.Time
	if err := m.pool.QueryRow(t.Context(), "SELECT lease_until FROM opscom.lane").Scan(&before); err != nil {
		t.Fatal(err)
	}
	gone, _, err := s.beat(t.Context(), Process{ID: "old"}, false, 0, []LaneArgs{lane})
	if err != nil || !slices.Equal(gone, []LaneArgs{lane}) {
		t.Errorf("the worker of the earlier job is told of %v, %v", gone, err)
	}
	if err := m.pool.QueryRow(t.Context(), "SELECT lease_until FROM opscom.lane").Scan(&after); err != nil || !after.Equal(before) {
		t.Errorf("the worker of the earlier job has renewed the lease: %v, %v", before, after)
	}
	if gone, _, err = s.beat(t.Context(), Process{ID: "new"}, false, 0, []LaneArgs{later}); err != nil || len(gone) > 0 {
		t.Errorf("that of the later job is told of %v, %v", gone, err)
	}
	if err := s.leave(t.Context(), lane, "trouble"); err != nil || holder() != "new" {
		t.Errorf("the earlier job has given it back: %v", err)
	}
	if err := s.leave(t.Context(), later, ""); err != nil || holder() != "" {
		t.Errorf("the later job has not given it back: %v", err)
	}
}

// A lane is lost when nobody works on it, and its job waits for nobody either.
func TestLostLanes(t *testing.T) {
	t.Parallel()
	m := newMemory(t, newDatabase(t))
	m.submit(t, "OC_A", 1, 1, Person)
	s := &store{m.pool, testLease}
	const (
		running = "UPDATE river.river_job SET state = 'running', attempted_by = ARRAY['gone', 'w'], attempted_at = now() - interval '1 hour'"
		alive   = "INSERT INTO opscom.worker (name) VALUES ('w')"
		silent  = "INSERT INTO opscom.worker (name, seen_at) VALUES ('w', now() - interval '1 hour')"
		held    = "UPDATE opscom.lane SET worker = 'w', lease_until = now() + interval '1 hour'"
		expired = "UPDATE opscom.lane SET worker = 'w', lease_until = now() - interval '1 second'"
		justNow = "UPDATE river.river_job SET attempted_at = now()"
		ended   = "UPDATE river.river_job SET state = 'completed', finalized_at = now()"
		noJob   = "DELETE FROM river.river_job"
		stopped = "UPDATE opscom.run SET state = 'stopped'"
	)
	for _, c := range []struct {
		name string
		sql  []string
		lost int
	}{
		{"its job waits", nil, 0},
		{"its job waits, and the lease of who planned it is over", []string{expired}, 0},
		{"its job has ended", []string{ended}, 1},
		{"it has no job any more", []string{noJob}, 1},
		{"of a run that is stopped", []string{noJob, stopped}, 0},
		{"somebody works on it", []string{running, alive, held}, 0},
		{"somebody works on it who has not been heard of lately", []string{running, silent, held}, 0},
		{"its lease is over", []string{running, alive, expired}, 1},
		{"its job was only just taken", []string{running, alive, expired, justNow}, 0},
		{"its job was taken, and its lease has not begun", []string{running, alive}, 0},
		{"who took its job has died before its lease began", []string{running, silent}, 1},
		{"who took its job is not known", []string{running}, 1},
	} {
		tx, err := m.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range c.sql {
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		lost, err := s.lost(t.Context(), tx)
		if err != nil || len(lost) != c.lost {
			t.Errorf("%s: %d lanes are lost, %v", c.name, len(lost), err)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.pool.Exec(t.Context(), noJob); err != nil {
		t.Fatal(err)
	}
	var lost [2][]dueLane
	err := pgx.BeginFunc(t.Context(), m.pool, func(tx pgx.Tx) (err error) {
		if lost[0], err = s.lost(t.Context(), tx); err != nil {
			return err
		}
		return pgx.BeginFunc(t.Context(), m.pool, func(other pgx.Tx) (err error) {
			lost[1], err = s.lost(t.Context(), other)
			return err
		})
	})
	if err != nil || len(lost[0]) != 1 || len(lost[1]) != 0 {
		t.Errorf("two who look at once find %v, %v", lost, err)
	}
}

// The second lane of a run in a process is left to another worker that can take it.
func TestFreeElsewhere(t *testing.T) {
	t.Parallel()
	m := newMemory(t, newDatabase(t))
	run := m.submit(t, "OC_A", 1, 2, Person).info.ID
	other := m.submit(t, "OC_B", 1, 1, Person).info.ID
	s := &store{m.pool, testLease}
	lane := LaneArgs{Run: run}
	if _, err := m.pool.Exec(t.Context(), "INSERT INTO opscom.worker (name, slots, controller, seen_at) VALUES ('me', 2, 'c', 'infinity'), ('other', 1, 'c', 'infinity')"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, sql string
		args      []any
		free      bool
	}{
		{"idle", "SELECT", nil, true},
		{"about to end", "UPDATE opscom.worker SET is_drained = true WHERE name = 'other'", nil, false},
		{"dead", "UPDATE opscom.worker SET seen_at = now() - interval '1 hour' WHERE name = 'other'", nil, false},
		{"of another Controller", "UPDATE opscom.worker SET controller = 'd' WHERE name = 'other'", nil, false},
		{"busy with another run", "UPDATE opscom.lane SET worker = 'other', lease_until = now() + interval '1 hour' WHERE run = $1", []any{other}, false},
		{"with a slot, and a lane of another run", "WITH w AS (UPDATE opscom.worker SET slots = 2) UPDATE opscom.lane SET worker = 'other', lease_until = now() + interval '1 hour' WHERE run = $1", []any{other}, true},
		{"with a slot, and a lane of the run", "WITH w AS (UPDATE opscom.worker SET slots = 3) UPDATE opscom.lane SET worker = 'other', lease_until = now() + interval '1 hour' WHERE run = $1 AND lane = 1", []any{run}, false},
		{"whose lane of the run is over", "UPDATE opscom.lane SET worker = 'other', lease_until = now() - interval '1 second' WHERE run = $1", []any{run}, true},
	} {
		if _, err := m.pool.Exec(t.Context(), "UPDATE opscom.worker SET slots = 1, controller = 'c', is_drained = false, seen_at = 'infinity' WHERE name = 'other'"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.pool.Exec(t.Context(), "UPDATE opscom.lane SET worker = '', lease_until = 'infinity'"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.pool.Exec(t.Context(), c.sql, c.args...); err != nil {
			t.Fatal(err)
		}
		if free, err := s.isFreeElsewhere(t.Context(), lane, "me"); err != nil || free != c.free {
			t.Errorf("a worker that is %s is free: %v, %v", c.name, free, err)
		}
	}
}

// A lane waits for a slot when its job is due, in the queue of the worker's Controller.
func TestAnyoneWaits(t *testing.T) {
	t.Parallel()
	m := newMemory(t, newDatabase(t))
	m.submit(t, "OC_A", 1, 1, Person)
	s := &store{m.pool, testLease}
	for _, c := range []struct {
		name, set, queue string
		waits            bool
	}{
		{"due", "scheduled_at = now()", "a", true},
		{"not due yet", "scheduled_at = now() + interval '1 hour'", "a", false},
		{"of another Controller", "scheduled_at = now()", "b", false},
		{"worked on", "state = 'running'", "a", false},
	} {
		if _, err := m.pool.Exec(t.Context(), "UPDATE river.river_job SET queue = 'a', "+c.set); err != nil {
			t.Fatal(err)
		}
		if waits, err := s.anyoneWaits(t.Context(), c.queue); err != nil || waits != c.waits {
			t.Errorf("a job that is %s waits: %v, %v", c.name, waits, err)
		}
	}
}

// A worker that has not been heard of for a day is forgotten by the next one that starts.
func TestDeadWorkersAreForgotten(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newDatabase(t), nil)
	if _, err := pool.Exec(t.Context(), "INSERT INTO opscom.worker (name, seen_at) VALUES ('today', now() - interval '23 hours'), ('yesterday', now() - interval '25 hours')"); err != nil {
		t.Fatal(err)
	}
	s := &store{pool, testLease}
	if err := s.join(t.Context(), Process{ID: "new"}); err != nil {
		t.Fatal(err)
	}
	list, err := Processes(t.Context(), pool)
	if err != nil || len(list) != 2 || list[0].ID != "new" && list[1].ID != "new" {
		t.Errorf("known are %v, %v", list, err)
	}
}
