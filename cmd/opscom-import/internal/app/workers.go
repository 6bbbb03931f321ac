package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/dustin/go-humanize/english"

	"opscom-import/cmd/opscom-import/internal/fleet"
	"opscom-import/importer"
	"opscom-import/importer/journal/postgres"
)

// Workers returns the processes that work on the runs of a journal in PostgreSQL, in the order in
// which they started, and what a person should know besides: that runs wait for which there is none.
func Workers(ctx context.Context, env Env) (list []fleet.Process, notes []string, err error) {
	j, err := env.openUnread(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer j.Close()
	list, err = fleet.Processes(ctx, j.Pool())
	if err != nil {
		return nil, nil, err
	}
	standings, err := fleet.Standings(ctx, j.Pool())
	if err != nil {
		return nil, nil, err
	}
	waiting := map[string]int{}
	for _, s := range standings {
		if s.Waiting > 0 && s.Workers == 0 && !s.IsPushed {
			waiting[importer.ControllerOf(s.Target)]++
		}
	}
	for _, controller := range slices.Sorted(maps.Keys(waiting)) {
		notes = append(notes, fmt.Sprintf("No worker for %s is alive: %s.", controller, english.Plural(waiting[controller], "run waits", "runs wait")))
	}
	return list, notes, nil
}

// RunLabels returns what says the state of runs in words. Of a run that is being pushed a journal in
// PostgreSQL knows more than its state.
func RunLabels(ctx context.Context, env Env, runs []importer.RunInfo) (func(importer.RunInfo) string, error) {
	return env.runLabels(ctx, runs, false)
}

// RunLabel returns what says the state of a run in words, with the processes that work on it, or why
// nobody does. isWorkedOn says that somebody does, or will.
func RunLabel(ctx context.Context, env Env, run importer.RunInfo, isWorkedOn bool) (string, error) {
	if run.State == importer.RunPushing && env.Settings.Journal.IsZero() {
		return map[bool]string{true: "in progress", false: "interrupted"}[isWorkedOn], nil
	}
	label, err := env.runLabels(ctx, []importer.RunInfo{run}, true)
	if err != nil {
		return "", err
	}
	return label(run), nil
}

func (e Env) runLabels(ctx context.Context, runs []importer.RunInfo, detailed bool) (func(importer.RunInfo) string, error) {
	label := func(r importer.RunInfo) string { return r.State.Label() }
	if e.Settings.Journal.IsZero() || !slices.ContainsFunc(runs, func(r importer.RunInfo) bool { return r.State == importer.RunPushing }) {
		return label, nil
	}
	j, err := e.openUnread(ctx)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	standings, err := fleet.Standings(ctx, j.Pool())
	if err != nil {
		return nil, err
	}
	inProgress := "in progress"
	if detailed && standings[runs[0].ID].IsPushed {
		by, err := j.Pushers(ctx, runs[0].ID)
		if err != nil {
			return nil, err
		}
		if len(by) > 0 {
			inProgress += ", by " + english.WordSeries(by, "and")
		}
	}
	return func(r importer.RunInfo) string {
		standing, known := standings[r.ID]
		if !known {
			return label(r)
		}
		switch activityOf(standing) {
		case Working:
			return inProgress
		case NoWorker:
			if len(runs) == 1 {
				return "waits: no worker for " + importer.ControllerOf(r.Target) + " is alive"
			}
			return "waits: no worker is alive"
		case Waiting:
			if standing.Trouble != "" && detailed {
				return "waits: " + standing.Trouble
			}
			return "waits for a worker"
		}
		return "interrupted"
	}, nil
}

// openUnread opens the journal of many machines without its keys.
func (e Env) openUnread(ctx context.Context) (*postgres.Journal, error) {
	if e.Settings.Journal.IsZero() {
		return nil, errNoWorkers
	}
	return postgres.OpenUnread(ctx, e.Settings.Journal.Reveal(), e.postgresOptions())
}

// openShared opens the journal of many machines for a worker.
func (e Env) openShared(ctx context.Context) (*postgres.Journal, error) {
	if e.Settings.Journal.IsZero() {
		return nil, errNoWorkers
	}
	options, err := e.journalOptions(ctx)
	if err != nil {
		return nil, err
	}
	options.Push = true
	options.Say = nil // the worker says itself when the database is away, and when it is back
	var wasFull atomic.Bool
	options.Away = func(err error) { // which still answers when its disk is full
		isFull := postgres.IsFull(err)
		switch was := wasFull.Swap(isFull); {
		case isFull:
			e.Log.Error("nothing is sent until the database has space again: the runs go on by themselves then", "error", err)
		case err == nil && was:
			e.Log.Warn("the database has space again: the runs go on")
		}
	}
	return postgres.Open(ctx, e.Settings.Journal.Reveal(), options)
}
