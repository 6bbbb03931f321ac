package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

func approveCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "approve RUN",
		Short: "Push exactly the plan of a run that a safety limit held",
		Long: `approve pushes the plan of a held run as it was stored: the file is not read
again, and nothing that happened to it since makes a difference. A run whose
approval was interrupted goes on when it is approved again.`,
		Args: oneArgument("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			return withSession(c, s, func(ss *session) (err error) {
				feed, send, release := interrupts(c.Context(), s)
				defer release()
				defer func() { err = orInterrupted(feed, err) }()
				id, err := runNumber(args[0])
				if err != nil {
					return err
				}
				return ss.forEachFile(args, code, func(string) (report.Receipt, error) { return ss.approveRun(feed, send, id) })
			})
		},
	}
}

// approveRun pushes what waits in the run's plan, whatever held or stopped it.
func (s *session) approveRun(feed, send context.Context, id int64) (receipt report.Receipt, err error) {
	run, err := s.openRun(feed, id)
	if err != nil {
		return receipt, err
	}
	if err := s.mayApprove(run.Info()); err != nil {
		return receipt, err
	}
	if err := s.connect(); err != nil {
		return receipt, err
	}
	if err := s.fetchUserTypes(feed); err != nil { // shows that the Controller takes us
		return receipt, &incompleteError{err}
	}
	s.settings.Yes = true
	waiting, err := waitingRows(feed, run)
	if err != nil {
		return receipt, err
	}
	return s.pushRun(feed, send, currentRun{Run: run, command: "approve", began: time.Now(), shown: shownSource(run.Info()), waiting: waiting, table: s.tableOf(run.Info())})
}

// openRun opens the run with the lock of its target. A run that was planned for
// the sandbox needs no --sandbox to say so.
func (s *session) openRun(ctx context.Context, id int64) (*journal.Run, error) {
	var err error
	if s.journal, err = journal.Open(ctx, s.settings.State); err != nil {
		return nil, err
	}
	run, err := s.journal.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	if run.Info().Client == sandboxClient {
		s.settings = s.settings.ForSandbox()
	}
	if err := s.openJournal(ctx); err != nil {
		return nil, err
	}
	return s.journal.Run(ctx, id) // as it is now that nobody else works on it
}

func runNumber(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, fmt.Errorf("%q is not the number of a run; \"opscom-import runs\" lists them", text)
	}
	return id, nil
}

// mayApprove reports whether the run can be pushed with these settings.
func (s *session) mayApprove(r importer.RunInfo) error {
	switch {
	case r.Target != s.target():
		return fmt.Errorf("run %d was planned for %s, and the settings say %s; approve it with the settings that planned it", r.ID, r.Target, s.target())
	case r.State == importer.RunSuperseded:
		return fmt.Errorf("run %d cannot be approved: a newer run of the same file took its place", r.ID)
	case r.State == importer.RunFinished:
		return fmt.Errorf("run %d is finished; \"opscom-import runs report %d\" writes its results again", r.ID, r.ID)
	}
	return nil
}

// shownSource is a run's file as a person would name it.
func shownSource(r importer.RunInfo) string {
	if r.Source == "-" {
		return "standard input"
	}
	return filepath.Base(r.Source)
}
