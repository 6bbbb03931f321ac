package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// Who reads the results of a run may be slow; who writes keeps others from working.
func TestHowLongATransactionMayBeIdle(t *testing.T) {
	j := newJournal(t)
	settings := func(tx pgx.Tx) (all [3]string) {
		t.Helper()
		must(t, tx.QueryRow(t.Context(), `SELECT current_setting('idle_in_transaction_session_timeout'),
			current_setting('transaction_isolation'), current_setting('transaction_read_only')`).Scan(&all[0], &all[1], &all[2]))
		return all
	}
	must(t, j.view(t.Context(), "read", func(tx pgx.Tx) error {
		diff(t, "a view", settings(tx), [3]string{"15min", "repeatable read", "on"})
		return nil
	}))
	for range maxConns { // whichever connection it is
		must(t, j.update(t.Context(), "write", func(tx pgx.Tx) error {
			diff(t, "an update", settings(tx), [3]string{"10s", "read committed", "off"})
			return nil
		}))
	}
}
