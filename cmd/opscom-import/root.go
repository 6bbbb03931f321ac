package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/report"
)

// streams are where a command reads and writes.
type streams struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	root, code := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.stdin)
	root.SetOut(s.stdout)
	root.SetErr(s.stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(s.stderr, "opscom-import:", distinctLines(err.Error()))
		return max(*code, app.ExitCode(err)) // of several files one may have failed, and another be held
	}
	return *code
}

// distinctLines drops repeated lines: a full disk, for one, fails the run, the end of
// the run, and the closing of its journal.
func distinctLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); line == "" || !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// newRoot returns the whole command tree, and where a command leaves its exit
// code when it ends without an error.
func newRoot(s streams) (*cobra.Command, *int) {
	code := new(int)
	root := &cobra.Command{
		Use:   "opscom-import",
		Short: "Push the people in a spreadsheet to OPS-COM, with an answer for every row",
		Long: `opscom-import pushes the people in a spreadsheet to an OPS-COM Controller.

It checks the whole file before it sends anything, pushes every row that needs
it, and writes a result for every row. To resume a run that was stopped, or
died, run the same command again.

Try it without a Controller:  opscom-import push --sandbox samples/term-start.xlsx`,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		Args:                       noArgument,
		RunE:                       func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(explainFlag)
	config.AddFlags(root.PersistentFlags())
	root.AddCommand(
		pushCommand(s, code), submitCommand(s, code), checkCommand(s, code), mapCommand(s), leaversCommand(s), approveCommand(s, code), runsCommand(s),
		journalCommand(s, code), migrateCommand(s, code), watchCommand(s), jobsCommand(s, code), fieldsCommand(s), sandboxCommand(s), webCommand(s),
		doctorCommand(s, code), supportCommand(s), notifyCommand(s, code), workerCommand(s), workersCommand(s), versionCommand(s), manCommand(s),
	)
	explainHelp(root)
	return root, code
}

// session is one command as it runs: what its use case works with, and how it prints.
type session struct {
	app.Env
	streams
	style report.Style
}

// newSession loads the settings of the command.
func newSession(c *cobra.Command, s streams) (*session, error) {
	environment, err := config.System()
	if err != nil {
		return nil, err
	}
	settings, err := config.Load(c.Flags(), environment)
	if err != nil {
		return nil, err
	}
	progress := report.NewProgress(s.stderr, report.ProgressMode(s.stderr, environment.Lookup, settings.Quiet || settings.NoProgress))
	messages := progress.Writer(s.stderr)
	notify := func(note string) { fmt.Fprintln(messages, note) }
	if settings.Quiet {
		notify = func(string) {}
	}
	return &session{
		Env: app.Env{
			Settings: settings, Version: version(), Log: newLogger(messages, settings), Notify: notify, Progress: progress,
			Stdin: s.stdin, Stdout: s.stdout,
		},
		streams: s,
		style:   report.Style{Colour: report.Colours(s.stdout, environment.Lookup)},
	}, nil
}

// with returns a function that runs a command with its settings loaded.
func with(s streams, f func(ctx context.Context, ss *session, args []string) error) func(*cobra.Command, []string) error {
	return withoutState(s, func(ctx context.Context, ss *session, args []string) error {
		if err := ss.Settings.CheckState(); err != nil {
			return err
		}
		if err := app.RemoveHalfUploads(ss.Settings.State); err != nil {
			ss.Log.Warn(err.Error())
		}
		return f(ctx, ss, args)
	})
}

// withoutState is with for a command that needs no state folder, as in a container that may write nothing.
func withoutState(s streams, f func(ctx context.Context, ss *session, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		ss, err := newSession(c, s)
		if err != nil {
			return err
		}
		return f(c.Context(), ss, args)
	}
}

func newLogger(w io.Writer, settings config.Settings) *slog.Logger {
	options := &slog.HandlerOptions{Level: settings.LogLevel}
	if settings.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// say tells a person something on standard error, unless they asked for quiet.
func (s *session) say(format string, args ...any) { s.Notify(fmt.Sprintf(format, args...)) }

// print prints a receipt as the settings ask for.
func (s *session) print(receipt report.Receipt) error {
	out := s.stdout
	if r := receipt.Reports; r.Results == "-" || r.Problems == "-" || r.Fix == "-" || r.Summary == "-" {
		out = s.stderr // the report has standard output to itself
	}
	switch {
	case s.Settings.JSON:
		return receipt.WriteJSON(out)
	case s.Settings.Quiet:
		return nil
	default:
		return receipt.WriteText(out, s.style)
	}
}

// printer returns a function that prints receipts, and keeps the largest of their
// exit codes. A receipt that cannot be printed changes nothing about the run.
func (s *session) printer(code *int) func(report.Receipt) error {
	outlivePipes()
	return func(receipt report.Receipt) error {
		*code = max(*code, receipt.Exit)
		if err := s.print(receipt); err != nil {
			fmt.Fprintf(s.stderr, "%v; the run is not affected\n", err)
		}
		return nil
	}
}
