package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/cmd/opscom-import/internal/fleet"
	"opscom-import/importer"
	"opscom-import/importer/controller"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres"
	"opscom-import/report"
)

// lanesOfRun is how many workers may push a run at a time: when one dies, the other goes on at once.
const lanesOfRun = 2

// Submit plans as Push does, and leaves the push to the workers of a journal in PostgreSQL. Without
// wait a receipt says what was planned. With it Submit waits for the end of each run, and writes its
// reports; an interrupt ends the waiting, not the run.
func Submit(fetchCtx, workCtx context.Context, env Env, files []string, wait bool, done func(report.Receipt) error) error {
	switch {
	case env.Settings.Journal.IsZero():
		return errNoWorkers
	case env.Settings.Sandbox:
		return errSandboxAlone
	}
	env.submits = true
	return env.pushEach(fetchCtx, workCtx, files, done, func(p *pusher) {
		p.submit = func(fetchCtx, workCtx context.Context, active activeRun) (report.Receipt, error) {
			return p.submitRun(fetchCtx, workCtx, active, wait)
		}
	})
}

// submitRun returns the receipt of a run that is left to the workers.
func (p *pusher) submitRun(fetchCtx, workCtx context.Context, active activeRun, wait bool) (report.Receipt, error) {
	info := active.Info()
	p.Log.Info("run is submitted", "run", info.ID, "pending", active.pending)
	if wait {
		p.notify("Waiting for the workers to push run %d.", info.ID)
		_, done := p.follow(fetchCtx, active.Run, active.pending)
		ended := p.awaitEnd(fetchCtx, info.ID)
		done()
		if fetchCtx.Err() == nil {
			return p.finish(workCtx, active, ended)
		}
	}
	counts, attempts, err := active.Counts(context.WithoutCancel(fetchCtx))
	if err != nil {
		return report.Receipt{}, &incompleteError{err}
	}
	receipt := report.Receipt{
		Command: active.command, Run: info.ID, File: active.shown, Source: info.Source, Target: p.Host(), Rows: info.Rows, Counts: counts,
		Leavers: info.Leavers, Problems: active.problems, Attempts: attempts, Seconds: time.Since(active.started).Seconds(), Exit: ExitDone,
		Waiting: true,
	}
	if wait {
		receipt.Exit = ExitIncomplete
		return receipt, &incompleteError{fmt.Errorf("the workers go on with run %[1]d: \"opscom-import runs show %[1]d\" says how far it is, and \"opscom-import runs report %[1]d\" writes its reports", info.ID)}
	}
	return receipt, nil
}

const (
	lookAgain  = time.Second      // how often the state of a run is asked for that others push
	sayWaiting = 10 * time.Second // how often it is asked for, and said, why nobody pushes it
)

// awaitEnd waits until nobody pushes the run any more, and returns why it was stopped, or why
// that cannot be known. While the database is away it waits too.
func (p *pusher) awaitEnd(ctx context.Context, id int64) error {
	said, wasAway := "", false
	for asked := time.Now(); ; {
		run, err := p.journal.Run(ctx, id)
		if isAway := postgres.IsTransient(err); isAway != wasAway && ctx.Err() == nil {
			wasAway = isAway
			p.sayAway(id, err)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !postgres.IsTransient(err):
			return err
		case err == nil && run.Info().State == importer.RunFinished:
			return nil
		case err == nil && run.Info().State != importer.RunPushing:
			stopped := &postgres.StoppedError{Run: id}
			if r, ok := run.(interface{ Reason() string }); ok {
				stopped.Reason = r.Reason()
			}
			return stopped
		}
		if time.Since(asked) > sayWaiting {
			asked = time.Now()
			if why := p.whyWaiting(ctx, id); why != "" && why != said {
				said = why
				p.notify("%s", why)
			}
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
		}
	}
}

// sayAway says why it cannot be asked for now how far a run is, or, if err is nil, that it can again.
func (p *pusher) sayAway(id int64, err error) {
	p.Progress.Away(err != nil, postgres.IsFull(err))
	if err != nil {
		p.notify("How far run %d is cannot be asked for now: %v. The waiting goes on by itself when the database is back.", id, err)
	} else {
		p.notify("The database of the journal is back: waiting for the end of run %d.", id)
	}
}

// whyWaiting says why nobody pushes a run; "" if somebody does, or if it is not known.
func (p *pusher) whyWaiting(ctx context.Context, id int64) string {
	j, ok := any(p.journal).(*postgres.Journal)
	if !ok {
		return ""
	}
	standings, err := fleet.Standings(ctx, j.Pool())
	standing, known := standings[id]
	switch {
	case err != nil || !known || standing.IsPushed:
		return ""
	case standing.Workers == 0:
		return fmt.Sprintf("No worker for %s is alive: run %d waits until one is started with \"opscom-import worker\".", importer.ControllerOf(standing.Target), id)
	case standing.Trouble != "":
		return fmt.Sprintf("Run %d waits: %s.", id, standing.Trouble)
	}
	return ""
}

var (
	errNoWorkers    = errors.New("workers share a journal in PostgreSQL: name it with --journal, OPSCOM_JOURNAL, or journal: in the config file")
	errSandboxAlone = errors.New("the sandbox is within one process, which no worker reaches: start \"opscom-import sandbox\", and name its address with --url")
)

// enqueuer returns what gives runs to the workers when their plan is complete. Those to the
// sandbox are pushed by the process that has it.
func (e Env) enqueuer() (func(ctx context.Context, tx pgx.Tx, run importer.RunInfo) error, error) {
	queue, err := fleet.NewQueue()
	if err != nil {
		return nil, err
	}
	order := fleet.Order{Lanes: lanesOfRun, Priority: cmp.Or(e.Priority, fleet.Person), Helped: !e.submits}
	return func(ctx context.Context, tx pgx.Tx, run importer.RunInfo) error {
		if importer.ClientOf(run.Target) == "" {
			return nil
		}
		return queue.Enqueue(ctx, tx, run.ID, order)
	}, nil
}

// shareRate lets what is sent take its turns of the target's rate, which all processes have
// together, where the journal keeps one. done is called when nothing is sent any more.
func (e Env) shareRate(ctx context.Context, j journal.Journal) (shared Env, done func(), err error) {
	keeping, ok := any(j).(*postgres.Journal)
	if !ok {
		return e, func() {}, nil
	}
	if err := keeping.SetRate(ctx, e.target(), e.Settings.Rate); err != nil {
		return e, nil, err
	}
	keeper := keeping.NewKeeper()
	e.turns = func(target string) controller.Turns { return keeper.Turns(target) }
	return e, keeper.Close, nil
}
