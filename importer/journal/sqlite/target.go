package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/mapping"
)

// target is a Controller and client code that runs are pushed to.
type target struct {
	id       int64
	name     string
	foldedTo int64 // event up to which the acceptances are up to date
}

func (t *target) checksum() uint32 { return format.Checksum([]byte(t.name), t.foldedTo) }

// targets are the rows of one target. There are several when journals of earlier
// versions took spellings of a Controller's URL for Controllers of their own; none
// when nothing was ever pushed to it.
type targets []target

// ids returns the ids, for inTargets.
func (ts targets) ids() string {
	ids := make([]int64, len(ts))
	for i := range ts {
		ids[i] = ts[i].id
	}
	list, _ := json.Marshal(ids) // of numbers: cannot fail
	return string(list)
}

// inTargets follows a column with the id of a target.
const inTargets = " IN (SELECT value FROM json_each(?)) "

// loadTargets returns the rows of the target.
func loadTargets(ctx context.Context, q querier, name string) (same targets, err error) {
	name = importer.SameTarget(name)
	rows, err := q.QueryContext(ctx, "SELECT id, name, folded, sum FROM target ORDER BY id")
	err = eachRow(rows, err, func() error {
		var t target
		var sum uint32
		err := rows.Scan(&t.id, &t.name, &t.foldedTo, &sum)
		if err != nil || importer.SameTarget(t.name) != name {
			return err
		}
		if sum != t.checksum() {
			return fmt.Errorf("%w: target %s", format.ErrDamaged, t.name)
		}
		same = append(same, t)
		return nil
	})
	return same, err
}

// ensureTarget returns the target of that name, and creates it if there is none.
func ensureTarget(ctx context.Context, q querier, name string) (target, error) {
	same, err := loadTargets(ctx, q, name)
	if err != nil {
		return target{}, err
	}
	if len(same) > 0 {
		return same[0], nil
	}
	t := target{name: name}
	result, err := q.ExecContext(ctx, "INSERT INTO target (name, folded, sum) VALUES (?, ?, ?)", name, t.foldedTo, t.checksum())
	if err == nil {
		t.id, err = result.LastInsertId()
	}
	return t, err
}

func (t *target) saveFolded(ctx context.Context, q querier) error {
	_, err := q.ExecContext(ctx, "UPDATE target SET folded = ?, sum = ? WHERE id = ?", t.foldedTo, t.checksum(), t.id)
	return err
}

// SaveUserTypes stores the target's list of user types as the Controller returned it
// at that time, for checks without a network.
func (j *Journal) SaveUserTypes(ctx context.Context, target string, types []mapping.UserType, at time.Time) error {
	list, err := json.Marshal(types)
	if err != nil {
		return fmt.Errorf("store the list of user types: %w", err)
	}
	return j.update(ctx, "store the list of user types", relaxed, func(tx *sql.Tx) error {
		t, err := ensureTarget(ctx, tx, target)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE target SET user_types = ?, user_types_at = ? WHERE id = ?", string(list), format.MicroOf(at), t.id)
		return err
	})
}

// UserTypes returns the list that was last saved for the target, and when; the time
// is zero when none was.
func (j *Journal) UserTypes(ctx context.Context, target string) (types []mapping.UserType, at time.Time, err error) {
	var list string
	var micro int64
	same, err := loadTargets(ctx, j.reader, target)
	if err == nil {
		err = j.reader.QueryRowContext(ctx, "SELECT user_types, user_types_at FROM target WHERE id"+inTargets+"ORDER BY user_types_at DESC", same.ids()).Scan(&list, &micro)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, time.Time{}, nil
	}
	if err == nil && json.Unmarshal([]byte(list), &types) != nil {
		err = format.ErrDamaged
	}
	if err != nil {
		return nil, time.Time{}, j.wrap("read the list of user types", err)
	}
	return types, format.TimeOf(micro), nil
}

// allTargets returns the rows of all targets.
func allTargets(ctx context.Context, q querier) (all targets, err error) {
	rows, err := q.QueryContext(ctx, "SELECT id FROM target")
	err = eachRow(rows, err, func() error {
		var t target
		err := rows.Scan(&t.id)
		all = append(all, t)
		return err
	})
	return all, err
}
