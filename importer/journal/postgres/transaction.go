package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/importer/journal/postgres/keyring"
)

// beginView begins a transaction that reads. It may be idle for longer than one that writes: who gets
// the lines may be slow, as a browser far away, or a person with a pager.
const beginView = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = '15min'"

// view runs read on one state of the journal, even if something is written meanwhile.
func (j *Journal) view(ctx context.Context, action string, read func(tx pgx.Tx) error) error {
	return j.failed(action, pgx.BeginTxFunc(ctx, j.pool, pgx.TxOptions{BeginQuery: beginView}, read))
}

// update runs change in a transaction. It is on the disk when update returns. After an error
// the change may have been made all the same, if the connection was cut.
func (j *Journal) update(ctx context.Context, action string, change func(tx pgx.Tx) error) error {
	return j.failed(action, pgx.BeginFunc(ctx, j.pool, change))
}

// updatePatience is how long a change is tried again while the database is away.
const updatePatience = 30 * time.Second

// insist is update for a change that may be repeated: it is tried again while the database is
// away. again says that it is not the first attempt, so that it may have been made.
func (j *Journal) insist(ctx context.Context, action string, change func(tx pgx.Tx, again bool) error) error {
	deadline := time.Now().Add(updatePatience)
	for n := 0; ; n++ {
		err := pgx.BeginFunc(ctx, j.pool, func(tx pgx.Tx) error { return change(tx, n > 0) })
		if !IsTransient(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return j.failed(action, err)
		}
		select {
		case <-time.After(firstPause << min(n, 4)):
		case <-ctx.Done():
			return j.failed(action, err)
		}
	}
}

// failed adds what could not be done to an error, and says what to do about the database's
// errors and about damage.
func (j *Journal) failed(action string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, format.ErrDamaged), errors.Is(err, keyring.ErrDamaged), errors.Is(err, keyring.ErrMoved):
		return &journal.DamagedError{Database: j.address, Reason: err}
	case errors.As(err, new(*pgconn.PgError)), errors.As(err, new(*pgconn.ConnectError)), IsTransient(err):
		return j.wrap(action, err)
	}
	return fmt.Errorf("%s: %w", action, err)
}
