package postgres

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// lockPrefix begins the name of the connection that locks a target.
const lockPrefix = "opscom-import "

// lockName returns the name of the connection with which this process locks a target: everybody
// sees from it who has the lock. PostgreSQL cuts it off after 63 bytes.
func lockName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	return fmt.Sprintf("%s%d@%s", lockPrefix, os.Getpid(), host)
}

// lockHolder returns the process that has given a connection this name; false for another name.
func lockHolder(name string) (process int, host string, ok bool) {
	number, host, ok := strings.Cut(strings.TrimPrefix(name, lockPrefix), "@")
	process, err := strconv.Atoi(number)
	return process, host, ok && err == nil
}

const selectPushers = `
	SELECT w.process, w.host, '' FROM opscom.lane l JOIN opscom.worker w ON w.name = l.worker
	WHERE l.run = $1 AND l.lease_until > now() AND l.lease_until < 'infinity'
	UNION
	SELECT 0, '', coalesce(a.application_name, '')
	FROM opscom.run r JOIN opscom.target t ON t.id = r.target
	JOIN pg_locks k ON k.locktype = 'advisory' AND k.granted AND k.objsubid = 1 AND (k.classid::bigint << 32 | k.objid::bigint) = hashtextextended(t.name, $2)
		AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
	JOIN pg_stat_activity a ON a.pid = k.pid
	WHERE r.id = $1
	ORDER BY 2, 1`

// Pushers returns the processes that work on a run, or wait for its end: workers, and the one that
// has locked its target.
func (j *Journal) Pushers(ctx context.Context, run int64) (processes []string, err error) {
	rows, err := j.pool.Query(ctx, selectPushers, run, lockSpace)
	if err != nil {
		return nil, j.failed("ask who works on a run", err)
	}
	var process int
	var host, name string
	_, err = pgx.ForEachRow(rows, []any{&process, &host, &name}, func() error {
		if name != "" {
			var known bool
			if process, host, known = lockHolder(name); !known {
				return nil
			}
		}
		processes = append(processes, fmt.Sprintf("process %d on %s", process, host))
		return nil
	})
	return processes, j.failed("ask who works on a run", err)
}

// busy says which run to the target is in progress, as far as that is known.
func (j *Journal) busy(ctx context.Context, target string) *journal.BusyError {
	busy := &journal.BusyError{Target: target}
	runs, err := j.list(ctx, "WHERE target.name = $1 AND run.state IN ('planning', 'pushing')", importer.SameTarget(target))
	if err != nil || len(runs) == 0 {
		return busy
	}
	busy.Run, busy.Since = runs[0].ID, runs[0].StartedAt
	busy.By, _ = j.Pushers(ctx, busy.Run) // without them it is still known which run it is
	return busy
}
