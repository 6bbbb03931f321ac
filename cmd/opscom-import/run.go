package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer/journal"
)

// streams are where a command reads and writes.
type streams struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// The exit codes, as docs/reference/commands.md explains them.
const (
	exitDone       = 0 // every row ended well
	exitRows       = 1 // complete, and some rows are invalid, rejected or failed
	exitUsage      = 2 // usage, settings or an unreadable file: nothing was sent
	exitIncomplete = 3 // the run is not complete; the same command goes on
	exitHeld       = 4 // a safety limit holds the run: nothing was sent
	exitBusy       = 5 // another run to the same client is in progress
)

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	cobra.MousetrapHelpText = "" // a double click on Windows is not a mistake: it opens the page
	root, code := newRoot(s)
	root.SetArgs(args)
	root.SetIn(s.stdin)
	root.SetOut(s.stdout)
	root.SetErr(s.stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(s.stderr, "opscom-import:", distinctLines(err.Error()))
		return exitCodeOf(err)
	}
	return *code
}

// distinctLines leaves out lines that were there before: a full disk, for one, is in
// the way of the run, of ending it, and of closing its journal.
func distinctLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); line == "" || !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// incompleteError wraps what ended a run after its plan was stored.
type incompleteError struct{ err error }

func (e *incompleteError) Error() string { return e.err.Error() }
func (e *incompleteError) Unwrap() error { return e.err }

// exitCodeOf maps an error to the exit code. What is no known end of a run
// happened before anything was sent.
func exitCodeOf(err error) int {
	var busy *journal.BusyError
	var incomplete *incompleteError
	switch {
	case errors.As(err, &busy):
		return exitBusy
	case errors.As(err, &incomplete):
		return exitIncomplete
	default:
		return exitUsage
	}
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
it, and writes what became of each row. A run that was stopped, or died, goes on
where it was when you run the same command again.

Try it without a Controller:  opscom-import push --sandbox samples/term-start.xlsx`,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
	}
	root.SetFlagErrorFunc(explainFlag)
	config.AddFlags(root.PersistentFlags())
	root.AddCommand(
		pushCommand(s, code), checkCommand(s, code), mapCommand(s), approveCommand(s, code), runsCommand(s),
		fieldsCommand(s), sandboxCommand(s), webCommand(s), doctorCommand(s, code), versionCommand(s),
	)
	return root, code
}
