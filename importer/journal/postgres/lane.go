package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/importer/journal/postgres/keyring"
)

// leaseTerm is how long rows stay in the hands of a process that is not heard of.
const leaseTerm = 10 * time.Second

// recordPatience is how long outcomes are kept while the database is away. As long as nobody
// has taken the rows over, they are recorded when it is back.
const recordPatience = 2 * time.Minute

// Lane is one of those who push a run: an importer.Queue of the chunks that it leases, a few at
// a time. Claim gives no rows while others hold the rest of the round. One goroutine may claim,
// another record, and a third renew.
//
// A claim or a record of which it is not known whether it was made ends the lane: what it has
// claimed is then unknown to the next one, who sends it again.
//
// When somebody is about to stop the run, Claim returns a *StoppedError; what was claimed can
// still be recorded until the leases end.
type Lane struct {
	journal  *Journal
	payloads *keyring.Ring
	leases   leases

	writing sync.Mutex // held while rows are claimed or recorded

	mu     sync.Mutex // of the following
	held   map[int]*heldChunk
	ready  []importer.Job // leased and not claimed, in row order
	coming int            // their round
	round  int            // whose rows are claimed
	isLost bool           // some of what it held

	before importer.Streak // of the run, before the outcomes that this lane recorded last
}

// heldChunk is a chunk in the hands of a lane.
type heldChunk struct {
	leased
	renewed time.Time    // when the lease was last asked for
	open    map[int]bool // rows of the round that have no outcome yet; true: this lane has claimed it
	lost    map[int]bool // those of them that somebody else claimed and lost
	claims  map[int]bool // rows that this lane has claimed
}

// Lane returns a lane of the run. It holds nothing yet.
func (r *Run) Lane() *Lane {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.newLane()
}

func (r *Run) newLane() *Lane {
	return &Lane{
		journal: r.journal, payloads: r.payloads, held: map[int]*heldChunk{},
		leases: leases{pool: r.journal.pool, gather: r.journal.gather, run: r.id, night: r.record.night, timeline: r.record.timeline, term: r.journal.term, heard: r.journal.heard},
	}
}

// Claim returns the next pending rows of the round, at most max, in row order, and none when
// nothing of it is to be had. That they may have been sent is on the disk before it returns.
func (l *Lane) Claim(ctx context.Context, max int) ([]importer.Job, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	claimed, err := l.claim(ctx, max)
	return claimed, l.journal.failed(fmt.Sprintf("claim rows of run %d", l.leases.run), err)
}

func (l *Lane) claim(ctx context.Context, max int) ([]importer.Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err // nothing is begun, so nothing is in doubt
	}
	if err := l.stopped(); err != nil {
		return nil, err
	}
	if err := l.fill(ctx, max); err != nil {
		return nil, err
	}
	claimed, changes, err := l.next(max)
	if err != nil || len(claimed) == 0 {
		return nil, err
	}
	ctx, stop := context.WithDeadlineCause(ctx, l.until(changes), ErrLeaseLost)
	defer stop()
	kept, _, err := l.write(ctx, changes, streak{})
	if err != nil {
		return nil, err
	}
	if kept < len(changes) {
		return nil, ErrLeaseLost
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = l.ready[len(claimed):]
	for _, job := range claimed {
		c := l.held[int(format.ChunkOf(job.Row))]
		if c == nil { // a renewal has found out meanwhile
			return nil, ErrLeaseLost
		}
		c.open[job.Row], c.claims[job.Row] = true, true
		delete(c.lost, job.Row)
	}
	return claimed, nil
}

// stopped returns a *StoppedError if it is known that somebody is about to stop the run.
func (l *Lane) stopped() error {
	if reason := l.leases.stopping.Load(); reason != nil {
		return &StoppedError{Run: l.leases.run, Reason: *reason}
	}
	return nil
}

// fill leases more chunks until that many rows are ready, or no chunk is to be had. A chunk may
// have few rows that wait.
func (l *Lane) fill(ctx context.Context, rows int) error {
	for factor := 1; ; factor *= 2 {
		l.mu.Lock()
		missing, isLost := rows-len(l.ready), l.isLost
		l.mu.Unlock()
		switch {
		case isLost:
			return ErrLeaseLost
		case missing <= 0:
			return nil
		}
		n := factor * ((missing + format.ChunkRows - 1) / format.ChunkRows)
		if taken, err := l.take(ctx, min(n, readBatch)); err != nil || taken == 0 {
			return err
		}
	}
}

// next returns the rows to be claimed, at most max, and what that changes in their chunks: those
// that are claimed for the first time in the first round by moving the mark, the others by events.
func (l *Lane) next(max int) (claimed []importer.Job, changes []change, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.isLost:
		return nil, nil, ErrLeaseLost
	case l.coming > l.round:
		return nil, nil, nil
	}
	claimed = l.ready[:min(max, len(l.ready))]
	claimed = claimed[:len(claimed):len(claimed)]
	var again []format.Event
	marks := map[int]int{}
	for _, job := range claimed {
		c := l.held[int(format.ChunkOf(job.Row))]
		if c.lost[job.Row] {
			again = append(again, format.Unknown(job.Row)) // of the claim that was lost
		}
		if c.round > 0 || job.Row <= c.claimed {
			again = append(again, format.Unknown(job.Row))
		}
		marks[c.chunk] = job.Row
	}
	changes, err = l.changes(marks, again)
	return claimed, changes, err
}

// changes returns what events, and marks by chunk, change in the chunks that are held. Of other
// chunks there is none.
func (l *Lane) changes(marks map[int]int, events []format.Event) (changes []change, err error) {
	records := map[int][]byte{}
	err = format.PackEvents(events, func(chunk int64, data []byte) error {
		if c := l.held[int(chunk)]; c != nil {
			records[c.chunk] = l.journal.sealEvents(l.leases.run, chunk, c.events+1, data)
		}
		return nil
	})
	for chunk, c := range l.held {
		mark, isMarked := marks[chunk]
		if record := records[chunk]; isMarked || record != nil {
			one := change{chunk: chunk, epoch: c.epoch, events: c.events, data: record, over: notOver}
			if c.round == 0 {
				one.claimed = mark
			}
			changes = append(changes, one)
		}
	}
	return changes, err
}

// until returns when the leases on some chunks may be used no more.
func (l *Lane) until(changes []change) (until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range changes {
		if c := l.held[one.chunk]; c != nil && (until.IsZero() || c.renewed.Before(until)) {
			until = c.renewed
		}
	}
	return until.Add(usable(l.leases.term))
}

// usable is how long rows may be sent after the lease was asked for: what is sent then has its
// answer, as a rule, before anybody else sends it.
func usable(term time.Duration) time.Duration { return term * 3 / 4 }

// write writes changes of chunks that are held, and returns how many of these still are. After
// an error it is not known what was written. own and before are as for leases.write.
func (l *Lane) write(ctx context.Context, changes []change, own streak) (held int, before stored, err error) {
	asked := time.Now()
	kept, before, err := l.leases.write(ctx, changes, own)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range changes {
		c := l.held[one.chunk]
		switch {
		case c == nil:
		case err != nil || !kept[one.chunk]:
			l.drop(one.chunk)
		default:
			held++
			c.claimed, c.renewed = max(c.claimed, one.claimed), asked
			if one.data != nil {
				c.events++
			}
			if one.over >= 0 {
				delete(l.held, one.chunk)
			}
		}
	}
	return held, before, err
}

// drop forgets a chunk that was lost. The caller holds l.mu.
func (l *Lane) drop(chunk int) {
	delete(l.held, chunk)
	l.isLost = true
}

// take leases up to n chunks, makes their rows ready, and returns how many it were.
func (l *Lane) take(ctx context.Context, n int) (int, error) {
	ctx, stop := context.WithTimeout(ctx, l.leases.term)
	defer stop()
	asked := time.Now()
	taken, err := l.leases.lease(ctx, n)
	if err == nil && len(taken) == 0 {
		err = l.heal(ctx)
	}
	if err != nil || len(taken) == 0 {
		return 0, err
	}
	chunks := make(map[int]*heldChunk, len(taken))
	for _, c := range taken {
		chunks[c.chunk] = &heldChunk{leased: c, renewed: asked, open: map[int]bool{}, lost: map[int]bool{}, claims: map[int]bool{}}
	}
	var ready []importer.Job
	err = l.leases.insist(ctx, func(ctx context.Context) (err error) {
		ready, err = l.load(ctx, chunks)
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(taken), l.keep(ctx, chunks, ready)
}

// keep holds chunks that were leased, and gives those back in which nothing waits.
func (l *Lane) keep(ctx context.Context, chunks map[int]*heldChunk, ready []importer.Job) error {
	var over []change
	l.mu.Lock()
	for _, c := range chunks {
		l.held[c.chunk], l.coming = c, c.round
		if len(c.open) == 0 {
			over = append(over, change{chunk: c.chunk, epoch: c.epoch, events: c.events, over: c.round})
		}
	}
	l.ready = append(l.ready, ready...)
	l.mu.Unlock()
	if len(over) == 0 {
		return nil
	}
	_, _, err := l.write(ctx, over, streak{})
	return err
}

const selectLeased = `SELECT c.chunk, c.data, s.claimed, s.events,
	ARRAY(SELECT e.data FROM opscom.event e WHERE e.night = $1 AND e.run = $2 AND e.chunk = c.chunk ORDER BY e.seq), p.data
	FROM opscom.chunk c LEFT JOIN opscom.chunk_state s ON s.run = c.run AND s.chunk = c.chunk
	LEFT JOIN opscom.payload p ON p.night = $1 AND p.run = $2 AND p.chunk = c.chunk
	WHERE c.night = $1 AND c.run = $2 AND c.chunk = ANY($3) ORDER BY c.chunk`

// load returns the rows of leased chunks that are to be pushed, with their payloads.
func (l *Lane) load(ctx context.Context, chunks map[int]*heldChunk) (ready []importer.Job, err error) {
	numbers := make([]int, 0, len(chunks))
	for chunk := range chunks {
		numbers = append(numbers, chunk)
	}
	rows, err := l.leases.pool.Query(ctx, selectLeased, l.leases.night, l.leases.run, numbers)
	if err != nil {
		return nil, err
	}
	stored, err := pgx.CollectRows(rows, scanLeased)
	if err != nil {
		return nil, err
	}
	if len(stored) != len(chunks) {
		return nil, fmt.Errorf("%w: chunks of run %d are missing", format.ErrDamaged, l.leases.run)
	}
	assembler := format.Assembler{Run: l.leases.run, Chunk: new(format.Chunk)}
	for i := range stored {
		s := &stored[i]
		err := l.journal.assemble(&assembler, &s.storedChunk, func() error {
			jobs, err := l.open(chunks[s.number], assembler.Chunk, s)
			ready = append(ready, jobs...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return ready, nil
}

// leasedChunk is a stored chunk with its payloads.
type leasedChunk struct {
	storedChunk
	payloads []byte
}

func scanLeased(row pgx.CollectableRow) (s leasedChunk, err error) {
	var claimed, known *int
	if err = row.Scan(&s.number, &s.plan, &claimed, &known, &s.events, &s.payloads); err != nil {
		return s, err
	}
	s.state(claimed, known)
	return s, nil
}

// open returns the rows of a leased chunk that are to be pushed, with their payloads. What failed
// since the run was last started is not.
func (l *Lane) open(c *heldChunk, rows *format.Chunk, s *leasedChunk) ([]importer.Job, error) {
	number := int64(c.chunk)
	failed := map[int]bool{}
	for seq := c.resumed + 1; seq <= len(s.events); seq++ {
		data, err := l.journal.keys.Open(s.events[seq-1], l.leases.run, number, int64(seq))
		if err != nil {
			return nil, err
		}
		if err := format.ReadEvents(l.leases.run, number, int64(seq), data, func(e *format.Event) error {
			failed[e.Row] = isKnown(e.Status)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	if s.payloads == nil {
		return nil, fmt.Errorf("%w: what is to be sent for chunk %d of run %d is missing", format.ErrDamaged, c.chunk, l.leases.run)
	}
	data, err := l.payloads.Open(s.payloads, l.leases.run, number, placeOfPayloads)
	if err != nil {
		return nil, err
	}
	jobs, err := format.ReadPayloads(l.leases.run, c.round, rows, data)
	if err != nil {
		return nil, err
	}
	waiting := jobs[:0]
	for _, job := range jobs {
		if failed[job.Row] {
			continue
		}
		waiting = append(waiting, job)
		c.open[job.Row] = false
		if rows.Row(job.Row).Lost(c.claimed) {
			c.lost[job.Row] = true
		}
	}
	return waiting, nil
}

// isKnown reports whether a status says what became of a row.
func isKnown(s importer.Status) bool { return s.Spec().Kind != importer.KindOpen }

// NextRound begins the next round if rows of it can be had, and reports whether it did. All
// outcomes are recorded.
func (l *Lane) NextRound() bool {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.fill(context.Background(), 1); err != nil {
		return true // the next claim meets with the same, and says so
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ready) == 0 {
		return false
	}
	l.round = l.coming
	return true
}

// Record stores the outcomes of rows that this lane has claimed. They are on the disk when it
// returns. Those of rows that were lost meanwhile count no more: the lane that has them now sends them
// again. If all were lost, the error is ErrLeaseLost.
func (l *Lane) Record(ctx context.Context, outcomes []importer.Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.journal.failed(fmt.Sprintf("record the outcomes of run %d", l.leases.run), l.record(ctx, outcomes))
}

func (l *Lane) record(ctx context.Context, outcomes []importer.Outcome) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	changes, err := l.settle(outcomes)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, recordPatience)
	defer stop()
	kept := 0
	var before stored
	if len(changes) > 0 {
		if kept, before, err = l.write(ctx, changes, streakOf(outcomes)); err != nil {
			return err
		}
	}
	l.mu.Lock()
	l.before = before.before(outcomes)
	l.mu.Unlock()
	if kept == 0 {
		return ErrLeaseLost
	}
	return nil
}

// StreakBefore returns how rows of the run had failed in a row before the outcomes that this lane
// recorded last, whoever pushed them.
func (l *Lane) StreakBefore() importer.Streak {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.before
}

// settle returns what outcomes change in the chunks that are held, and takes their rows for
// settled: if the changes cannot be written, the chunks are lost.
func (l *Lane) settle(outcomes []importer.Outcome) ([]change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := make([]format.Event, 0, len(outcomes))
	for i := range outcomes {
		o := &outcomes[i]
		c := l.held[int(format.ChunkOf(o.Row))]
		switch {
		case c == nil && l.isLost:
			continue
		case c == nil || !c.claims[o.Row]:
			return nil, fmt.Errorf("row %d was never claimed", o.Row)
		}
		events = append(events, format.Event{Outcome: *o})
	}
	changes, err := l.changes(nil, events)
	if err != nil {
		return nil, err
	}
	for i := range events {
		if c := l.held[int(format.ChunkOf(events[i].Row))]; isKnown(events[i].Status) {
			delete(c.open, events[i].Row)
		} else {
			c.open[events[i].Row] = false
		}
	}
	for i := range changes {
		if c := l.held[changes[i].chunk]; len(c.open) == 0 {
			changes[i].over = c.round
		}
	}
	return changes, nil
}

// Renew renews the leases on all that the lane holds; ErrLeaseLost if one was lost.
func (l *Lane) Renew(ctx context.Context) error {
	asked := time.Now()
	held := l.all()
	if len(held) == 0 {
		return nil
	}
	kept, err := l.leases.renew(ctx, held)
	if err != nil {
		return l.journal.failed(fmt.Sprintf("renew the leases on rows of run %d", l.leases.run), err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range held {
		c := l.held[one.chunk]
		switch {
		case c == nil || c.epoch != one.epoch: // given back meanwhile
		case kept[one.chunk]:
			c.renewed = asked
		default:
			l.drop(one.chunk)
		}
	}
	if l.isLost {
		return ErrLeaseLost
	}
	return nil
}

// Release gives back all that the lane holds. Rows that it has claimed and not recorded are
// unknown then.
func (l *Lane) Release(ctx context.Context) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	held := l.all()
	l.mu.Lock()
	clear(l.held)
	l.ready = nil
	l.mu.Unlock()
	if len(held) == 0 {
		return nil
	}
	return l.journal.failed(fmt.Sprintf("give rows of run %d back", l.leases.run), l.leases.giveBack(ctx, held))
}

// all returns the numbers and epochs of the chunks that are held.
func (l *Lane) all() (held []change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.held {
		held = append(held, change{chunk: c.chunk, epoch: c.epoch, over: notOver})
	}
	return held
}

// oldest returns when the lease was asked for that ends first; false when none is held.
func (l *Lane) oldest() (asked time.Time, isHeld bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.held {
		if !isHeld || c.renewed.Before(asked) {
			asked, isHeld = c.renewed, true
		}
	}
	return asked, isHeld
}

// heal returns ErrLeaseLost if another timeline has begun since the run was opened. Then
// everything is unknown that the last one may have lost, and who held rows in it holds them
// no more. If somebody is about to stop the run it returns a *StoppedError.
func (l *Lane) heal(ctx context.Context) error {
	var timeline string
	var stopping *string
	err := pgx.BeginFunc(ctx, l.leases.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE opscom.run SET timeline = opscom.timeline() WHERE id = $1 AND state = 'pushing' AND timeline <> opscom.timeline()", l.leases.run)
		if err == nil && tag.RowsAffected() == 1 {
			_, err = tx.Exec(ctx, "UPDATE opscom.chunk_state SET epoch = epoch + $2, claimed = $3, lease_until = NULL WHERE run = $1 AND rounds <> '{}'",
				l.leases.run, epochsOfTimeline, format.Everything)
			if err == nil {
				err = followTimeline(ctx, tx)
			}
		}
		if err == nil {
			err = tx.QueryRow(ctx, "SELECT timeline, stopping FROM opscom.run WHERE id = $1", l.leases.run).Scan(&timeline, &stopping)
		}
		return err
	})
	if err == nil && timeline != l.leases.timeline {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.isLost = true
		return ErrLeaseLost
	}
	if err == nil && stopping != nil {
		l.leases.stopping.Store(stopping)
		return l.stopped()
	}
	return err
}

// Work renews the leases while work pushes rows of the lane, and then gives them back. The
// context of work ends, with ErrLeaseLost, when a lease cannot be renewed in time: only this
// machine's monotonic clock counts. It ends with a *StoppedError when somebody is about to stop
// the run; until work returns the leases are still renewed.
func (l *Lane) Work(ctx context.Context, work func(ctx context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan struct{})
	var renewing sync.WaitGroup
	renewing.Go(func() { l.renewUntil(ended, stop) })
	err := work(ctx)
	close(ended)
	renewing.Wait()
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.leases.term)
	defer cancel()
	if given := l.Release(leaving); err == nil && !IsTransient(given) { // otherwise they end by themselves
		err = given
	}
	return err
}

// renewUntil renews each lease when a third of it is over.
func (l *Lane) renewUntil(ended <-chan struct{}, stop context.CancelCauseFunc) {
	term := l.leases.term
	tick := time.NewTicker(term / 30)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ended:
			return
		}
		if err := l.stopped(); err != nil {
			stop(err)
		}
		asked, isHeld := l.oldest()
		if !isHeld || time.Since(asked) < term/3 {
			continue
		}
		until := asked.Add(usable(term))
		ctx, cancel := context.WithDeadline(context.Background(), until)
		err := l.Renew(ctx)
		cancel()
		if errors.Is(err, ErrLeaseLost) || err != nil && !time.Now().Before(until) {
			stop(ErrLeaseLost)
			return
		}
	}
}
