package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/fleet"
	"opscom-import/cmd/opscom-import/internal/metrics"
	"opscom-import/cmd/opscom-import/internal/notify"
	"opscom-import/cmd/opscom-import/internal/watch"
	"opscom-import/importer"
	"opscom-import/report"
)

// jobPusher pushes the files of jobs, prints how that ended, and tells people. Several
// jobs may push at once.
type jobPusher struct {
	*session
	figures  *jobFigures
	printing sync.Mutex
}

// jobEnd is how the push of a file ended, and what has told the healthchecks that it began.
type jobEnd struct {
	ends     commandEnds
	notifier *notify.Notifier
}

// Push pushes a file for a job.
func (p *jobPusher) Push(fetchCtx, workCtx context.Context, job config.Job, file watch.File) watch.End {
	env := p.envOf(job)
	if file.Path != file.Arrived {
		env.Source = file.Arrived
		env.Settings = env.Settings.WithSummaryBeside(file.Path)
	}
	if file.Repeat {
		if env.Settings.Origin("only_changes") == "" { // nobody has said that everybody is to be sent
			env.Settings.OnlyChanges = true
		}
		note := " has the same bytes as the last file"
		if env.Settings.OnlyChanges {
			note += ": only rows that were not accepted then are sent"
		}
		env.Notify(file.Arrived + note + ".")
	}
	env.Begun = file.Since
	env.OnConnect = func(rate func() float64) {
		p.figures.live.Began(job.Name, metrics.Push{Rate: rate, Rows: func() (done, total int) {
			s := env.Progress.Snapshot()
			return s.Done, s.Total
		}})
	}
	ends := commandEnds{command: "push", arrived: file.Arrived}
	collect := ends.collect(func(report.Receipt) error { return nil }) // it is printed when the file lies where it belongs
	details := jobEnd{notifier: p.notifierOf(job)}
	if !job.Settings.Sandbox {
		details.notifier.Started(workCtx)
	}
	err := pushAfterOthers(fetchCtx, workCtx, env, file, collect)
	p.figures.live.Ended(job.Name)
	ends.addError(err, []string{file.Path})
	details.ends = ends
	return endOf(ends, details, err)
}

// pushAfterOthers pushes the file. While workers go on with a run of it that an earlier process began, it
// awaits their end.
func pushAfterOthers(fetchCtx, workCtx context.Context, env app.Env, file watch.File, done func(report.Receipt) error) error {
	for isFirst := true; ; isFirst = false {
		err := app.Push(fetchCtx, workCtx, env, []string{file.Path}, done)
		if app.ExitCode(err) != app.ExitBusy || env.Begun.IsZero() {
			return err
		}
		run, lookErr := app.PushedByOthers(workCtx, env, file.Path, file.Hash, env.Begun)
		if lookErr != nil || run == 0 {
			return errors.Join(err, lookErr)
		}
		if isFirst {
			env.Notify(fmt.Sprintf("Workers go on with run %d of %s, which an earlier process began: waiting for its end.", run, file.Arrived))
		}
		select {
		case <-time.After(askAgain):
		case <-fetchCtx.Done():
			return err
		}
	}
}

// askAgain is how often it is looked whether a run that others push has ended.
const askAgain = 5 * time.Second

// count sets the figures of the push that ended.
func (p *jobPusher) count(ctx context.Context, job config.Job, row importer.JobRun, ends commandEnds) {
	for _, e := range ends.of {
		run := figuresOf(job.Name, e)
		run.Exit = row.Exit
		p.figures.RunEnded(run)
		if run.Exit <= app.ExitRows {
			p.figures.Succeeded(job.Name, run.EndedAt)
		}
	}
	if err := p.figures.refresh(context.WithoutCancel(ctx), p.session); err != nil {
		p.Log.Error("the figures for Prometheus are not up to date", "error", err)
	}
}

// endOf returns how the push of one file ended.
func endOf(ends commandEnds, details jobEnd, err error) watch.End {
	end := watch.End{Exit: app.ExitCode(err), Details: details}
	for _, e := range ends.of {
		end.Run, end.Exit, end.Counts = e.receipt.Run, e.exit(), e.receipt.Counts
		end.Problem = problemOf(e.receipt.Held, e.err)
		end.OfFile = app.IsOfFile(e.err)
	}
	if run := app.StoppedByPerson(err); run != 0 {
		end.Run, end.Stopped, end.Problem = run, true, app.StoppedProblem(run)
	}
	return end
}

// problemOf says why a run is held, failed, or is not complete.
func problemOf(held []string, err error) string {
	text := ""
	for _, reason := range held {
		text += reason + "\n"
	}
	if err != nil {
		text += err.Error()
	}
	return distinctLines(text)
}

// Tell prints how the work on a file ended, and tells people.
func (p *jobPusher) Tell(fetchCtx, workCtx context.Context, job config.Job, row importer.JobRun, end watch.End) bool {
	details, isKnown := end.Details.(jobEnd)
	if isKnown {
		p.print(job, row, end, details.ends)
		p.count(workCtx, job, row, details.ends)
	}
	if job.Settings.Sandbox || row.IsTold {
		return true
	}
	if !isKnown { // an earlier process pushed it
		details = jobEnd{p.endBefore(workCtx, job, row), p.notifierOf(job)}
	}
	news := details.ends.news(job.Settings)
	for i := range news.Outcomes {
		o := &news.Outcomes[i]
		o.Job, o.Folder, o.Retry = job.Name, job.Folder, row.Retry
		if o.Exit != row.Exit || end.Stopped { // as of a file that changed meanwhile
			o.Exit, o.Event, o.Problem = row.Exit, eventOf(row.Exit), row.Problem
		}
		if o.Event == "" || o.Event == config.NotifyRowsToFix { // and so it has come
			o.Sources = append(o.Sources, jobSource(job))
		} else { // it has come too, and what is not over is its own failure
			o.Settles = append(o.Settles, jobSource(job))
		}
		if row.Folder != "" {
			o.Relocate(row.Folder)
			o.Reports = append([]notify.Report{{Name: "file", Path: filepath.Join(row.Folder, filepath.Base(row.File))}}, o.Reports...)
		}
	}
	return details.notifier.Ended(fetchCtx, workCtx, news)
}

// endBefore returns how the push of a file ended in an earlier process, as the journal has
// it.
func (p *jobPusher) endBefore(ctx context.Context, job config.Job, row importer.JobRun) commandEnds {
	ends := commandEnds{command: "push", arrived: row.File}
	end := fileEnd{sources: []string{row.File}}
	if row.Run != 0 {
		if _, receipt, err := app.ShowRun(ctx, p.envOf(job), row.Run); err == nil {
			receipt.Source = row.File
			end.receipt = receipt
		}
	}
	end.receipt.Exit = row.Exit
	if row.Problem != "" && row.Exit != app.ExitHeld {
		end.err = errors.New(row.Problem)
	}
	ends.of = append(ends.of, end)
	return ends
}

// TellTrouble tells people that no file came by the time, or that the job cannot work.
func (p *jobPusher) TellTrouble(fetchCtx, workCtx context.Context, job config.Job, trouble watch.Trouble) bool {
	outcome := notify.Outcome{
		Sources: []string{jobSource(job)}, Event: config.NotifyNotComplete, Command: "watch", Job: job.Name, Folder: job.Folder, Retry: true,
		File: job.Takes(), Exit: app.ExitIncomplete, Problem: distinctLines(trouble.Problem),
		Target: importer.TargetOf(job.Settings.Client, job.Settings.URL),
	}
	if by := trouble.By; !by.IsZero() {
		outcome.Event, outcome.Subject = config.NotifyNoFile, by.UTC().String()
		p.complain(job, fmt.Errorf("no file came by %s: %s", by.In(job.TimeZone).Format("2006-01-02 15:04 MST"), trouble.Problem))
	}
	if job.Settings.Sandbox {
		return true
	}
	return p.notifierOf(job).Ended(fetchCtx, workCtx, notify.End{Exit: app.ExitIncomplete, Silent: true, Outcomes: []notify.Outcome{outcome}})
}

// jobSource is what tells whether a job's file came is remembered by.
func jobSource(job config.Job) string { return "job " + job.Name }

func (p *jobPusher) notifierOf(job config.Job) *notify.Notifier {
	return notify.New(notify.Options{Settings: job.Settings, Version: p.Version, Log: p.Log.With("job", job.Name)})
}

// envOf returns what the push of a job's file works with. Notes begin with the job's name.
func (p *jobPusher) envOf(job config.Job) app.Env {
	env := p.Env
	env.Settings, env.Log = job.Settings, p.Log.With("job", job.Name)
	env.Priority = fleet.Scheduled
	env.Progress = report.NewProgress(p.stderr, report.Quiet)
	env.Notify = func(note string) { p.note(job, note) }
	return env
}

// print prints the receipt of a file, with the paths where its reports lie now, and what is
// wrong with it.
func (p *jobPusher) print(job config.Job, row importer.JobRun, end watch.End, ends commandEnds) {
	s := *p.session
	s.Settings = job.Settings
	for _, e := range ends.of {
		if e.receipt.Command != "" {
			receipt := e.receipt
			if row.Folder != "" {
				receipt.Reports = receipt.Reports.In(app.ShortPath(row.Folder))
			}
			p.locked(func() {
				if err := s.print(receipt); err != nil {
					fmt.Fprintf(s.stderr, "%v; the run is not affected\n", err)
				}
			})
		}
		if end.Exit != app.ExitHeld && end.Problem != "" { // the receipt says why it is held
			p.complain(job, errors.New(end.Problem))
		}
	}
	switch {
	case row.Retry:
		p.note(job, row.File+" is tried again.")
	case row.Folder != "":
		p.note(job, row.File+" lies in "+app.ShortPath(row.Folder)+" now.")
	}
}

// note says something about a job to a person.
func (p *jobPusher) note(job config.Job, text string) {
	p.locked(func() { p.Notify(job.Name + ": " + text) })
}

// complain prints what is wrong, also to who asked for quiet.
func (p *jobPusher) complain(job config.Job, err error) {
	p.locked(func() { fmt.Fprintf(p.stderr, "opscom-import: %s: %s\n", job.Name, distinctLines(err.Error())) })
}

func (p *jobPusher) locked(f func()) {
	p.printing.Lock()
	defer p.printing.Unlock()
	f()
}
