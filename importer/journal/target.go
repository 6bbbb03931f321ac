package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"opscom-import/mapping"
)

// target is a Controller and client code that runs are pushed to.
type target struct {
	id     int64
	name   string
	folded int64 // event up to which the acceptances are up to date
}

func (t *target) checksum() uint32 { return checksum([]byte(t.name), t.folded) }

// loadTarget returns the target of that name; its id is 0 when nothing was ever
// pushed to it.
func loadTarget(ctx context.Context, q querier, name string) (target, error) {
	t := target{name: name}
	var sum uint32
	err := q.QueryRowContext(ctx, "SELECT id, folded, sum FROM target WHERE name = ?", name).Scan(&t.id, &t.folded, &sum)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t, nil
	case err == nil && sum != t.checksum():
		return t, fmt.Errorf("%w: target %s", errDamaged, name)
	}
	return t, err
}

// ensureTarget returns the id of the target of that name, and creates it if there is
// none.
func ensureTarget(ctx context.Context, q querier, name string) (int64, error) {
	t := target{name: name}
	if _, err := q.ExecContext(ctx, "INSERT OR IGNORE INTO target (name, folded, sum) VALUES (?, ?, ?)", name, t.folded, t.checksum()); err != nil {
		return 0, err
	}
	t, err := loadTarget(ctx, q, name)
	return t.id, err
}

func (t *target) saveFolded(ctx context.Context, q querier) error {
	_, err := q.ExecContext(ctx, "UPDATE target SET folded = ?, sum = ? WHERE id = ?", t.folded, t.checksum(), t.id)
	return err
}

// SaveUserTypes stores the target's list of user types as the Controller returned it
// at that time, for checks without a network.
func (j *Journal) SaveUserTypes(ctx context.Context, target string, types []mapping.UserType, at time.Time) error {
	list, err := json.Marshal(types)
	if err != nil {
		return fmt.Errorf("store the list of user types: %w", err)
	}
	return j.update(ctx, "store the list of user types", durable, func(tx *sql.Tx) error {
		id, err := ensureTarget(ctx, tx, target)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE target SET user_types = ?, user_types_at = ? WHERE id = ?", string(list), microOf(at), id)
		return err
	})
}

// UserTypes returns the list that was last saved for the target, and when; the time
// is zero when none was.
func (j *Journal) UserTypes(ctx context.Context, target string) (types []mapping.UserType, at time.Time, err error) {
	var list string
	var micro int64
	err = j.reader.QueryRowContext(ctx, "SELECT user_types, user_types_at FROM target WHERE name = ?", target).Scan(&list, &micro)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, time.Time{}, nil
	}
	if err == nil && json.Unmarshal([]byte(list), &types) != nil {
		err = errDamaged
	}
	if err != nil {
		return nil, time.Time{}, j.wrap("read the list of user types", err)
	}
	return types, timeOf(micro), nil
}
