package app

import (
	"context"
	"errors"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// Push plans each file, or finds the unfinished run of it that can be resumed, pushes
// what is pending, and gives the receipt of each to done. When fetchCtx is cancelled
// nothing new is sent and the answers in flight are awaited; workCtx ends these too.
// A file that is held or stopped is the last; one that cannot be read is not.
func Push(fetchCtx, workCtx context.Context, env Env, files []string, done func(report.Receipt) error) error {
	return env.pushEach(fetchCtx, workCtx, files, done, nil)
}

// pushEach is Push; change, unless it is nil, changes what it works with.
func (e Env) pushEach(fetchCtx, workCtx context.Context, files []string, done func(report.Receipt) error, change func(*pusher)) error {
	if e.Settings.MaxChanged.Set && !e.Settings.OnlyChanges {
		return errors.New("--max-changed counts rows that are new or changed: it needs --only-changes")
	}
	files, err := e.leaveOutReports(files)
	if err != nil {
		return err
	}
	if err := checkPaths(e.Settings, files, func(name string) (importer.Reports, error) { return reportPaths(e.Settings, baseOf(name)) }); err != nil {
		return err
	}
	err = e.withJournal(fetchCtx, func(j journal.Journal) (err error) {
		defer e.forgetOld(fetchCtx, j)
		p, err := newPusher(fetchCtx, e, j)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.Close()) }()
		if change != nil {
			change(p)
		}
		return eachFile(fetchCtx, files, done, func(name string) (report.Receipt, error) {
			return e.withTable(fetchCtx, name, p.userTypes, func(t *table) (report.Receipt, error) { return p.pushFile(fetchCtx, workCtx, t) })
		})
	})
	return OrInterrupted(fetchCtx, err)
}

// pusher is what a push or an approval works with.
type pusher struct {
	Env
	journal    journal.Journal
	connection *connection
	unlock     func() error
	keepRate   func()    // ends what has turns of a shared rate
	userTypes  userTypes // known once the Controller was asked

	// submit, unless it is nil, gives a run in progress to others, in place of pushing it.
	submit func(fetchCtx, workCtx context.Context, active activeRun) (report.Receipt, error)
}

// newPusher takes the target's lock and makes the client.
func newPusher(ctx context.Context, env Env, j journal.Journal) (*pusher, error) {
	unlock, err := journal.LockAndRecover(ctx, j, env.target())
	if err != nil {
		return nil, err
	}
	env, done, err := env.shareRate(ctx, j)
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	conn, err := connect(ctx, env)
	if err != nil {
		done()
		return nil, errors.Join(err, unlock())
	}
	if env.OnConnect != nil {
		env.OnConnect(conn.Rate)
	}
	return &pusher{Env: env, journal: j, connection: conn, unlock: unlock, keepRate: done}, nil
}

func (p *pusher) Close() error {
	err := p.connection.Close()
	p.keepRate()
	return errors.Join(err, p.unlock())
}

func (p *pusher) command() string {
	if p.submits {
		return "submit"
	}
	return "push"
}

// askUserTypes asks the Controller for its user types, once. That it answers shows
// that address, client code and token are right before anything is planned. Where it
// denies the list to this token, the run goes on without it: whether the token is
// right shows with the first row.
func (p *pusher) askUserTypes(ctx context.Context) error {
	if p.userTypes.known || p.userTypes.denied != nil {
		return nil
	}
	list, err := p.connection.AwaitUserTypes(ctx, func(why string) {
		p.notify("%s does not answer yet (%s): trying again for a few seconds.", p.Host(), why)
		p.Log.Info("the Controller does not answer yet", "why", why)
	})
	if errors.As(err, &p.userTypes.denied) {
		p.notify("%s", withoutList(p.userTypes.denied))
		p.Log.Info("the Controller does not list its user types", "code", p.userTypes.denied.Code)
		return nil
	}
	if err != nil {
		return &incompleteError{err}
	}
	p.userTypes = userTypes{list: list, known: true}
	if err := p.journal.SaveUserTypes(ctx, p.target(), list, time.Now().UTC()); err != nil {
		return &incompleteError{err}
	}
	return nil
}

// pushFile plans one file, or finds a run of it that can be resumed, and pushes it. Of one that was finished
// since the work on the file began it only writes the reports.
func (p *pusher) pushFile(fetchCtx, workCtx context.Context, opened *table) (receipt report.Receipt, err error) {
	hash, err := opened.in.hash()
	if err != nil {
		return receipt, err
	}
	if run, err := p.findFinished(fetchCtx, opened.in.path, hash); err != nil {
		return receipt, err
	} else if run != nil {
		return p.reportFinished(workCtx, run)
	}
	if err := p.askUserTypes(fetchCtx); err != nil {
		return receipt, err
	}
	t, err := opened.withUserTypes(p.Settings, p.userTypes)
	if err != nil && p.userTypes.denied != nil { // with the list it may be right
		err = &notOfFileError{err}
	}
	if err != nil {
		return receipt, err
	}
	started := time.Now()
	var run journal.Run
	if p.Reviewed == nil { // what was reviewed is a plan from the first row on
		if run, err = p.findResumable(fetchCtx, t, hash); err != nil {
			return receipt, err
		}
	}
	var plan importer.Plan
	pending := 0
	if run == nil {
		run, plan, err = p.planRun(fetchCtx, t, hash)
		pending = plan.Counts[importer.StatusPending]
		if plan.Leavers != nil {
			pending += plan.Leavers.Sent
		}
	} else {
		pending, err = countPending(fetchCtx, run)
	}
	if err != nil {
		return receipt, err
	}
	return p.pushRun(fetchCtx, workCtx, activeRun{
		Run: run, command: p.command(), started: started, shown: t.in.shown, pending: pending,
		problems: plan.Problems, changes: changes(p.Settings, plan), table: t.asIs,
	})
}

// planRun plans the table as a new run, and lets the safety limits judge it.
func (p *pusher) planRun(ctx context.Context, t *mappedTable, hash string) (journal.Run, importer.Plan, error) {
	paths, err := reportPaths(p.Settings, t.in.base)
	if err == nil {
		err = checkWritable(paths)
	}
	if err != nil {
		return nil, importer.Plan{}, err
	}
	var leavers *importer.LeaverSearch
	if p.Reviewed == nil { // what was reviewed has none
		if leavers, err = p.leaverSearch(ctx, p.journal, t, p.userTypes, ""); err != nil {
			return nil, importer.Plan{}, err
		}
	}
	run, err := p.journal.Begin(ctx, importer.RunInfo{
		Client: p.client(), Target: p.target(), Source: t.in.source, File: t.in.elsewhere(),
		FileHash: hash, MappingHash: t.planHash, Reports: paths, StartedAt: time.Now().UTC(),
	})
	if err != nil {
		return nil, importer.Plan{}, err
	}
	known := p.journal.Acceptances()
	planner := importer.Planner{Store: run, Salt: p.journal.Salt(), Digest: p.Reviewed != nil, Leavers: leavers, Owners: known}
	if p.Settings.OnlyChanges {
		planner.Acceptances = known
	}
	plan, err := p.plan(ctx, t, planner)
	var held []string
	if err == nil {
		held, err = p.judge(ctx, p.journal, plan, t.in.source)
	}
	if err == nil && p.Reviewed != nil {
		if err = p.Reviewed.check(plan, held); err == nil {
			err = p.replaceUnfinished(ctx, t.in.source)
		}
	}
	if err != nil {
		return nil, plan, errors.Join(err, run.Discard(context.WithoutCancel(ctx)))
	}
	state := importer.RunPushing
	if len(held) > 0 && !p.Settings.Yes && p.Reviewed == nil { // the reasons were approved in the review
		state = importer.RunHeld
	}
	p.Log.Info("plan is complete", "run", run.Info().ID, "rows", plan.Rows, "counts", plan.Counts, "held", len(held) > 0)
	run.SetLineEnded(plan.LastLine.IsEnded)
	run.SetLeavers(plan.Leavers)
	return run, plan, run.Seal(ctx, state, plan.Rows, held)
}
