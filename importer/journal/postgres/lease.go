package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrLeaseLost says that another process may have taken over what this one held: what is
// not recorded yet is unknown, and the process that has it now sends it again.
var ErrLeaseLost = errors.New("the lease on the rows was lost: another process may have taken them over")

// leases takes chunks of a run into the hands of a lane, and writes what becomes of them.
// It does not look into what it writes.
//
// A chunk has one holder at a time: each lease has an epoch of its own, and what is written
// under an earlier one is refused. Every method is one statement, and is repeated until the
// database has answered: whatever was done the first time is not done again.
type leases struct {
	pool     *pgxpool.Pool
	gather   *gathering // writes together with the other lanes of this process; may be nil
	run      int64
	night    time.Time
	timeline string                 // of the run: in another one nothing is held
	term     time.Duration          // how long a lease lasts after it was last renewed
	heard    func(error)            // is told how it went when an attempt is repeated; may be nil
	stopping atomic.Pointer[string] // why the run is about to be stopped; nil: as far as is known it is not
}

// leased is a chunk as the database has it when it is leased.
type leased struct {
	chunk   int
	epoch   int
	round   int // whose rows are to be pushed
	claimed int // every pending row of the first round up to this one may have been sent
	events  int // number of records
	resumed int // number of records when the run was last started
}

// change is what the holder of a chunk has to say of it.
type change struct {
	chunk   int
	epoch   int
	events  int    // number of records before it
	claimed int    // the new mark; one below the old changes nothing
	data    []byte // the next record; nil: none
	over    int    // the round of which nothing waits any more: the chunk is given back; notOver: the lease is renewed
}

const notOver = -1

// The first scan shows one moment. A chunk whose round somebody has ended since then, or that
// somebody else has taken, is left to them when it is locked. A few more are looked at than are
// taken, because others may be about to take the first ones.
const leaseChunks = `
	WITH waiting AS MATERIALIZED (
		SELECT s.chunk, s.rounds[1] AS round, s.lease_until FROM opscom.chunk_state s, opscom.run r
		WHERE r.id = $1 AND r.state = 'pushing' AND r.stopping IS NULL AND r.timeline = $4 AND r.timeline = opscom.timeline() AND s.run = r.id AND s.rounds <> '{}'),
	free AS MATERIALIZED (
		SELECT chunk, round FROM waiting
		WHERE round = (SELECT min(round) FROM waiting) AND (lease_until IS NULL OR lease_until < now()) ORDER BY chunk LIMIT $2 + 64),
	next AS (
		SELECT s.chunk FROM free f JOIN opscom.chunk_state s ON s.run = $1 AND s.chunk = f.chunk AND s.rounds[1] = f.round
		WHERE s.lease_until IS NULL OR s.lease_until < now()
		ORDER BY s.chunk LIMIT $2 FOR NO KEY UPDATE OF s SKIP LOCKED)
	UPDATE opscom.chunk_state s SET epoch = s.epoch + 1, lease_until = now() + $3
	FROM next WHERE s.run = $1 AND s.chunk = next.chunk
	RETURNING s.chunk, s.epoch, s.rounds[1], s.claimed, s.events, s.resumed`

// lease takes up to n chunks that nobody holds, the first ones of the earliest round of which
// anything is left to do, and returns them in no order. It takes none while others hold all
// of that round, when the run is about to be stopped, and after another timeline has begun.
//
// A lease whose answer was lost is nobody's until it ends.
func (l *leases) lease(ctx context.Context, n int) (taken []leased, err error) {
	err = l.insist(ctx, func(ctx context.Context) error {
		rows, err := l.pool.Query(ctx, leaseChunks, l.run, n, l.term, l.timeline)
		if err != nil {
			return err
		}
		taken, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c leased, err error) {
			return c, row.Scan(&c.chunk, &c.epoch, &c.round, &c.claimed, &c.events, &c.resumed)
		})
		return err
	})
	return taken, err
}

// The run is locked only where its streak changes, and first: to stop a run locks it before its
// chunks too.
const changeChunks = `
	WITH change AS (
		SELECT * FROM unnest($3::int[], $4::int[], $5::int[], $6::int[], $7::bytea[], $8::int[]) AS c (chunk, epoch, events, claimed, data, over)),
	streak AS (
		SELECT failing, failures, has_pushed FROM opscom.run
		WHERE id = $2 AND ($11 OR $12 AND (failures > 0 OR NOT has_pushed)) FOR NO KEY UPDATE),
	kept AS (
		UPDATE opscom.chunk_state s SET
			claimed = greatest(s.claimed, c.claimed),
			events = s.events + (c.data IS NOT NULL)::int,
			rounds = array_remove(s.rounds, c.over),
			lease_until = CASE WHEN c.over >= 0 THEN NULL ELSE now() + $9 END
		FROM change c JOIN opscom.run r ON r.id = $2 AND r.timeline = $10 LEFT JOIN streak ON true
		WHERE r.timeline = (SELECT opscom.timeline()) AND s.run = $2 AND s.chunk = c.chunk AND s.epoch = c.epoch AND s.events = c.events
		RETURNING s.chunk, s.events, c.data, r.stopping),
	stored AS (
		INSERT INTO opscom.event (night, run, chunk, seq, data)
		SELECT $1, $2, chunk, events, data FROM kept WHERE data IS NOT NULL),
	counted AS (
		UPDATE opscom.run SET failing = $13, failures = $14 + CASE WHEN $15 AND streak.failing = $13 THEN streak.failures ELSE 0 END, has_pushed = streak.has_pushed OR $12
		FROM streak WHERE run.id = $2 AND EXISTS (SELECT FROM kept))
	SELECT chunk, stopping, coalesce(streak.failing, ''), coalesce(streak.failures, 0), coalesce(streak.has_pushed, false) FROM kept LEFT JOIN streak ON true`

// What was written before its answer was lost shows in the number of records.
const changedChunks = `
	SELECT s.chunk, r.stopping FROM unnest($2::int[], $3::int[], $4::int[]) AS c (chunk, epoch, events)
	JOIN opscom.run r ON r.id = $1 AND r.timeline = $5 AND r.timeline = opscom.timeline()
	JOIN opscom.chunk_state s ON s.run = $1 AND s.chunk = c.chunk AND s.epoch = c.epoch AND s.events = c.events`

// write writes changes of different chunks, renews the leases on these, and returns which of
// the chunks are still held: nothing was written of the others, and never will be. It is on
// the disk when it returns. before is the streak of the run's rows before the changes, whose own is
// counted with them; it is empty where that makes no difference.
func (l *leases) write(ctx context.Context, changes []change, own streak) (kept map[int]bool, before stored, err error) {
	columns := columnsOf(changes)
	gather := l.gather
	err = l.insist(ctx, func(ctx context.Context) (err error) {
		if gather != nil && !own.failed {
			kept, err = gather.write(ctx, l, changes, own.pushed)
			gather = nil
			if IsTransient(err) || err == nil && len(kept) == len(changes) {
				return err
			}
		}
		kept, before, err = l.change(ctx, l.night, l.run, columns.chunk, columns.epoch, columns.events, columns.claimed, columns.data, columns.over, l.term, l.timeline,
			own.failed, own.pushed, own.failing, own.failures, own.isWhole)
		if err != nil || len(kept) == len(changes) {
			return err
		}
		// Either they are lost, or this was not the first attempt.
		kept, err = l.chunks(ctx, changedChunks, l.run, columns.chunk, columns.epoch, columns.after, l.timeline)
		return err
	})
	return kept, before, err
}

// change makes changes, and returns what write does.
func (l *leases) change(ctx context.Context, args ...any) (kept map[int]bool, before stored, err error) {
	rows, err := l.pool.Query(ctx, changeChunks, args...)
	if err != nil {
		return nil, before, err
	}
	kept = map[int]bool{}
	var chunk int
	var stopping *string
	_, err = pgx.ForEachRow(rows, []any{&chunk, &stopping, &before.failing, &before.failures, &before.pushed}, func() error {
		kept[chunk] = true
		l.announced(stopping)
		return nil
	})
	return kept, before, err
}

// A chunk that was given back meanwhile stays so.
const renewChunks = `
	UPDATE opscom.chunk_state s SET lease_until = now() + $4 FROM unnest($2::int[], $3::int[]) AS c (chunk, epoch), opscom.run r
	WHERE r.id = $1 AND r.timeline = $5 AND r.timeline = opscom.timeline() AND s.run = $1 AND s.chunk = c.chunk AND s.epoch = c.epoch AND s.lease_until IS NOT NULL
	RETURNING s.chunk, r.stopping`

// renew renews the leases on chunks, of which only number and epoch count, and returns which
// are still held. It tries once.
func (l *leases) renew(ctx context.Context, held []change) (kept map[int]bool, err error) {
	ctx, stop := context.WithTimeout(ctx, l.attempt())
	defer stop()
	columns := columnsOf(held)
	return l.chunks(ctx, renewChunks, l.run, columns.chunk, columns.epoch, l.term, l.timeline)
}

// Another one may take them at once; if a crash undoes it, they are free a little later.
const giveChunksBack = `
	WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true) AS mode)
	UPDATE opscom.chunk_state s SET lease_until = NULL FROM unnest($2::int[], $3::int[]) AS c (chunk, epoch), relaxed
	WHERE s.run = $1 AND s.chunk = c.chunk AND s.epoch = c.epoch AND relaxed.mode = 'off'`

// giveBack ends the leases on chunks, of which only number and epoch count. It tries once:
// they end by themselves too.
func (l *leases) giveBack(ctx context.Context, held []change) error {
	ctx, stop := context.WithTimeout(ctx, l.attempt())
	defer stop()
	columns := columnsOf(held)
	_, err := l.pool.Exec(ctx, giveChunksBack, l.run, columns.chunk, columns.epoch)
	return err
}

// chunks returns the chunks that a statement returns, and keeps why the run is about to be stopped.
func (l *leases) chunks(ctx context.Context, statement string, args ...any) (map[int]bool, error) {
	rows, err := l.pool.Query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	found := map[int]bool{}
	var chunk int
	var stopping *string
	_, err = pgx.ForEachRow(rows, []any{&chunk, &stopping}, func() error {
		found[chunk] = true
		l.announced(stopping)
		return nil
	})
	return found, err
}

// announced keeps why the run is about to be stopped, nil if it is not.
func (l *leases) announced(stopping *string) {
	if stopping != nil {
		l.stopping.Store(new(*stopping))
	}
}

// attempt is how long one attempt may take.
func (l *leases) attempt() time.Duration { return l.term / 3 }

const (
	firstPause   = 50 * time.Millisecond // between two attempts
	longestPause = time.Second
)

// insist does something until the database answers or the context is done. An attempt that
// gets no answer is given up: its connection may be dead.
func (l *leases) insist(ctx context.Context, do func(ctx context.Context) error) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := l.try(ctx, do)
		if l.heard != nil && pause > firstPause {
			l.heard(err)
		}
		if err == nil || ctx.Err() == nil && !IsTransient(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}

func (l *leases) try(ctx context.Context, do func(ctx context.Context) error) error {
	ctx, stop := context.WithTimeout(ctx, l.attempt())
	defer stop()
	return do(ctx)
}

// changeColumns are changes as a statement takes them.
type changeColumns struct {
	chunk, epoch, events, claimed, over []int
	data                                [][]byte
	after                               []int // events after the change
}

func columnsOf(changes []change) (c changeColumns) {
	for i := range changes {
		one := &changes[i]
		c.chunk, c.epoch, c.events = append(c.chunk, one.chunk), append(c.epoch, one.epoch), append(c.events, one.events)
		c.claimed, c.data, c.over = append(c.claimed, one.claimed), append(c.data, one.data), append(c.over, one.over)
		after := one.events
		if one.data != nil {
			after++
		}
		c.after = append(c.after, after)
	}
	return c
}
