package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/report"
)

func runsCommand(s streams) *cobra.Command {
	list := &cobra.Command{
		Use:   "runs",
		Short: "List the runs; show one, write its reports again, stop it, forget old ones",
		Args:  noArgument,
		RunE: with(s, func(ctx context.Context, ss *session, _ []string) error {
			runs, err := app.Runs(ctx, ss.Env)
			if err != nil {
				return err
			}
			label, err := app.RunLabels(ctx, ss.Env, runs)
			if err != nil {
				return err
			}
			return ss.printRuns(runs, label)
		}),
	}
	show := &cobra.Command{
		Use:   "show RUN",
		Short: "Show one run: its state and how its rows ended",
		Args:  oneArgument("RUN"),
		RunE: withRun(s, func(ctx context.Context, ss *session, id int64) error {
			run, receipt, err := app.ShowRun(ctx, ss.Env, id)
			if err != nil {
				return err
			}
			if !ss.Settings.JSON && !ss.Settings.Quiet {
				label, err := app.RunLabel(ctx, ss.Env, run, receipt.Waiting)
				if err != nil {
					return err
				}
				fmt.Fprintf(s.stdout, "Run %d, started %s: %s\n\n", run.ID, run.StartedAt.Local().Format(time.DateTime), label)
			}
			return ss.print(receipt)
		}),
	}
	again := &cobra.Command{
		Use:   "report RUN",
		Short: "Write a run's reports again, to the same files or to --results and the like",
		Args:  oneArgument("RUN"),
		RunE: withRun(s, func(ctx context.Context, ss *session, id int64) error {
			written, err := app.WriteReports(ctx, ss.Env, id)
			for _, path := range written {
				ss.say("%s is written.", path)
			}
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) { // as on another machine than the run's
				err = fmt.Errorf("%w; --results, --problems and --fix name other places", err)
			}
			return err
		}),
	}
	list.AddCommand(show, again, stopCommand(s), forgetCommand(s))
	return list
}

func stopCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "stop RUN",
		Short: "Stop a run in progress, so that it can be resumed later",
		Long: `stop ends a run early, in good order: nothing more is sent, and the answers in
flight are recorded. What was not sent stays in the plan.

With a journal in PostgreSQL it stops a run wherever it is pushed: by workers, or by a
push on any machine. With one in a state folder only the process that pushes the run
can stop it, and stop says so; a run whose process died is marked as stopped.`,
		Args: oneArgument("RUN"),
		RunE: withRun(s, func(ctx context.Context, ss *session, id int64) error {
			run, receipt, err := app.StopRun(ctx, ss.Env, id)
			if err != nil {
				return err
			}
			if err := ss.print(receipt); err != nil {
				return err
			}
			if run.State == importer.RunStopped {
				ss.say("Run %d is stopped. To resume it: push or submit the same file again, or opscom-import approve %d.", run.ID, run.ID)
			} else {
				ss.say("Run %d has ended meanwhile: it is %s.", run.ID, run.State.Label())
			}
			return nil
		}),
	}
}

// withRun is with for a command whose argument is the number of a run.
func withRun(s streams, f func(ctx context.Context, ss *session, id int64) error) func(*cobra.Command, []string) error {
	return with(s, func(ctx context.Context, ss *session, args []string) error {
		id, err := runNumber(args[0])
		if err != nil {
			return err
		}
		return f(ctx, ss, id)
	})
}

func runNumber(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, fmt.Errorf("%q is not the number of a run; \"opscom-import runs\" lists them", text)
	}
	return id, nil
}

func forgetCommand(s streams) *cobra.Command {
	var olderThan string
	var forget *cobra.Command
	forget = &cobra.Command{
		Use:   "forget [RUN...]",
		Short: "Remove old runs from the journal, and the personal data in them",
		Long: `forget removes runs from the journal for good: the rows' ids and messages, and
what was still waiting to be pushed, and the page's copy of their files. By age it leaves runs that a safety limit
holds: they wait for a person. What it keeps, as digests without any text, is what the
Controller last accepted, which --only-changes needs, and who was in the last complete
run of each file, which --leavers needs; with --keep-keys the ids of the latter too.`,
		Example: `  opscom-import runs forget 17
  opscom-import runs forget --older-than 30d`,
		RunE: with(s, func(ctx context.Context, ss *session, args []string) (err error) {
			var age time.Duration
			byAge := forget.Flags().Changed("older-than")
			if byAge {
				if age, err = config.ParseDays(olderThan); err != nil {
					return fmt.Errorf("--older-than: %w", err)
				}
				if age <= 0 {
					return fmt.Errorf("--older-than %s: the age must be more than 0, such as 90d", age)
				}
			}
			if (len(args) > 0) == byAge {
				return errors.New("say which runs to forget: their numbers, or --older-than AGE")
			}
			ids := make([]int64, len(args))
			for i, arg := range args {
				if ids[i], err = runNumber(arg); err != nil {
					return err
				}
			}
			forgotten, err := app.Forget(ctx, ss.Env, ids, age)
			if err == nil {
				ss.say("%s forgotten.", english.Plural(forgotten, "run", ""))
			}
			return err
		}),
	}
	forget.Flags().StringVar(&olderThan, "older-than", "", "forget every run that was started longer ago than this `TIME`, such as 90d, 12w or 720h, unless it is held")
	return forget
}

func (s *session) printRuns(runs []importer.RunInfo, label func(importer.RunInfo) string) error {
	if s.Settings.JSON {
		return writeRuns(s.stdout, runs)
	}
	if len(runs) == 0 {
		s.say("There are no runs in %s.", s.JournalPlace())
		return nil
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTARTED\tSTATE\tROWS\tCLIENT\tFILE")
	for _, r := range runs {
		fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\t%s\n", r.ID, r.StartedAt.Local().Format("2006-01-02 15:04"), label(r), r.Rows, r.Client, report.Printable(app.ShortPath(r.Source)))
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
		Held       []string          `json:"held"` // why; empty when it is not held
		Results    string            `json:"results"`
		StartedAt  time.Time         `json:"started_at"`
		FinishedAt *time.Time        `json:"finished_at"` // null while it is not finished
	}
	lines := make([]line, len(runs))
	for i, r := range runs {
		lines[i] = line{r.ID, r.State, r.Client, r.Target, r.Source, r.Rows, []string{}, r.Reports.Results, r.StartedAt.UTC(), nil}
		if r.State == importer.RunHeld {
			lines[i].Held = append(lines[i].Held, r.Held...)
		}
		if !r.FinishedAt.IsZero() {
			lines[i].FinishedAt = new(r.FinishedAt.UTC())
		}
	}
	return json.NewEncoder(w).Encode(lines)
}
