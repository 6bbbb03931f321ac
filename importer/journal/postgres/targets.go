package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/mapping"
)

// A target is stored under the name that all its spellings have in common, so that there is
// one row a target, whichever spelling comes first.

// target is a Controller and client code that runs are pushed to.
type target struct {
	id     int64
	folded int64 // event up to which the acceptances are up to date
}

// loadTarget returns a target; its id is 0 when nothing is stored of it. lock is SQL that locks
// it, or "".
func loadTarget(ctx context.Context, q querier, name, lock string) (t target, err error) {
	err = q.QueryRow(ctx, "SELECT id, folded FROM opscom.target WHERE name = $1"+lock, importer.SameTarget(name)).Scan(&t.id, &t.folded)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, nil
	}
	return t, err
}

// ensureTarget returns the number of a target, which is created if there is none.
func ensureTarget(ctx context.Context, q querier, name string) (id int64, err error) {
	t, err := loadTarget(ctx, q, name, "")
	if err != nil || t.id > 0 {
		return t.id, err
	}
	if _, err = q.Exec(ctx, "INSERT INTO opscom.target (name) VALUES ($1) ON CONFLICT DO NOTHING", importer.SameTarget(name)); err != nil {
		return 0, err
	}
	t, err = loadTarget(ctx, q, name, "")
	return t.id, err
}

// SaveUserTypes stores the target's list of user types as the Controller returned it at that
// time, for checks without a network.
func (j *Journal) SaveUserTypes(ctx context.Context, target string, types []mapping.UserType, at time.Time) error {
	list, err := json.Marshal(types)
	if err != nil {
		return fmt.Errorf("store the list of user types: %w", err)
	}
	return j.update(ctx, "store the list of user types", func(tx pgx.Tx) error {
		id, err := ensureTarget(ctx, tx, target)
		if err == nil {
			_, err = tx.Exec(ctx, "UPDATE opscom.target SET user_types = $2, user_types_at = $3 WHERE id = $1", id, list, orNull(at))
		}
		return err
	})
}

// UserTypes returns the list that was last saved for the target, and when; the time is zero
// when none was.
func (j *Journal) UserTypes(ctx context.Context, target string) (types []mapping.UserType, at time.Time, err error) {
	var list []byte
	var saved *time.Time
	err = j.pool.QueryRow(ctx, "SELECT user_types, user_types_at FROM opscom.target WHERE name = $1", importer.SameTarget(target)).Scan(&list, &saved)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && saved == nil {
		return nil, time.Time{}, nil
	}
	if err == nil {
		if damaged := json.Unmarshal(list, &types); damaged != nil {
			err = fmt.Errorf("%w: %v", format.ErrDamaged, damaged)
		}
	}
	if err != nil {
		return nil, time.Time{}, j.failed("read the list of user types", err)
	}
	return types, timeOf(saved), nil
}
