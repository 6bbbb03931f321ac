package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// addStoredValues adds the unique values that are stored for those of the keys, which are sorted,
// whose profiles did not send them: they stay as they were.
func addStoredValues(ctx context.Context, c format.Changes, tx *sql.Tx, target int64, keys []importer.Digest) error {
	var wanted []any
	for _, key := range keys {
		if change := c[key]; !change.IsDeleted && slices.Contains(change.Unique[:], importer.ValueNotSent) {
			wanted = append(wanted, key[:])
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	var isAny bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM acceptance WHERE target = ?)", target).Scan(&isAny); err != nil || !isAny {
		return err
	}
	for len(wanted)%storeRows > 0 {
		wanted = append(wanted, wanted[len(wanted)-1])
	}
	statement, err := tx.PrepareContext(ctx, "SELECT key, data FROM acceptance WHERE target = ? AND key IN (?"+strings.Repeat(", ?", storeRows-1)+")")
	if err != nil {
		return err
	}
	for some := range slices.Chunk(wanted, storeRows) {
		rows, err := statement.QueryContext(ctx, append([]any{target}, some...)...)
		err = eachRow(rows, err, func() error {
			var key, data sql.RawBytes
			if err := rows.Scan(&key, &data); err != nil || len(key) != format.KeySize {
				return errors.Join(err, format.ErrDamaged)
			}
			return c.AddUnique(importer.Digest(key), data)
		})
		if err != nil {
			return err
		}
	}
	return statement.Close()
}
