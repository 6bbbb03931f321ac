// Package simulation_test pushes invented files to a mock Controller, in virtual
// time, while everything goes wrong at once. It has only tests. One number, the seed,
// determines
//
//	people    a file, and the same file with changes for the scheduled runs that follow
//	settings  workers, rate, attempts, timeouts, safety limits
//	faults    latency, refusals, lies, cuts, an outage, a token that is revoked, …
//	crashes   moments at which the process dies
//
// and a run is played with them: planner, pusher, client, journal and reports are
// the real ones, the sandbox is the Controller, and an http.Server in memory the
// network. A crash leaves the folder as it is on the disk at that
// instant; the rest of the process is thrown away, and the next one gets the same
// command, until the run is complete. After every crash and in the end package
// audit compares file, request log, journal and results with each other, and the checks
// in checks_test.go hold the requests against the settings.
//
// With the journal in PostgreSQL it is the database that goes on: a death comes before a
// transaction or after it, and frees what the process held.
//
//	go test ./importer/simulation -run 'TestSimulation$' -seeds 1000
//	go test ./importer/simulation -run 'TestSimulation$' -seed 17 -v
//
// The second command plays one seed again, and prints what happens in it.
package simulation_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

var (
	seedCount = flag.Int("seeds", 30, "how many seeds TestSimulation plays")
	firstSeed = flag.Uint64("first-seed", 1, "the first of TestSimulation's seeds; the others follow it")
	oneSeed   = flag.Uint64("seed", 0, "the only seed that TestSimulation plays, and prints with -v; 0: as many as -seeds says")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSimulation plays many seeds, with the journal in a folder of the machine.
func TestSimulation(t *testing.T) {
	total, count := playSeeds(t, *seedCount, func(*testing.T) journals { return onMachine() })
	if count >= 30 {
		checkEnough(t, total)
	}
}

// TestSimulationInPostgreSQL plays seeds with the journal in a database, which outlives every
// machine.
func TestSimulationInPostgreSQL(t *testing.T) {
	count := inPostgreSQL
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "seeds" {
			count = *seedCount
		}
	})
	migrated := migratedDatabase(t)
	total, count := playSeeds(t, count, func(t *testing.T) journals { return inDatabase(t, migrated) })
	if count >= inPostgreSQL && total["crashes at a write to the journal"] == 0 {
		t.Error("no process died at a write to the journal")
	}
}

// inPostgreSQL is how many seeds TestSimulationInPostgreSQL plays without -seeds: a real server
// answers.
const inPostgreSQL = 8

// playSeeds plays so many seeds, each with its own journal, or the one that -seed says. It
// returns what happened, and how many seeds there were.
func playSeeds(t *testing.T, count int, newJournals func(*testing.T) journals) (total counters, seeds int) {
	first := *firstSeed
	if *oneSeed > 0 {
		first, count = *oneSeed, 1
	}
	if testing.Short() {
		count = min(count, 5)
	}
	var mu sync.Mutex
	total = counters{}
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed < first+uint64(count); seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				c := play(t, seed, newJournals(t))
				mu.Lock()
				defer mu.Unlock()
				total.add(c.counters)
			})
		}
	})
	t.Logf("%d seeds: %s", count, total)
	return total, count
}

// checkEnough makes sure that what should go wrong does: runs in which nothing goes
// wrong prove nothing.
func checkEnough(t *testing.T, total counters) {
	for _, what := range []string{
		"crashes after a time", "crashes at a write to the journal", "crashes before a request leaves",
		"crashes when an answer comes", "crashes while the results are written", "journals torn", "power cuts", "interrupts",
		"answers lost in crashes", "exit code 1", "exit code 3", "exit code 4", "fault outage", "fault rate",
		"fault revoke", "rows unknown", "rows not_sent", "rows unchanged", "rows rejected", "rows failed", "rows parked",
		"rows that wait for others", "rounds that follow others", "rows warned of",
	} {
		if total[what] == 0 {
			t.Errorf("%s: none", what)
		}
	}
}

// maxShown is how many violations of one seed are printed.
const maxShown = 10

// play plays one seed, and reports its violations.
func play(t *testing.T, seed uint64, j journals) *course {
	t.Helper()
	var c *course
	synctest.Test(t, func(t *testing.T) {
		c = newCourse(t, newScenario(seed), j)
		defer c.close()
		c.play()
	})
	if *oneSeed > 0 {
		t.Logf("%s\n%s", c.scenario, strings.Join(c.events, "\n"))
	}
	for _, v := range c.violations[:min(len(c.violations), maxShown)] {
		t.Error(v)
	}
	if len(c.violations) > 0 {
		t.Errorf("%d violations; play the seed again with: go test ./importer/simulation -run '%s$' -seed %d -v\n%s",
			len(c.violations), strings.Split(t.Name(), "/")[0], seed, c.scenario)
	}
	return c
}

// counters counts what happened, by its name.
type counters map[string]int

// most begins the name of what is not added up.
const most = "most "

func (t counters) add(other counters) {
	for what, n := range other {
		if strings.HasPrefix(what, most) {
			t[what] = max(t[what], n)
		} else {
			t[what] += n
		}
	}
}

func (t counters) String() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(t)) {
		parts = append(parts, fmt.Sprintf("%s %d", what, t[what]))
	}
	return strings.Join(parts, ", ")
}
