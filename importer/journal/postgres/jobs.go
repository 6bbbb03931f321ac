package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// mostJobRuns is how many runs of a job are remembered.
const mostJobRuns = 1000

// BeginJobRun stores a run of a job that begins now, and returns its number. Of the oldest
// runs of the job, those beyond the newest 1,000 are forgotten, unless one is in progress, is
// held or will be tried again.
func (j *Journal) BeginJobRun(ctx context.Context, r importer.JobRun) (id int64, err error) {
	err = j.update(ctx, "begin a run of job "+r.Job, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO opscom.job_run (job, host, file, file_hash, folder, due_at, begun_at, started_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id`, r.Job, r.Host, format.PathText(r.File), r.FileHash, format.PathText(r.Folder), orNull(r.DueAt), r.StartedAt).Scan(&id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM opscom.job_run WHERE job = $1 AND exit NOT IN ($2, $3) AND NOT retry AND id <=
			(SELECT id FROM opscom.job_run WHERE job = $1 ORDER BY id DESC OFFSET $4 LIMIT 1)`, r.Job, importer.NotEnded, importer.ExitOfHeld, mostJobRuns)
		return err
	})
	return id, err
}

// RestartJobRun stores that the work on the file begins once more.
func (j *Journal) RestartJobRun(ctx context.Context, id int64, at time.Time) error {
	return j.update(ctx, "begin a job's run again", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE opscom.job_run SET starts = CASE exit WHEN $2 THEN starts + 1 ELSE 1 END, started_at = $3, exit = $2,
			problem = '', retry = false, told = false, ended_at = NULL WHERE id = $1`, id, importer.NotEnded, at)
		return err
	})
}

// EndJobRun stores how a run of a job ended: its Run, Exit, Counts, Problem, Retry, IsTold
// and EndedAt. It may be called again, as when people were told. relocate is where the run's
// file and reports will lie, nil where they stay: the caller moves Folder there afterwards,
// which can be repeated.
func (j *Journal) EndJobRun(ctx context.Context, r importer.JobRun, relocate *importer.Relocation) error {
	counts, err := json.Marshal(r.Counts)
	if err != nil {
		return err
	}
	folder := r.Folder
	if relocate != nil {
		folder = relocate.To
	}
	return j.update(ctx, "end a run of job "+r.Job, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE opscom.job_run SET run = $2, file_hash = $3, exit = $4, counts = $5, problem = $6, retry = $7, told = $8, folder = $9, ended_at = $10
			WHERE id = $1`, r.ID, r.Run, r.FileHash, r.Exit, counts, format.PathText(r.Problem), r.Retry, r.IsTold, format.PathText(folder), orNull(r.EndedAt)); err != nil {
			return err
		}
		if relocate == nil || r.Run == 0 {
			return nil
		}
		return relocateRun(ctx, tx, r.Run, relocate)
	})
}

// relocateRun stores where the file and the reports of a run will lie, unless the run is
// forgotten.
func relocateRun(ctx context.Context, tx pgx.Tx, id int64, relocate *importer.Relocation) error {
	if _, err := tx.Exec(ctx, "SELECT FROM opscom.run WHERE id = $1 FOR NO KEY UPDATE", id); err != nil { // what is read next stays
		return err
	}
	record, err := loadRun(ctx, tx, id)
	if errors.Is(err, journal.ErrNoRun) {
		return nil
	}
	if err != nil {
		return err
	}
	relocate.Apply(&record.RunInfo)
	return record.save(ctx, tx)
}

// JobRuns returns the newest runs of a job, or of every job for "", the newest first; most is
// how many at most, 0 for all.
func (j *Journal) JobRuns(ctx context.Context, job string, most int) (runs []importer.JobRun, err error) {
	rows, err := j.pool.Query(ctx, `SELECT id, job, host, file, file_hash, folder, run, starts, exit, counts, problem, retry, told, due_at, begun_at, started_at, ended_at
		FROM opscom.job_run WHERE $1 IN ('', job) ORDER BY id DESC LIMIT nullif($2, 0)`, job, most)
	if err == nil {
		runs, err = pgx.CollectRows(rows, scanJobRun)
	}
	return runs, j.failed("list the runs of the jobs", err)
}

func scanJobRun(row pgx.CollectableRow) (r importer.JobRun, err error) {
	var counts []byte
	var due, ended *time.Time
	err = row.Scan(&r.ID, &r.Job, &r.Host, &r.File, &r.FileHash, &r.Folder, &r.Run, &r.Starts, &r.Exit, &counts, &r.Problem, &r.Retry, &r.IsTold, &due, &r.BegunAt, &r.StartedAt, &ended)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(counts, &r.Counts); err != nil {
		return r, fmt.Errorf("%w: run %d of job %s: %v", format.ErrDamaged, r.ID, r.Job, err)
	}
	r.File, r.Folder, r.Problem = format.PathOf(r.File), format.PathOf(r.Folder), format.PathOf(r.Problem)
	r.DueAt, r.BegunAt, r.StartedAt, r.EndedAt = timeOf(due), r.BegunAt.UTC(), r.StartedAt.UTC(), timeOf(ended)
	return r, nil
}
