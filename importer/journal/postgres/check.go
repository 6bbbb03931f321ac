package postgres

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// checkServer says why the server cannot have a journal: it is too old, it has another encoding than UTF-8, it is read-only, or it is behind a pooler that
// gives each transaction another session.
func (j *Journal) checkServer(ctx context.Context, config *pgx.ConnConfig) error {
	config = config.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // a pooler may lose prepared statements
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return j.wrap("", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := checkVersion(conn.PgConn().ParameterStatus("server_version")); err != nil {
		return j.wrap("", err)
	}
	if encoding := conn.PgConn().ParameterStatus("server_encoding"); encoding != "UTF8" && encoding != "" { // a pooler may not say it
		return j.refuse(`has the encoding %s: make it again with "createdb -E UTF8 -T template0", or name another`, encoding)
	}
	var isReadOnly bool
	var backend uint32
	if err := conn.QueryRow(ctx, `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on', pg_backend_pid()`).Scan(&isReadOnly, &backend); err != nil {
		return j.wrap("", err)
	}
	if isReadOnly {
		return j.refuse(readOnly)
	}
	if conn.PgConn().PID() == backend {
		return nil // no pooler is between
	}
	shared, err := sessionIsShared(ctx, conn, config)
	if err == nil && shared {
		return j.refuse(sharedSessions)
	}
	return j.wrap("", err)
}

// sessionIsShared says whether others get the session of a connection between its transactions. It marks the
// session; then another connection begins a transaction, which takes the session if it can be had.
func sessionIsShared(ctx context.Context, conn *pgx.Conn, config *pgx.ConnConfig) (bool, error) {
	mark := rand.Text()
	if _, err := conn.Exec(ctx, `SELECT set_config('opscom.session', $1, false)`, mark); err != nil {
		return false, err
	}
	other, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false, err
	}
	defer other.Close(context.WithoutCancel(ctx))
	tx, err := other.Begin(ctx)
	if errors.As(err, new(*pgconn.PgError)) {
		return true, nil // not even a transaction keeps its session
	}
	if err != nil {
		return false, err
	}
	const read = `SELECT coalesce(current_setting('opscom.session', true), '')`
	var mine, theirs string
	if err := tx.QueryRow(ctx, read).Scan(&theirs); err != nil {
		return false, err
	}
	if err := conn.QueryRow(ctx, read).Scan(&mine); err != nil {
		return false, err
	}
	return mine != mark || theirs == mark, tx.Rollback(ctx)
}
