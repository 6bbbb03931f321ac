package journal

import (
	"context"
	"database/sql"
	"fmt"

	"opscom-import/importer"
)

// Claim returns the next pending rows, at most max, in row order, and none when
// none is left. That they may have been sent is on the disk before it returns. A
// row is claimed once between Start (or Seal) and Stop.
func (r *Run) Claim(ctx context.Context, max int) ([]importer.Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.record.require(importer.RunPushing); err != nil {
		return nil, err
	}
	for len(r.ready) < max && len(r.queue) > 0 {
		jobs, err := r.load(ctx, r.queue[0])
		if err != nil {
			return nil, r.journal.wrap(fmt.Sprintf("read the plan of run %d", r.id), err)
		}
		r.ready = append(r.ready, jobs...)
		r.queue = r.queue[1:]
	}
	claimed := r.ready[:min(max, len(r.ready))]
	if len(claimed) == 0 {
		return nil, nil
	}
	err := r.change(ctx, "claim rows of", durable, importer.RunPushing, func(tx *sql.Tx, record *runRecord) error {
		return r.journal.storeClaim(ctx, tx, record, claimed)
	})
	if err != nil {
		return nil, err
	}
	r.ready = r.ready[len(claimed):]
	return claimed[:len(claimed):len(claimed)], nil
}

// storeClaim records that the rows may have been sent: for those that are claimed
// for the first time by moving the mark, for the others one by one, because their
// last outcome no longer holds.
func (j *Journal) storeClaim(ctx context.Context, tx *sql.Tx, record *runRecord, claimed []importer.Job) error {
	var again []event
	for _, job := range claimed {
		if job.Row <= record.claimed {
			again = append(again, unknown(job.Row))
		}
	}
	record.claimed = max(record.claimed, claimed[len(claimed)-1].Row)
	return j.storeEvents(ctx, tx, record, again)
}

// load reads the pending rows of a chunk, with their payloads.
func (r *Run) load(ctx context.Context, number int64) (jobs []importer.Job, err error) {
	if r.loading == nil {
		r.loading = new(chunk)
	}
	rows, err := r.journal.selectChunks.QueryContext(ctx, r.id, number, number)
	_, err = r.record.readChunks(rows, err, r.loading, func() (err error) {
		if r.loading.payloads.size > 0 {
			jobs, err = r.journal.payloadFile(r.id).read(r.id, r.loading)
		}
		return err
	})
	return jobs, err
}

// Record stores the outcomes of claimed rows. They are on the disk when it returns.
// The attempts of a row that is pushed again add up.
func (r *Run) Record(ctx context.Context, outcomes []importer.Outcome) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(outcomes) == 0 {
		return nil
	}
	events := make([]event, len(outcomes))
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
