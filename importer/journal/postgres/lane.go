package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

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

// changes returns what events, and marks by chunk, change in the chunks that are held, in their
// order. Of other chunks there is none.
func (l *Lane) changes(marks map[int]int, events []format.Event) (changes []change, err error) {
	records := map[int][]byte{}
	err = format.PackEvents(events, func(chunk int64, data []byte) error {
		if c := l.held[int(chunk)]; c != nil {
			records[c.chunk] = l.journal.sealEvents(l.leases.run, chunk, c.events+1, data)
		}
		return nil
	})
	for _, c := range l.inOrder() {
		mark, isMarked := marks[c.chunk]
		if record := records[c.chunk]; isMarked || record != nil {
			one := change{chunk: c.chunk, epoch: c.epoch, events: c.events, data: record, over: notOver}
			if c.round == 0 {
				one.claimed = mark
			}
			changes = append(changes, one)
		}
	}
	return changes, err
}

// inOrder returns the chunks that are held in the order of their numbers: two statements of the lane, one of
// which renews, lock them in the same order. The caller holds l.mu.
func (l *Lane) inOrder() []*heldChunk {
	return slices.SortedFunc(maps.Values(l.held), func(a, b *heldChunk) int { return a.chunk - b.chunk })
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
		if kept, before, err = l.write(ctx, changes, l.journal.streakOf(outcomes)); err != nil {
			return err
		}
	}
	l.mu.Lock()
	l.before = l.journal.before(before, outcomes)
	l.mu.Unlock()
	if kept == 0 {
		return ErrLeaseLost
	}
	return nil
}

// StreakBefore returns how rows of the run had failed in a row before the outcomes that this lane
// recorded last, also those that others pushed.
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
