package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"

	"opscom-import/importer"
)

// A slice's plan comes first, then the verdicts on it in their order. Both tables
// are read along their index, so nothing is sorted or kept.
const selectSlices = `SELECT slice, 0 AS seq, payloads_at, payloads_size, data FROM slice WHERE run = ?1 AND slice BETWEEN ?2 AND ?3
	UNION ALL SELECT slice, seq, 0, 0, data FROM verdict WHERE run = ?1 AND slice BETWEEN ?2 AND ?3 ORDER BY slice, seq`

// project calls visit with each slice of the run in row order, plan and verdicts
// brought together. It keeps one slice in memory; visit must not keep it. That
// nothing is missing is known, and reported, at the end.
func (r *runRecord) project(ctx context.Context, q querier, visit func(*slice) error) error {
	rows, err := q.QueryContext(ctx, selectSlices, r.ID, 0, sliceOf(math.MaxInt))
	if err != nil {
		return err
	}
	s := newSlice()
	found, err := r.readSlices(rows, s, func() error { return visit(s) })
	if err == nil && (found.slices != r.slices || found.planned != r.planned || found.verdicts != r.verdicts) {
		err = fmt.Errorf("%w: run %d has %d of %d rows", errDamaged, r.ID, found.planned, r.planned)
	}
	return err
}

// readSlices reads slices into s, one after the other, and calls visit when s is
// complete. It counts what it finds.
func (r *runRecord) readSlices(rows *sql.Rows, s *slice, visit func() error) (found runRecord, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var number, seq int64
		var payloads section
		var data sql.RawBytes
		if err := rows.Scan(&number, &seq, &payloads.at, &payloads.size, &data); err != nil {
			return found, err
		}
		if seq == 0 {
			if found.slices > 0 {
				if err := visit(); err != nil {
					return found, err
				}
			}
			if err := s.read(r.ID, number, payloads, data); err != nil {
				return found, err
			}
			found.slices++
			found.planned += int64(len(s.rows))
			continue
		}
		if found.slices == 0 || number != s.number {
			return found, errDamaged // verdicts on a slice that is not there
		}
		found.verdicts++
		if err := readVerdicts(r.ID, number, seq, data, s.apply); err != nil {
			return found, err
		}
	}
	if err := rows.Err(); err != nil || found.slices == 0 {
		return found, err
	}
	return found, visit()
}

// apply takes a verdict on one of the slice's rows into account.
func (s *slice) apply(v *verdict) error {
	row := s.row(byte(v.Row % sliceRows))
	if row == nil {
		return errDamaged
	}
	row.apply(v)
	return nil
}

// errEnough ends a projection early.
var errEnough = errors.New("enough")

// Results yields one line a row, in row order: the plan's verdict, or the outcome
// of the push. It is one state of the run, whatever is recorded meanwhile. An
// error comes last; the lines before it are right, but not all.
func (r *Run) Results(ctx context.Context) iter.Seq2[importer.Result, error] {
	return func(yield func(importer.Result, error) bool) {
		err := r.journal.view(ctx, fmt.Sprintf("read the results of run %d", r.id), func(tx *sql.Tx) error {
			record, err := loadRun(ctx, tx, r.id)
			if err != nil {
				return err
			}
			return record.project(ctx, tx, func(s *slice) error {
				for i := range s.rows {
					if !yield(s.rows[i].result(record.claimed), nil) {
						return errEnough
					}
				}
				return nil
			})
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(importer.Result{}, err)
		}
	}
}

// Counts returns the number of rows by status, as [Run.Results] would show them,
// and the number of requests sent for them.
func (r *Run) Counts(ctx context.Context) (counts importer.Counts, attempts int, err error) {
	counts = importer.Counts{}
	err = r.journal.view(ctx, fmt.Sprintf("count the rows of run %d", r.id), func(tx *sql.Tx) error {
		record, err := loadRun(ctx, tx, r.id)
		if err != nil {
			return err
		}
		counts, attempts, err = record.counts(ctx, tx)
		return err
	})
	return counts, attempts, err
}

func (r *runRecord) counts(ctx context.Context, q querier) (counts importer.Counts, attempts int, err error) {
	counts = importer.Counts{}
	err = r.project(ctx, q, func(s *slice) error {
		for i := range s.rows {
			line := s.rows[i].result(r.claimed)
			counts[line.Status]++
			attempts += line.Attempts
		}
		return nil
	})
	return counts, attempts, err
}
