//go:build unix

package main

import (
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/postgres/pgtest"
)

// eventually waits until a condition holds.
func (f *fleetTrial) eventually(what string, holds func() bool) {
	f.Helper()
	for began := time.Now(); !holds(); time.Sleep(50 * time.Millisecond) {
		if f.Failed() || time.Since(began) > fleetPatience {
			f.Fatalf("%s: not within %v", what, fleetPatience)
		}
	}
}

// byWorker returns how many profiles each process has pushed.
func (c *fleetClient) byWorker() map[int]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := map[int]int{}
	for _, r := range c.arrived {
		if r.id != "" {
			sent[r.worker]++
		}
	}
	return sent
}

// reason returns why the client's run was stopped.
func (c *fleetClient) reason(id int64) string {
	c.Helper()
	run, err := c.journal.Run(c.Context(), id)
	c.check(err)
	return run.(*postgres.Run).Reason()
}

// counts returns the rows of a run by status.
func (c *fleetClient) counts(id int64) importer.Counts {
	counts := importer.Counts{}
	for _, line := range c.lines(id) {
		counts[line.Status]++
	}
	return counts
}

// TestFleetFailuresInARow lets two workers push rows that are all refused: they stop after so many
// in a row of both together.
func TestFleetFailuresInARow(t *testing.T) {
	skipShort(t)
	t.Parallel()
	f := newFleet(t, pgtest.Shared(t).NewDatabase(t))
	f.setting = "OPSCOM_MAX_FAILURES=200"
	c := f.client("OC_FAILING", 50, "code=100%:9022", 1)
	for range 2 {
		f.start()
	}
	f.eventually("two workers", func() bool {
		return strings.Count(f.run(f.command(nil, "workers")).stdout, " working ") == 2
	})
	file, submit := c.submit(2000)
	submit(file)
	var run importer.RunInfo
	f.eventually("stopped", func() bool {
		run, _ = c.newest(0)
		return run.State == importer.RunStopped
	})
	if reason := c.reason(run.ID); !strings.HasPrefix(reason, "the Controller refused 2") || !strings.HasSuffix(reason, "in a row with error code 9022") {
		t.Errorf("the run was stopped because %q", reason)
	}
	counts, sent := c.counts(run.ID), c.byWorker()
	if n := counts[importer.StatusRejected]; n < 200 || n != len(c.pushes()) || counts[importer.StatusUnknown] != 0 {
		t.Errorf("%d requests and %v", len(c.pushes()), counts)
	}
	for worker, n := range sent {
		if n >= 200 || len(sent) != 2 {
			t.Errorf("worker %d has pushed %d of %d rows: none has as many as stop the run", worker, n, len(c.pushes()))
		}
	}
}
