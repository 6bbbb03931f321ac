package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// runRecord is a run as it is stored.
type runRecord struct {
	importer.RunInfo
	night      time.Time // of its partitions
	target     int64
	reason     string  // why it was stopped
	stopping   *string // why it is about to be; nil: it is not
	chunks     int     // number of chunks stored; known once the plan is complete
	planned    int64   // number of rows in them, likewise
	timeline   string  // when the run was last looked at
	isMoved    bool    // another timeline has begun since then
	payloadKey []byte  // encrypted; nil: the run is over
}

// querier is a pool or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// The timeline is asked for once, which reads a file of the server, and not for each of 27,000 runs.
const selectRun = `SELECT run.id, run.client, target.name, run.source, run.file_hash, run.mapping_hash, run.state, run.rows, run.held, run.reports,
	run.started_at, run.finished_at, run.night, run.target, run.reason, run.stopping, run.chunks, run.planned, run.timeline,
	coalesce(run.timeline <> (SELECT opscom.timeline()), false), run.payload_key
	FROM opscom.run JOIN opscom.target ON target.id = run.target `

// loadRuns returns the runs that the condition selects; it is SQL, with what may follow a
// condition.
func loadRuns(ctx context.Context, q querier, condition string, args ...any) ([]runRecord, error) {
	rows, err := q.Query(ctx, selectRun+condition, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r runRecord, err error) {
		var held, reports []byte
		var finished *time.Time
		err = row.Scan(&r.ID, &r.Client, &r.Target, &r.Source, &r.FileHash, &r.MappingHash, &r.State, &r.Rows, &held, &reports,
			&r.StartedAt, &finished, &r.night, &r.target, &r.reason, &r.stopping, &r.chunks, &r.planned, &r.timeline, &r.isMoved, &r.payloadKey)
		if err != nil {
			return r, err
		}
		r.Source, r.StartedAt, r.FinishedAt = format.PathOf(r.Source), r.StartedAt.UTC(), timeOf(finished)
		return r, format.ReadRun(&r.RunInfo, held, reports)
	})
}

// loadRun returns the run of that number. When states are given, a run that is in none of
// them is a *StateError.
func loadRun(ctx context.Context, q querier, id int64, states ...importer.RunState) (runRecord, error) {
	runs, err := loadRuns(ctx, q, "WHERE run.id = $1", id)
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

// require returns an error unless the run is in one of the states.
func (r *runRecord) require(states ...importer.RunState) error {
	return journal.RequireState(&r.RunInfo, states...)
}

// save stores the members of a run that change, but for chunks, planned, timeline and key.
func (r *runRecord) save(ctx context.Context, q querier) error {
	held, reports, err := format.PackRun(&r.RunInfo)
	if err != nil {
		return err
	}
	tag, err := q.Exec(ctx, "UPDATE opscom.run SET state = $2, rows = $3, held = $4, reports = $5, finished_at = $6, reason = $7, stopping = $8 WHERE id = $1",
		r.ID, r.State, r.Rows, held, reports, orNull(r.FinishedAt), r.reason, r.stopping)
	if err == nil && tag.RowsAffected() == 0 {
		err = journal.ErrNoRun
	}
	return err
}

// orNull returns a time as it is stored: NULL for no time.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
