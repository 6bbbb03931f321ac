package journal

import (
	"context"
	"database/sql"
)

const insertEvents = "INSERT INTO event (run, chunk, seq, data) VALUES (?, ?, ?, ?)"

// storeEvents stores events, those of one chunk as one record, and counts the
// records in the run. It sorts the slice.
func (j *Journal) storeEvents(ctx context.Context, tx *sql.Tx, run *runRecord, events []event) error {
	insert := tx.StmtContext(ctx, j.insertEvents)
	return packEvents(events, func(chunk int64, data []byte) error {
		run.events++
		data = seal(data, run.ID, chunk, run.events)
		_, err := insert.ExecContext(ctx, run.ID, chunk, run.events, data)
		return err
	})
}
