//go:build unix

package main

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer/journal/postgres/pgtest"
)

var (
	fleetKills         = flag.Int("fleet-kills", 3, "how often TestFleetKilled kills a worker")
	fleetDatabaseKills = flag.Int("fleet-database-kills", 1, "how often TestFleetKilled kills PostgreSQL")
	fleetSeed          = flag.Uint64("fleet-seed", 0, "seed of TestFleetKilled's files, faults and moments; 0: another each time")
)

// TestFleetKilled lets four workers push the files of three clients, and does to them what may happen to
// machines: they are killed and replaced, stopped for longer than a lease lasts, told to end, and cut off from the
// database; PostgreSQL is stopped or killed, and started again; and the processes that plan the files are killed
// too. Then each run is held against the requests, as TestKill does. The long version:
//
//	go test ./cmd/opscom-import -run 'TestFleetKilled$' -v -fleet-kills 300 -fleet-database-kills 30 -timeout 3h
func TestFleetKilled(t *testing.T) {
	skipShort(t)
	t.Parallel()
	seed := *fleetSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	server := pgtest.Start(t, pgtest.Options{FSync: true})
	f := newFleet(t, server.NewDatabase(t))
	f.proxied = server.Address()
	random := rand.New(rand.NewPCG(seed, 0))
	for i, rate := range []int{40, 80, 160} {
		faults := []string{"jitter=30ms,503=1%,drop-after=1%", "slow=1%:500ms,drop-before=1%,drop-during=1%,truncate=1%", "lie=1%,code=2%:9022,drip=1%:300ms"}[i]
		f.client(fmt.Sprintf("OC_%c", 'A'+i), rate, "latency=10ms,"+faults, random.Uint64())
	}
	for range 4 {
		f.start()
	}
	var over atomic.Bool
	var loading sync.WaitGroup
	for i, c := range f.clients {
		loading.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)+1))
			for !over.Load() && !t.Failed() {
				c.load(c.write(100+random.IntN(12*c.rate)), func(file string) { c.plan(file, random) })
			}
		})
	}
	for _, c := range f.clients {
		c.await(50)
	}
	h := havoc{fleetTrial: f, server: server, random: random, done: make(map[string]int)}
	h.wreak(*fleetKills, *fleetDatabaseKills)
	over.Store(true)
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		loading.Wait()
	}()
	for !closed(loaded) {
		f.revive()
		time.Sleep(time.Second)
	}
	h.judge()
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// plan starts a push or a submit. Half of them are killed at a random moment.
func (c *fleetClient) plan(file string, random *rand.Rand) {
	number := int(c.started.Add(1))
	args := [][]string{{"submit"}, {"push", "--json"}}[random.IntN(2)]
	process := c.process(number, append(args, c.path(file))...)
	var stderr bytes.Buffer
	process.Stderr = &stderr
	began := time.Now()
	c.check(process.Start())
	if random.IntN(2) == 0 {
		length := time.Duration(random.IntN(1500)) * time.Millisecond
		if random.IntN(3) == 0 {
			length *= 5
		}
		kill := time.AfterFunc(length, func() {
			_ = process.Process.Kill() // it may be over
		})
		defer kill.Stop()
	}
	_ = process.Wait() // it may be killed
	at := time.Now()
	c.sound(strings.Join(process.Args[1:], " "), stderr.String())
	switch code := process.ProcessState.ExitCode(); code {
	case -1:
		c.happened("planner killed", number, at)
		c.shoot()
	case app.ExitDone, app.ExitRows, app.ExitIncomplete, app.ExitBusy:
	default:
		if !c.outage(began, at) {
			c.Errorf("%s has ended with %d: %s", args[0], code, &stderr)
		}
	}
}

// outage reports whether the database was away in a time, or shortly before it.
func (f *fleetTrial) outage(from, to time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.outages, func(o fleetOutage) bool { return to.After(o.from) && from.Before(o.to.Add(10*time.Second)) })
}

// havoc is what happens to the fleet.
type havoc struct {
	*fleetTrial
	server *pgtest.Server
	random *rand.Rand
	done   map[string]int
}

// wreak kills so many workers, and the database so many times, and does other things in between.
func (h *havoc) wreak(kills, databaseKills int) {
	for left := kills + databaseKills; left > 0 && !h.Failed(); {
		h.pause(100*time.Millisecond, 1500*time.Millisecond)
		h.revive()
		w := h.victim()
		switch n := h.random.IntN(16); {
		case h.random.IntN(left) < databaseKills:
			h.stopDatabase()
			databaseKills--
			left--
		case n == 0:
			h.stop(w)
		case n == 1:
			h.cut(w)
		case n == 2:
			h.terminate(w)
		default:
			h.kill(w)
			left--
		}
	}
	if kills > 1 && !h.Failed() { // at least once
		h.stop(h.victim())
		h.cut(h.victim())
	}
}

// pause waits for a random time.
func (h *havoc) pause(least, most time.Duration) {
	time.Sleep(least + time.Duration(h.random.Int64N(int64(most-least))))
}

// victim returns a worker, most often one that has sent something just now.
func (h *havoc) victim() *fleetWorker {
	c := h.clients[h.random.IntN(len(h.clients))]
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.arrived) - 1; i >= 0 && i > len(c.arrived)-50; i-- {
		for _, w := range h.workers {
			if c.arrived[i].worker == w.number && time.Since(c.arrived[i].at) < time.Second {
				return w
			}
		}
	}
	return h.workers[h.random.IntN(len(h.workers))]
}

// kill kills a worker, and starts another one.
func (h *havoc) kill(w *fleetWorker) {
	h.done["killed"]++
	h.check(w.process.Process.Kill())
	at := time.Now()
	h.remove(w)
	h.happened("killed", w.number, at)
	h.shoot()
	h.start()
}

// terminate lets a worker end in good order.
func (h *havoc) terminate(w *fleetWorker) {
	h.done["terminated"]++
	h.check(w.process.Process.Signal(unix.SIGTERM))
	h.remove(w)
	if code := w.process.ProcessState.ExitCode(); code != 0 {
		text, _ := os.ReadFile(w.log)
		h.Errorf("worker %d has ended with %d:\n%s", w.number, code, text)
	}
	h.happened("terminated", w.number, time.Now())
	h.shoot()
	h.start()
}

// stop stops a worker for longer than its leases last, and lets it go on.
func (h *havoc) stop(w *fleetWorker) {
	h.done["stopped"]++
	h.check(w.process.Process.Signal(unix.SIGSTOP))
	h.happened("stopped", w.number, time.Now())
	h.shoot()
	h.pause(11*time.Second, 20*time.Second)
	h.shoot() // what is recorded now is never sent again
	h.check(w.process.Process.Signal(unix.SIGCONT))
}

// cut cuts a worker off from the database, and connects it again. It stops sending meanwhile.
func (h *havoc) cut(w *fleetWorker) {
	h.done["cut off"]++
	silent := h.random.IntN(2) == 0 // or connections are refused
	if silent {
		for _, stream := range []string{"upstream", "downstream"} {
			_, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(`{"name": "` + stream + `", "type": "timeout", "stream": "` + stream + `", "attributes": {"timeout": 0}}`))
			h.check(err)
		}
	} else {
		w.proxy.Stop()
	}
	from := time.Now()
	h.happened("cut off", w.number, from)
	h.shoot()
	h.pause(time.Second, 20*time.Second)
	h.shoot()
	to := time.Now()
	if silent {
		for _, stream := range []string{"upstream", "downstream"} {
			h.check(w.proxy.Toxics.RemoveToxic(h.Context(), stream))
		}
	} else {
		h.check(w.proxy.Start())
	}
	for _, c := range h.clients {
		c.mu.Lock()
		for _, r := range c.arrived {
			if r.worker == w.number && r.at.After(from.Add(10*time.Second)) && r.at.Before(to) {
				h.Errorf("worker %d has sent %s %s after it was cut off from the database", w.number, r.id, r.at.Sub(from))
			}
		}
		c.mu.Unlock()
	}
}

// stopDatabase stops PostgreSQL in one of three ways, and starts it again.
func (h *havoc) stopDatabase() {
	from := time.Now()
	h.mu.Lock()
	h.outages = append(h.outages, fleetOutage{from, from.Add(time.Hour)})
	h.mu.Unlock()
	switch h.random.IntN(3) {
	case 0:
		h.done["PostgreSQL stopped fast"]++
		h.server.Stop(pgtest.Fast)
	case 1:
		h.done["PostgreSQL stopped at once"]++
		h.server.Stop(pgtest.Immediate)
	default:
		h.done["PostgreSQL killed"]++
		h.server.Kill()
	}
	share := h.random.Float64()
	time.Sleep(time.Second + time.Duration(44*share*share*share*float64(time.Second))) // seldom long
	h.server.Restart()
	h.mu.Lock()
	h.outages[len(h.outages)-1].to = time.Now()
	h.mu.Unlock()
	h.shoot()
	h.pause(time.Second, 10*time.Second)
}

// judge audits all runs, and tells what the havoc has cost.
func (h *havoc) judge() {
	violations, runs, requests := 0, 0, 0
	for _, c := range h.clients {
		violations += c.judge()
		runs += len(c.runs)
		requests += len(c.arrived)
		most, at := rush(c.times())
		h.Logf("%s: rate %d, at most %d requests in a second, %s", c.code, c.rate, most, h.lately(at))
		if most > fleetRush(c.rate) {
			h.Errorf("%s got %d requests in a second, and its rate is %d", c.code, most, c.rate)
		}
	}
	h.Logf("%v; %d runs, %d requests: %d violations", h.done, runs, requests, violations)
	costs := make(map[string]*fleetCost)
	for _, e := range h.events {
		rows, after := 0, time.Duration(0)
		for _, c := range h.clients {
			again, later := c.again(e)
			if bound := fleetLanes * (fleetRequests + uncommitted); again > bound {
				h.Errorf("%s: %d rows of %s were sent again, at most %d are in doubt", e.what, again, c.code, bound)
			}
			rows, after = rows+again, max(after, later)
		}
		if costs[e.what] == nil {
			costs[e.what] = &fleetCost{}
		}
		costs[e.what].add(rows, after, h.outage(e.at, e.at.Add(after)))
	}
	for _, what := range slices.Sorted(maps.Keys(costs)) {
		h.Logf("%s: %s", what, costs[what])
		if worst := slices.Max(append(costs[what].after, 0)); worst > 2*time.Minute {
			h.Errorf("%s: rows went on after %s", what, worst)
		}
	}
}

// lately returns what had happened last at a time.
func (h *havoc) lately(at time.Time) string {
	what, since := "after nothing", time.Duration(math.MaxInt64)
	told := func(event string, then time.Time) {
		if d := at.Sub(then); d > 0 && d < since {
			what, since = fmt.Sprintf("%.1f s after: %s", d.Seconds(), event), d
		}
	}
	for _, e := range h.events {
		told(e.what, e.at)
	}
	for _, o := range h.outages {
		told("PostgreSQL is back", o.to)
	}
	return what
}

// fleetRush is how many requests of a rate may come in a second. Elsewhere than on Linux it is not known when they came, but only when they
// were read: on a machine that is busy some of them late, and close to those that follow.
func fleetRush(rate int) int {
	if runtime.GOOS == "linux" {
		return rate
	}
	return rate + rate/4
}

// fleetCost is what events of one kind have cost.
type fleetCost struct {
	events int
	rows   []int           // sent again, by event with any
	after  []time.Duration // until the last of them was, by event with any, unless the database was away
}

func (c *fleetCost) add(rows int, after time.Duration, outage bool) {
	c.events++
	if rows == 0 {
		return
	}
	c.rows = append(c.rows, rows)
	if !outage {
		c.after = append(c.after, after)
	}
}

func (c *fleetCost) String() string {
	if len(c.rows) == 0 || len(c.after) == 0 {
		return fmt.Sprintf("%d times, %d of them with rows sent again", c.events, len(c.rows))
	}
	slices.Sort(c.rows)
	slices.Sort(c.after)
	return fmt.Sprintf("%d times, %d of them with rows sent again: %d in the median, %d at most; after %.1f s in the median, %.1f s at most",
		c.events, len(c.rows), c.rows[len(c.rows)/2], c.rows[len(c.rows)-1], c.after[len(c.after)/2].Seconds(), c.after[len(c.after)-1].Seconds())
}
