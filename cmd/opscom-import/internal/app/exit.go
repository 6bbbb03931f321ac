package app

import (
	"context"
	"errors"
	"fmt"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres"
)

// The exit codes, as docs/reference/commands.md explains them.
const (
	ExitDone       = 0 // every row ended well
	ExitRows       = 1 // complete, and some rows are invalid, rejected or failed
	ExitUsage      = 2 // usage, settings or an unreadable file: nothing was sent
	ExitIncomplete = 3 // the run is not complete; the same command resumes it
	ExitHeld       = 4 // a safety limit holds the run: nothing was sent; importer.ExitOfHeld
	ExitBusy       = 5 // another run to the same client is in progress
)

// ExitCode returns the exit code of a command that ended with the error. Unless the
// error is a known end of a run, it happened before anything was sent.
func ExitCode(err error) int {
	var busy *journal.BusyError
	var incomplete *incompleteError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &busy):
		return ExitBusy
	case errors.As(err, &incomplete):
		return ExitIncomplete
	default:
		return ExitUsage
	}
}

// RunExitCode returns the exit code of a run with these counts; ended is why it
// ended early, nil when it did not.
func RunExitCode(counts importer.Counts, ended error, held bool) int {
	switch {
	case held:
		return ExitHeld
	case ended != nil || counts.Of(importer.KindOpen) > 0:
		return ExitIncomplete
	case counts.Of(importer.KindToFix, importer.KindFailed) > 0:
		return ExitRows
	default:
		return ExitDone
	}
}

// incompleteError wraps what ended a run after its plan was stored.
type incompleteError struct{ err error }

func (e *incompleteError) Error() string { return e.err.Error() }
func (e *incompleteError) Unwrap() error { return e.err }

// errInterruptedEarly returns the error of an interrupt before the first request.
func errInterruptedEarly() error {
	return &incompleteError{fmt.Errorf("%w before anything was sent", importer.ErrInterrupted)}
}

// OrInterrupted returns the error, or what it means when it is the result of an
// interrupt before the first request.
func OrInterrupted(ctx context.Context, err error) error {
	ofRun := errors.As(err, new(*incompleteError)) && !errors.Is(err, context.Canceled)
	if err == nil || ctx.Err() == nil || ofRun {
		return err
	}
	return errInterruptedEarly()
}

// withNextStep adds what to do next to the reason why a run ended.
func withNextStep(ended error) error {
	if errors.Is(ended, importer.ErrInterrupted) {
		return fmt.Errorf("%w; run the same command again to resume", ended)
	}
	if errors.As(ended, new(*importer.PauseError)) { // says it
		return fmt.Errorf("the run was stopped: %w to resume", ended)
	}
	if errors.As(ended, new(*postgres.StoppedError)) {
		return fmt.Errorf("%w; run the same command again to resume", ended)
	}
	return fmt.Errorf("the run was stopped: %w; when that is fixed, run the same command again to resume", ended)
}

// reportsFailed adds what to do next to the reason why a report of the run was not
// written.
func reportsFailed(run int64, err error) error {
	return fmt.Errorf("%w; when that is fixed, \"opscom-import runs report %d\" writes the reports; or run the same command again", err, run)
}

// summaryFailed does so for the summary, which comes after the end of the run.
func summaryFailed(err error) error {
	return fmt.Errorf("%w; the other reports are written, and the results say how each row ended", err)
}
