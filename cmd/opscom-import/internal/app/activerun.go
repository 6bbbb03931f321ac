package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// activeRun is the run that a command works on.
type activeRun struct {
	journal.Run
	command  string
	started  time.Time
	shown    string                  // the file as the person named it
	pending  int                     // rows that are to be pushed
	problems []importer.ProblemCount // that its plan has found
	changes  *report.Changes         // that its plan has found; nil when it did not look
	reports  importer.Reports        // where they go
	table    func() *mappedTable     // what it was planned from; nil when that is gone
}

// pushRun pushes what is pending in the run, unless a safety limit holds it, and
// finishes it.
func (p *pusher) pushRun(fetchCtx, workCtx context.Context, active activeRun) (report.Receipt, error) {
	p.notifyKeptPaths(active.Info())
	active.reports = p.reportsHere(active)
	if err := checkWritable(active.reports); err != nil { // it may have been planned long ago
		return report.Receipt{}, fmt.Errorf("%w; run %d keeps the paths that it began with, so for another path start a new run with push --fresh", err, active.Info().ID)
	}
	if err := p.checkLeavers(fetchCtx, active.Info()); err != nil {
		return report.Receipt{}, err
	}
	state := active.Info().State
	if state == importer.RunHeld && !p.Settings.Yes {
		return p.finish(workCtx, active, nil)
	}
	if state != importer.RunPushing { // it was held or stopped before
		if err := active.Start(fetchCtx); err != nil {
			return report.Receipt{}, &incompleteError{err}
		}
		p.Log.Info("run is resumed", "run", active.Info().ID, "pending", active.pending)
	}
	if p.submit != nil && active.pending > 0 { // else it is finished here
		return p.submit(fetchCtx, workCtx, active)
	}
	recorded, done := p.follow(workCtx, active.Run, active.pending)
	pusher := importer.Pusher{
		Queue: active.Run, Controller: p.connection, Workers: p.Settings.Workers, MaxFailures: p.Settings.MaxFailures,
		OnRecorded: recorded,
	}
	ended := active.Work(fetchCtx, func(ctx context.Context) error { return pusher.Push(ctx, workCtx) })
	done()
	return p.finish(workCtx, active, ended)
}

// addOutcomes counts the rows that are done: what is sent again is not.
func addOutcomes(progress *report.Progress, outcomes []importer.Outcome) {
	for _, o := range outcomes {
		if o.Status.Spec().Kind != importer.KindOpen {
			progress.Add(o.Status, 1)
		}
	}
}

// reportsHere returns where the reports of the run go. One that another machine has planned, in a
// folder that is not here, is pushed without them.
func (p *pusher) reportsHere(active activeRun) importer.Reports {
	reports := active.Info().Reports
	if p.Settings.Journal.IsZero() || active.command != "approve" {
		return reports
	}
	missing := ""
	for _, path := range pathsOf(&reports) {
		if *path == "" || *path == "-" {
			continue
		}
		if _, err := os.Stat(filepath.Dir(*path)); errors.Is(err, fs.ErrNotExist) {
			missing, *path = filepath.Dir(*path), ""
		}
	}
	if missing != "" {
		p.notify("The reports of run %d are not written: the folder %s is not on this machine; \"opscom-import runs report\" writes them on the one that has it.", active.Info().ID, missing)
	}
	return reports
}

// finish writes the reports of a run that is complete, stopped or held, and returns
// its receipt, even with the error that ended it early. An interrupt does not keep it
// from that, but when workCtx is done it does not wait for a journal that is away.
func (p *pusher) finish(workCtx context.Context, active activeRun, ended error) (receipt report.Receipt, err error) {
	ctx := context.WithoutCancel(workCtx)
	if ended != nil {
		stopping, release := importer.Linger(workCtx)
		err := active.Stop(stopping)
		release()
		switch {
		case err != nil && workCtx.Err() != nil:
			return receipt, &incompleteError{withNextStep(fmt.Errorf("%w, and the last answers could not be recorded (%v): their rows are sent again", importer.ErrInterrupted, err))}
		case err != nil:
			return receipt, &incompleteError{errors.Join(ended, err)}
		}
	}
	r := &reporter{Env: p.Env, paths: active.reports, results: resultsOf(ctx, active.Run), reopen: active.table}
	totals, err := r.write()
	if err != nil {
		return receipt, &incompleteError{errors.Join(ended, reportsFailed(active.Info().ID, err))}
	}
	held := active.Info().State == importer.RunHeld
	if ended == nil && !held {
		if err := active.Finish(ctx, time.Now().UTC()); err != nil {
			return receipt, &incompleteError{err}
		}
	}
	info := active.Info()
	receipt = report.Receipt{
		Command: active.command, Run: info.ID, File: active.shown, Source: info.Source, Target: p.Host(), Rows: info.Rows,
		Counts: totals.Counts, Leavers: info.Leavers, Problems: append(active.problems, totals.Refused...), Attempts: totals.Attempts,
		Seconds: time.Since(active.started).Seconds(), Held: heldReasons(info), Reports: shortPaths(r.paths),
		Exit: RunExitCode(totals.Counts, ended, held),
	}
	p.Log.Info("run ended", "run", info.ID, "state", string(info.State), "rows", info.Rows, "counts", receipt.Counts,
		"attempts", receipt.Attempts, "exit", receipt.Exit)
	if err := r.writeSummary(report.Summary{
		Receipt: receipt, Changes: active.changes, StartedAt: info.StartedAt, FinishedAt: info.FinishedAt, Timeline: totals.Timeline.Points(),
	}); err != nil {
		return receipt, &incompleteError{errors.Join(ended, summaryFailed(err))}
	}
	if ended != nil {
		return receipt, &incompleteError{withNextStep(ended)}
	}
	return receipt, nil
}

// heldReasons returns why the run is held, nothing when it was approved since.
func heldReasons(r importer.RunInfo) []string {
	if r.State != importer.RunHeld {
		return nil
	}
	return r.Held
}
