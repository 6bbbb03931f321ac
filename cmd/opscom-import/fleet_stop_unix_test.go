//go:build unix

package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
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

// answered returns how many rows have an answer of the Controller.
func (c *fleetClient) answered(counts importer.Counts) int {
	return counts[importer.StatusPushed] + counts[importer.StatusRejected]
}

// settle waits for two workers, which have all of a run that is submitted then, and answers of the
// Controller to both.
func (c *fleetClient) settle(rows int) importer.RunInfo {
	c.Helper()
	c.eventually("two workers", func() bool {
		return strings.Count(c.fleetTrial.run(c.command(nil, "workers", "--json")).stdout, `"state":"idle"`) == 2
	})
	file, submit := c.submit(rows)
	submit(file)
	c.eventually("rows of both workers", func() bool {
		sent := c.byWorker()
		return len(sent) == 2 && len(c.pushes()) > 20
	})
	run, _ := c.newest(0)
	return run
}

// TestFleetRunsStop lets somebody stop a run that two workers push, with requests of both in flight: all
// answers are recorded, and nothing more is sent until it is resumed.
func TestFleetRunsStop(t *testing.T) {
	skipShort(t)
	t.Parallel()
	f := newFleet(t, pgtest.Shared(t).NewDatabase(t))
	c := f.client("OC_STOP", 50, "latency=1s", 1)
	for range 2 {
		f.start()
	}
	run := c.settle(400)
	number := strconv.FormatInt(run.ID, 10)
	shown := f.run(c.process(0, "runs", "show", number))
	if strings.Count(shown.stdout, "process ") != 2 || !strings.Contains(shown.stdout, ": in progress, by process ") {
		t.Errorf("runs show: %+v", shown)
	}
	busy := f.run(c.process(0, "push", c.path("people-1.csv")))
	if busy.code != app.ExitBusy || strings.Count(busy.stderr, "process ") != 2 || !strings.Contains(busy.stderr, "is in progress: run "+number+", since ") {
		t.Errorf("push beside workers: %+v", busy)
	}
	stopped := f.run(c.process(0, "runs", "stop", number))
	pushed := len(c.pushes())
	if stopped.code != 0 || !strings.Contains(stopped.stderr, "is stopped. To resume it") {
		t.Fatalf("runs stop: %+v", stopped)
	}
	counts := c.counts(run.ID)
	if counts[importer.StatusUnknown] != 0 || c.answered(counts) != pushed || counts.Sum() != 400 {
		t.Errorf("%d profiles were sent, and the journal has %v", pushed, counts)
	}
	if reason := c.reason(run.ID); !strings.HasPrefix(reason, `"opscom-import runs stop" on `) {
		t.Errorf("it was stopped because %q", reason)
	}
	for _, w := range slices.Clone(f.workers) { // neither those that go on nor those that start take it up again
		log, err := os.ReadFile(w.log)
		f.check(err)
		if strings.Contains(string(log), "level=ERROR") { // it is what a person asked for
			t.Errorf("worker %d: %s", w.number, log)
		}
		f.check(w.process.Process.Kill())
		f.remove(w)
		f.start()
	}
	time.Sleep(6 * time.Second) // more than one beat of theirs
	if n := len(c.pushes()); n != pushed {
		t.Errorf("%d profiles were sent after the stop", n-pushed)
	}
	if end := f.run(c.process(99, "approve", number)); end.code > app.ExitRows {
		t.Errorf("approve: %+v", end)
	}
	if counts := c.counts(run.ID); counts.Of(importer.KindOpen) != 0 || c.answered(counts) != len(c.pushes()) {
		t.Errorf("%d profiles were sent, and the journal has %v", len(c.pushes()), counts)
	}
}

// TestFleetPushIsStopped lets somebody stop a push on another machine, where there are no workers.
func TestFleetPushIsStopped(t *testing.T) {
	skipShort(t)
	t.Parallel()
	f := newFleet(t, pgtest.Shared(t).NewDatabase(t))
	c := f.client("OC_PUSH", 20, "latency=1s", 1)
	file := c.write(1000)
	ends := make(chan ended)
	go func() { ends <- f.run(c.process(1, "push", c.path(file))) }()
	c.await(30)
	run, _ := c.newest(0)
	shown := f.run(c.process(0, "runs", "show", strconv.FormatInt(run.ID, 10)))
	if strings.Count(shown.stdout, "process ") != 1 {
		t.Errorf("runs show: %+v", shown)
	}
	if end := f.run(c.process(0, "runs", "stop", strconv.FormatInt(run.ID, 10))); end.code != 0 {
		t.Errorf("runs stop: %+v", end)
	}
	end := <-ends
	if end.code != app.ExitIncomplete || !strings.Contains(end.stderr, `was stopped by "opscom-import runs stop" on `) || !strings.Contains(end.stderr, "run the same command again to resume") {
		t.Errorf("push: %+v", end)
	}
	if counts := c.counts(run.ID); counts[importer.StatusUnknown] != 0 || c.answered(counts) != len(c.pushes()) {
		t.Errorf("%d profiles were sent, and the journal has %v", len(c.pushes()), counts)
	}
}

// TestFleetFailuresInARow lets two workers push rows that are all refused: they stop after so many
// in a row of both together.
func TestFleetFailuresInARow(t *testing.T) {
	skipShort(t)
	t.Parallel()
	f := newFleet(t, pgtest.Shared(t).NewDatabase(t))
	f.setting = "OPSCOM_MAX_FAILURES=200"
	c := f.client("OC_FAILING", 50, "latency=300ms", 1)
	for range 2 {
		f.start()
	}
	run := c.settle(5000)
	before := c.byWorker()
	c.replace("code=100%:9022,latency=300ms", 1)
	f.eventually("stopped", func() bool {
		run, _ = c.newest(0)
		return run.State == importer.RunStopped
	})
	if reason := c.reason(run.ID); !strings.HasPrefix(reason, "the Controller refused 2") || !strings.HasSuffix(reason, "in a row with error code 9022") {
		t.Errorf("the run was stopped because %q", reason)
	}
	counts := c.counts(run.ID)
	if n := counts[importer.StatusRejected]; n < 200 || c.answered(counts) != len(c.pushes()) || counts[importer.StatusUnknown] != 0 {
		t.Errorf("%d profiles were sent, and the journal has %v", len(c.pushes()), counts)
	}
	for worker, n := range c.byWorker() {
		if n -= before[worker]; n >= 200 {
			t.Errorf("worker %d has pushed %d rows that failed: none needs as many as stop the run", worker, n)
		}
	}
}
