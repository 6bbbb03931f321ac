package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"opscom-import/importer/journal"
)

const deleteRun = "DELETE FROM run WHERE id = ?"

// Forget deletes runs with all that is known of their rows, so that no text of them
// is left in the journal's files, and returns how many it deleted. What the
// Controller last accepted stays, as digests and reference ids, and so do the people of
// the last complete run of each source: as digests too, unless KeepKeys says more. A run
// in progress stays too and is reported as a *BusyError; a run that does not exist as ErrNoRun.
// It rewrites the database, which needs as much space again and lets nobody write
// meanwhile.
func (j *Journal) Forget(ctx context.Context, ids ...int64) (forgotten int, err error) {
	forgotten, err = j.forgetEach(ctx, ids)
	if forgotten > 0 {
		err = errors.Join(err, j.rewrite(ctx))
	}
	return forgotten, err
}

// Expire deletes runs as Forget does, in short steps between which others can write: what
// is deleted is overwritten with zeros, and its space given back to the disk. Where parts of
// a page were moved, a few rows' text may be left in the page until Forget is next called.
// It leaves out runs to targets that are in use. When the context ends it returns how many
// runs it has deleted, and the context's error; the rest can be deleted later.
func (j *Journal) Expire(ctx context.Context, ids ...int64) (forgotten int, err error) {
	for _, id := range ids {
		n, err := j.forgetEach(ctx, []int64{id})
		forgotten += n
		switch {
		case ctx.Err() != nil:
			return forgotten, ctx.Err()
		case err != nil && !errors.As(err, new(*journal.BusyError)) && !errors.Is(err, journal.ErrNoRun):
			return forgotten, err
		}
	}
	err = j.shrink(ctx)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return forgotten, err
}

// forgetEach deletes runs, and returns how many.
func (j *Journal) forgetEach(ctx context.Context, ids []int64) (forgotten int, err error) {
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
		err := journal.Alone(ctx, j, records[i].Target, func() error {
			if err := j.fold(ctx, records[i].Target); err != nil {
				return err
			}
			if err := j.keepRoster(ctx, &records[i]); err != nil {
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
	if forgotten > 0 && !j.keepKeys.Load() {
		errs = append(errs, j.dropKeys(ctx))
	}
	return forgotten, errors.Join(errs...)
}

// ForgetTarget deletes all that the journal knows of a target: its runs, and what
// its Controller last accepted. It is for a sandbox that was emptied. While a run to
// the target is in progress it returns a *BusyError.
func (j *Journal) ForgetTarget(ctx context.Context, name string) error {
	const action = "forget the target"
	err := journal.Alone(ctx, j, name, func() error {
		err := j.update(ctx, action, durable, func(tx *sql.Tx) error {
			same, err := loadTargets(ctx, tx, name)
			if err != nil {
				return err
			}
			for _, from := range []string{"run WHERE target", "acceptance WHERE target", "roster WHERE target", "target WHERE id"} {
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
	return j.rewrite(ctx)
}

// delete deletes a run, if it exists, and its payloads.
func (j *Journal) delete(ctx context.Context, action string, id int64) error {
	err := j.update(ctx, action, durable, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, deleteRun, id)
		return err
	})
	if err != nil { // the run may still be there: what it needs stays, or is swept later
		return err
	}
	return j.purge(id)
}

// purge deletes the payloads of a run.
func (j *Journal) purge(id int64) error {
	return j.wrap(fmt.Sprintf("delete the payloads of run %d", id), j.payloadFile(id).remove())
}

// deleteTraces is what cannot be done when deleted pages cannot be given back.
const deleteTraces = "delete the last traces of the forgotten runs"

// rewrite rewrites the database without its free pages, and empties its log. Journals of
// earlier versions get what shrink needs.
func (j *Journal) rewrite(ctx context.Context) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	for _, statement := range []string{"PRAGMA auto_vacuum = INCREMENTAL", "VACUUM"} {
		if _, err := j.writer.ExecContext(ctx, statement); err != nil {
			return j.wrap(deleteTraces, err)
		}
	}
	var busy, pages, moved int
	err := j.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if err == nil && busy != 0 {
		err = errors.New("another program is reading the journal; close it, then run the command again")
	}
	return j.wrap(deleteTraces, err)
}

// shrinkPages is how many free pages are given back in one step, 4 MiB.
const shrinkPages = 1024

// shrink gives the free pages back to the disk, a few at a time, by moving others from the
// end of the database into them. In a journal of an earlier version that was never
// rewritten the next runs use them.
func (j *Journal) shrink(ctx context.Context) error {
	free, err := j.freePages(ctx)
	for before := free + 1; err == nil && 0 < free && free < before; {
		before = free
		if err = j.shrinkSome(ctx); err == nil {
			free, err = j.freePages(ctx)
		}
	}
	return j.wrap(deleteTraces, err)
}

func (j *Journal) shrinkSome(ctx context.Context) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	steps, err := j.writer.QueryContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", shrinkPages))
	return eachRow(steps, err, func() error { return nil })
}

func (j *Journal) freePages(ctx context.Context) (free int, err error) {
	err = j.reader.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free)
	return free, err
}
