package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// Push plans each file, or finds the unfinished run of it that can be resumed, pushes
// what is pending, and gives the receipt of each to done. When fetchCtx is cancelled
// nothing new is sent and the answers in flight are awaited; workCtx ends these too.
// A file that is held or stopped is the last.
func Push(fetchCtx, workCtx context.Context, env Env, files []string, done func(report.Receipt) error) error {
	if env.Settings.MaxChanged.Set && !env.Settings.OnlyChanges {
		return errors.New("--max-changed counts rows that are new or changed: it needs --only-changes")
	}
	if err := checkDistinctResults(env.Settings, files); err != nil {
		return err
	}
	err := env.withJournal(fetchCtx, func(j *journal.Journal) (err error) {
		p, err := newPusher(fetchCtx, env, j)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.Close()) }()
		return eachFile(files, done, func(name string) (report.Receipt, error) {
			return env.withTable(fetchCtx, name, p.userTypes, func(t *table) (report.Receipt, error) { return p.pushFile(fetchCtx, workCtx, t) })
		})
	})
	return orInterrupted(fetchCtx, err)
}

// checkDistinctResults makes sure that the results of one file do not replace those
// of another.
func checkDistinctResults(s config.Settings, names []string) error {
	fileOf := map[string]string{}
	for _, name := range names {
		paths, err := reportPaths(s, baseOf(name))
		if err != nil {
			return err
		}
		path := paths.Results
		if other, taken := fileOf[path]; taken && path != "" && other != name {
			return fmt.Errorf("the results of %s and of %s would both be %s: push them one at a time, with --results for one of them", other, name, ShortPath(path))
		}
		fileOf[path] = name
	}
	return nil
}

// pusher is what a push or an approval works with.
type pusher struct {
	Env
	journal    *journal.Journal
	connection *connection
	unlock     func() error
	userTypes  userTypes // known once the Controller was asked
}

// newPusher takes the target's lock and makes the client.
func newPusher(ctx context.Context, env Env, j *journal.Journal) (*pusher, error) {
	unlock, err := lockTarget(ctx, j, env.target())
	if err != nil {
		return nil, err
	}
	conn, err := connect(env)
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	return &pusher{Env: env, journal: j, connection: conn, unlock: unlock}, nil
}

func (p *pusher) Close() error {
	return errors.Join(p.connection.Close(), p.unlock())
}

// askUserTypes asks the Controller for its user types, once. That it answers shows
// that address, client code and token are right before anything is planned.
func (p *pusher) askUserTypes(ctx context.Context) error {
	if p.userTypes.known {
		return nil
	}
	list, err := p.connection.UserTypes(ctx)
	if err != nil {
		return &incompleteError{fmt.Errorf("ask %s for its user types: %w", p.Host(), err)}
	}
	p.userTypes = userTypes{list, true}
	if err := p.journal.SaveUserTypes(ctx, p.target(), list, time.Now().UTC()); err != nil {
		return &incompleteError{err}
	}
	return nil
}

// activeRun is the run that a command works on.
type activeRun struct {
	*journal.Run
	command  string
	started  time.Time
	shown    string                  // the file as the person named it
	pending  int                     // rows that are to be pushed
	problems []importer.ProblemCount // that its plan has found
	changes  *report.Changes         // that its plan has found; nil when it did not look
	table    func() *mappedTable     // what it was planned from; nil when that is gone
}

// pushFile plans one file, or finds a run of it that can be resumed, and pushes it.
func (p *pusher) pushFile(fetchCtx, workCtx context.Context, opened *table) (receipt report.Receipt, err error) {
	hash, err := opened.in.hash()
	if err != nil {
		return receipt, err
	}
	if err := p.askUserTypes(fetchCtx); err != nil {
		return receipt, err
	}
	t, err := opened.withUserTypes(p.Settings, p.userTypes)
	if err != nil {
		return receipt, err
	}
	started := time.Now()
	run, err := p.findResumable(fetchCtx, t, hash)
	if err != nil {
		return receipt, err
	}
	var plan importer.Plan
	pending := 0
	if run == nil {
		run, plan, err = p.planRun(fetchCtx, t, hash)
		pending = plan.Counts[importer.StatusPending]
	} else {
		pending, err = countPending(fetchCtx, run)
	}
	if err != nil {
		return receipt, err
	}
	return p.pushRun(fetchCtx, workCtx, activeRun{
		Run: run, command: "push", started: started, shown: t.in.shown, pending: pending,
		problems: plan.Problems, changes: changes(p.Settings, plan), table: t.asIs,
	})
}

// asIs returns the table, which is open.
func (t *mappedTable) asIs() *mappedTable { return t }

// countPending counts the rows that resuming a run pushes.
func countPending(ctx context.Context, run *journal.Run) (int, error) {
	counts, _, err := run.Counts(ctx)
	return counts[importer.StatusNotSent] + counts[importer.StatusUnknown] + counts[importer.StatusFailed], err
}

// findResumable returns the unfinished run of the very same file, mapping and target,
// or nil when there is none. Unfinished runs of the same source that differ cannot be
// resumed any more: it says what changed.
func (p *pusher) findResumable(ctx context.Context, t *mappedTable, hash string) (*journal.Run, error) {
	unfinished, err := p.journal.Unfinished(ctx, p.target(), t.in.source)
	if err != nil {
		return nil, err
	}
	var same *journal.Run
	for _, u := range unfinished {
		changed, err := p.changedSince(ctx, u, t, hash)
		if err != nil {
			return nil, err
		}
		if same != nil && changed == "" {
			changed = "a newer run of it is not finished either"
		}
		if changed == "" {
			if same, err = p.journal.Run(ctx, u.ID); err != nil {
				return nil, err
			}
			p.notify("This is run %d of %s, which was started %s and is not finished.", u.ID, t.in.shown, u.StartedAt.Local().Format("2006-01-02 15:04"))
			continue
		}
		if err := p.journal.Supersede(ctx, u.ID); err != nil {
			return nil, err
		}
		p.notify("Run %d of %s was not finished (%s), and %s: this is a new run, and run %d can no longer be resumed.",
			u.ID, t.in.shown, u.State, changed, u.ID)
	}
	return same, nil
}

// changedSince says why the unfinished run cannot be resumed, "" when it can. A held
// run can when the limits, as they are now, hold it for the same reasons: else they
// judge the file again.
func (p *pusher) changedSince(ctx context.Context, u importer.RunInfo, t *mappedTable, hash string) (string, error) {
	switch file, mapped := u.FileHash != hash, u.MappingHash != t.planHash; {
	case file && mapped:
		return "the file and its mapping or settings have changed since", nil
	case file:
		return "the file has changed since", nil
	case mapped:
		return "its mapping or settings have changed since", nil
	case p.Settings.Fresh:
		return "--fresh was given", nil
	case u.State != importer.RunHeld || p.Settings.Yes:
		return "", nil
	}
	run, err := p.journal.Run(ctx, u.ID)
	if err != nil {
		return "", err
	}
	counts, _, err := run.Counts(ctx)
	if err != nil {
		return "", err
	}
	counts[importer.StatusPending] = counts[importer.StatusNotSent] // nothing of a held run was sent
	held, err := p.judge(ctx, p.journal, importer.Plan{Rows: u.Rows, Counts: counts}, u.Source)
	if err != nil || slices.Equal(held, u.Held) {
		return "", err
	}
	return "the safety limits have changed since", nil
}

// planRun plans the table as a new run, and lets the safety limits judge it.
func (p *pusher) planRun(ctx context.Context, t *mappedTable, hash string) (*journal.Run, importer.Plan, error) {
	paths, err := reportPaths(p.Settings, t.in.base)
	if err == nil {
		err = checkWritable(paths)
	}
	if err != nil {
		return nil, importer.Plan{}, err
	}
	run, err := p.journal.Begin(ctx, importer.RunInfo{
		Client: p.client(), Target: p.target(), Source: t.in.source,
		FileHash: hash, MappingHash: t.planHash, Reports: paths, StartedAt: time.Now().UTC(),
	})
	if err != nil {
		return nil, importer.Plan{}, err
	}
	planner := importer.Planner{Store: run, Salt: p.journal.Salt()}
	if p.Settings.OnlyChanges {
		planner.Acceptances = p.journal
	}
	plan, err := p.plan(ctx, t, planner)
	var held []string
	if err == nil {
		held, err = p.judge(ctx, p.journal, plan, t.in.source)
	}
	if err != nil {
		return nil, plan, errors.Join(err, run.Discard(context.WithoutCancel(ctx)))
	}
	state := importer.RunPushing
	if len(held) > 0 && !p.Settings.Yes {
		state = importer.RunHeld
	}
	p.Log.Info("plan is complete", "run", run.Info().ID, "rows", plan.Rows, "counts", plan.Counts, "held", len(held) > 0)
	return run, plan, run.Seal(ctx, state, plan.Rows, held)
}

// pushRun pushes what is pending in the run, unless a safety limit holds it, and
// finishes it.
func (p *pusher) pushRun(fetchCtx, workCtx context.Context, active activeRun) (report.Receipt, error) {
	state := active.Info().State
	if state == importer.RunHeld && !p.Settings.Yes {
		return p.finish(workCtx, active, nil)
	}
	if state != importer.RunPushing { // it was held or stopped before
		if err := active.Start(fetchCtx); err != nil {
			return report.Receipt{}, &incompleteError{err}
		}
		p.Log.Info("run is resumed", "run", active.Info().ID, "pending", active.pending)
	}
	p.Progress.Start(active.pending)
	pusher := importer.Pusher{
		Queue: active.Run, Controller: p.connection, Workers: p.Settings.Workers, MaxFailures: p.Settings.MaxFailures,
		OnRecorded: func(outcomes []importer.Outcome) {
			for _, o := range outcomes {
				p.Progress.Add(o.Status, 1)
			}
		},
	}
	ended := pusher.Push(fetchCtx, workCtx)
	p.Progress.Finish()
	return p.finish(workCtx, active, ended)
}

// finish writes the reports of a run that is complete, stopped or held, and returns
// its receipt, even with the error that ended it early. An interrupt does not keep it
// from that.
func (p *pusher) finish(ctx context.Context, active activeRun, ended error) (receipt report.Receipt, err error) {
	ctx = context.WithoutCancel(ctx)
	if ended != nil {
		if err := active.Stop(ctx); err != nil {
			return receipt, &incompleteError{errors.Join(ended, err)}
		}
	}
	r := &reporter{Env: p.Env, paths: active.Info().Reports, results: resultsOf(ctx, active.Run), reopen: active.table}
	totals, err := r.write()
	if err != nil {
		return receipt, &incompleteError{errors.Join(ended, reportsFailed(err))}
	}
	held := active.Info().State == importer.RunHeld
	if ended == nil && !held {
		if err := active.Finish(ctx, time.Now().UTC()); err != nil {
			return receipt, &incompleteError{err}
		}
	}
	info := active.Info()
	receipt = report.Receipt{
		Command: active.command, Run: info.ID, File: active.shown, Target: p.Host(), Rows: info.Rows,
		Counts: totals.Counts, Problems: append(active.problems, totals.Refused...), Attempts: totals.Attempts,
		Seconds: time.Since(active.started).Seconds(), Held: heldReasons(info), Reports: shortPaths(r.paths),
		Exit: RunExitCode(totals.Counts, ended, held),
	}
	p.Log.Info("run ended", "run", info.ID, "state", string(info.State), "rows", info.Rows, "counts", receipt.Counts,
		"attempts", receipt.Attempts, "exit", receipt.Exit)
	if err := r.writeSummary(report.Summary{
		Receipt: receipt, Changes: active.changes, StartedAt: info.StartedAt, FinishedAt: info.FinishedAt, Timeline: totals.Timeline.Points(),
	}); err != nil {
		return receipt, &incompleteError{errors.Join(ended, reportsFailed(err))}
	}
	if ended != nil {
		return receipt, &incompleteError{withNextStep(ended)}
	}
	return receipt, nil
}

// heldReasons returns why the run is held, nothing when it was approved since.
func heldReasons(r importer.RunInfo) []string {
	if r.State != importer.RunHeld {
		return nil
	}
	return r.Held
}
