package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const deleteRun = "DELETE FROM run WHERE id = ?"

// Forget deletes runs with all that is known of their rows, so that no text of them
// is left in the journal's files, and returns how many it deleted. What the
// Controller last accepted stays, as digests and reference ids. A run in progress
// stays too and is reported as a *BusyError; a run that does not exist as ErrNoRun.
func (j *Journal) Forget(ctx context.Context, ids ...int64) (forgotten int, err error) {
	var errs []error
	var records []runRecord // loaded first: to forget one may delete another that was never planned to its end
	for _, id := range ids {
		record, err := loadRun(ctx, j.reader, id)
		if err != nil {
			errs = append(errs, j.wrap(fmt.Sprintf("forget run %d", id), err))
			continue
		}
		records = append(records, record)
	}
	for i := range records {
		id := records[i].ID
		err := j.alone(ctx, records[i].Target, func() error {
			if err := j.fold(ctx, records[i].Target); err != nil {
				return err
			}
			return j.delete(ctx, "delete it", id)
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("forget run %d: %w", id, err))
			continue
		}
		forgotten++
	}
	if forgotten > 0 {
		errs = append(errs, j.compact(ctx))
	}
	return forgotten, errors.Join(errs...)
}

// ForgetTarget deletes all that the journal knows of a target: its runs, and what
// its Controller last accepted. It is for a sandbox that was emptied. While a run to
// the target is in progress it returns a *BusyError.
func (j *Journal) ForgetTarget(ctx context.Context, name string) error {
	const action = "forget the target"
	err := j.alone(ctx, name, func() error {
		err := j.update(ctx, action, durable, func(tx *sql.Tx) error {
			same, err := loadTargets(ctx, tx, name)
			if err != nil {
				return err
			}
			for _, from := range []string{"run WHERE target", "acceptance WHERE target", "target WHERE id"} {
				if _, err := tx.ExecContext(ctx, "DELETE FROM "+from+inTargets, same.ids()); err != nil {
					return err
				}
			}
			return nil
		})
		return errors.Join(err, j.wrap(action, j.sweep(ctx)))
	})
	if err != nil {
		return err
	}
	return j.compact(ctx)
}

// alone calls do while no run to the target is in progress.
func (j *Journal) alone(ctx context.Context, target string, do func() error) (err error) {
	release, err := j.Lock(target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := j.Recover(ctx, target); err != nil {
		return err
	}
	return do()
}

// delete deletes a run, if it exists, and its payloads.
func (j *Journal) delete(ctx context.Context, action string, id int64) error {
	err := j.update(ctx, action, durable, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, deleteRun, id)
		return err
	})
	return errors.Join(err, j.purge(id))
}

// purge deletes the payloads of a run.
func (j *Journal) purge(id int64) error {
	return j.wrap(fmt.Sprintf("delete the payloads of run %d", id), j.payloadFile(id).remove())
}

// compact rewrites the database without its free pages, and empties its log.
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
		err = errors.New("another program is reading the journal; close it, then run the command again")
	}
	return j.wrap(action, err)
}
