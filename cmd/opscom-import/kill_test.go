package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	killCount = flag.Int("kills", 5, "how often TestKill kills the program")
	killSeed  = flag.Uint64("kill-seed", 0, "seed of TestKill's files, settings and moments; 0: another each time")
)

// TestKill kills the program at random moments, or interrupts it, and gives the same command again,
// until the run is complete; then file, request log, journal and reports are held
// against each other. It builds the program, so that what is killed is what
// people run. The long version:
//
//	go test ./cmd/opscom-import -run 'TestKill$' -v -kills 2000 -timeout 3h
//
// A seed gives the same files, settings and moments, as far as a machine can hit
// a moment twice.
func TestKill(t *testing.T) {
	skipShort(t)
	t.Parallel()
	program := filepath.Join(t.TempDir(), "opscom-import")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	total := killTally{hit: make(map[killMoment]int)}
	for number := uint64(0); total.kills < *killCount && !t.Failed(); number++ {
		t.Run(fmt.Sprint("campaign ", number), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, number))
			c := newCampaign(t, program, random)
			c.left = min(c.left, *killCount-total.kills)
			c.pushAndKill(random)
			total.add(c.killTally)
			t.Logf("%s, %d times killed", c.settings, c.kills)
		})
	}
	t.Logf("%s", &total)
}

// killMoment is what the program was at when it was killed, by what it left.
type killMoment string

const (
	starting  killMoment = "starting"
	planning  killMoment = "planning"
	pushing   killMoment = "pushing"
	reporting killMoment = "reporting"
	finished  killMoment = "finished"
)

// killTally is what kills have cost.
type killTally struct {
	kills      int
	stops      int // by an interrupt, in good order
	hit        map[killMoment]int
	runs       int
	rows       int // that were pushed, in all
	costly     int // kills after which rows had to be sent again that were accepted
	lost       int // such rows
	most       int // by one kill
	violations int
}

func (k *killTally) add(other killTally) {
	k.kills += other.kills
	k.stops += other.stops
	for moment, n := range other.hit {
		k.hit[moment] += n
	}
	k.runs += other.runs
	k.rows += other.rows
	k.costly += other.costly
	k.lost += other.lost
	k.most = max(k.most, other.most)
	k.violations += other.violations
}

func (k *killTally) String() string {
	return fmt.Sprintf("%d kills %v and %d interrupts in %d runs of %d people: %d violations; accepted rows that had to be sent again: "+
		"%d, after %d of the kills, at most %d after one", k.kills, k.hit, k.stops, k.runs, k.rows, k.violations, k.lost, k.costly, k.most)
}
