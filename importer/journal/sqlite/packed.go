package sqlite

import (
	"bytes"
	"context"
	"database/sql"

	"opscom-import/importer/journal/internal/format"
)

// A segment is read as one BLOB: a row for each acceptance takes half as long again.
const selectSegment = `SELECT CAST(group_concat(key || data, '') AS BLOB)
	FROM acceptance WHERE target = ? AND key BETWEEN ? AND ?`

// readPacked reads the acceptances that are stored for a row of a target, and verifies
// them.
func readPacked(ctx context.Context, tx *sql.Tx, target int64) (*format.Packed, error) {
	statement, err := tx.PrepareContext(ctx, selectSegment)
	if err != nil {
		return nil, err
	}
	p := new(format.Packed)
	last := bytes.Repeat([]byte{0xFF}, format.KeySize)
	for first := range p {
		last[0] = byte(first)
		if err := statement.QueryRowContext(ctx, target, last[:1], last).Scan(&p[first].Records); err != nil {
			return nil, err
		}
		if err := p[first].Index(byte(first)); err != nil {
			return nil, err
		}
	}
	return p, statement.Close()
}
