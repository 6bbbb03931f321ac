package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
)

// Recover cleans up after runs to the target whose process died; the caller holds the target's
// lock. A plan that was not completed is deleted. A run that was being pushed is stopped, and
// its rows in flight become unknown.
func (j *Journal) Recover(ctx context.Context, target string) error {
	return j.insist(ctx, "put the journal in order", func(tx pgx.Tx, _ bool) error {
		const unfinished = "run.target = (SELECT id FROM opscom.target WHERE name = $1) AND run.state IN ('planning', 'pushing')"
		if _, err := tx.Exec(ctx, "SELECT FROM opscom.run WHERE "+unfinished+" FOR UPDATE", importer.SameTarget(target)); err != nil {
			return err
		}
		runs, err := loadRuns(ctx, tx, "WHERE "+unfinished, importer.SameTarget(target))
		for i := 0; err == nil && i < len(runs); i++ {
			if run := &runs[i]; run.State == importer.RunPlanning {
				err = run.discard(ctx, tx)
			} else {
				err = j.stop(ctx, tx, run)
			}
		}
		return err
	})
}
