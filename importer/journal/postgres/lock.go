package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
)

// A target is locked by an advisory lock of a connection of its own. PostgreSQL ends a
// connection that was not heard of for lockTerm, and the lock with it: a process that was
// stopped, or cut off, does not keep others away.
const (
	lockTerm  = 30 * time.Second
	lockBeat  = 5 * time.Second
	lockSpace = 0x6F70 // of hashes: other locks of the database are elsewhere
)

// targetLock is the lock of a target.
type targetLock struct {
	journal *Journal
	target  string
	conn    *pgx.Conn // nil while it is lost
}

// Lock makes sure that no other run to the target is in progress until release is called; else
// it returns a *BusyError. Runs that no process works on any more do not count. The context ends
// the wait for the leases of a process that has died, not the lock.
func (j *Journal) Lock(ctx context.Context, target string) (release func() error, err error) {
	ctx, stop := context.WithTimeout(ctx, lockTerm)
	defer stop()
	lock := &targetLock{journal: j, target: importer.SameTarget(target)}
	action := "lock the runs to " + target
	got, err := lock.take(ctx)
	if err != nil {
		return nil, j.failed(action, err)
	}
	if got {
		got, err = j.isIdle(ctx, lock.target)
	}
	if err != nil || !got {
		lock.drop()
	}
	if err != nil {
		return nil, j.failed(action, err)
	}
	if !got {
		return nil, j.busy(ctx, target)
	}
	ended := make(chan struct{})
	var keeping sync.WaitGroup
	keeping.Go(func() { lock.keep(ended) })
	return func() error {
		close(ended)
		keeping.Wait()
		lock.drop()
		return nil
	}, nil
}

// take takes the lock on a new connection, and reports whether it could.
func (l *targetLock) take(ctx context.Context) (got bool, err error) {
	config := l.journal.pool.Config()
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return false, err
	}
	l.conn = conn
	if err = config.AfterConnect(ctx, conn); err == nil {
		_, err = conn.Exec(ctx, fmt.Sprintf("SET idle_session_timeout = '%ds'", int(lockTerm.Seconds())))
	}
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT set_config('application_name', $1, false)", lockName())
	}
	if err == nil {
		err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock(hashtextextended($1, $2))", l.target, lockSpace).Scan(&got)
	}
	if err != nil || !got {
		l.drop()
	}
	return got, err
}

// drop gives the lock back with its connection.
func (l *targetLock) drop() {
	if l.conn == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), lockBeat)
	defer stop()
	_, _ = l.conn.Exec(ctx, "SELECT pg_advisory_unlock_all()") // closing does not wait until the server has seen it
	_ = l.conn.Close(ctx)                                      // it ends in any case
	l.conn = nil
}

// keep lets the connection be heard of, and takes the lock again when it was lost, unless
// somebody else has it.
func (l *targetLock) keep(ended <-chan struct{}) {
	beat := time.NewTicker(lockBeat)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
		case <-ended:
			return
		}
		ctx, stop := context.WithTimeout(context.Background(), lockBeat)
		if l.conn == nil {
			_, _ = l.take(ctx) // or the next time
		} else if err := l.conn.Ping(ctx); err != nil {
			l.drop()
		}
		stop()
	}
}

// isIdle reports whether nobody works on a run to the target, or will. A run that was left to
// the workers waits for them; of one whose process pushed it too, a lane in the queue counts only
// while there is a worker to take it. Leases of a process that died are waited for.
func (j *Journal) isIdle(ctx context.Context, target string) (bool, error) {
	for deadline := time.Now().Add(j.term + time.Second); ; {
		var hasLane, hasLease bool
		err := j.pool.QueryRow(ctx, `SELECT
			coalesce(bool_or(EXISTS (SELECT FROM opscom.lane l WHERE l.run = r.id AND l.lease_until > now() AND (l.worker <> '' OR NOT l.helped
				OR EXISTS (SELECT FROM opscom.worker w WHERE NOT w.is_drained AND w.controller = $3 AND w.seen_at > now() - $2::interval)))), false),
			coalesce(bool_or(EXISTS (SELECT FROM opscom.chunk_state s WHERE s.run = r.id AND s.lease_until > now())), false)
			FROM opscom.run r JOIN opscom.target t ON t.id = r.target WHERE t.name = $1 AND r.state = 'pushing'`, target, lockTerm, importer.ControllerOf(target)).Scan(&hasLane, &hasLease)
		if err != nil || hasLane || !hasLease {
			return !hasLane, err
		}
		if time.Now().After(deadline) {
			return false, nil
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}
