package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

func runsCommand(s streams) *cobra.Command {
	list := &cobra.Command{
		Use:   "runs",
		Short: "List the runs; show one, write its reports again, forget old ones",
		Args:  noArgument,
		RunE:  func(c *cobra.Command, _ []string) error { return withJournal(c, s, (*session).listRuns) },
	}
	show := &cobra.Command{
		Use:   "show RUN",
		Short: "Show one run: where it stands and how its rows ended",
		Args:  oneArgument("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			return withRun(c, s, args[0], (*session).showRun)
		},
	}
	again := &cobra.Command{
		Use:   "report RUN",
		Short: "Write a run's reports again, where it was told to or to --results",
		Args:  oneArgument("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			return withRun(c, s, args[0], (*session).reportRun)
		},
	}
	list.AddCommand(show, again, forgetCommand(s))
	return list
}

func forgetCommand(s streams) *cobra.Command {
	var before time.Duration
	forget := &cobra.Command{
		Use:   "forget [RUN...]",
		Short: "Remove old runs from the journal, and the personal data in them",
		Long: `forget removes runs from the journal for good: the rows' ids and messages, and
what was still waiting to be pushed. What it keeps, as digests without any text,
is what the Controller last accepted: --only-changes needs it.`,
		Example: `  opscom-import runs forget 17
  opscom-import runs forget --older-than 720h`,
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 0) == (before == 0) {
				return errors.New("say which runs to forget: their numbers, or --older-than AGE")
			}
			return withJournal(c, s, func(ss *session, ctx context.Context) error { return ss.forgetRuns(ctx, args, before) })
		},
	}
	forget.Flags().DurationVar(&before, "older-than", 0, "forget every run that began longer ago than this, such as 720h")
	return forget
}

// withJournal runs f with a session whose journal is open.
func withJournal(c *cobra.Command, s streams, f func(*session, context.Context) error) error {
	return withSession(c, s, func(ss *session) error {
		var err error
		if ss.journal, err = journal.Open(c.Context(), ss.settings.State); err != nil {
			return err
		}
		return f(ss, c.Context())
	})
}

func withRun(c *cobra.Command, s streams, number string, f func(*session, context.Context, *journal.Run) error) error {
	return withJournal(c, s, func(ss *session, ctx context.Context) error {
		id, err := runNumber(number)
		if err != nil {
			return err
		}
		run, err := ss.journal.Run(ctx, id)
		if err != nil {
			return err
		}
		return f(ss, ctx, run)
	})
}

func (s *session) listRuns(ctx context.Context) error {
	runs, err := s.journal.Runs(ctx)
	if err != nil {
		return err
	}
	if s.settings.JSON {
		return writeRuns(s.stdout, runs)
	}
	if len(runs) == 0 {
		s.say("There are no runs in %s.", s.settings.State)
		return nil
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTARTED\tSTATE\tROWS\tCLIENT\tFILE")
	for _, r := range runs {
		fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\t%s\n", r.ID, r.StartedAt.Local().Format("2006-01-02 15:04"), r.State, r.Rows, r.Client, shortPath(r.Source))
	}
	return w.Flush()
}

// writeRuns writes the runs as one JSON array.
func writeRuns(w io.Writer, runs []importer.RunInfo) error {
	type line struct {
		Run        int64             `json:"run"`
		State      importer.RunState `json:"state"`
		Client     string            `json:"client"`
		Target     string            `json:"target"`
		File       string            `json:"file"` // absolute path, "-" for standard input
		Rows       int               `json:"rows"`
		Held       []string          `json:"held"`
		Results    string            `json:"results"`
		StartedAt  time.Time         `json:"started_at"`
		FinishedAt *time.Time        `json:"finished_at"` // null while it is not finished
	}
	lines := make([]line, len(runs))
	for i, r := range runs {
		lines[i] = line{r.ID, r.State, r.Client, r.Target, r.Source, r.Rows, append([]string{}, heldReasons(r)...), r.Reports.Results, r.StartedAt.UTC(), nil}
		if !r.FinishedAt.IsZero() {
			lines[i].FinishedAt = new(r.FinishedAt.UTC())
		}
	}
	return json.NewEncoder(w).Encode(lines)
}

func (s *session) showRun(ctx context.Context, run *journal.Run) error {
	info := run.Info()
	counts, attempts, err := run.Counts(ctx)
	if err != nil {
		return err
	}
	receipt := report.Receipt{
		Command: "runs show", Run: info.ID, File: shortPath(info.Source), Rows: info.Rows, Counts: counts, Attempts: attempts,
		Held: heldReasons(info), Reports: written(info.Reports),
	}
	if !info.FinishedAt.IsZero() {
		receipt.Seconds = info.FinishedAt.Sub(info.StartedAt).Seconds()
	}
	receipt.Exit = exitOf(counts, nil, info.State == importer.RunHeld)
	receipt = s.receipt(receipt, nil)
	receipt.Target = info.Target
	if s.settings.JSON || s.settings.Quiet {
		return s.print(receipt)
	}
	fmt.Fprintf(s.stdout, "Run %d, started %s: %s\n\n", info.ID, info.StartedAt.Local().Format("2006-01-02 15:04:05"), info.State.Label())
	return s.print(receipt)
}

// heldReasons returns why the run is held, nothing when it was approved since.
func heldReasons(r importer.RunInfo) []string {
	if r.State != importer.RunHeld {
		return nil
	}
	return r.Held
}

// reportRun writes a run's reports again, where it was told to or where the
// settings say. The fix workbook is made again when the file is still what was
// planned.
func (s *session) reportRun(ctx context.Context, run *journal.Run) error {
	info := run.Info()
	if info.Client == sandboxClient {
		s.settings = s.settings.ForSandbox()
	}
	for _, r := range []struct{ path, asked *string }{
		{&info.Reports.Results, s.settings.Results}, {&info.Reports.Problems, s.settings.Problems}, {&info.Reports.Fix, s.settings.Fix},
	} {
		if r.asked != nil {
			*r.path = *r.asked
		}
	}
	list, _, err := s.journal.UserTypes(ctx, info.Target)
	if err != nil {
		return err
	}
	s.userTypes = &userTypes{list: list, known: true}
	set := &reportSet{paths: info.Reports, table: s.tableOf(info), results: func() iter.Seq2[importer.Result, error] { return run.Results(ctx) }}
	if _, err := s.write(set); err != nil {
		return err
	}
	for _, path := range []string{set.paths.Results, set.paths.Problems, set.paths.Fix} {
		if path != "" && path != "-" {
			s.say("%s is written.", shortPath(path))
		}
	}
	return nil
}

func (s *session) forgetRuns(ctx context.Context, numbers []string, age time.Duration) error {
	var ids []int64
	for _, n := range numbers {
		id, err := runNumber(n)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if age > 0 {
		runs, err := s.journal.Runs(ctx)
		if err != nil {
			return err
		}
		for _, r := range runs {
			if time.Since(r.StartedAt) > age {
				ids = append(ids, r.ID)
			}
		}
	}
	forgotten, err := s.journal.Forget(ctx, ids...)
	if err != nil {
		return err
	}
	s.say("%d runs forgotten.", forgotten)
	return nil
}
