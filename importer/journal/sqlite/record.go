package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// runRecord is a run as it is stored.
type runRecord struct {
	importer.RunInfo
	format.Tally
	claimed int // every pending row up to this one may have been sent
}

// isOver reports whether the run is finished or replaced: nothing of it is left to do, and
// it has no payloads.
func (r *runRecord) isOver() bool {
	return r.State == importer.RunFinished || r.State == importer.RunSuperseded
}

// querier is a database or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

const selectRun = `SELECT run.id, client, target.name, source, file_hash, mapping_hash, state, rows, held, reports,
	started_at, finished_at, chunks, planned, claimed, events, run.sum
	FROM run JOIN target ON target.id = run.target `

// eachRow calls visit for each row that a query returned, and closes the rows. err is
// the query's.
func eachRow(rows *sql.Rows, err error, visit func() error) error {
	if err != nil {
		return err
	}
	for err == nil && rows.Next() {
		err = visit()
	}
	return errors.Join(err, rows.Err(), rows.Close())
}

// loadRuns returns the runs that the condition selects; it is SQL, with what may
// follow a condition.
func loadRuns(ctx context.Context, q querier, condition string, args ...any) (runs []runRecord, err error) {
	rows, err := q.QueryContext(ctx, selectRun+condition, args...)
	err = eachRow(rows, err, func() error {
		var r runRecord
		var held, reports string
		var started, finished int64
		var sum uint32
		err := rows.Scan(&r.ID, &r.Client, &r.Target, &r.Source, &r.FileHash, &r.MappingHash, &r.State, &r.Rows, &held,
			&reports, &started, &finished, &r.Chunks, &r.Planned, &r.claimed, &r.Events, &sum)
		if err != nil {
			return err
		}
		r.StartedAt, r.FinishedAt = format.TimeOf(started), format.TimeOf(finished)
		if sum != r.checksum(held, reports) {
			return fmt.Errorf("%w: run %d", format.ErrDamaged, r.ID)
		}
		if err := format.ReadRun(&r.RunInfo, []byte(held), []byte(reports)); err != nil {
			return err
		}
		runs = append(runs, r)
		return nil
	})
	return runs, err
}

// loadRun returns the run of that number. When states are given, a run that is in
// none of them is a *StateError.
func loadRun(ctx context.Context, q querier, id int64, states ...importer.RunState) (runRecord, error) {
	runs, err := loadRuns(ctx, q, "WHERE run.id = ?", id)
	switch {
	case err != nil:
		return runRecord{}, err
	case len(runs) == 0:
		return runRecord{}, journal.ErrNoRun
	case len(states) > 0:
		err = runs[0].require(states...)
	}
	return runs[0], err
}

// insert stores a new run and gives it its number.
func (j *Journal) insert(ctx context.Context, tx *sql.Tx, r *runRecord) error {
	target, err := ensureTarget(ctx, tx, r.Target)
	if err != nil {
		return err
	}
	r.Target = target.name // as it will be read again
	result, err := tx.ExecContext(ctx, `INSERT INTO run (target, client, source, file_hash, mapping_hash, state, rows, held, reports,
		started_at, finished_at, chunks, planned, claimed, events, sum) VALUES (?, ?, ?, ?, ?, '', 0, '', '', ?, 0, 0, 0, 0, 0, 0)`,
		target.id, r.Client, r.Source, r.FileHash, r.MappingHash, format.MicroOf(r.StartedAt))
	if err != nil {
		return err
	}
	if r.ID, err = result.LastInsertId(); err != nil {
		return err
	}
	return j.save(ctx, tx, r)
}

const updateRun = `UPDATE run SET state = ?, rows = ?, held = ?, reports = ?, finished_at = ?,
	chunks = ?, planned = ?, claimed = ?, events = ?, sum = ? WHERE id = ?`

// save stores the members of a run that change.
func (j *Journal) save(ctx context.Context, tx *sql.Tx, r *runRecord) error {
	held, reports, err := format.PackRun(&r.RunInfo)
	if err != nil {
		return err
	}
	result, err := tx.StmtContext(ctx, j.updateRun).ExecContext(ctx, r.State, r.Rows, string(held), string(reports),
		format.MicroOf(r.FinishedAt), r.Chunks, r.Planned, r.claimed, r.Events, r.checksum(string(held), string(reports)), r.ID)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return journal.ErrNoRun
}

func (r *runRecord) checksum(held, reports string) uint32 {
	body := format.AppendTexts(nil, r.Client, r.Target, r.Source, r.FileHash, r.MappingHash, string(r.State), held, reports)
	for _, n := range [...]int64{int64(r.Rows), format.MicroOf(r.StartedAt), format.MicroOf(r.FinishedAt), r.Chunks, r.Planned, int64(r.claimed), r.Events} {
		body = binary.AppendVarint(body, n)
	}
	return format.Checksum(body, r.ID)
}
