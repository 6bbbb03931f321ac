package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// Work calls push: nobody else works on the run.
func (r *Run) Work(ctx context.Context, push func(ctx context.Context) error) error {
	return push(ctx)
}

// Claim returns the next pending rows of a round, at most max, in row order, and none
// when it has no more. That they may have been sent is on the disk before it returns. A
// row is claimed once between Start (or Seal) and Stop.
func (r *Run) Claim(ctx context.Context, max int) ([]importer.Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.record.require(importer.RunPushing); err != nil {
		return nil, err
	}
	for len(r.ready) < max && len(r.queue) > 0 {
		next := r.nextChunks(max - len(r.ready))
		if err := r.load(ctx, next); err != nil {
			return nil, r.journal.wrap(fmt.Sprintf("read the plan of run %d", r.id), err)
		}
		r.queue = r.queue[len(next):]
	}
	claimed := r.ready[:min(max, len(r.ready))]
	if len(claimed) == 0 {
		return nil, nil
	}
	err := r.change(ctx, "claim rows of", durable, importer.RunPushing, func(tx *sql.Tx, record *runRecord) error {
		return r.journal.storeClaim(ctx, tx, record, r.round, claimed)
	})
	if err != nil {
		return nil, err
	}
	r.ready = r.ready[len(claimed):]
	return claimed[:len(claimed):len(claimed)], nil
}

// NextRound begins the next round that has pending rows, and reports whether there is one.
func (r *Run) NextRound() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.later) == 0 {
		return false
	}
	r.round = slices.Min(slices.Collect(maps.Keys(r.later)))
	r.queue = r.later[r.round]
	delete(r.later, r.round)
	return true
}

// storeClaim records that the rows may have been sent: for those of the first round that
// are claimed for the first time by moving the mark, for the others one by one, because
// the mark says nothing of them, or their last outcome no longer holds.
func (j *Journal) storeClaim(ctx context.Context, tx *sql.Tx, record *runRecord, round int, claimed []importer.Job) error {
	var again []format.Event
	for _, job := range claimed {
		if round > 0 || job.Row <= record.claimed {
			again = append(again, format.Unknown(job.Row))
		}
	}
	record.claimed = max(record.claimed, claimed[len(claimed)-1].Row)
	return j.storeEvents(ctx, tx, record, again)
}

// loadBatch is how many chunks are read in one query, those between them that have no
// pending row included.
const loadBatch = 8

// nextChunks returns the chunks of the queue to load for that many rows.
func (r *Run) nextChunks(rows int) []int64 {
	n := 1
	for n < len(r.queue) && n*format.ChunkRows < rows && r.queue[n]-r.queue[0] < loadBatch {
		n++
	}
	return r.queue[:n]
}

// load makes the pending rows of some chunks ready, with their payloads.
func (r *Run) load(ctx context.Context, chunks []int64) (err error) {
	if r.loading == nil {
		r.loading = new(format.Chunk)
	}
	file, err := r.journal.payloadFile(r.id).open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	rows, err := r.journal.selectChunks.QueryContext(ctx, r.id, chunks[0], chunks[len(chunks)-1])
	ready := r.ready
	_, err = r.record.readChunks(rows, err, r.loading, func() error {
		if !slices.Contains(chunks, r.loading.Number) {
			return nil // nothing of it is pending
		}
		jobs, err := readJobs(file, r.id, r.round, r.loading)
		ready = append(ready, jobs...)
		return err
	})
	if err == nil {
		r.ready = ready
	}
	return err
}

// Record stores the outcomes of claimed rows. They are on the disk when it returns.
// The attempts of a row that is pushed again add up.
func (r *Run) Record(ctx context.Context, outcomes []importer.Outcome) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(outcomes) == 0 {
		return nil
	}
	events := make([]format.Event, len(outcomes))
	for i := range outcomes {
		if outcomes[i].Row > r.record.claimed {
			return fmt.Errorf("record the outcomes of run %d: row %d was never claimed", r.id, outcomes[i].Row)
		}
		events[i].Outcome = outcomes[i]
	}
	return r.change(ctx, "record the outcomes of", durable, importer.RunPushing, func(tx *sql.Tx, record *runRecord) error {
		return r.journal.storeEvents(ctx, tx, record, events)
	})
}
