package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

func pushCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "push FILE...",
		Short: "Plan, then push every row that needs it, and write what became of each",
		Long: `push reads the whole file, checks every row, and stores the plan before the
first request. Then it pushes the rows that need it, and writes NAME.results.csv
beside the file: a reference id or a reason for every row.

FILE is a CSV file or an Excel workbook; "-" is standard input. How its columns
become attributes stands in NAME.mapping.yaml beside it; "opscom-import map"
suggests one.

A run that was stopped goes on when you run the same command again.`,
		Example: `  opscom-import push --sandbox samples/term-start.xlsx
  opscom-import push --client OC_TOMA students.csv
  opscom-import push --client OC_TOMA --only-changes --min-rows 90% nightly.csv`,
		Args: someArguments("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			return withSession(c, s, func(ss *session) (err error) {
				if ss.settings.MaxChanged.Set && !ss.settings.OnlyChanges {
					return errors.New("--max-changed counts rows that are new or changed: it needs --only-changes")
				}
				feed, send, release := interrupts(c.Context(), s)
				defer release()
				defer func() { err = orInterrupted(feed, err) }()
				if err := ss.distinctResults(args); err != nil {
					return err
				}
				if err := ss.openJournal(feed); err != nil {
					return err
				}
				return ss.forEachFile(args, code, func(name string) (report.Receipt, error) { return ss.pushFile(feed, send, name) })
			})
		},
	}
}

// withSession runs f with a session, and closes it whatever happens.
func withSession(c *cobra.Command, s streams, f func(*session) error) (err error) {
	ss, err := newSession(c, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ss.Close()) }()
	return f(ss)
}

// forEachFile handles the files in turn and prints their receipts: the largest of
// the exit codes 0 and 1 counts, anything else stops the rest.
func (s *session) forEachFile(names []string, code *int, handle func(name string) (report.Receipt, error)) error {
	for _, name := range names {
		receipt, err := handle(name)
		if receipt.Command != "" { // a file that could not be planned has none
			err = errors.Join(err, s.print(receipt))
		}
		if err != nil {
			return err
		}
		*code = max(*code, receipt.Exit)
		if receipt.Exit > exitRows {
			return nil
		}
	}
	return nil
}

// pushFile plans one file, or takes up the run of it that was not finished, and
// pushes it.
func (s *session) pushFile(feed, send context.Context, name string) (receipt report.Receipt, err error) {
	in, err := openInput(feed, name, s.streams)
	if err != nil {
		return receipt, err
	}
	defer func() { err = errors.Join(in.named(err), in.Close()) }()
	t, err := s.openTable(in)
	if err != nil {
		return receipt, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if t.fileHash, err = in.hash(); err != nil {
		return receipt, err
	}
	if err := s.connect(); err != nil {
		return receipt, err
	}
	if err := s.fetchUserTypes(feed); err != nil {
		return receipt, &incompleteError{err}
	}
	if err := s.compile(t); err != nil {
		return receipt, err
	}
	began := time.Now()
	run, err := s.takeUp(feed, t)
	if err != nil {
		return receipt, err
	}
	current := currentRun{Run: run, command: "push", began: began, shown: in.shown, table: t}
	if run == nil {
		var plan importer.Plan
		current.Run, plan, err = s.planRun(feed, t)
		current.waiting, current.problems, current.changes = plan.Counts[importer.StatusPending], plan.Problems, s.changes(plan)
	} else {
		current.waiting, err = waitingRows(feed, run)
	}
	if err != nil {
		return receipt, err
	}
	return s.pushRun(feed, send, current)
}

// changes says how a plan's rows differ from what was last accepted, nil when they
// were not compared.
func (s *session) changes(p importer.Plan) *report.Changes {
	if !s.settings.OnlyChanges {
		return nil
	}
	return &report.Changes{New: p.Counts[importer.StatusPending] - p.Changed, Changed: p.Changed, Unchanged: p.Counts[importer.StatusUnchanged]}
}

// waitingRows counts the rows that going on with a run pushes.
func waitingRows(ctx context.Context, run *journal.Run) (int, error) {
	counts, _, err := run.Counts(ctx)
	return counts[importer.StatusNotSent] + counts[importer.StatusUnknown] + counts[importer.StatusFailed], err
}

// takeUp returns the unfinished run of the very same file, mapping and target, or
// nil when there is none. Unfinished runs of the same source that differ can not
// go on: it says what changed.
func (s *session) takeUp(ctx context.Context, t *table) (*journal.Run, error) {
	unfinished, err := s.journal.Unfinished(ctx, s.target(), t.in.source)
	if err != nil {
		return nil, err
	}
	var same *journal.Run
	for _, u := range unfinished {
		changed, err := s.whatChanged(ctx, u, t)
		if err != nil {
			return nil, err
		}
		if same != nil && changed == "" {
			changed = "a newer run of it was not finished either"
		}
		if changed == "" {
			if same, err = s.journal.Run(ctx, u.ID); err != nil {
				return nil, err
			}
			s.say("This is run %d of %s, begun %s and not finished.", u.ID, t.in.shown, u.StartedAt.Local().Format("2006-01-02 15:04"))
			continue
		}
		if err := s.journal.Supersede(ctx, u.ID); err != nil {
			return nil, err
		}
		s.say("Run %d of %s was not finished (%s), and %s: this is a new run, and run %d can no longer go on.",
			u.ID, t.in.shown, u.State, changed, u.ID)
	}
	return same, nil
}

// whatChanged says why the unfinished run cannot go on, "" when it can. A held run
// can when the limits, as they are now, hold it for the same reasons: else they
// judge the file again.
func (s *session) whatChanged(ctx context.Context, u importer.RunInfo, t *table) (string, error) {
	switch file, mapped := u.FileHash != t.fileHash, u.MappingHash != t.planHash; {
	case file && mapped:
		return "the file and its mapping or settings have changed since", nil
	case file:
		return "the file has changed since", nil
	case mapped:
		return "its mapping or settings have changed since", nil
	case s.settings.Fresh:
		return "--fresh was asked for", nil
	case u.State != importer.RunHeld || s.settings.Yes:
		return "", nil
	}
	run, err := s.journal.Run(ctx, u.ID)
	if err != nil {
		return "", err
	}
	counts, _, err := run.Counts(ctx)
	if err != nil {
		return "", err
	}
	counts[importer.StatusPending] = counts[importer.StatusNotSent] // nothing of a held run was sent
	held, err := s.judge(ctx, importer.Plan{Rows: u.Rows, Counts: counts}, u.Source)
	if err != nil || slices.Equal(held, u.Held) {
		return "", err
	}
	return "the safety limits have changed since", nil
}

// planRun plans the table as a new run, and lets the safety limits judge it.
func (s *session) planRun(ctx context.Context, t *table) (*journal.Run, importer.Plan, error) {
	reports, err := s.reportPaths(t.in.base)
	if err != nil {
		return nil, importer.Plan{}, err
	}
	if err := canWrite(reports); err != nil {
		return nil, importer.Plan{}, err
	}
	run, err := s.journal.Begin(ctx, importer.RunInfo{
		Client: s.client(), Target: s.target(), Source: t.in.source,
		FileHash: t.fileHash, MappingHash: t.planHash, Reports: reports, StartedAt: time.Now().UTC(),
	})
	if err != nil {
		return nil, importer.Plan{}, err
	}
	s.say("Reading %s with %s.", t.in.shown, t.mappingName)
	var acceptances importer.Acceptances
	if s.settings.OnlyChanges {
		acceptances = s.journal
	}
	plan, err := s.plan(ctx, t, run, acceptances, s.journal.Salt())
	if ctx.Err() != nil {
		err = interruptedBefore()
	}
	if err != nil {
		return nil, plan, errors.Join(err, run.Discard(context.WithoutCancel(ctx)))
	}
	held, err := s.judge(ctx, plan, t.in.source)
	if err != nil {
		return nil, plan, errors.Join(err, run.Discard(ctx))
	}
	state := importer.RunPushing
	if len(held) > 0 && !s.settings.Yes {
		state = importer.RunHeld
	}
	s.log.Info("plan is complete", "run", run.Info().ID, "rows", plan.Rows, "counts", plan.Counts, "held", len(held) > 0)
	return run, plan, run.Seal(ctx, state, plan.Rows, held)
}

// judge returns why the safety limits hold this plan of the source.
func (s *session) judge(ctx context.Context, plan importer.Plan, source string) ([]string, error) {
	lastRows := 0
	if s.journal != nil {
		last, _, err := s.journal.Last(ctx, s.target(), source)
		if err != nil {
			return nil, err
		}
		lastRows = last.Rows
	}
	limits := importer.Limits{MaxBad: s.settings.MaxBad, MaxChanged: s.settings.MaxChanged, MinRows: s.settings.MinRows}
	return limits.Judge(plan, lastRows), nil
}

// distinctResults makes sure that the results of one file do not replace those of
// another.
func (s *session) distinctResults(names []string) error {
	fileOf := map[string]string{}
	for _, name := range names {
		paths, err := s.reportPaths(baseOf(name))
		if err != nil {
			return err
		}
		path := paths.Results
		if other, taken := fileOf[path]; taken && path != "" && other != name {
			return fmt.Errorf("the results of %s and of %s would both be %s: push them one at a time, with --results for one of them", other, name, shortPath(path))
		}
		fileOf[path] = name
	}
	return nil
}

// pushRun pushes what waits in the run, unless a safety limit holds it, and
// concludes it.
func (s *session) pushRun(feed, send context.Context, c currentRun) (receipt report.Receipt, err error) {
	if c.Info().State == importer.RunHeld && !s.settings.Yes {
		return s.conclude(c)
	}
	if c.Info().State != importer.RunPushing { // it was held or stopped before
		if err := c.Start(feed); err != nil {
			return receipt, &incompleteError{err}
		}
		s.log.Info("run goes on", "run", c.Info().ID, "waiting", c.waiting)
	}
	s.progress.Start(c.waiting)
	pusher := importer.Pusher{
		Queue: c.Run, Controller: s.controller, Workers: s.settings.Workers, MaxFailures: s.settings.MaxFailures,
		OnRecorded: func(outcomes []importer.Outcome) {
			for _, o := range outcomes {
				s.progress.Add(o.Status, 1)
			}
		},
	}
	c.ended = pusher.Push(feed, send)
	s.progress.Finish()
	return s.conclude(c)
}
