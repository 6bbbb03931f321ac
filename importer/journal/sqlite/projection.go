package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// A chunk's plan comes first, then the events on it in their order. Both tables are
// read along their index, so nothing is sorted or kept.
const selectChunks = `SELECT chunk, 0 AS seq, payloads_at, payloads_size, data FROM chunk WHERE run = ?1 AND chunk BETWEEN ?2 AND ?3
	UNION ALL SELECT chunk, seq, 0, 0, data FROM event WHERE run = ?1 AND chunk BETWEEN ?2 AND ?3 ORDER BY chunk, seq`

// project calls visit with each chunk of the run in row order, plan and events
// brought together. It keeps one chunk in memory; visit must not keep it. Whether
// anything is missing is known, and reported, at the end.
func (r *runRecord) project(ctx context.Context, q querier, visit func(*format.Chunk) error) error {
	rows, err := q.QueryContext(ctx, selectChunks, r.ID, 0, format.ChunkOf(math.MaxInt))
	c := new(format.Chunk)
	found, err := r.readChunks(rows, err, c, func() error { return visit(c) })
	if err == nil && found != r.Tally {
		err = fmt.Errorf("%w: run %d has %d of %d rows", format.ErrDamaged, r.ID, found.Planned, r.Tally.Planned)
	}
	return err
}

// readChunks reads the chunks that a query selected into c, one after the other,
// and calls visit when c is complete. It counts what it finds.
func (r *runRecord) readChunks(rows *sql.Rows, err error, c *format.Chunk, visit func() error) (found format.Tally, _ error) {
	assembler := format.Assembler{Run: r.ID, Chunk: c, Visit: visit}
	err = eachRow(rows, err, func() error {
		var number, seq int64
		var payloads format.Section
		var data sql.RawBytes
		if err := rows.Scan(&number, &seq, &payloads.At, &payloads.Size, &data); err != nil {
			return err
		}
		if seq > 0 {
			return assembler.AddEvents(number, seq, data)
		}
		return assembler.AddPlan(number, payloads, data)
	})
	if err == nil {
		err = assembler.End()
	}
	return assembler.Found, err
}

// Results yields one line a row, in row order: the plan, or the outcome of the push.
// It shows one state of the run, even if more is recorded meanwhile. An error comes
// last: the lines before it are right, but not complete.
func (r *Run) Results(ctx context.Context) iter.Seq2[importer.Result, error] {
	return format.Sequence(func(visit func(importer.Result) error) error {
		return r.eachResult(ctx, fmt.Sprintf("read the results of run %d", r.id), visit)
	})
}

// Counts returns the number of rows by status, as [Run.Results] would show them,
// and the number of requests sent for them.
func (r *Run) Counts(ctx context.Context) (counts importer.Counts, attempts int, err error) {
	return format.Count(func(visit func(importer.Result) error) error {
		return r.eachResult(ctx, fmt.Sprintf("count the rows of run %d", r.id), visit)
	})
}

func (r *Run) eachResult(ctx context.Context, action string, visit func(importer.Result) error) error {
	var counted openRows
	err := r.journal.view(ctx, action, func(tx *sql.Tx) error {
		record, err := loadRun(ctx, tx, r.id)
		if err != nil {
			return err
		}
		counted.asOf = &record
		return record.eachResult(ctx, tx, func(line importer.Result) error {
			counted.rows += format.OpenRow(&line)
			return visit(line)
		})
	})
	if err == nil {
		r.mu.Lock()
		r.counted = counted // spares Finish reading them again
		r.mu.Unlock()
	}
	return err
}

func (r *runRecord) eachResult(ctx context.Context, q querier, visit func(importer.Result) error) error {
	return r.project(ctx, q, func(c *format.Chunk) error {
		for row := range c.All {
			if err := visit(row.Result(r.claimed)); err != nil {
				return err
			}
		}
		return nil
	})
}
