package postgres

import (
	"context"
	"crypto/rand"

	"github.com/jackc/pgx/v5/pgxpool"
)

// checkServer says why the server cannot have a journal: it is read-only, or behind a pooler that gives
// each transaction another session.
func (j *Journal) checkServer(ctx context.Context) error {
	conn, err := j.pool.Acquire(ctx)
	if err != nil {
		return j.wrap("", err)
	}
	defer conn.Release()
	var isReadOnly bool
	var backend uint32
	if err := conn.QueryRow(ctx, `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', pg_backend_pid()`).Scan(&isReadOnly, &backend); err != nil {
		return j.wrap("", err)
	}
	if isReadOnly {
		return &databaseError{text: "the journal at " + j.address + " " + readOnly}
	}
	if conn.Conn().PgConn().PID() == backend {
		return nil // no pooler is between
	}
	shares, err := j.sharesSessions(ctx, conn)
	if err != nil {
		return j.wrap("", err)
	}
	if shares {
		return &databaseError{text: "the journal at " + j.address + " is behind a pooler that gives each transaction another session, where locks and settings get lost: " +
			"let it pool sessions (pool_mode = session in PgBouncer), or connect to PostgreSQL itself"}
	}
	return nil
}

// sharesSessions says whether others get the session of a connection between its transactions. It marks the
// session; then another connection begins a transaction, which takes the session if it can be had.
func (j *Journal) sharesSessions(ctx context.Context, conn *pgxpool.Conn) (bool, error) {
	mark := rand.Text()
	if _, err := conn.Exec(ctx, `SELECT set_config('opscom.session', $1, false)`, mark); err != nil {
		return false, err
	}
	other, err := j.pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer other.Release()
	tx, err := other.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer tx.Rollback(ctx)
	const read = `SELECT coalesce(current_setting('opscom.session', true), '')`
	var mine, theirs string
	if err := tx.QueryRow(ctx, read).Scan(&theirs); err != nil {
		return false, err
	}
	if err := conn.QueryRow(ctx, read).Scan(&mine); err != nil {
		return false, err
	}
	return mine != mark || theirs == mark, nil
}
