package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/notify"
	"opscom-import/importer"
	"opscom-import/report"
)

// notifier returns what tells the targets of the config file how runs end. They trust the
// authorities of the CA file too, and get no client certificate.
func (s *session) notifier() *notify.Notifier {
	roots, _, err := s.Settings.FindRoots()
	if err != nil && len(s.Settings.Notify) > 0 { // a push fails for it, and says so to targets that can be reached without
		s.Log.Warn("the targets of notify are told with the system's certificate authorities alone", "error", err)
	}
	return notify.New(notify.Options{Settings: s.Settings, Version: s.Version, Log: s.Log, Roots: roots})
}

// push pushes as app.Push does, and tells the targets how that ended.
func (s *session) push(fetchCtx, workCtx context.Context, files []string, code *int) error {
	return s.pushBy(fetchCtx, workCtx, "push", files, code, app.Push)
}

// pushFiles is app.Push, or a use case like it.
type pushFiles func(fetchCtx, workCtx context.Context, env app.Env, files []string, done func(report.Receipt) error) error

// pushBy pushes by a use case, and tells the targets how that ended. What is pushed to
// the sandbox is nobody's news.
func (s *session) pushBy(fetchCtx, workCtx context.Context, command string, files []string, code *int, push pushFiles) error {
	print := s.printer(code)
	ends := commandEnds{command: command}
	if s.Settings.Sandbox {
		err := push(fetchCtx, workCtx, s.Env, files, ends.collect(print))
		ends.addError(err, files)
		s.writeMetrics(workCtx, ends)
		return err
	}
	n := s.notifier()
	n.Started(workCtx)
	err := push(fetchCtx, workCtx, s.Env, files, ends.collect(print))
	ends.addError(err, files)
	s.writeMetrics(workCtx, ends)
	n.Ended(fetchCtx, workCtx, ends.news(s.Settings))
	return err
}

// approve approves as app.Approve does, and tells the targets how that ended. That a
// command could not begin is not their news: the person who typed it sees why.
func (s *session) approve(fetchCtx, workCtx context.Context, id int64, code *int) error {
	ends := commandEnds{command: "approve"}
	err := app.Approve(fetchCtx, workCtx, s.Env, id, ends.collect(s.printer(code)))
	ends.addError(err, nil)
	s.writeMetrics(workCtx, ends)
	sandbox := app.Env{Settings: s.Settings.ForSandbox()}.Host()
	ends.of = slices.DeleteFunc(ends.of, func(e fileEnd) bool {
		return e.receipt.Target == sandbox || e.receipt.Run == 0 && e.exit() == app.ExitUsage
	})
	if len(ends.of) > 0 {
		s.notifier().Ended(fetchCtx, workCtx, ends.news(s.Settings))
	}
	return err
}

// fileEnd is how one FILE of a command ended, or several for the same reason.
type fileEnd struct {
	sources []string       // absolute paths, or "-"
	receipt report.Receipt // the zero value where there is none
	err     error
}

func (e fileEnd) exit() int { return max(e.receipt.Exit, app.ExitCode(e.err)) }

// commandEnds is how the FILEs of a command ended.
type commandEnds struct {
	command string
	arrived string // where the only FILE arrived, "" for where it lies
	of      []fileEnd
}

// collect returns a function that keeps a receipt and hands it on.
func (c *commandEnds) collect(done func(report.Receipt) error) func(report.Receipt) error {
	return func(receipt report.Receipt) error {
		c.of = append(c.of, fileEnd{sources: []string{receipt.Source}, receipt: receipt})
		return done(receipt)
	}
}

// addError adds why the command ended early: to the FILEs that are at fault, and what
// none of them is at fault for to all that it kept from being pushed.
func (c *commandEnds) addError(err error, files []string) {
	faults, others := splitFaults(err)
	for _, fault := range faults {
		source := c.sourceOf(fault.File)
		i := slices.IndexFunc(c.of, func(e fileEnd) bool { return slices.Contains(e.sources, source) })
		if i < 0 {
			c.of = append(c.of, fileEnd{sources: []string{source}, err: fault})
			continue
		}
		c.of[i].err = errors.Join(c.of[i].err, fault)
	}
	if others == nil {
		return
	}
	var kept []string
	for _, name := range files {
		source := c.sourceOf(name)
		if !slices.ContainsFunc(c.of, func(e fileEnd) bool { return slices.Contains(e.sources, source) }) {
			kept = append(kept, source)
		}
	}
	switch {
	case len(kept) > 0:
		c.of = append(c.of, fileEnd{sources: kept, err: others})
	case len(c.of) > 0:
		last := &c.of[len(c.of)-1]
		last.err = errors.Join(last.err, others)
	}
}

// splitFaults returns the errors of FILEs, and the others.
func splitFaults(err error) (faults []*app.FileError, others error) {
	switch err := err.(type) {
	case nil:
	case *app.FileError:
		faults = append(faults, err)
	case interface{ Unwrap() []error }:
		for _, part := range err.Unwrap() {
			ofFiles, rest := splitFaults(part)
			faults, others = append(faults, ofFiles...), errors.Join(others, rest)
		}
	default:
		others = err
	}
	return faults, others
}

// sourceOf is what the journal knows a FILE of the command by.
func (c *commandEnds) sourceOf(name string) string {
	if c.arrived != "" {
		return c.arrived
	}
	return sourceOf(name)
}

// sourceOf is what the journal knows a FILE by.
func sourceOf(name string) string {
	if name == "-" {
		return name
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	return path
}

// news returns what the targets may be told.
func (c *commandEnds) news(settings config.Settings) notify.End {
	end := notify.End{Silent: true}
	for _, e := range c.of {
		end.Exit = max(end.Exit, e.exit())
		if e.exit() == app.ExitBusy { // the run that is in progress has its own end
			continue
		}
		end.Silent = false
		end.Outcomes = append(end.Outcomes, e.outcome(settings, c.command))
	}
	return end
}

// outcome returns the end without anything that is personal.
func (e fileEnd) outcome(settings config.Settings, command string) notify.Outcome {
	target := importer.TargetOf(settings.Client, settings.URL)
	o := notify.Outcome{
		Event: eventOf(e.exit()), Command: command, File: named(e.sources), Target: target,
		Run: e.receipt.Run, Exit: e.exit(), Rows: e.receipt.Rows, Held: e.receipt.Held,
		ToFix: e.receipt.Counts.Of(importer.KindToFix, importer.KindFailed),
	}
	for _, source := range e.sources {
		o.Sources = append(o.Sources, target+" "+importer.SeriesOf(source))
	}
	if e.err != nil {
		o.Problem = distinctLines(e.err.Error())
	}
	for _, status := range importer.Statuses() {
		if rows := e.receipt.Counts[status]; rows > 0 {
			o.Counts = append(o.Counts, notify.Count{Status: string(status), Rows: rows})
		}
	}
	reports := e.receipt.Reports
	for _, r := range []notify.Report{{Name: "results", Path: reports.Results}, {Name: "problems", Path: reports.Problems}, {Name: "fix workbook", Path: reports.Fix}, {Name: "leavers", Path: reports.Leavers}, {Name: "summary", Path: reports.Summary}} {
		if r.Path != "" && r.Path != "-" {
			r.Path = sourceOf(r.Path)
			o.Reports = append(o.Reports, r)
		}
	}
	return o
}

// named names some sources, and says how many there are besides.
func named(sources []string) string {
	const most = 3
	if len(sources) <= most {
		return strings.Join(sources, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(sources[:most], ", "), len(sources)-most)
}

// eventOf returns what a FILE that ended with the exit code is to the targets.
func eventOf(exit int) config.NotifyEvent {
	switch exit {
	case app.ExitDone:
		return ""
	case app.ExitRows:
		return config.NotifyRowsToFix
	case app.ExitHeld:
		return config.NotifyHeld
	case app.ExitIncomplete:
		return config.NotifyNotComplete
	default:
		return config.NotifyFailed
	}
}
