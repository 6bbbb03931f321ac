package sqlite

import (
	"context"
	"database/sql"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// The outcomes of a target with several rows are in an order only together. Earlier
// versions folded each row by itself; now all are folded into the first.

const (
	notFolded    = -1 // instead of an event: everything is to be folded
	withTheFirst = -1 // as foldedTo of a row: its outcomes are folded into the first
)

// folded returns the event up to which all rows were folded together.
func (ts targets) folded() int64 {
	if len(ts) == 0 {
		return 0
	}
	for _, t := range ts[1:] {
		if t.foldedTo != withTheFirst {
			return notFolded
		}
	}
	return ts[0].foldedTo
}

// saveFolded stores that all rows are folded together, up to an event.
func (ts targets) saveFolded(ctx context.Context, q querier, upTo int64) error {
	for i := range ts {
		ts[i].foldedTo = withTheFirst
		if i == 0 {
			ts[i].foldedTo = upTo
		}
		if err := ts[i].saveFolded(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// join deletes the acceptances of all rows but the first, and returns what is to be
// stored for that: what all outcomes say that are not forgotten, in their order, and
// otherwise the latest of those that were stored.
func (ts targets) join(ctx context.Context, tx *sql.Tx, name string) (format.Changes, error) {
	held, err := loadHeld(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	joined := format.Changes{}
	add := func(key importer.Digest) error {
		accepted, ok, err := held.Find(key)
		joined[key] = format.Change{Accepted: accepted, IsDeleted: !ok}
		return err
	}
	for key := range held.Replayed {
		if err := add(key); err != nil {
			return nil, err
		}
	}
	for _, p := range held.Stored {
		for key := range p.All {
			if err := add(key); err != nil {
				return nil, err
			}
		}
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM acceptance WHERE target"+inTargets, ts[1:].ids())
	return joined, err
}
