package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
)

func jobsCommand(s streams, code *int) *cobra.Command {
	parent := &cobra.Command{
		Use:   "jobs",
		Short: "List the jobs of the config file; check, run or look back at one",
		Args:  noArgument,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the jobs: what each takes and when, how it ended last, when it is due",
		Args:  noArgument,
		RunE:  with(s, func(ctx context.Context, ss *session, _ []string) error { return ss.listJobs(ctx) }),
	}
	check := &cobra.Command{
		Use:   "check",
		Short: "Check what the jobs need: folders, mappings, tokens, and that no two take one file",
		Long: `check looks at all that the jobs of the config file need besides the files and the
Controller, and changes nothing. watch does so too before it touches a file. Exit
code 0: all is well; 2: something is not.`,
		Args: noArgument,
		RunE: with(s, func(ctx context.Context, ss *session, _ []string) error { return ss.checkJobs(ctx, code) }),
	}
	run := &cobra.Command{
		Use:   "run NAME",
		Short: "Do now what a job does at its time",
		Long: `run takes what the job takes, pushes it and tells people, whatever the schedule
says, and ends when nothing is left to do. It first goes on with what is in
progress. The exit code is that of push. It can be run beside watch.`,
		Args: oneArgument("NAME"),
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			job, err := ss.jobNamed(args[0])
			if err != nil {
				return err
			}
			fetchCtx, workCtx, release := interrupts(ctx, s)
			defer release()
			watcher, err := ss.watcher(fetchCtx, []config.Job{job}, ss.newJobFigures())
			if err == nil {
				*code, err = watcher.RunOnce(fetchCtx, workCtx)
			}
			return app.OrInterrupted(fetchCtx, err)
		}),
	}
	history := &cobra.Command{
		Use:   "history NAME",
		Short: "Show what a job did, the newest first",
		Args:  oneArgument("NAME"),
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			job, err := ss.jobNamed(args[0])
			if err != nil {
				return err
			}
			return ss.jobHistory(ctx, job)
		}),
	}
	parent.AddCommand(list, check, run, history)
	return parent
}

// checkJobs prints what is found about each job.
func (s *session) checkJobs(ctx context.Context, code *int) error {
	findings := app.CheckJobs(ctx, s.Env)
	if len(findings) == 0 {
		return errors.New("there is no job to check: the config file has no section jobs, or none was found; name one with --config PATH")
	}
	for _, f := range findings {
		mark := s.style.Good("ok  ")
		if f.Err != nil {
			mark, f.Detail, *code = s.style.Bad("FAIL"), f.Err.Error(), app.ExitUsage
		}
		fmt.Fprintf(s.stdout, "%s  %-12s %s\n", mark, f.What, f.Detail)
	}
	for _, note := range app.Strays(s.Settings.Jobs) {
		fmt.Fprintf(s.stdout, "note: %s\n", note)
	}
	return nil
}

// jobLine is a job as "jobs list" shows it.
type jobLine struct {
	Job         string     `json:"job"`
	Takes       string     `json:"takes"`
	When        string     `json:"when"`
	Next        *time.Time `json:"next"`         // null as files arrive
	Last        *jobRun    `json:"last"`         // null when it has not run
	LastSuccess *time.Time `json:"last_success"` // null for never
}

// jobRun is what a job did, as "jobs history" shows it.
type jobRun struct {
	Job     string     `json:"job"`
	File    string     `json:"file"`   // "" when no file was there
	Folder  string     `json:"folder"` // "" for a file that stays where it is
	Run     int64      `json:"run"`    // 0 for none
	Exit    *int       `json:"exit"`   // null while it has not ended
	Result  string     `json:"result"`
	Counts  any        `json:"counts"`
	Problem string     `json:"problem"`
	DueAt   *time.Time `json:"due_at"` // null for a file that arrived
	Started time.Time  `json:"started_at"`
	Ended   *time.Time `json:"ended_at"`
}

func newJobRun(r importer.JobRun) jobRun {
	line := jobRun{
		Job: r.Job, File: r.File, Folder: r.Folder, Run: r.Run, Result: resultOf(r), Counts: r.Counts, Problem: r.Problem,
		DueAt: timeOrNull(r.DueAt), Started: r.StartedAt, Ended: timeOrNull(r.EndedAt),
	}
	if r.IsEnded() {
		line.Exit = &r.Exit
	}
	return line
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// resultOf says in a few words how a job's run ended.
func resultOf(r importer.JobRun) string {
	text := map[int]string{
		app.ExitDone: "done", app.ExitRows: fmt.Sprintf("done, %s to fix", humanize.Comma(int64(r.Counts.Of(importer.KindToFix, importer.KindFailed)))),
		app.ExitUsage: "failed", app.ExitIncomplete: "not complete", app.ExitHeld: "held", app.ExitBusy: "another run was in progress",
		importer.NotEnded: "in progress",
	}[r.Exit]
	if r.File == "" {
		text = "no file"
	}
	if r.Retry {
		text += ", is tried again"
	}
	return text
}

// listJobs prints the jobs.
func (s *session) listJobs(ctx context.Context) error {
	history, err := app.JobHistory{Env: s.Env}.Runs(ctx, "")
	if err != nil {
		return err
	}
	var lines []jobLine
	for _, job := range s.Settings.Jobs {
		line := jobLine{Job: job.Name, Takes: job.Takes(), When: job.When()}
		if job.At != nil {
			line.Next = timeOrNull(job.At.Next(time.Now()))
		}
		for _, r := range history {
			if r.Job != job.Name {
				continue
			}
			if line.Last == nil {
				last := newJobRun(r)
				line.Last = &last
			}
			if line.LastSuccess == nil && r.File != "" && r.IsEnded() && r.Exit <= app.ExitRows {
				line.LastSuccess = timeOrNull(r.EndedAt)
			}
		}
		lines = append(lines, line)
	}
	if s.Settings.JSON {
		return printLines(s.stdout, lines)
	}
	if len(lines) == 0 {
		s.say("The config file has no section jobs, or none was found; name one with --config PATH.")
		return nil
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "JOB\tTAKES\tWHEN\tLAST\tRESULT\tLAST SUCCESS\tNEXT")
	for _, l := range lines {
		last, result := "-", "-"
		if l.Last != nil {
			last, result = shortTime(&l.Last.Started), l.Last.Result
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Job, app.ShortPath(l.Takes), l.When, last, result, shortTime(l.LastSuccess), shortTime(l.Next))
	}
	return w.Flush()
}

// jobHistory prints what the job did.
func (s *session) jobHistory(ctx context.Context, job config.Job) error {
	history, err := app.JobHistory{Env: s.Env}.Runs(ctx, job.Name)
	if err != nil {
		return err
	}
	lines := make([]jobRun, len(history))
	for i, r := range history {
		lines[i] = newJobRun(r)
	}
	if s.Settings.JSON {
		return printLines(s.stdout, lines)
	}
	if len(lines) == 0 {
		s.say("Job %s has not run yet.", job.Name)
		return nil
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STARTED\tDUE\tFILE\tRUN\tRESULT\tLIES IN")
	for _, l := range lines {
		run, file := "-", "-"
		if l.Run != 0 {
			run = fmt.Sprint(l.Run)
		}
		if l.File != "" {
			file = filepath.Base(l.File)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", shortTime(&l.Started), shortTime(l.DueAt), file, run, l.Result, cmp.Or(app.ShortPath(l.Folder), "-"))
	}
	return w.Flush()
}

// shortTime shows a time of this machine's zone, "-" for none.
func shortTime(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04 MST")
}

// printLines prints one line of JSON for each.
func printLines[T any](w io.Writer, lines []T) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, line := range lines {
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
