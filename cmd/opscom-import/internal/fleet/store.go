package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// store has the tables of lanes and workers. Times are of the database's clock.
type store struct {
	pool  *pgxpool.Pool
	lease time.Duration
}

// renewLanes makes the lanes of a run, or gives those that exist a new epoch, and removes
// further ones.
func renewLanes(ctx context.Context, tx pgx.Tx, run int64, order Order) (renewed []dueLane, err error) {
	if _, err := tx.Exec(ctx, `DELETE FROM opscom.lane WHERE run = $1 AND lane >= $2`, run, order.Lanes); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO opscom.lane AS l (run, lane, priority, helped, lease_until)
		SELECT $1, n, $3, $4, CASE WHEN $4 THEN now() + interval '1 minute' ELSE 'infinity' END FROM generate_series(0, $2 - 1) AS n
		ON CONFLICT (run, lane) DO UPDATE SET epoch = l.epoch + 1, priority = $3, helped = $4, worker = '', lease_until = excluded.lease_until, trouble = ''
		RETURNING run, lane, epoch, priority, `+targetOfLane, run, order.Lanes, order.Priority, order.Helped)
	if err != nil {
		return nil, err
	}
	return collectLanes(rows)
}

// targetOfLane is the name of a lane's target.
const targetOfLane = `(SELECT t.name FROM opscom.run r JOIN opscom.target t ON t.id = r.target WHERE r.id = l.run)`

func collectLanes(rows pgx.Rows) ([]dueLane, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l dueLane, err error) {
		return l, row.Scan(&l.Run, &l.Lane, &l.Epoch, &l.priority, &l.target)
	})
}

// setJob stores which job of River is the lane's.
func setJob(ctx context.Context, tx pgx.Tx, lane LaneArgs, job int64) error {
	_, err := tx.Exec(ctx, `UPDATE opscom.lane SET job = $3 WHERE run = $1 AND lane = $2`, lane.Run, lane.Lane, job)
	return err
}

// take begins the lane's lease, and reports whether it is still the lane of this epoch.
func (s *store) take(ctx context.Context, lane LaneArgs, worker string) (bool, error) {
	tag, err := s.pool.Exec(ctx, `
		UPDATE opscom.lane SET worker = $4, lease_until = now() + $5 WHERE run = $1 AND lane = $2 AND epoch = $3`,
		lane.Run, lane.Lane, lane.Epoch, worker, s.lease)
	return tag.RowsAffected() == 1, err
}

// leave says that the lane's job waits in the queue again, or does in a moment, and why it could
// not be worked on, "" if it could.
func (s *store) leave(ctx context.Context, lane LaneArgs, trouble string) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE opscom.lane SET worker = '', lease_until = 'infinity', trouble = $4 WHERE run = $1 AND lane = $2 AND epoch = $3`,
		lane.Run, lane.Lane, lane.Epoch, trouble)
	return err
}

// anyoneWaits reports whether a lane of a queue waits for a slot.
func (s *store) anyoneWaits(ctx context.Context, queue string) (waits bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (
		SELECT FROM river.river_job WHERE state = 'available' AND queue = $1 AND scheduled_at <= now())`, queue).Scan(&waits)
	return waits, err
}

// isFreeElsewhere reports whether another worker has a free slot, and no lane of the run.
func (s *store) isFreeElsewhere(ctx context.Context, lane LaneArgs, worker string) (free bool, err error) {
	err = s.pool.QueryRow(ctx, `
		WITH busy AS (SELECT l.worker, count(*) AS lanes, bool_or(l.run = $1) AS has_run FROM opscom.run r JOIN opscom.lane l ON l.run = r.id
			WHERE r.state = 'pushing' AND l.lease_until > now() AND l.lease_until < 'infinity' GROUP BY l.worker)
		SELECT EXISTS (SELECT FROM opscom.worker w JOIN opscom.worker me ON me.name = $2 AND me.controller = w.controller LEFT JOIN busy b ON b.worker = w.name
			WHERE w.name <> $2 AND NOT w.is_drained AND w.seen_at > now() - $3::interval AND coalesce(b.lanes, 0) < w.slots AND NOT coalesce(b.has_run, false))`,
		lane.Run, worker, s.lease).Scan(&free)
	return free, err
}

// tendLock is the advisory lock of who looks for lost lanes: without it two could find the same.
const tendLock = 0x6C616E6573

// lost gives a new epoch to each lane of a run in progress that nobody works on, and whose job
// does not wait for a worker either. While another worker looks for them it finds none.
//
// A lease ends when it is not renewed; but a job that was only just taken may not have begun it.
// Without a lease, because the job was waiting until now, the worker that took it has died.
func (s *store) lost(ctx context.Context, tx pgx.Tx) ([]dueLane, error) {
	var alone bool
	if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, tendLock).Scan(&alone); err != nil || !alone {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		WITH lost AS (
			SELECT l.run, l.lane FROM opscom.lane l
			JOIN opscom.run r ON r.id = l.run
			LEFT JOIN river.river_job j ON j.id = l.job
			WHERE r.state = 'pushing' AND (l.lease_until < now() OR l.lease_until = 'infinity') AND (
				j.id IS NULL OR j.state IN ('completed', 'cancelled', 'discarded')
				OR j.state = 'running' AND l.lease_until < now() AND j.attempted_at < now() - $1::interval
				OR j.state = 'running' AND NOT EXISTS (SELECT FROM opscom.worker w WHERE w.name = j.attempted_by[cardinality(j.attempted_by)] AND w.seen_at > now() - $1::interval))
			FOR UPDATE OF l SKIP LOCKED)
		UPDATE opscom.lane l SET epoch = l.epoch + 1, worker = '', lease_until = 'infinity' FROM lost WHERE l.run = lost.run AND l.lane = lost.lane
		RETURNING l.run, l.lane, l.epoch, l.priority, `+targetOfLane, s.lease)
	if err != nil {
		return nil, err
	}
	return collectLanes(rows)
}

// join stores that the worker has started, and forgets those that were not heard of for a day.
func (s *store) join(ctx context.Context, w Process) error {
	_, err := s.pool.Exec(ctx, `
		WITH dead AS (DELETE FROM opscom.worker WHERE seen_at < now() - interval '1 day')
		INSERT INTO opscom.worker (name, host, process, version, slots, controller) VALUES ($1, $2, $3, $4, $5, $6)`,
		w.ID, w.Host, w.Process, w.Version, w.Slots, w.Controller)
	return err
}

// beat stores that the worker is alive, even if the others have forgotten it, or a failover has, and how many rows a second it
// pushes; it renews the leases of its lanes, and returns those that were taken over. behind is how far this machine's clock is
// behind the database's.
func (s *store) beat(ctx context.Context, w Process, draining bool, speed float64, lanes []LaneArgs) (gone []LaneArgs, behind time.Duration, err error) {
	runs, numbers, epochs := make([]int64, len(lanes)), make([]int, len(lanes)), make([]int, len(lanes))
	for i, l := range lanes {
		runs[i], numbers[i], epochs[i] = l.Run, l.Lane, l.Epoch
	}
	asked := time.Now()
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var now time.Time
		// Lost, this costs a lane its place at most: it needs no sync.
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit = off`); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `
			INSERT INTO opscom.worker (name, host, process, version, slots, controller, is_drained, speed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at, is_drained = excluded.is_drained, speed = excluded.speed RETURNING clock_timestamp()`,
			w.ID, w.Host, w.Process, w.Version, w.Slots, w.Controller, draining, speed).Scan(&now); err != nil {
			return err
		}
		behind = now.Sub(asked.Add(time.Since(asked) / 2))
		rows, err := tx.Query(ctx, `
			WITH held AS (SELECT * FROM unnest($1::bigint[], $2::int[], $3::int[]) AS h (run, lane, epoch)),
			kept AS (UPDATE opscom.lane l SET lease_until = now() + $4 FROM held h
				WHERE l.run = h.run AND l.lane = h.lane AND l.epoch = h.epoch RETURNING l.run, l.lane, l.epoch)
			SELECT * FROM held EXCEPT SELECT * FROM kept`, runs, numbers, epochs, s.lease)
		if err != nil {
			return err
		}
		gone, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l LaneArgs, err error) {
			return l, row.Scan(&l.Run, &l.Lane, &l.Epoch)
		})
		return err
	})
	return gone, behind, err
}

// forget removes the worker.
func (s *store) forget(ctx context.Context, worker string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM opscom.worker WHERE name = $1`, worker)
	return err
}

// Process is one worker, as the others see it.
type Process struct {
	ID         string
	Host       string
	Process    int // its number there
	Version    string
	Slots      int
	Controller string // that it pushes to, as of importer.ControllerOf
	Draining   bool   // it takes no lane any more
	Alive      bool   // it was heard of within the last lease
	Started    time.Time
	Seen       time.Time
	Speed      float64 // rows a second that got an outcome lately
	Lanes      []LaneAtWork
}

// ProcessState says in a word what a worker does.
type ProcessState string

// The states of a worker.
const (
	Idle     ProcessState = "idle"
	Working  ProcessState = "working"
	Stopping ProcessState = "stopping" // it takes no lane any more, and awaits the last answers
	Silent   ProcessState = "silent"   // it died, or cannot reach the database; others have taken over its lanes
)

// State returns what the worker does.
func (p Process) State() ProcessState {
	switch {
	case !p.Alive:
		return Silent
	case p.Draining:
		return Stopping
	case len(p.Lanes) > 0:
		return Working
	}
	return Idle
}

// LaneAtWork is a lane that a worker works on.
type LaneAtWork struct {
	Run    int64
	Client string
	Lane   int
}

// Processes returns the workers of the journal, in the order in which they started.
func Processes(ctx context.Context, pool *pgxpool.Pool) ([]Process, error) {
	list, err := processes(ctx, pool)
	if err != nil {
		return nil, fmt.Errorf("list the workers: %w", err)
	}
	return list, nil
}

func processes(ctx context.Context, pool *pgxpool.Pool) (list []Process, err error) {
	rows, err := pool.Query(ctx, `
		SELECT name, host, process, version, slots, controller, is_drained, seen_at > now() - $1::interval, started_at, seen_at, CASE WHEN seen_at > now() - $1::interval THEN speed ELSE 0 END FROM opscom.worker ORDER BY started_at, name`, defaultLease)
	if err != nil {
		return nil, err
	}
	index := map[string]int{}
	var p Process
	_, err = pgx.ForEachRow(rows, []any{&p.ID, &p.Host, &p.Process, &p.Version, &p.Slots, &p.Controller, &p.Draining, &p.Alive, &p.Started, &p.Seen, &p.Speed}, func() error {
		index[p.ID] = len(list)
		list = append(list, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	rows, err = pool.Query(ctx, `
		SELECT l.worker, l.run, r.client, l.lane FROM opscom.lane l JOIN opscom.run r ON r.id = l.run
		WHERE r.state = 'pushing' AND l.worker <> '' AND l.lease_until > now() AND l.lease_until < 'infinity' ORDER BY l.run, l.lane`)
	if err != nil {
		return nil, err
	}
	var worker string
	var lane LaneAtWork
	_, err = pgx.ForEachRow(rows, []any{&worker, &lane.Run, &lane.Client, &lane.Lane}, func() error {
		if i, known := index[worker]; known {
			list[i].Lanes = append(list[i].Lanes, lane)
		}
		return nil
	})
	return list, err
}

// Standing is how far a run in progress is with the workers.
type Standing struct {
	Target   string
	IsPushed bool   // somebody works on it now
	Waiting  int    // lanes that wait for a worker
	Workers  int    // that are alive and push to its Controller
	IsHelped bool   // the process that planned it pushes it too
	Trouble  string // why the last worker could not push it; "" if it could, or nobody tried
}

// Standings returns how far the runs in progress are, by their numbers.
//
// Leases are looked for a run at a time: EXISTS would let PostgreSQL read the chunks of all runs that are kept.
func Standings(ctx context.Context, pool *pgxpool.Pool) (map[int64]Standing, error) {
	rows, err := pool.Query(ctx, `
		SELECT r.id, t.name,
			EXISTS (SELECT FROM opscom.lane l WHERE l.run = r.id AND l.worker <> '' AND l.lease_until > now())
				OR coalesce((SELECT true FROM opscom.chunk_state s WHERE s.run = r.id AND s.lease_until > now() LIMIT 1), false),
			(SELECT count(*) FROM opscom.lane l JOIN river.river_job j ON j.id = l.job
				WHERE l.run = r.id AND l.worker = '' AND j.state IN ('available', 'scheduled', 'retryable', 'running')),
			(SELECT count(*) FROM opscom.worker w WHERE w.seen_at > now() - $1::interval AND NOT w.is_drained AND right(t.name, length(w.controller) + 4) = ' at ' || w.controller),
			EXISTS (SELECT FROM opscom.lane l WHERE l.run = r.id AND l.helped),
			coalesce((SELECT max(l.trouble) FROM opscom.lane l WHERE l.run = r.id), '')
		FROM opscom.run r JOIN opscom.target t ON t.id = r.target WHERE r.state = 'pushing'`, defaultLease)
	if err != nil {
		return nil, fmt.Errorf("look at the runs in progress: %w", err)
	}
	standings := make(map[int64]Standing)
	var run int64
	var s Standing
	if _, err := pgx.ForEachRow(rows, []any{&run, &s.Target, &s.IsPushed, &s.Waiting, &s.Workers, &s.IsHelped, &s.Trouble}, func() error {
		standings[run] = s
		return nil
	}); err != nil {
		return nil, fmt.Errorf("look at the runs in progress: %w", err)
	}
	return standings, nil
}
