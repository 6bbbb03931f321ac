package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// Recover cleans up after runs to the target whose process died; the caller holds
// the target's lock. A plan that was not completed is deleted. A run that was being
// pushed is stopped, and its rows in flight become unknown. Payloads that are no
// longer needed are deleted.
func (j *Journal) Recover(ctx context.Context, target string) error {
	err := j.update(ctx, "put the journal in order", durable, func(tx *sql.Tx) error {
		same, err := loadTargets(ctx, tx, target)
		if err != nil {
			return err
		}
		runs, err := loadRuns(ctx, tx, "WHERE run.target"+inTargets+"AND state IN (?, ?)", same.ids(), importer.RunPlanning, importer.RunPushing)
		for i := 0; err == nil && i < len(runs); i++ {
			if run := &runs[i]; run.State == importer.RunPlanning {
				_, err = tx.ExecContext(ctx, deleteRun, run.ID)
			} else if err = j.stop(ctx, tx, run); err == nil {
				err = j.save(ctx, tx, run)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return j.wrap("delete old payloads", j.sweep(ctx))
}

// sweep deletes the payload files of runs that cannot be resumed. The files are
// listed before the runs are: a run is stored before its file is created.
func (j *Journal) sweep(ctx context.Context) error {
	files, err := os.ReadDir(filepath.Join(j.dir, payloadsName))
	if err != nil {
		return err
	}
	for _, file := range files {
		id, err := strconv.ParseInt(file.Name(), 10, 64)
		if err != nil {
			continue // not a payload file
		}
		record, err := loadRun(ctx, j.reader, id)
		if err != nil && !errors.Is(err, journal.ErrNoRun) {
			return err
		}
		if err != nil || record.isOver() {
			if err := j.payloadFile(id).remove(); err != nil {
				return err
			}
		}
	}
	return nil
}
