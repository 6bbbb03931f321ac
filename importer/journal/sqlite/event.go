package sqlite

import (
	"context"
	"database/sql"

	"opscom-import/importer/journal/internal/format"
)

const insertEvents = "INSERT INTO event (run, chunk, seq, data) VALUES (?, ?, ?, ?)"

// storeEvents stores events, those of one chunk as one record, and counts the
// records in the run. It sorts the slice.
func (j *Journal) storeEvents(ctx context.Context, tx *sql.Tx, run *runRecord, events []format.Event) error {
	insert := tx.StmtContext(ctx, j.insertEvents)
	return format.PackEvents(events, func(chunk int64, data []byte) error {
		run.Events++
		data = format.Seal(data, run.ID, chunk, run.Events)
		_, err := insert.ExecContext(ctx, run.ID, chunk, run.Events, data)
		return err
	})
}
