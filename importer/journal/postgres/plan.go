package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// plan is the plan of a run while it is made.
type plan struct {
	building format.ChunkBuilder // appended rows that are not encrypted yet
	lastRow  int                 // the last that was appended

	chunks, payloads, states [][]any // rows of the tables that are not stored yet

	stored  int             // chunks, those that are not stored yet included
	planned int64           // rows in them
	events  map[int64]int   // records of amendments by chunk
	rounds  map[int64][]int // rounds of the chunks that have others than the first
}

// planBatch is how many chunks are stored in one transaction: some 16,000 rows, two to three
// megabytes.
const planBatch = 64

// errDiscarded says that a plan cannot go on.
var errDiscarded = errors.New("another process has taken it for abandoned, or the database has lost it; run the command again")

// Append adds rows, in rising order, to the plan. It does not keep the slice. The rows are only
// sure to last once the plan is sealed.
func (r *Run) Append(ctx context.Context, rows []importer.PlannedRow) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.record.require(importer.RunPlanning); err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		if row.Row <= r.plan.lastRow {
			return fmt.Errorf("store the plan: row %d comes after row %d", row.Row, r.plan.lastRow)
		}
		r.plan.lastRow = row.Row
		if err := r.plan.building.Add(row, r.completeChunk); err != nil {
			return err
		}
	}
	if len(r.plan.chunks) < planBatch {
		return nil
	}
	return r.changePlan(ctx, func(pgx.Tx) error { return nil })
}

// completeChunk encrypts the chunk that is being built, if it has rows.
func (r *Run) completeChunk() error {
	p, b := &r.plan, &r.plan.building
	if b.Rows == 0 {
		return nil
	}
	waiting := []int{}
	if len(b.Payloads) > 0 {
		b.Payloads = format.Seal(b.Payloads, r.id, b.Number)
		p.payloads = append(p.payloads, []any{r.record.night, r.id, b.Number, r.payloads.Seal(nil, b.Payloads, r.id, b.Number, placeOfPayloads)})
		waiting = []int{0}
	}
	b.Plan = format.Seal(b.Plan, r.id, b.Number, 0, 0)
	p.chunks = append(p.chunks, []any{r.record.night, r.id, b.Number, r.journal.keys.Seal(nil, b.Plan, r.id, b.Number, placeOfPlan)})
	p.states = append(p.states, []any{r.id, b.Number, waiting})
	p.stored++
	p.planned += int64(b.Rows)
	b.Rows = 0
	return nil
}

// changePlan stores the complete chunks, and applies another change to the plan, in one
// transaction. Until the plan is sealed nothing waits for the disk.
func (r *Run) changePlan(ctx context.Context, apply func(tx pgx.Tx) error) error {
	p := &r.plan
	err := r.journal.update(ctx, fmt.Sprintf("store the plan of run %d", r.id), func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "SELECT FROM opscom.run WHERE id = $1 AND state = 'planning' AND timeline = $2 AND timeline = opscom.timeline() FOR KEY SHARE", r.id, r.record.timeline)
		if err == nil && tag.RowsAffected() == 0 {
			err = errDiscarded
		}
		if err != nil {
			return err
		}
		for _, table := range []struct {
			name    string
			columns []string
			rows    [][]any
		}{
			{"chunk", []string{"night", "run", "chunk", "data"}, p.chunks},
			{"payload", []string{"night", "run", "chunk", "data"}, p.payloads},
			{"chunk_state", []string{"run", "chunk", "rounds"}, p.states},
		} {
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{schema, table.name}, table.columns, pgx.CopyFromRows(table.rows)); err != nil {
				return err
			}
		}
		return apply(tx)
	})
	if err == nil {
		clear(p.chunks)
		clear(p.payloads)
		clear(p.states)
		p.chunks, p.payloads, p.states = p.chunks[:0], p.payloads[:0], p.states[:0]
	}
	return err
}

// Amend amends rows that were appended earlier; none is appended after it.
func (r *Run) Amend(ctx context.Context, amendments []importer.Amendment) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.record.require(importer.RunPlanning); err != nil {
		return err
	}
	if err := r.completeChunk(); err != nil {
		return err
	}
	if r.plan.events == nil {
		r.plan.events, r.plan.rounds = map[int64]int{}, map[int64][]int{}
	}
	var records [][]any
	var chunks []int64
	err := format.PackEvents(format.AmendmentEvents(amendments), func(chunk int64, data []byte) error {
		seq := r.plan.events[chunk] + 1
		records = append(records, []any{r.record.night, r.id, chunk, seq, r.journal.sealEvents(r.id, chunk, seq, data)})
		chunks = append(chunks, chunk)
		return nil
	})
	if err != nil {
		return err
	}
	err = r.changePlan(ctx, func(tx pgx.Tx) error {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{schema, "event"}, []string{"night", "run", "chunk", "seq", "data"}, pgx.CopyFromRows(records)); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "UPDATE opscom.chunk_state SET events = events + 1 WHERE run = $1 AND chunk = ANY($2)", r.id, chunks)
		if err == nil && tag.RowsAffected() != int64(len(chunks)) {
			err = fmt.Errorf("%w: amended rows are missing", format.ErrDamaged)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, chunk := range chunks {
		r.plan.events[chunk]++
	}
	for i := range amendments {
		a := &amendments[i]
		if chunk := format.ChunkOf(a.Row); a.Round > 0 && !slices.Contains(r.plan.rounds[chunk], a.Round) {
			r.plan.rounds[chunk] = append(r.plan.rounds[chunk], a.Round)
		}
	}
	return nil
}

// sealEvents returns a record of events as it is stored.
func (j *Journal) sealEvents(run, chunk int64, seq int, data []byte) []byte {
	return j.keys.Seal(nil, format.Seal(data, run, chunk, int64(seq)), run, chunk, int64(seq))
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

// Seal completes the plan: the run is held, for the given reasons, or is to be pushed. The
// plan is on the disk when it returns, as a whole.
func (r *Run) Seal(ctx context.Context, state importer.RunState, rows int, held []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if state != importer.RunHeld && state != importer.RunPushing {
		return fmt.Errorf("complete the plan: a plan cannot become %s", state)
	}
	if err := r.record.require(importer.RunPlanning); err != nil {
		return err
	}
	if err := r.completeChunk(); err != nil {
		return err
	}
	if len(r.plan.chunks) > 0 {
		if err := r.changePlan(ctx, func(pgx.Tx) error { return nil }); err != nil {
			return err
		}
	}
	lineEnded, leavers, timeline := r.record.LineEnded, r.record.Leavers, r.record.timeline
	err := r.change(ctx, "store the plan of", func(tx pgx.Tx, record *runRecord, again bool) error {
		if again && record.State == state {
			return nil
		}
		if again && state == importer.RunPushing && record.hasEnded() {
			record.State = state // others have pushed it since, which shows when it is looked at
			return nil
		}
		if err := record.require(importer.RunPlanning); err != nil {
			return err
		}
		if record.isMoved || record.timeline != timeline {
			return errDiscarded
		}
		if err := r.sealChunks(ctx, tx); err != nil {
			return err
		}
		record.State, record.Rows, record.Held, record.LineEnded, record.Leavers = state, rows, held, lineEnded, leavers
		record.chunks, record.planned = r.plan.stored, r.plan.planned
		if _, err := tx.Exec(ctx, "UPDATE opscom.run SET chunks = $2, planned = $3 WHERE id = $1", r.id, record.chunks, record.planned); err != nil {
			return err
		}
		if state == importer.RunPushing {
			return r.push(ctx, tx, record)
		}
		return record.save(ctx, tx)
	})
	if errors.Is(err, journal.ErrNoRun) {
		err = fmt.Errorf("store the plan of run %d: %w", r.id, errDiscarded)
	}
	if err == nil {
		r.plan = plan{}
	}
	return err
}

// sealChunks completes where the chunks stand, and makes sure that the database has lost none
// of them: they did not wait for the disk.
func (r *Run) sealChunks(ctx context.Context, tx pgx.Tx) error {
	for chunk, rounds := range r.plan.rounds {
		if !slices.Contains(rounds, 0) {
			r.plan.rounds[chunk] = append(rounds, 0) // if it has no row of it, that is soon noticed
		}
	}
	if err := storeRounds(ctx, tx, r.id, r.plan.rounds); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE opscom.chunk_state SET resumed = events WHERE run = $1 AND events > 0", r.id); err != nil {
		return err
	}
	amended := 0
	for _, n := range r.plan.events {
		amended += n
	}
	var chunks, states, events int
	err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM opscom.chunk WHERE night = $1 AND run = $2),
		(SELECT count(*) FROM opscom.chunk_state WHERE run = $2), (SELECT count(*) FROM opscom.event WHERE night = $1 AND run = $2)`,
		r.record.night, r.id).Scan(&chunks, &states, &events)
	if err == nil && (chunks != r.plan.stored || states != chunks || events != amended) {
		err = errDiscarded
	}
	return err
}
