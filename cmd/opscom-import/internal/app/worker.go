package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"opscom-import/cmd/opscom-import/internal/fleet"
	"opscom-import/importer"
	"opscom-import/importer/controller"
	"opscom-import/importer/journal/postgres"
	"opscom-import/report"
)

// Worker pushes runs of a journal in PostgreSQL that others have planned.
type Worker struct {
	*fleet.Worker
	journal *postgres.Journal
	keeper  *postgres.Keeper
}

// NewWorker returns a worker that works on so many lanes of runs at a time, and calls ready when it
// has started. The database answers by then, and gives the worker all rights that it needs.
func NewWorker(ctx context.Context, env Env, slots int, figures fleet.Figures, ready func()) (*Worker, error) {
	if env.Settings.Sandbox {
		return nil, errSandboxAlone
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find this machine's name: %w", err)
	}
	j, err := env.openShared(ctx)
	if err != nil {
		return nil, err
	}
	keeper := j.NewKeeper()
	env.turns = func(target string) controller.Turns { return keeper.Turns(target) }
	process := os.Getpid()
	worker, err := fleet.NewWorker(fleet.Config{
		Pool: j.Pool(), Journal: fleet.Runs(j), Connect: env.connectLane, Figures: figures, Log: env.Log, Ready: ready, Explain: j.Explain,
		Process: fleet.Process{ID: fmt.Sprintf("%.60s-%d-%s", host, process, rand.Text()[:8]), Host: host, Process: process, Version: env.Version, Slots: slots, Controller: importer.ControllerOf(env.target())},
	})
	if err != nil {
		keeper.Close()
		return nil, errors.Join(err, j.Close())
	}
	return &Worker{worker, j, keeper}, nil
}

// Run works on lanes as [fleet.Worker.Run] does.
func (w *Worker) Run(fetchCtx, workCtx context.Context) error {
	err := w.Worker.Run(fetchCtx, workCtx)
	if errors.Is(err, importer.ErrInterrupted) {
		return &incompleteError{err}
	}
	return err
}

// Close closes the journal. The worker has ended.
func (w *Worker) Close() error {
	w.keeper.Close()
	return w.journal.Close()
}

// connectLane makes the client of the Controller of a target. The target is of the database, and
// the token goes to no other Controller than the settings name.
func (e Env) connectLane(ctx context.Context, target string) (*fleet.Session, error) {
	client := importer.ClientOf(target)
	settings, err := e.Settings.ForClient(client)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	e.Settings = settings
	if e.target() != target {
		return nil, fmt.Errorf("the run goes to %s, and this worker pushes to %s: let a worker with that --url run", target, e.Settings.URL)
	}
	e.Log = e.Log.With("client", client)
	e.Progress = report.NewProgress(io.Discard, report.Quiet)
	e.Notify = func(note string) { e.Log.Warn(note) }
	c, err := connect(ctx, e)
	if err != nil {
		return nil, err
	}
	return &fleet.Session{Controller: c, Workers: e.Settings.Workers, MaxFailures: e.Settings.MaxFailures, Close: c.Close}, nil
}
