package fleet

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"opscom-import/importer"
)

// Queue is where jobs are put. It works on none.
type Queue struct {
	client *river.Client[pgx.Tx]
}

// NewQueue returns the queue. It asks nothing of the database.
func NewQueue() (*Queue, error) {
	client, err := river.NewClient(riverpgxv5.New(nil), &river.Config{Schema: Schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("make River's client: %w", err)
	}
	return &Queue{client}, nil
}

// Order says how a run is to be pushed.
type Order struct {
	Lanes    int // that may work on it at a time
	Priority Priority
	// Helped says that the process that enqueues the run pushes it too. Then nobody waits for
	// workers when it dies and there are none: the next one may go on in its place.
	Helped bool
}

// Enqueue gives the run its lanes, and each a job. It takes part in the transaction that
// seals the run's plan, or starts the run again: workers see both or nothing. Jobs of the
// run that are left from before do nothing any more.
func (q *Queue) Enqueue(ctx context.Context, tx pgx.Tx, run int64, order Order) error {
	renewed, err := renewLanes(ctx, tx, run, order)
	if err == nil {
		err = insertJobs(ctx, q.client, tx, renewed)
	}
	if err != nil {
		return fmt.Errorf("enqueue run %d: %w", run, err)
	}
	return nil
}

// dueLane is a lane that needs a job.
type dueLane struct {
	LaneArgs
	target   string
	priority Priority
}

// insertJobs inserts a job for each lane.
func insertJobs(ctx context.Context, client *river.Client[pgx.Tx], tx pgx.Tx, lanes []dueLane) error {
	if len(lanes) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(lanes))
	for i, lane := range lanes {
		params[i] = river.InsertManyParams{Args: lane.LaneArgs, InsertOpts: &river.InsertOpts{Queue: laneQueue(importer.ControllerOf(lane.target)), Priority: int(lane.priority)}}
	}
	inserted, err := client.InsertManyTx(ctx, tx, params)
	if err != nil {
		return err
	}
	for i, result := range inserted {
		if err := setJob(ctx, tx, lanes[i].LaneArgs, result.Job.ID); err != nil {
			return err
		}
	}
	return nil
}
