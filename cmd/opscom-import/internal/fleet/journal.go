package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"opscom-import/importer/journal/postgres"
)

// Runs returns the runs of a journal as workers see them.
func Runs(j *postgres.Journal) Journal { return sharedJournal{j} }

type sharedJournal struct{ journal *postgres.Journal }

// Run is of Journal.
func (j sharedJournal) Run(ctx context.Context, id int64) (Run, error) {
	run, err := j.journal.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	shared, ok := run.(*postgres.Run)
	if !ok {
		return nil, fmt.Errorf("run %d is a %T, which has no lanes", id, run)
	}
	return sharedRun{shared}, nil
}

type sharedRun struct{ *postgres.Run }

// Lane is of Run.
func (r sharedRun) Lane() Lane { return r.Run.Lane() }

// End is of Run.
func (r sharedRun) End(ctx context.Context, reason error) error {
	if errors.As(reason, new(*postgres.StoppedError)) {
		return r.StopAnnounced(ctx)
	}
	if reason != nil {
		return r.StopBecause(ctx, reason.Error())
	}
	return r.Finish(ctx, time.Now().UTC())
}
