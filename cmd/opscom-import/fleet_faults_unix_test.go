//go:build unix

package main

import (
	"flag"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer/journal/postgres/pgtest"
)

var (
	fleetRateSeconds = flag.Int("fleet-rate-seconds", 25, "for how many seconds TestFleetRate pushes")
	fleetStops       = flag.Int("fleet-stops", 1, "how often TestFleetAwake stops a worker")
)

// submit leaves a file to the workers.
func (c *fleetClient) submit(rows int) (file string, leave func(file string)) {
	return c.write(rows), func(file string) {
		if end := c.fleetTrial.run(c.process(int(c.started.Add(1)), "submit", c.path(file))); end.code != app.ExitDone {
			c.Errorf("submit: %+v", end)
		}
	}
}

// await waits until so many requests of a client have come.
func (c *fleetClient) await(requests int64) {
	c.Helper()
	for began := time.Now(); c.count() < requests; time.Sleep(5 * time.Millisecond) {
		if c.Failed() || time.Since(began) > fleetPatience {
			c.Fatalf("%d requests have come, not %d", c.count(), requests)
		}
	}
}

// TestFleetRate lets four workers push at the rate of one client, kills one of them and stops another for a while:
// no second has more requests, and little of the rate is lost. The long version:
//
//	go test ./cmd/opscom-import -run 'TestFleetRate$' -v -fleet-rate-seconds 300
func TestFleetRate(t *testing.T) {
	skipShort(t)
	t.Parallel()
	f := newFleet(t, pgtest.Shared(t).NewDatabase(t))
	const rate = 100
	c := f.client("OC_RATE", rate, "latency=20ms,jitter=20ms", 1)
	for range 4 {
		f.start()
	}
	seconds := int64(*fleetRateSeconds)
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		c.load(c.submit(rate * *fleetRateSeconds))
	}()
	sender := func() *fleetWorker {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, w := range f.workers {
			if c.arrived[len(c.arrived)-1].worker == w.number {
				return w
			}
		}
		return f.workers[0]
	}
	c.await(rate * seconds / 10)
	killed := sender()
	f.check(killed.process.Process.Kill())
	f.happened("killed", killed.number, time.Now())
	f.remove(killed)
	f.start()
	c.await(rate * seconds * 7 / 10) // the lanes of the other are with somebody by then
	stopped := sender()
	f.check(stopped.process.Process.Signal(unix.SIGSTOP))
	f.happened("stopped", stopped.number, time.Now())
	time.Sleep(12 * time.Second)
	f.check(stopped.process.Process.Signal(unix.SIGCONT))
	<-loaded
	if t.Failed() {
		return
	}
	c.judge()
	pushes := c.pushes()
	length := pushes[len(pushes)-1].Sub(pushes[0])
	bySecond := make([]int, int(length.Seconds())+1)
	for _, at := range pushes {
		bySecond[int(at.Sub(pushes[0]).Seconds())]++
	}
	t.Logf("requests by second: %v", bySecond)
	most, _ := rush(c.times())
	used := float64(len(pushes)-1) / rate / length.Seconds()
	t.Logf("%d requests in %.1f s: at most %d in a second, %.1f %% of the rate", len(pushes), length.Seconds(), most, 100*used)
	if most > fleetRush(rate) {
		t.Errorf("%d requests came in a second, and the rate is %d", most, rate)
	}
}

// TestFleetAwake stops workers for longer than their leases last, when nothing but the leases keeps them from sending
// at once what they had claimed, and lets them go on: what others have recorded meanwhile is sent by nobody again.
func TestFleetAwake(t *testing.T) {
	skipShort(t)
	t.Parallel()
	f := newFleet(t, pgtest.Shared(t).NewDatabase(t))
	c := f.client("OC_AWAKE", 0, "latency=50ms,jitter=50ms", 1)
	for range 3 {
		f.start()
	}
	var over atomic.Bool
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		for !over.Load() {
			c.load(c.submit(8000))
		}
	}()
	h := havoc{fleetTrial: f, random: rand.New(rand.NewPCG(1, 1)), done: make(map[string]int)}
	for n := range *fleetStops {
		c.await(int64(n*2000 + 500))
		h.stop(h.victim())
		time.Sleep(time.Second)
	}
	over.Store(true)
	<-loaded
	violations := c.judge()
	t.Logf("%d stops, %d runs, %d requests: %d violations", *fleetStops, len(c.runs), len(c.arrived), violations)
}

// TestFleetFailover lets PostgreSQL fail over to a standby that has not received the last seconds: what was sent in
// them is sent again, and nothing is guessed.
func TestFleetFailover(t *testing.T) {
	skipShort(t)
	t.Parallel()
	primary := pgtest.Start(t, pgtest.Options{FSync: true})
	database, err := url.Parse(primary.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	standby := primary.Standby(t)
	f := newFleet(t, pgtest.FailoverURL(strings.TrimPrefix(database.Path, "/"), primary, standby))
	clients := []*fleetClient{f.client("OC_LARGE", 80, "latency=10ms", 1), f.client("OC_SMALL", 40, "latency=10ms,jitter=50ms,drop-after=1%", 2)}
	for range 3 {
		f.start()
	}
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		clients[0].load(clients[0].submit(2000))
	}()
	more := make(chan struct{})
	go func() {
		defer close(more)
		clients[1].load(clients[1].submit(600))
	}()
	clients[0].await(500)
	clients[1].await(200)
	standby.CatchUp(primary)
	standby.Detach()
	detached := []int64{clients[0].count(), clients[1].count()}
	clients[0].await(detached[0] + 200)
	f.outages = []fleetOutage{{time.Now(), time.Now().Add(time.Minute)}}
	primary.Kill()
	killed := []int64{clients[0].count(), clients[1].count()}
	standby.Promote()
	for range 5 { // before the workers find out, and afterwards
		f.shoot()
		time.Sleep(500 * time.Millisecond)
	}
	<-loaded
	<-more
	for i, c := range clients {
		if t.Failed() {
			return
		}
		c.judge()
		again := make(map[string]bool)
		for _, r := range c.arrived[killed[i]:] {
			again[r.id] = true
		}
		for _, r := range c.arrived[detached[i]:killed[i]] {
			if !again[r.id] {
				t.Errorf("%s was sent while the standby was detached, and not again", r.id)
			}
		}
		t.Logf("%s: %d requests came while the standby was detached, %d after the failover", c.code, killed[i]-detached[i], len(c.arrived)-int(killed[i]))
	}
	c := clients[1]
	before := c.count()
	push := func(what, wanted string) {
		t.Helper()
		end := f.run(c.process(int(c.started.Add(1)), "push", "--only-changes", "--max-changed", "1", c.path(c.runs[0].file)))
		if end.code != app.ExitRows || strings.Contains(end.stderr, "are sent again") != (wanted != "") || !strings.Contains(end.stderr, wanted) {
			t.Errorf("%s: %+v", what, end)
		}
	}
	push("what was accepted before is in doubt", "People who seem unchanged are sent again (")
	doubted := c.count() - before
	if recorded := detached[1]; doubted < recorded/2 || doubted > recorded+recorded/10 {
		t.Errorf("%d people were sent again, of %d who were recorded before the failover", doubted, recorded)
	}
	push("what was sent again is certain", "")
	if n := c.count() - before - doubted; n > 5 { // who is rejected
		t.Errorf("%d people were sent once more", n)
	}
}
