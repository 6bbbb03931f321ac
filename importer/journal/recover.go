package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"opscom-import/importer"
)

// Recover puts in order what runs to the target left behind when their process
// died; the caller holds the target's lock. A plan that was not completed is
// deleted. A run that was being pushed is stopped: of the rows in flight nobody
// knows what became. Payloads that nobody needs are deleted.
func (j *Journal) Recover(ctx context.Context, target string) error {
	err := j.update(ctx, "put the journal in order", durable, func(tx *sql.Tx) error {
		runs, err := loadRuns(ctx, tx, "WHERE target.name = ? AND state IN (?, ?)", target, importer.RunPlanning, importer.RunPushing)
		if err != nil {
			return err
		}
		for i := range runs {
			if err := j.recoverRun(ctx, tx, &runs[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return j.wrap("delete old payloads", j.sweep(ctx))
}

func (j *Journal) recoverRun(ctx context.Context, tx *sql.Tx, record *runRecord) error {
	if record.State == importer.RunPlanning {
		return deleteRun(ctx, tx, record.ID)
	}
	if err := j.stop(ctx, tx, record); err != nil {
		return err
	}
	return j.save(ctx, tx, record)
}

// sweep deletes the payload files of runs that cannot go on. The files are listed
// before the runs are: a run is stored before its file is made.
func (j *Journal) sweep(ctx context.Context) error {
	files, err := os.ReadDir(filepath.Join(j.dir, payloadsName))
	if err != nil {
		return err
	}
	for _, file := range files {
		id, err := strconv.ParseInt(file.Name(), 10, 64)
		if err != nil {
			continue // not ours
		}
		record, err := loadRun(ctx, j.reader, id)
		if err != nil && !errors.Is(err, ErrNoRun) {
			return err
		}
		gone := errors.Is(err, ErrNoRun) || record.State == importer.RunFinished || record.State == importer.RunSuperseded
		if gone {
			if err := j.payloadFile(id).remove(); err != nil {
				return err
			}
		}
	}
	return nil
}

func deleteRun(ctx context.Context, q querier, id int64) error {
	result, err := q.ExecContext(ctx, "DELETE FROM run WHERE id = ?", id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return ErrNoRun
}

// Forget deletes runs with all that is known of their rows, so that no text of
// them is left in the journal's files, and returns how many it deleted. What the
// Controller last accepted stays, as digests and reference ids. A run that is under
// way stays too and is reported as a *BusyError; so does one that does not exist,
// as ErrNoRun.
func (j *Journal) Forget(ctx context.Context, ids ...int64) (forgotten int, err error) {
	var errs []error
	var records []runRecord
	for _, id := range ids {
		record, err := loadRun(ctx, j.reader, id)
		if err != nil {
			errs = append(errs, j.wrap(fmt.Sprintf("forget run %d", id), err))
			continue
		}
		records = append(records, record)
	}
	for i := range records {
		if err := j.forget(ctx, &records[i]); err != nil {
			errs = append(errs, fmt.Errorf("forget run %d: %w", records[i].ID, err))
			continue
		}
		forgotten++
	}
	if forgotten > 0 {
		errs = append(errs, j.compact(ctx))
	}
	return forgotten, errors.Join(errs...)
}

func (j *Journal) forget(ctx context.Context, record *runRecord) (err error) {
	release, err := j.Lock(record.Target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := j.Recover(ctx, record.Target); err != nil {
		return err
	}
	if err := j.fold(ctx, record.Target); err != nil {
		return err
	}
	err = j.update(ctx, "delete it", durable, func(tx *sql.Tx) error {
		if err := deleteRun(ctx, tx, record.ID); !errors.Is(err, ErrNoRun) {
			return err
		}
		return nil // Recover deleted it, because its plan was not complete
	})
	return errors.Join(err, j.purge(record.ID))
}

// compact writes the database again without the pages that became free, and
// empties its log.
func (j *Journal) compact(ctx context.Context) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	const action = "delete the last traces of the forgotten runs"
	if _, err := j.writer.ExecContext(ctx, "VACUUM"); err != nil {
		return j.wrap(action, err)
	}
	var busy, pages, moved int
	err := j.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err == nil && busy != 0 {
		err = errors.New("another program reads the journal; end it and run the command again")
	}
	return j.wrap(action, err)
}
