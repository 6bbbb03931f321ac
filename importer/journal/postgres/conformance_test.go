package postgres

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/conformance"
	"opscom-import/importer/journal/postgres/pgtest"
)

func TestConformance(t *testing.T) {
	server, migrated := pgtest.Shared(t), newDatabase(t)
	conformance.Test(t, func(tb conformance.TB) conformance.Place {
		return &database{TB: tb, t: t, url: server.SocketURL(databaseOf(t, server.CopyDatabase(t, migrated)))}
	})
}

// database is a database with a journal.
type database struct {
	conformance.TB
	t   *testing.T
	url string

	mu   sync.Mutex
	open []*process
}

func (d *database) Open() journal.Journal {
	d.Helper()
	j, err := Open(d.Context(), d.url, Options{Keys: testKeys(d.t)})
	if err != nil {
		d.Fatal(err)
	}
	p := &process{Journal: j}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = append(d.open, p)
	d.Cleanup(p.end)
	return p
}

// Crash ends the connections of all processes, and the leases on rows as time would.
func (d *database) Crash() {
	d.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	dead := d.open
	d.open = nil
	pool := newPool(d.t, d.url)
	defer pool.Close()
	for _, statement := range []string{
		"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
		"UPDATE opscom.chunk_state SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL",
		"UPDATE opscom.lane SET lease_until = now() - interval '1 second'",
	} {
		if _, err := pool.Exec(d.Context(), statement); err != nil {
			d.Fatal(err)
		}
	}
	for _, p := range dead {
		p.end()
	}
}

func (d *database) Restore() {
	d.Helper()
	d.Crash()
	pool := newPool(d.t, d.url)
	defer pool.Close()
	for _, table := range []string{"journal", "run"} { // the same server has no other timeline
		if _, err := pool.Exec(context.Background(), "UPDATE opscom."+table+" SET timeline = 'another'"); err != nil {
			d.Fatal(err)
		}
	}
}

func (d *database) Damage(record conformance.Record) {
	d.Helper()
	const change = "UPDATE opscom.%s SET data = set_bit(data, 8 * length(data) - 1, 1 - get_bit(data, 8 * length(data) - 1))"
	statement := map[conformance.Record]string{
		conformance.PlanRecord: fmt.Sprintf(change, "chunk"), conformance.PayloadRecord: fmt.Sprintf(change, "payload"), conformance.OutcomeRecord: fmt.Sprintf(change, "event"),
		conformance.AcceptanceRecord: fmt.Sprintf(change, "acceptance"), conformance.RosterRecord: fmt.Sprintf(change, "roster"),
		conformance.LostPlan:    "DELETE FROM opscom.chunk WHERE run = 1 AND chunk = 0",
		conformance.LostOutcome: "DELETE FROM opscom.event WHERE run = 1 AND seq = 1",
	}[record]
	pool := newPool(d.t, d.url)
	defer pool.Close()
	tag, err := pool.Exec(context.Background(), statement)
	if err != nil || tag.RowsAffected() == 0 {
		d.Fatal(tag, err)
	}
}

// process is a process that has a journal open. It may be closed twice.
type process struct {
	*Journal
	closing sync.Once
	mu      sync.Mutex
	locks   []func() error
}

// Lock remembers what releases the lock: else this process would keep it, though it is dead.
func (p *process) Lock(ctx context.Context, target string) (release func() error, err error) {
	release, err = p.Journal.Lock(ctx, target)
	if err == nil {
		release = sync.OnceValue(release)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.locks = append(p.locks, release)
	}
	return release, err
}

func (p *process) Close() (err error) {
	p.closing.Do(func() { err = p.Journal.Close() })
	return err
}

func (p *process) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, release := range p.locks {
		_ = release() // the connection may be dead
	}
	p.locks = nil
	_ = p.Close()
}
