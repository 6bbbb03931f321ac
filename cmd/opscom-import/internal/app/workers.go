package app

import (
	"context"

	"opscom-import/cmd/opscom-import/internal/fleet"
	"opscom-import/importer/journal/postgres"
)

// Workers returns the processes that work on the runs of a journal in PostgreSQL, in the order in
// which they started.
func Workers(ctx context.Context, env Env) ([]fleet.Process, error) {
	j, err := env.openShared(ctx)
	if err != nil {
		return nil, err
	}
	defer j.Close()
	return fleet.Processes(ctx, j.Pool())
}

// openShared opens the journal of many machines.
func (e Env) openShared(ctx context.Context) (*postgres.Journal, error) {
	if e.Settings.Journal.IsZero() {
		return nil, errNoWorkers
	}
	options, err := e.journalOptions(ctx)
	if err != nil {
		return nil, err
	}
	return postgres.Open(ctx, e.Settings.Journal.Reveal(), options)
}
