package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// What is forgotten is no longer in the tables. PostgreSQL uses its space again after a vacuum;
// copies are left in its log and in backups until those are deleted, encrypted as everything is
// that tells of people. Where all runs of a night are forgotten at once, the night's tables are
// dropped, which costs nothing, and gives their space back.

// KeepKeys says whether Forget and Expire keep the unique ids and login sources of
// the people of the last complete run of each source. Otherwise they keep digests, and delete
// the ids that were kept before.
func (j *Journal) KeepKeys(keep bool) { j.keepKeys.Store(keep) }

// Forget deletes runs with all that is known of their rows, and returns how many it deleted.
// What the Controller last accepted stays, as digests and reference ids, and so do the people of
// the last complete run of each source: as digests too, unless KeepKeys says more. A run in
// progress stays too and is reported as a *BusyError; one that does not exist as ErrNoRun.
func (j *Journal) Forget(ctx context.Context, ids ...int64) (forgotten int, err error) {
	forgotten, rest, err := j.forgetNights(ctx, ids)
	errs := []error{err}
	for _, id := range rest {
		if err := j.forget(ctx, id); err != nil {
			errs = append(errs, j.failed(fmt.Sprintf("forget run %d", id), err))
			continue
		}
		forgotten++
	}
	errs = append(errs, j.tidy(ctx, forgotten))
	return forgotten, errors.Join(errs...)
}

// Expire deletes runs as Forget does, but leaves out runs to targets that are in use. When the
// context ends it returns how many runs it has deleted, and the context's error; the rest can be
// deleted later.
func (j *Journal) Expire(ctx context.Context, ids ...int64) (forgotten int, err error) {
	forgotten, rest, err := j.forgetNights(ctx, ids)
	for _, id := range rest {
		if err != nil {
			break
		}
		if err = j.forget(ctx, id); err == nil {
			forgotten++
		} else if isLeftOut(err) {
			err = nil
		}
	}
	if ctx.Err() != nil {
		return forgotten, ctx.Err()
	}
	return forgotten, errors.Join(j.failed("forget old runs", err), j.tidy(ctx, forgotten))
}

// errNotOver says that runs of a night can still be pushed.
var errNotOver = errors.New("runs of the night are not over")

// isLeftOut reports whether an error only says that something is in use, or is gone.
func isLeftOut(err error) bool {
	return errors.As(err, new(*journal.BusyError)) || errors.Is(err, errNotOver) || errors.Is(err, journal.ErrNoRun)
}

// selectNights selects nights whose runs are all among some, and over, and those whose runs were
// deleted one by one: of these not the last, to which a run may be about to be added.
//
// Materialized, because with many nights PostgreSQL would look for a date in the names of all tables first.
const selectNights = `
	WITH part AS MATERIALIZED (SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'opscom.chunk'::regclass)
	SELECT night, coalesce(array_agg(id) FILTER (WHERE id > 0), '{}')
	FROM (SELECT night, id, state FROM opscom.run UNION ALL SELECT to_date(right(relname, 8), 'YYYYMMDD'), NULL, NULL FROM part) AS n,
		(SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS d
	WHERE night < today GROUP BY night, today
	HAVING CASE count(id) WHEN 0 THEN night < today - 1 ELSE bool_and(id = ANY($1) AND ` + isOver + `) END ORDER BY night`

// forgetNights deletes runs that are all runs of a night, and over, by dropping the night's
// tables. rest are those that it leaves to be deleted one by one.
func (j *Journal) forgetNights(ctx context.Context, ids []int64) (forgotten int, rest []int64, err error) {
	rows, err := j.pool.Query(ctx, selectNights, ids)
	if err != nil {
		return 0, ids, j.failed("find the runs to delete", err)
	}
	type whole struct {
		Night time.Time
		Runs  []int64
	}
	nights, err := pgx.CollectRows(rows, pgx.RowToStructByPos[whole])
	if err != nil {
		return 0, ids, j.failed("find the runs to delete", err)
	}
	rest = slices.Clone(ids)
	for _, night := range nights {
		n, err := j.purgeNight(ctx, night.Night)
		if isLeftOut(err) {
			continue
		}
		if err != nil {
			return forgotten, rest, err
		}
		forgotten += n
		rest = slices.DeleteFunc(rest, func(id int64) bool { return slices.Contains(night.Runs, id) })
	}
	return forgotten, rest, nil
}

// tidy deletes the ids that are not to be kept, after some runs were forgotten.
func (j *Journal) tidy(ctx context.Context, forgotten int) error {
	if forgotten == 0 || j.keepKeys.Load() {
		return nil
	}
	return j.dropKeys(ctx)
}

// isOver selects runs of which nothing is left to do.
const isOver = "state IN ('finished', 'superseded')"

// purgeNight deletes all runs of a night, and returns how many.
func (j *Journal) purgeNight(ctx context.Context, night time.Time) (forgotten int, err error) {
	runs, err := loadRuns(ctx, j.pool, "WHERE run.night = $1 ORDER BY run.id", night)
	if err != nil {
		return 0, j.failed("list the runs of the night", err)
	}
	if slices.ContainsFunc(runs, func(r runRecord) bool { return r.State != importer.RunFinished && r.State != importer.RunSuperseded }) {
		return 0, errNotOver // one was resumed meanwhile
	}
	lasting, err := j.lasting(ctx, night)
	if err != nil {
		return 0, j.failed("read the earlier runs", err)
	}
	for i := range runs {
		r := &runs[i]
		if !lasting(r) {
			continue // nobody has to wait
		}
		if err := journal.Alone(ctx, j, r.Target, func() error { return j.keep(ctx, r) }); err != nil {
			return 0, err
		}
	}
	err = j.insist(ctx, "drop the night's tables", func(tx pgx.Tx, _ bool) error {
		return tx.QueryRow(ctx, "SELECT opscom.drop_night($1)", night).Scan(&forgotten)
	})
	return forgotten, err
}

// lasting returns what reports whether there is anything to keep of a run of a night: outcomes
// that are not folded, or the people of its source, unless a later complete run has them.
func (j *Journal) lasting(ctx context.Context, night time.Time) (func(*runRecord) bool, error) {
	rows, err := j.pool.Query(ctx, "SELECT id FROM opscom.run WHERE night = $1 AND NOT folded", night)
	if err != nil {
		return nil, err
	}
	unfolded, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, err
	}
	runs, err := loadRuns(ctx, j.pool, "WHERE run.target IN (SELECT target FROM opscom.run WHERE night = $1) ORDER BY run.id DESC", night)
	past := map[int64]journal.Past{}
	for i := range runs {
		p := past[runs[i].target]
		p.Runs = append(p.Runs, runs[i].RunInfo)
		past[runs[i].target] = p
	}
	return func(r *runRecord) bool {
		return slices.Contains(unfolded, r.ID) || past[r.target].IsLastComplete(&r.RunInfo)
	}, err
}

// keep keeps what is kept of a run that is to be forgotten. The caller holds the target's lock.
func (j *Journal) keep(ctx context.Context, r *runRecord) error {
	if err := j.fold(ctx, r.Target); err != nil {
		return err
	}
	if err := j.dropOlderRosters(ctx, r.Target); err != nil {
		return err
	}
	return j.keepRoster(ctx, r)
}

// forget deletes a run.
func (j *Journal) forget(ctx context.Context, id int64) error {
	r, err := loadRun(ctx, j.pool, id)
	if err != nil {
		return err
	}
	return journal.Alone(ctx, j, r.Target, func() error {
		if err := j.keep(ctx, &r); err != nil {
			return err
		}
		return j.insist(ctx, "delete it", func(tx pgx.Tx, _ bool) error { return deleteRun(ctx, tx, id, r.night) })
	})
}

// deleteRun deletes a run, unless it is deleted already, or what it did is not folded.
func deleteRun(ctx context.Context, tx pgx.Tx, id int64, night time.Time) error {
	tag, err := tx.Exec(ctx, "DELETE FROM opscom.run WHERE id = $1 AND folded", id)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		var isLeft bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM opscom.run WHERE id = $1)", id).Scan(&isLeft); err != nil || !isLeft {
			return err
		}
		return errors.New("what the Controller accepted of it could not be kept; try again")
	}
	return deleteRows(ctx, tx, "run = $1 AND night = $2", id, night)
}

// deleteRows deletes what is stored of the rows of some runs; the condition is SQL.
func deleteRows(ctx context.Context, tx pgx.Tx, condition string, args ...any) error {
	for _, table := range []string{"chunk", "payload", "event"} {
		if _, err := tx.Exec(ctx, "DELETE FROM opscom."+table+" WHERE "+condition, args...); err != nil {
			return err
		}
	}
	return nil
}

// ForgetTarget deletes all that the journal knows of a target but its name: its runs, and what
// its Controller last accepted. While a run to it is in progress it returns a *BusyError.
func (j *Journal) ForgetTarget(ctx context.Context, name string) error {
	return journal.Alone(ctx, j, name, func() error {
		return j.insist(ctx, "forget the target", func(tx pgx.Tx, _ bool) error {
			t, err := loadTarget(ctx, tx, name, " FOR NO KEY UPDATE")
			if err != nil || t.id == 0 {
				return err
			}
			if err := deleteRows(ctx, tx, "(night, run) IN (SELECT night, id FROM opscom.run WHERE target = $1)", t.id); err != nil {
				return err
			}
			for _, statement := range []string{
				"DELETE FROM opscom.run WHERE target = $1",
				"DELETE FROM opscom.acceptance WHERE target = $1",
				"DELETE FROM opscom.roster WHERE target = $1",
				"UPDATE opscom.target SET user_types = '[]', user_types_at = NULL WHERE id = $1",
			} {
				if _, err := tx.Exec(ctx, statement, t.id); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
