package fleet

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// tend gives a new job to lanes that nobody works on any more. Every worker does that, because
// River's leader may be the process that died, and takes twenty seconds to be replaced.
func (w *Worker) tend(ctx context.Context) error {
	var lost []dueLane
	err := pgx.BeginFunc(ctx, w.Pool, func(tx pgx.Tx) (err error) {
		if lost, err = w.store.lost(ctx, tx); err == nil {
			err = insertJobs(ctx, w.queue.client, tx, lost)
		}
		return err
	})
	if err != nil {
		return w.Explain("look after lanes without a worker", err)
	}
	for _, lane := range lost {
		w.Log.Warn("a lane has lost its worker: another one goes on", lane.attrs())
	}
	return nil
}
