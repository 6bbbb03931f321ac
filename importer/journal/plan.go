package journal

import (
	"context"
	"database/sql"
	"fmt"

	"opscom-import/importer"
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
		if err := r.building.add(row, func() error { return r.storeChunk(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// storePlan is what cannot be done when a plan cannot be stored.
const storePlan = "store the plan of"

const insertChunk = "INSERT INTO chunk (run, chunk, payloads_at, payloads_size, data) VALUES (?, ?, ?, ?, ?)"

// storeChunk stores the chunk that is being built, if it has rows.
func (r *Run) storeChunk(ctx context.Context) error {
	b := &r.building
	if b.rows == 0 {
		return nil
	}
	payloads, err := r.storePayloads()
	if err != nil {
		return r.journal.wrap(fmt.Sprintf("%s run %d", storePlan, r.id), err)
	}
	err = r.change(ctx, storePlan, relaxed, importer.RunPlanning, func(tx *sql.Tx, record *runRecord) error {
		data := seal(b.plan, r.id, b.number, payloads.at, payloads.size)
		_, err := tx.StmtContext(ctx, r.journal.insertChunk).ExecContext(ctx, r.id, b.number, payloads.at, payloads.size, data)
		record.chunks++
		record.planned += int64(b.rows)
		return err
	})
	if err == nil && payloads.size > 0 {
		r.queue = append(r.queue, b.number)
		r.payloadsSize += payloads.size
	}
	b.rows = 0
	return err
}

// storePayloads writes the payloads of the chunk that is being built.
func (r *Run) storePayloads() (section, error) {
	if len(r.building.payloads) == 0 {
		return section{}, nil
	}
	data := seal(r.building.payloads, r.id, r.building.number)
	place := section{at: r.payloadsSize, size: int64(len(data))}
	return place, r.journal.payloadFile(r.id).write(data, place.at)
}

// Amend amends rows that were appended earlier; none is appended after it. It stores
// those first, so that no reader finds an amendment of a row that is missing.
func (r *Run) Amend(ctx context.Context, amendments []importer.Amendment) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.storeChunk(ctx); err != nil {
		return err
	}
	return r.change(ctx, storePlan, relaxed, importer.RunPlanning, func(tx *sql.Tx, record *runRecord) error {
		return r.journal.storeEvents(ctx, tx, record, amendmentEvents(amendments))
	})
}

// SetLineEnded says, before the plan is complete, whether the last line of the file has a
// line end. Seal stores it.
func (r *Run) SetLineEnded(isEnded bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record.LineEnded = isEnded
}

// Seal completes the plan: the run is held, for the given reasons, or is to be
// pushed. The plan is on the disk when it returns.
func (r *Run) Seal(ctx context.Context, state importer.RunState, rows int, held []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if state != importer.RunHeld && state != importer.RunPushing {
		return fmt.Errorf("complete the plan: a plan cannot become %s", state)
	}
	if err := r.storeChunk(ctx); err != nil {
		return err
	}
	return r.change(ctx, storePlan, durable, importer.RunPlanning, func(_ *sql.Tx, record *runRecord) error {
		if r.payloadsSize > 0 {
			if err := r.journal.payloadFile(r.id).sync(); err != nil {
				return err
			}
		}
		record.State, record.Rows, record.Held = state, rows, held
		return nil
	})
}
