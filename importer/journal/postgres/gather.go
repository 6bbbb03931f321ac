package postgres

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// writeInterval is from one statement to the next, at least, while several lanes have something to write.
	writeInterval = 20 * time.Millisecond
	mostWrites    = 500 // of lanes in a statement
)

// gathering writes what the lanes of this process have to say of their chunks. With hundreds of lanes each of which claims and
// records a few rows at a time, a statement of its own for each would cost more than what it writes: so they share one, and its sync.
// A lane that is alone waits for nobody.
//
// Each lane has its own chunks, and writes one thing at a time: no chunk is twice in a statement. What cannot be written in this way is
// left to the lane's own statement, which says why.
type gathering struct {
	pool    *pgxpool.Pool
	running sync.WaitGroup

	mu      sync.Mutex
	waiting []*laneChanges
	isBusy  bool // somebody writes them
}

// laneChanges is what a lane has to write, and then what became of it.
type laneChanges struct {
	*leases
	ctx     context.Context
	changes []change
	pushed  bool         // rows were, so that failures before them count no more
	kept    map[int]bool // numbers of the chunks that were written
	err     error
	done    chan struct{} // closed when these are known
}

func newGathering(pool *pgxpool.Pool) *gathering { return &gathering{pool: pool} }

// close waits until everything is written. No lane writes any more.
func (g *gathering) close() { g.running.Wait() }

// write writes changes, and returns the chunks for which it has. These are on the disk then; after an error it is not known which of them
// are, or will be.
func (g *gathering) write(ctx context.Context, l *leases, changes []change, pushed bool) (map[int]bool, error) {
	one := &laneChanges{leases: l, ctx: ctx, changes: changes, pushed: pushed, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, one)
	if !g.isBusy {
		g.isBusy = true
		g.running.Go(g.run)
	}
	g.mu.Unlock()
	select {
	case <-one.done:
		return one.kept, one.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run writes until nothing waits.
func (g *gathering) run() {
	for {
		began := time.Now()
		batch := g.next()
		if batch == nil {
			return
		}
		g.flush(batch)
		if len(batch) > 1 {
			time.Sleep(time.Until(began.Add(writeInterval)))
		}
	}
}

// next returns what to write now, nil if nothing waits. Who has given up meanwhile is left out.
func (g *gathering) next() []*laneChanges {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(one *laneChanges) bool { return one.ctx.Err() != nil })
	n := min(len(g.waiting), mostWrites)
	if n == 0 {
		g.isBusy = false
		return nil
	}
	batch := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return batch
}

// flush writes a batch, and tells its lanes.
func (g *gathering) flush(batch []*laneChanges) {
	err := g.execute(batch)
	for _, one := range batch {
		one.err = err
		close(one.done)
	}
}

// What somebody else has locked just now is left out: all others would have to wait too, and two statements with the chunks of many runs
// could wait for each other. So are rows that change the run's streak of failures: the run is locked for that.
const gatheredChanges = `
	WITH change AS (
		SELECT * FROM unnest($1::bigint[], $2::date[], $3::text[], $4::boolean[], $5::int[], $6::int[], $7::int[], $8::int[], $9::bytea[], $10::int[])
			AS c (run, night, timeline, pushed, chunk, epoch, events, claimed, data, over)),
	free AS (
		SELECT c.*, r.stopping FROM change c
		JOIN opscom.run r ON r.id = c.run AND r.timeline = c.timeline
		JOIN opscom.chunk_state s ON s.run = c.run AND s.chunk = c.chunk AND s.epoch = c.epoch AND s.events = c.events
		WHERE r.timeline = (SELECT opscom.timeline()) AND NOT (c.pushed AND (r.failures > 0 OR NOT r.has_pushed))
		FOR NO KEY UPDATE OF s SKIP LOCKED),
	kept AS (
		UPDATE opscom.chunk_state s SET
			claimed = greatest(s.claimed, c.claimed),
			events = s.events + (c.data IS NOT NULL)::int,
			rounds = array_remove(s.rounds, c.over),
			lease_until = CASE WHEN c.over >= 0 THEN NULL ELSE now() + $11 END
		FROM free c WHERE s.run = c.run AND s.chunk = c.chunk
		RETURNING s.run, s.chunk, s.events, c.night, c.data, c.stopping),
	stored AS (
		INSERT INTO opscom.event (night, run, chunk, seq, data)
		SELECT night, run, chunk, events, data FROM kept WHERE data IS NOT NULL)
	SELECT run, chunk, stopping FROM kept`

// execute writes a batch in one statement, in the time that one attempt may take.
func (g *gathering) execute(batch []*laneChanges) error {
	ctx, stop := context.WithTimeout(context.Background(), batch[0].attempt())
	defer stop()
	var runs []int64
	var nights []time.Time
	var timelines []string
	var pushed []bool
	var changes []change
	lanes := make(map[[2]int64]*laneChanges) // by run and chunk
	for _, one := range batch {
		one.kept = make(map[int]bool)
		for i := range one.changes {
			runs, nights, timelines, pushed = append(runs, one.run), append(nights, one.night), append(timelines, one.timeline), append(pushed, one.pushed)
			changes = append(changes, one.changes[i])
			lanes[[2]int64{one.run, int64(one.changes[i].chunk)}] = one
		}
	}
	columns := columnsOf(changes)
	rows, err := g.pool.Query(ctx, gatheredChanges, runs, nights, timelines, pushed,
		columns.chunk, columns.epoch, columns.events, columns.claimed, columns.data, columns.over, batch[0].term)
	if err != nil {
		return err
	}
	var run int64
	var chunk int
	var stopping *string
	_, err = pgx.ForEachRow(rows, []any{&run, &chunk, &stopping}, func() error {
		one := lanes[[2]int64{run, int64(chunk)}]
		one.kept[chunk] = true
		one.announced(stopping)
		return nil
	})
	return err
}
