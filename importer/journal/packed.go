package journal

import (
	"bytes"
	"context"
	"database/sql"
)

// A segment is read as one BLOB: a row for each acceptance takes half as long again.
const selectSegment = `SELECT CAST(group_concat(key || data, '') AS BLOB)
	FROM acceptance WHERE target = ? AND key BETWEEN ? AND ?`

// readPacked reads the acceptances that are stored for a row of a target, and verifies
// them.
func readPacked(ctx context.Context, tx *sql.Tx, target int64) (*packed, error) {
	statement, err := tx.PrepareContext(ctx, selectSegment)
	if err != nil {
		return nil, err
	}
	p := new(packed)
	last := bytes.Repeat([]byte{0xFF}, keySize)
	for first := range p {
		last[0] = byte(first)
		if err := statement.QueryRowContext(ctx, target, last[:1], last).Scan(&p[first].records); err != nil {
			return nil, err
		}
		if err := p[first].index(byte(first)); err != nil {
			return nil, err
		}
	}
	return p, statement.Close()
}
