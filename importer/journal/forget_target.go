package journal

import (
	"context"
	"database/sql"
	"errors"
)

// ForgetTarget deletes all that the journal knows of a target: its runs, and what
// its Controller last accepted. It is for a sandbox that was emptied. While a run
// to the target is in progress it is a *BusyError.
func (j *Journal) ForgetTarget(ctx context.Context, name string) (err error) {
	const action = "forget the target"
	release, err := j.Lock(name)
	if err != nil {
		return j.wrap(action, err)
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := j.Recover(ctx, name); err != nil {
		return err
	}
	var runs []int64
	err = j.update(ctx, action, durable, func(tx *sql.Tx) error {
		t, err := loadTarget(ctx, tx, name)
		if err != nil || t.id == 0 {
			return err
		}
		if runs, err = runsOf(ctx, tx, t.id); err != nil {
			return err
		}
		for _, id := range runs {
			if err := deleteRun(ctx, tx, id); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM acceptance WHERE target = ?", t.id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM target WHERE id = ?", t.id)
		return err
	})
	for _, id := range runs {
		err = errors.Join(err, j.purge(id))
	}
	return errors.Join(err, j.compact(ctx))
}

func runsOf(ctx context.Context, q querier, target int64) (ids []int64, err error) {
	rows, err := q.QueryContext(ctx, "SELECT id FROM run WHERE target = ?", target)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
