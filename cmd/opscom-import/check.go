package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/spf13/cobra"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

func checkCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Do everything that push does up to the first profile; send and change nothing",
		Long: `check reads the whole file and judges every row exactly as push would, then says
how many rows are fine and what is wrong with the others. It sends no profile and
changes nothing.

User types are checked against the Controller's list when it can be asked, else
against the list that the last push has seen.`,
		Args: someArguments("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			return withSession(c, s, func(ss *session) (err error) {
				ctx, release := interruptible(c.Context())
				defer release()
				defer func() { err = orInterrupted(ctx, err) }()
				if err := ss.openJournalToRead(ctx); err != nil {
					return err
				}
				if err := ss.learnUserTypes(ctx); err != nil {
					return err
				}
				return ss.forEachFile(args, code, func(name string) (report.Receipt, error) { return ss.checkFile(ctx, name) })
			})
		},
	}
}

// openJournalToRead opens the journal if there is one: a check makes none.
func (s *session) openJournalToRead(ctx context.Context) error {
	exists, err := journal.Exists(s.settings.State)
	if err != nil || !exists {
		return err
	}
	s.journal, err = journal.Open(ctx, s.settings.State)
	return err
}

// learnUserTypes finds the Controller's user types where it can, and says how far
// they will be checked.
func (s *session) learnUserTypes(ctx context.Context) error {
	note, err := s.findUserTypes(ctx)
	if note != "" {
		s.say("%s", note)
	}
	return err
}

// findUserTypes asks the Controller for its user types, else it takes those that
// the journal remembers. The note is what a person must know when the Controller
// did not answer.
func (s *session) findUserTypes(ctx context.Context) (note string, err error) {
	s.userTypes = &userTypes{}
	why := errors.New("no client code is set")
	if s.client() != "" {
		if why = s.connect(); why == nil {
			list, err := s.controller.UserTypes(ctx)
			if err == nil {
				s.userTypes = &userTypes{list: list, known: true}
				return "", nil
			}
			why = err
		}
	}
	if s.journal != nil {
		list, at, err := s.journal.UserTypes(ctx, s.target())
		if err != nil {
			return "", err
		}
		if len(list) > 0 {
			s.userTypes = &userTypes{list: list, known: true}
			return fmt.Sprintf("User types are checked against the Controller's list of %s (it was not asked now: %v).", at.Local().Format("2006-01-02"), why), nil
		}
	}
	return fmt.Sprintf("User types are NOT checked: the Controller's list is not known (%v).", why), nil
}

// checkFile plans one file without keeping the plan.
func (s *session) checkFile(ctx context.Context, name string) (receipt report.Receipt, err error) {
	began := time.Now()
	in, err := openInput(ctx, name, s.streams)
	if err != nil {
		return receipt, err
	}
	defer func() { err = errors.Join(in.named(err), in.Close()) }()
	t, err := s.openTable(in)
	if err != nil {
		return receipt, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()

	if err := s.compile(t); err != nil {
		return receipt, err
	}
	paths, err := s.reportPaths(in.base)
	if err != nil {
		return receipt, err
	}
	if s.settings.Results == nil {
		paths.Results = "" // a check has results only when asked
	}
	scratch := journal.NewTempStore(paths.Results != "")
	defer func() { err = errors.Join(err, scratch.Close()) }()
	acceptances, salt := s.acceptances()
	s.say("Reading %s with %s.", in.shown, t.mappingName)
	plan, err := s.plan(ctx, t, scratch, acceptances, salt)
	if ctx.Err() != nil {
		err = interruptedBefore()
	}
	if err != nil {
		return receipt, err
	}
	held, err := s.judge(ctx, plan, in.source)
	if err != nil {
		return receipt, err
	}
	set := &reportSet{paths: paths, table: t, results: scratch.Results}
	if _, err := s.write(set); err != nil {
		return receipt, err
	}
	counts := checkedCounts(plan.Counts)
	receipt = s.receipt(report.Receipt{
		Command: "check", File: in.shown, Rows: plan.Rows, Counts: counts, Held: held,
		Seconds: time.Since(began).Seconds(), Reports: shortPaths(set.paths), Exit: exitOf(counts, nil, false),
	}, plan.Problems)
	return receipt, s.writeSummary(set.paths.Summary, report.Summary{Receipt: receipt, Changes: s.changes(plan), StartedAt: began}, t)
}

// acceptances is what rows are compared with when only changes count.
func (s *session) acceptances() (importer.Acceptances, []byte) {
	if !s.settings.OnlyChanges || s.journal == nil {
		return nil, nil
	}
	return s.journal, s.journal.Salt()
}

// checkedCounts returns a plan's counts by the statuses that a check shows.
func checkedCounts(planned importer.Counts) importer.Counts {
	counts := maps.Clone(planned)
	if n := counts[importer.StatusPending]; n > 0 {
		counts[importer.StatusValid] = n
		delete(counts, importer.StatusPending)
	}
	return counts
}
