package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// JobHistory is what the jobs of the config file did, as the journal remembers it. It
// opens the journal each time, so that it is not kept from anybody in between.
type JobHistory struct{ Env Env }

// Lock keeps every other process from working for the job until release is called. The
// error is a *journal.BusyError while one does.
func (h JobHistory) Lock(_ context.Context, job string) (release func() error, err error) {
	folder := filepath.Join(h.Env.Settings.State, "locks")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("lock the job %s: %w", job, err)
	}
	lock := flock.New(filepath.Join(folder, "job-"+job+".lock"), flock.SetPermissions(0o600))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the job %s: %w", job, err)
	}
	if !got {
		return nil, &journal.BusyError{Target: "job " + job}
	}
	return lock.Unlock, nil
}

// Runs returns the newest runs of the job, or of all jobs for "", the newest first.
func (h JobHistory) Runs(ctx context.Context, job string) ([]importer.JobRun, error) {
	j, err := h.Env.readJournal(ctx)
	if err != nil || j == nil {
		return nil, err
	}
	runs, err := j.JobRuns(ctx, job, 0)
	return runs, errors.Join(err, j.Close())
}

// Begin stores a run of a job that begins now, and returns its number.
func (h JobHistory) Begin(ctx context.Context, r importer.JobRun) (id int64, err error) {
	err = h.Env.withJournal(ctx, func(j journal.Journal) (err error) {
		id, err = j.BeginJobRun(ctx, r)
		return err
	})
	return id, err
}

// Restart stores that the work on a file begins once more.
func (h JobHistory) Restart(ctx context.Context, id int64, at time.Time) error {
	return h.Env.withJournal(ctx, func(j journal.Journal) error { return j.RestartJobRun(ctx, id, at) })
}

// End stores how a run of a job ended, and where its file and reports will lie.
func (h JobHistory) End(ctx context.Context, r importer.JobRun, relocate *importer.Relocation) error {
	return h.Env.withJournal(ctx, func(j journal.Journal) error { return j.EndJobRun(ctx, r, relocate) })
}

// Outcome returns a run and how its rows ended; the error is journal.ErrNoRun for one that
// is forgotten.
func (h JobHistory) Outcome(ctx context.Context, run int64) (importer.RunInfo, report.Receipt, error) {
	return ShowRun(ctx, h.Env, run)
}

// RunsOfFile returns the runs of the very file that were started at that time at the earliest, the
// newest first.
func RunsOfFile(ctx context.Context, env Env, file string, hash string, since time.Time) ([]importer.RunInfo, error) {
	runs, err := Runs(ctx, env)
	return slices.DeleteFunc(runs, func(r importer.RunInfo) bool {
		return r.Path() != file || r.FileHash != hash || r.StartedAt.Before(since) || importer.SameTarget(r.Target) != env.target()
	}), err
}

// ReportFinished writes the reports of a finished run as the process that planned it would have, and
// returns its receipt: that process died, and perhaps before others finished the run.
func ReportFinished(ctx context.Context, env Env, id int64) (receipt report.Receipt, err error) {
	err = env.readRun(ctx, id, func(j journal.Journal, run journal.Run) error {
		info := run.Info()
		r, err := env.reporterOf(ctx, j, run)
		if err != nil {
			return err
		}
		totals, err := r.write()
		if err != nil {
			return &incompleteError{reportsFailed(id, err)}
		}
		receipt = report.Receipt{
			Command: "push", Run: id, File: ShortPath(info.Source), Source: info.Source, Target: r.Host(), Rows: info.Rows, Counts: totals.Counts,
			Leavers: info.Leavers, Problems: totals.Refused, Attempts: totals.Attempts, Seconds: info.FinishedAt.Sub(info.StartedAt).Seconds(),
			Reports: shortPaths(r.paths), Exit: RunExitCode(totals.Counts, nil, false),
		}
		if err := r.writeSummary(report.Summary{
			Receipt: receipt, StartedAt: info.StartedAt, FinishedAt: info.FinishedAt, Timeline: totals.Timeline.Points(),
		}); err != nil {
			return &incompleteError{summaryFailed(err)}
		}
		return nil
	})
	return receipt, err
}
