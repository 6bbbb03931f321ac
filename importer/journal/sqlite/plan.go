package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// Append adds rows, in rising order, to the plan; a few hundred a call cost the
// least. It does not keep the slice. The rows are only sure to last once the plan
// is sealed: until then a crash loses the run.
func (r *Run) Append(ctx context.Context, rows []importer.PlannedRow) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.record.require(importer.RunPlanning); err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		if row.Row <= r.lastRow {
			return fmt.Errorf("store the plan: row %d comes after row %d", row.Row, r.lastRow)
		}
		r.lastRow = row.Row
		if err := r.building.Add(row, r.completeChunk); err != nil {
			return err
		}
	}
	if len(r.complete) < planBatch {
		return nil
	}
	return r.changePlan(ctx, relaxed, func(*sql.Tx, *runRecord) error { return nil })
}

// storePlan is what cannot be done when a plan cannot be stored.
const storePlan = "store the plan of"

const insertChunk = "INSERT INTO chunk (run, chunk, payloads_at, payloads_size, data) VALUES (?, ?, ?, ?, ?)"

// plannedChunk is a complete chunk of the plan that is not stored yet.
type plannedChunk struct {
	number   int64
	rows     int
	payloads format.Section
	data     []byte
}

// planBatch is how many chunks are stored in one transaction, which costs as much as
// a chunk does.
const planBatch = 8

// completeChunk completes the chunk that is being built, if it has rows, and writes
// its payloads.
func (r *Run) completeChunk() error {
	b := &r.building
	if b.Rows == 0 {
		return nil
	}
	payloads, err := r.storePayloads()
	if err != nil {
		return r.journal.wrap(fmt.Sprintf("%s run %d", storePlan, r.id), err)
	}
	r.payloadsSize += payloads.Size
	data := format.Seal(slices.Clone(b.Plan), r.id, b.Number, payloads.At, payloads.Size)
	r.complete = append(r.complete, plannedChunk{b.Number, b.Rows, payloads, data})
	b.Rows = 0
	return nil
}

// storePayloads writes the payloads of the chunk that is being built.
func (r *Run) storePayloads() (format.Section, error) {
	if len(r.building.Payloads) == 0 {
		return format.Section{}, nil
	}
	r.building.Payloads = format.Seal(r.building.Payloads, r.id, r.building.Number)
	place := format.Section{At: r.payloadsSize, Size: int64(len(r.building.Payloads))}
	return place, r.journal.payloadFile(r.id).write(r.building.Payloads, place.At)
}

// changePlan stores the complete chunks, and applies another change to the plan, in
// one transaction.
func (r *Run) changePlan(ctx context.Context, d durability, apply func(tx *sql.Tx, record *runRecord) error) error {
	err := r.change(ctx, storePlan, d, importer.RunPlanning, func(tx *sql.Tx, record *runRecord) error {
		insert := tx.StmtContext(ctx, r.journal.insertChunk)
		for _, c := range r.complete {
			if _, err := insert.ExecContext(ctx, r.id, c.number, c.payloads.At, c.payloads.Size, c.data); err != nil {
				return err
			}
			record.Chunks++
			record.Planned += int64(c.rows)
		}
		return apply(tx, record)
	})
	if err != nil {
		return err
	}
	for _, c := range r.complete {
		if c.payloads.Size > 0 {
			r.queue = append(r.queue, c.number)
		}
	}
	r.complete = r.complete[:0]
	return nil
}

// Amend amends rows that were appended earlier; none is appended after it. It stores
// those first, so that no reader finds an amendment of a row that is missing. Rounds are
// given to rows in rising order.
func (r *Run) Amend(ctx context.Context, amendments []importer.Amendment) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.completeChunk(); err != nil {
		return err
	}
	err := r.changePlan(ctx, relaxed, func(tx *sql.Tx, record *runRecord) error {
		return r.journal.storeEvents(ctx, tx, record, format.AmendmentEvents(amendments))
	})
	if err != nil {
		return err
	}
	for i := range amendments {
		if a := &amendments[i]; a.Round > 0 {
			format.AddToRound(r.later, a.Round, format.ChunkOf(a.Row))
		}
	}
	return nil
}

// SetLineEnded says, before the plan is complete, whether the last line of the file has a
// line end. Seal stores it.
func (r *Run) SetLineEnded(isEnded bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record.LineEnded = isEnded
}

// SetLeavers says, before the plan is complete, whom it takes for leavers. Seal stores it.
func (r *Run) SetLeavers(leavers *importer.Leavers) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record.Leavers = leavers
}

// Seal completes the plan: the run is held, for the given reasons, or is to be
// pushed. The plan is on the disk when it returns.
func (r *Run) Seal(ctx context.Context, state importer.RunState, rows int, held []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if state != importer.RunHeld && state != importer.RunPushing {
		return fmt.Errorf("complete the plan: a plan cannot become %s", state)
	}
	if err := r.completeChunk(); err != nil {
		return err
	}
	return r.changePlan(ctx, durable, func(_ *sql.Tx, record *runRecord) error {
		if r.payloadsSize > 0 {
			if err := r.journal.payloadFile(r.id).sync(); err != nil {
				return err
			}
		}
		record.State, record.Rows, record.Held = state, rows, held
		return nil
	})
}
