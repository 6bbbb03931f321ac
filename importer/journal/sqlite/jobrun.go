package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// maxJobRuns is how many runs of a job are remembered.
const maxJobRuns = 1000

// BeginJobRun stores a run of a job that begins now, and returns its number. Of the oldest
// runs of the job, those beyond the newest 1,000 are forgotten.
func (j *Journal) BeginJobRun(ctx context.Context, r importer.JobRun) (id int64, err error) {
	err = j.update(ctx, "begin a run of job "+r.Job, durable, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO job_run (job, file, file_hash, folder, run, starts, exit, counts, problem, retry, told, due_at, begun_at, started_at, ended_at)
			VALUES (?, ?, ?, ?, 0, 1, ?, '{}', '', 0, 0, ?, ?, ?, 0)`, r.Job, r.File, r.FileHash, r.Folder, importer.NotEnded, format.MicroOf(r.DueAt), format.MicroOf(r.StartedAt), format.MicroOf(r.StartedAt))
		if err != nil {
			return err
		}
		if id, err = result.LastInsertId(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM job_run WHERE job = ? AND exit NOT IN (?, ?) AND retry = 0 AND id <=
			(SELECT id FROM job_run WHERE job = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, r.Job, importer.NotEnded, importer.ExitOfHeld, r.Job, maxJobRuns)
		return err
	})
	return id, err
}

// RestartJobRun stores that the work on the file begins once more.
func (j *Journal) RestartJobRun(ctx context.Context, id int64, at time.Time) error {
	return j.update(ctx, "begin a job's run again", durable, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE job_run SET starts = CASE exit WHEN ? THEN starts + 1 ELSE 1 END, started_at = ?, exit = ?, problem = '', retry = 0, told = 0, ended_at = 0
			WHERE id = ?`, importer.NotEnded, format.MicroOf(at), importer.NotEnded, id)
		return err
	})
}

// EndJobRun stores how a run of a job ended: its Run, Exit, Counts, Problem, Retry, IsTold
// and EndedAt. It may be called again, as when people were told. relocate
// is where the run's file and reports will lie, nil where they stay: the caller moves
// Folder there afterwards, which can be repeated.
func (j *Journal) EndJobRun(ctx context.Context, r importer.JobRun, relocate *importer.Relocation) error {
	counts, err := json.Marshal(r.Counts)
	if err != nil {
		return err
	}
	folder := r.Folder
	if relocate != nil {
		folder = relocate.To
	}
	return j.update(ctx, "end a run of job "+r.Job, durable, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "UPDATE job_run SET run = ?, file_hash = ?, exit = ?, counts = ?, problem = ?, retry = ?, told = ?, folder = ?, ended_at = ? WHERE id = ?",
			r.Run, r.FileHash, r.Exit, string(counts), r.Problem, r.Retry, r.IsTold, folder, format.MicroOf(r.EndedAt), r.ID); err != nil {
			return err
		}
		if relocate == nil || r.Run == 0 {
			return nil
		}
		record, err := loadRun(ctx, tx, r.Run)
		if errors.Is(err, journal.ErrNoRun) { // forgotten
			return nil
		}
		if err != nil {
			return err
		}
		relocate.Apply(&record.RunInfo)
		return j.save(ctx, tx, &record)
	})
}

// JobRuns returns the newest runs of a job, or of every job for "", the newest first; most
// is how many at most, 0 for all.
func (j *Journal) JobRuns(ctx context.Context, job string, most int) (runs []importer.JobRun, err error) {
	if most == 0 {
		most = -1 // SQL's word for all
	}
	rows, err := j.reader.QueryContext(ctx, `SELECT id, job, file, file_hash, folder, run, starts, exit, counts, problem, retry, told, due_at, begun_at, started_at,
		ended_at FROM job_run WHERE ? IN ('', job) ORDER BY id DESC LIMIT ?`, job, most)
	err = eachRow(rows, err, func() error {
		var r importer.JobRun
		var counts string
		var due, begun, started, ended int64
		if err := rows.Scan(&r.ID, &r.Job, &r.File, &r.FileHash, &r.Folder, &r.Run, &r.Starts, &r.Exit, &counts, &r.Problem, &r.Retry, &r.IsTold, &due, &begun, &started, &ended); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(counts), &r.Counts); err != nil {
			return fmt.Errorf("%w: run %d of job %s: %v", format.ErrDamaged, r.ID, r.Job, err)
		}
		r.DueAt, r.BegunAt, r.StartedAt, r.EndedAt = format.TimeOf(due), format.TimeOf(begun), format.TimeOf(started), format.TimeOf(ended)
		runs = append(runs, r)
		return nil
	})
	return runs, j.wrap("list the runs of the jobs", err)
}
