package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
)

const (
	gatherTime  = 20 * time.Millisecond // from one query for turns to the next, at least: questions that come meanwhile share it
	mostAsked   = 500                   // questions in a query
	queryTime   = 3 * time.Second       // for one query
	keeperIdles = 30 * time.Second      // without a question, until the connection is closed
)

// ErrNoRate says that nobody has set the rate of a target.
var ErrNoRate = errors.New("no rate is set for the target")

// SetRate sets how many requests a second all processes together may send to a target; 0 for
// no limit. Turns that were given out before keep their distance.
func (j *Journal) SetRate(ctx context.Context, target string, rate float64) error {
	_, err := j.pool.Exec(ctx, `INSERT INTO opscom.target AS t (name, rate) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET rate = excluded.rate WHERE t.rate <> excluded.rate`, importer.SameTarget(target), rate)
	return j.failed("set the rate of a target", err)
}

// Keeper gives out turns of the rates of targets, which all processes share that have the
// same journal. The questions of all clients in this process are gathered: they take one
// connection, besides those of the journal, and at most 50 queries a second, however many
// clients there are.
type Keeper struct {
	journal   *Journal
	questions chan question
	stop      context.CancelFunc
	running   sync.WaitGroup
}

// question asks for turns. There is room for its one answer: who asked may be gone.
type question struct {
	target string
	turns  int
	answer chan answer
}

type answer struct {
	reservation importer.Reservation
	err         error
}

// NewKeeper returns a keeper of the journal's rates. It is closed before the journal is.
func (j *Journal) NewKeeper() *Keeper {
	k := &Keeper{journal: j, questions: make(chan question)}
	var ctx context.Context
	ctx, k.stop = context.WithCancel(context.Background())
	k.running.Go(func() { k.run(ctx) })
	return k
}

// Close ends the keeper. Clients that have its turns are closed before.
func (k *Keeper) Close() {
	k.stop()
	k.running.Wait()
}

// Turns returns the turns of a target's rate, for one client. It implements
// controller.Turns.
func (k *Keeper) Turns(target string) *Turns { return &Turns{k, importer.SameTarget(target)} }

// Turns gives out turns of one target's rate.
type Turns struct {
	keeper *Keeper
	target string
}

// Reserve returns at most n turns. The error is ErrNoRate if nobody has set the rate.
func (t *Turns) Reserve(ctx context.Context, n int) (importer.Reservation, error) {
	q := question{t.target, n, make(chan answer, 1)}
	select {
	case t.keeper.questions <- q:
	case <-ctx.Done():
		return importer.Reservation{}, ctx.Err()
	}
	select {
	case a := <-q.answer:
		return a.reservation, a.err
	case <-ctx.Done():
		return importer.Reservation{}, ctx.Err()
	}
}

// Pause tells all processes that no request to the target may start for d.
func (t *Turns) Pause(ctx context.Context, d time.Duration) error {
	_, err := t.keeper.journal.pool.Exec(ctx, `UPDATE opscom.target SET paused_until = clock_timestamp() + $2
		WHERE name = $1 AND paused_until < clock_timestamp() + $2`, t.target, d)
	return t.keeper.journal.failed("share a pause", err)
}

// run answers questions. It has a connection of its own while there are any: to wait for one
// would make the answers late, and the clock that they tell uncertain.
func (k *Keeper) run(ctx context.Context) {
	var conn *pgx.Conn
	hangUp := func() {
		if conn != nil {
			_ = conn.Close(context.WithoutCancel(ctx)) // nothing is left to be lost
			conn = nil
		}
	}
	defer hangUp()
	var last time.Time // when the last query began
	for {
		questions, over := k.gather(ctx, last.Add(gatherTime), conn != nil)
		if over {
			return
		}
		if len(questions) == 0 {
			hangUp()
			continue
		}
		last = time.Now()
		asking, cancel := context.WithTimeout(ctx, queryTime)
		var err error
		if conn == nil {
			conn, err = k.dial(asking)
		}
		if err == nil {
			err = ask(asking, conn, questions)
		}
		cancel()
		if err != nil {
			hangUp()
			isRefused := IsRefused(err)
			if err = k.journal.failed("reserve turns of the rate", err); isRefused {
				err = &importer.NoTurnsError{Err: err}
			}
			for _, q := range questions {
				q.answer <- answer{err: err}
			}
		}
	}
}

// dial takes a connection out of the pool, which makes another one when it needs it.
func (k *Keeper) dial(ctx context.Context) (*pgx.Conn, error) {
	conn, err := k.journal.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return conn.Hijack(), nil
}

// gather waits for questions, and for those that come until a time, so that they share a
// query. There are none if idles is true and none has come for a while.
func (k *Keeper) gather(ctx context.Context, until time.Time, idles bool) (questions []question, over bool) {
	var idle <-chan time.Time
	if idles {
		idle = time.After(keeperIdles)
	}
	select {
	case q := <-k.questions:
		questions = append(questions, q)
	case <-idle:
		return nil, false
	case <-ctx.Done():
		return nil, true
	}
	enough := time.After(time.Until(until))
	for len(questions) < mostAsked {
		select {
		case q := <-k.questions:
			questions = append(questions, q)
		case <-enough:
			return questions, false
		case <-ctx.Done():
			return nil, true
		}
	}
	return questions, false
}

// ask answers the questions, unless it returns an error. The clock is read when all of them
// have their turns, as late as possible: then the least time passes until it is known.
func ask(ctx context.Context, conn *pgx.Conn, questions []question) error {
	targets := make([]string, len(questions))
	wanted := make([]int, len(questions))
	answers := make([]answer, len(questions))
	for i, q := range questions {
		targets[i], wanted[i], answers[i].err = q.target, q.turns, ErrNoRate
	}
	asked := time.Now()
	rows, err := conn.Query(ctx, `SELECT question - 1, turns, first, step, paused, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
		FROM opscom.reserve($1, $2)`, targets, wanted)
	if err != nil {
		return err
	}
	var i, turns int
	var first, step, paused, now int64
	_, err = pgx.ForEachRow(rows, []any{&i, &turns, &first, &step, &paused, &now}, func() error {
		answers[i] = answer{reservation: importer.Reservation{
			Now: time.UnixMicro(now), First: time.UnixMicro(first), Interval: time.Duration(step) * time.Microsecond,
			Turns: turns, PausedUntil: time.UnixMicro(paused),
		}}
		return nil
	})
	if err != nil {
		return err
	}
	answered := time.Now()
	for i, q := range questions {
		answers[i].reservation.Asked, answers[i].reservation.Answered = asked, answered
		q.answer <- answers[i]
	}
	return nil
}
