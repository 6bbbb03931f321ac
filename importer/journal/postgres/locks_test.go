package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// A journal of years has a thousand partitions, and PostgreSQL has room for some thousands of
// locks: what reads the rows of a run locks the partitions of its night alone.
func TestReadersLockOneNight(t *testing.T) {
	j := newJournal(t)
	execute(t, j, "SELECT opscom.ensure_night('2026-09-01'::date + n) FROM generate_series(1, 40) AS n")
	r := storeRun(t, j, someRun(importer.RunStopped), somePeople(2, 600))
	r.record(t, j.pool, pushedAs(2, "a"), pushedAs(300, "b"))
	for name, read := range map[string]func(tx pgx.Tx) error{
		"what was accepted": func(tx pgx.Tx) error {
			held, err := j.loadHeld(t.Context(), tx, someTarget)
			if err == nil && len(held.Replayed) != 2 {
				t.Errorf("%d acceptances are replayed", len(held.Replayed))
			}
			return err
		},
		"the results": func(tx pgx.Tx) error {
			record, err := loadRun(t.Context(), tx, r.id)
			if err == nil {
				err = j.project(t.Context(), tx, &record, func(*format.Chunk, int) error { return nil })
			}
			return err
		},
	} {
		must(t, j.view(t.Context(), name, func(tx pgx.Tx) error {
			if err := read(tx); err != nil {
				return err
			}
			var locked int
			err := tx.QueryRow(t.Context(), `SELECT count(DISTINCT l.relation) FROM pg_locks l JOIN pg_inherits i ON i.inhrelid = l.relation
				WHERE l.pid = pg_backend_pid() AND i.inhparent IN ('opscom.chunk'::regclass, 'opscom.event'::regclass)`).Scan(&locked)
			if locked != 2 {
				t.Errorf("%s: %d partitions are locked", name, locked)
			}
			return err
		}))
	}
}
