//go:build unix

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer/journal/postgres/pgtest"
)

// TestFleetFullDisk fills the disk of the database in the midst of a run, as far as the program can tell: nothing more is
// sent, everybody says why, nothing is planned, and the run goes on when there is space again.
func TestFleetFullDisk(t *testing.T) {
	skipShort(t)
	t.Parallel()
	const full = "has no space left on its disk: free some there, or enlarge it"
	f := newFleet(t, pgtest.Shared(t).NewDatabase(t))
	c, other := f.client("OC_FULL", 200, "latency=10ms", 1), f.client("OC_OTHER", 200, "latency=10ms", 2)
	worker := f.start()
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		c.load(c.submit(2000))
	}()
	c.await(300)
	tables := []string{"target", "run", "chunk", "chunk_state", "event", "lane", "worker"}
	execute := func(statements ...string) {
		t.Helper()
		_, err := f.journal.Pool().Exec(t.Context(), strings.Join(statements, ";"))
		f.check(err)
	}
	fill := []string{`CREATE FUNCTION public.fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''could not extend file'' USING ERRCODE = ''disk_full''; END'`}
	var free []string
	for _, table := range tables {
		fill = append(fill, "CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON opscom."+table+" EXECUTE FUNCTION public.fill()")
		free = append(free, "DROP TRIGGER fill ON opscom."+table)
	}
	began := time.Now()
	execute(fill...)
	for {
		before := c.quiet()
		time.Sleep(2 * time.Second) // four hundred requests are due meanwhile
		log, err := os.ReadFile(worker.log)
		f.check(err)
		if c.quiet() == before && strings.Contains(string(log), full) {
			break
		}
		if time.Since(began) > fleetPatience {
			t.Fatalf("it goes on, or does not say why: %s", log)
		}
	}
	end := f.run(other.process(int(f.started.Add(1)), "push", other.path(other.write(10))))
	if end.code != app.ExitUsage || !strings.Contains(end.stderr, full) || other.count() > 0 {
		t.Errorf("a push without space: %+v, and %d requests", end, other.count())
	}
	execute(free...)
	f.mu.Lock()
	f.outages = append(f.outages, fleetOutage{began, time.Now()})
	f.mu.Unlock()
	<-loaded
	if !t.Failed() {
		c.judge()
	}
}
