package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres"
	"opscom-import/report"
)

// shared is a run of a journal whose runs any process may stop.
type shared interface {
	StopBecause(ctx context.Context, reason string) error
}

// StopRun stops a run that is being pushed, or was cut off, and returns it with its receipt. With a
// journal in PostgreSQL that is so wherever it is pushed: a process that pushes it records the answers in
// flight first. With one in a state folder only the process that pushes a run can stop it. A run
// that is stopped already stays as it is.
func StopRun(ctx context.Context, env Env, id int64) (info importer.RunInfo, receipt report.Receipt, err error) {
	if exists, err := env.hasJournal(); err != nil || !exists {
		return info, receipt, errors.Join(err, env.noRun(id))
	}
	err = env.withJournal(ctx, func(j journal.Journal) error {
		run, err := j.Run(ctx, id)
		if err != nil {
			return err
		}
		if err := env.stopRun(ctx, j, run); err != nil {
			return err
		}
		if run, err = j.Run(ctx, id); err != nil {
			return err
		}
		info = run.Info()
		if err := leaveToPerson(ctx, j, info); err != nil {
			return err
		}
		receipt, err = receiptOf(ctx, "runs stop", run)
		receipt.Exit = ExitDone // it is what was asked for
		return err
	})
	return info, receipt, err
}

func (e Env) stopRun(ctx context.Context, j journal.Journal, run journal.Run) error {
	info := run.Info()
	switch info.State {
	case importer.RunStopped:
		return nil
	case importer.RunPushing:
	case importer.RunPlanning:
		return fmt.Errorf("the file of run %d is being read, and nothing was sent: interrupt the command that reads it (Ctrl-C)", info.ID)
	default:
		return fmt.Errorf("run %d is not in progress (%s): there is nothing to stop", info.ID, info.State.Label())
	}
	if run, ok := run.(shared); ok {
		e.notify("Stopping run %d: the processes that push it send nothing more, and record the answers in flight.", info.ID)
		host, err := os.Hostname()
		if err != nil {
			host = "another machine"
		}
		return run.StopBecause(ctx, fmt.Sprintf("%s on %s", stopCommand, host))
	}
	err := journal.Alone(ctx, j, info.Target, func() error { return nil }) // whose process has died, is stopped by that
	if errors.As(err, new(*journal.BusyError)) {
		return &elsewhereError{info.ID, err}
	}
	return err
}

// stopCommand begins the reason of a run that a person has stopped.
const stopCommand = `"opscom-import runs stop"`

// leaveToPerson ends the job's work on the file of a run that a person has stopped: no job goes on
// with it by itself.
func leaveToPerson(ctx context.Context, j journal.Journal, run importer.RunInfo) error {
	if run.State != importer.RunStopped {
		return nil
	}
	rows, err := j.JobRuns(ctx, "", 0)
	if err != nil {
		return err
	}
	for _, row := range rows {
		isOfRun := row.Run == run.ID || row.File == run.Source && row.FileHash == run.FileHash && !row.BegunAt.After(run.StartedAt)
		if !isOfRun || row.IsEnded() && !row.Retry {
			continue
		}
		row.Run, row.Exit, row.Problem, row.Retry, row.EndedAt = run.ID, ExitIncomplete, StoppedProblem(run.ID), false, time.Now()
		row.IsTold = row.Folder != "" // the process that moves it says where it lies then
		if err := j.EndJobRun(ctx, row, nil); err != nil {
			return err
		}
	}
	return nil
}

// StoppedProblem says of a job's file that a person has stopped its run.
func StoppedProblem(run int64) string {
	return fmt.Sprintf("run %[1]d was stopped by %[2]s: \"opscom-import approve %[1]d\" goes on with it, and so does the same file when it comes again", run, stopCommand)
}

// StoppedByPerson returns the run that a person has stopped with "runs stop" or on a page while it was pushed, 0 for none.
func StoppedByPerson(err error) int64 {
	if stopped := new(postgres.StoppedError); errors.As(err, &stopped) && strings.HasPrefix(stopped.Reason, stopCommand) {
		return stopped.Run
	}
	return 0
}

// stoppedByPerson returns the error of a run that a person has stopped since the work on its file began.
func (p *pusher) stoppedByPerson(run journal.Run) error {
	r, isShared := run.(interface{ Reason() string })
	if info := run.Info(); !isShared || p.Begun.IsZero() || info.StartedAt.Before(p.Begun) || info.State != importer.RunStopped {
		return nil
	}
	if stopped := (&postgres.StoppedError{Run: run.Info().ID, Reason: r.Reason()}); StoppedByPerson(stopped) != 0 {
		return &incompleteError{stopped}
	}
	return nil
}

// IsStoppedElsewhere reports whether a push ended because another process has stopped the run.
func IsStoppedElsewhere(err error) bool { return errors.As(err, new(*postgres.StoppedError)) }

// elsewhereError says that another process of this machine pushes a run.
type elsewhereError struct {
	run  int64
	busy error
}

func (e *elsewhereError) Error() string {
	return fmt.Sprintf("run %d is pushed by another process, and with a journal in a state folder only that one can stop it: "+
		"press Ctrl-C in its terminal, or Stop on its page", e.run)
}

func (e *elsewhereError) Unwrap() error { return e.busy }
