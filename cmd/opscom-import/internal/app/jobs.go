package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// JobHistory is what the jobs of the config file did, as the journal remembers it. It
// opens the journal each time, so that it is not kept from anybody in between.
type JobHistory struct{ Env Env }

// Host names this machine where others share the journal; "" where it is alone.
func (h JobHistory) Host() string {
	if h.Env.Settings.Journal.IsZero() {
		return ""
	}
	host, _ := os.Hostname() // without a name it is taken for every machine, as where it is alone
	return host
}

// Lock keeps every other process from working for the job until release is called, on every
// machine that shares the journal. The error is a *journal.BusyError while one does.
func (h JobHistory) Lock(ctx context.Context, job string) (release func() error, err error) {
	if h.Env.Settings.Journal.IsZero() {
		return h.lockHere(job)
	}
	j, err := h.Env.openJournal(ctx)
	if err != nil {
		return nil, err
	}
	unlock, err := j.Lock(ctx, "job "+job)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return func() error { return errors.Join(unlock(), j.Close()) }, nil
}

// lockHere locks the job in the state folder.
func (h JobHistory) lockHere(job string) (release func() error, err error) {
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
	r.Host = h.Host()
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

// Outcome returns a run and how its rows ended; the error is journal.ErrNoRun for one
// that is forgotten. In a journal of many machines one that is finished may have been approved where its
// reports could not be written: they are written here.
func (h JobHistory) Outcome(ctx context.Context, run int64) (importer.RunInfo, report.Receipt, error) {
	info, receipt, err := ShowRun(ctx, h.Env, run)
	if err == nil && info.State == importer.RunFinished && h.Host() != "" {
		if _, err := WriteReports(ctx, h.Env, run); err != nil {
			h.Env.Log.Warn("the reports of an approved run are not written", "run", run, "error", err)
		}
	}
	return info, receipt, err
}

// PushedByOthers returns the run of the very file that others push, or have finished, of those that were
// started at that time at the earliest; 0 for none.
func PushedByOthers(ctx context.Context, env Env, file string, hash string, since time.Time) (int64, error) {
	runs, err := Runs(ctx, env)
	for _, r := range runs {
		if env.isOfFile(r, file, hash, since) && (r.State == importer.RunPushing || r.State == importer.RunFinished) {
			return r.ID, err
		}
	}
	return 0, err
}

// isOfFile reports whether a run is of the very file, and was started at that time at the earliest.
func (e Env) isOfFile(r importer.RunInfo, file string, hash string, since time.Time) bool {
	return r.Path() == file && r.FileHash == hash && !r.StartedAt.Before(since) && importer.SameTarget(r.Target) == e.target()
}

// findFinished returns the run of the very file that was finished since the work on it began, nil for none:
// the process that planned it died before it could say so, and perhaps before workers finished it.
func (p *pusher) findFinished(ctx context.Context, file string, hash string) (journal.Run, error) {
	if p.Begun.IsZero() {
		return nil, nil
	}
	runs, err := p.journal.Runs(ctx)
	for _, r := range runs {
		if p.isOfFile(r, file, hash, p.Begun) && r.State == importer.RunFinished {
			return p.journal.Run(ctx, r.ID)
		}
	}
	return nil, err
}

// reportFinished writes the reports of a run that was finished before, as its own process would have, and
// returns its receipt.
func (p *pusher) reportFinished(ctx context.Context, run journal.Run) (receipt report.Receipt, err error) {
	info := run.Info()
	r, err := p.reporterOf(ctx, p.journal, run)
	if err != nil {
		return receipt, &incompleteError{err}
	}
	totals, err := r.write()
	if err != nil {
		return receipt, &incompleteError{reportsFailed(info.ID, err)}
	}
	receipt = report.Receipt{
		Command: p.command(), Run: info.ID, File: ShortPath(info.Source), Source: info.Source, Target: p.Host(), Rows: info.Rows, Counts: totals.Counts,
		Leavers: info.Leavers, Problems: totals.Refused, Attempts: totals.Attempts, Seconds: info.FinishedAt.Sub(info.StartedAt).Seconds(),
		Reports: shortPaths(r.paths), Exit: RunExitCode(totals.Counts, nil, false),
	}
	if err := r.writeSummary(report.Summary{
		Receipt: receipt, StartedAt: info.StartedAt, FinishedAt: info.FinishedAt, Timeline: totals.Timeline.Points(),
	}); err != nil {
		return receipt, &incompleteError{summaryFailed(err)}
	}
	return receipt, nil
}
