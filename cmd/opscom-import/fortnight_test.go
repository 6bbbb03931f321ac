package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

var (
	fortnightSeeds = flag.Int("seeds", 2, "how many fortnights TestFortnight plays")
	fortnightFirst = flag.Uint64("first-seed", 1, "the first of TestFortnight's seeds; the others follow it")
	fortnightLog   = flag.String("log", "", "file for the program's log in a fortnight that TestFortnight prints")
	fortnightSeed  = flag.Uint64("seed", 0, "the only seed that TestFortnight plays, and prints with -v; 0: as many as -seeds says")
)

// TestFortnight lets watch run for two weeks in virtual time, around the night in which
// the clocks of Toronto are set: forward with an odd seed, back with an even one. One
// number, the seed, determines
//
//	files     of three jobs for two clients: late, early, twice, half, corrupt, huge, cut short, or none
//	faults    of the Controllers, which are away for a night, and of the state folder, whose disk is full for one
//	crashes   ten moments at which the process dies, and leaves what is on the disk at that instant
//
// Jobs, inbox, schedule, history, pushes, approvals and messages are the real ones. The
// Controllers are sandboxes in memory, and the messages go to a webhook on loopback. In the
// end all that there is, is held against what the files should have become.
//
//	go test ./cmd/opscom-import -run 'TestFortnight$' -seeds 200 -timeout 1h
//	go test ./cmd/opscom-import -run 'TestFortnight$' -seed 17 -v
func TestFortnight(t *testing.T) {
	skipShort(t)
	t.Parallel()
	first, count := *fortnightFirst, *fortnightSeeds
	if *fortnightSeed > 0 {
		first, count = *fortnightSeed, 1
	}
	var mu sync.Mutex
	total := make(map[string]int)
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed < first+uint64(count); seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				playFortnight(t, seed, func(counted map[string]int) {
					mu.Lock()
					defer mu.Unlock()
					for what, n := range counted {
						total[what] += n
					}
				})
			})
		}
	})
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(total)) {
		parts = append(parts, fmt.Sprintf("%s %d", what, total[what]))
	}
	t.Logf("%d fortnights: %s", count, strings.Join(parts, ", "))
	if total["kills"] != count*kills && !t.Failed() {
		t.Errorf("%d kills, want %d in each fortnight", total["kills"], kills)
	}
}

// playFortnight plays one seed, and counts what happened.
func playFortnight(t *testing.T, seed uint64, count func(map[string]int)) {
	t.Helper()
	f := newFortnight(t, seed, t.TempDir())
	defer func() {
		count(f.counted)
		f.show(t)
	}()
	hook := f.told.serve(t)
	outlivePipes() // what Go starts for signals belongs to no virtual time
	synctest.Test(t, func(t *testing.T) {
		f.t = t
		f.setUp(hook)
		f.play()
		f.judge()
	})
}

// show prints what happened where somebody wants to know.
func (f *fortnight) show(t *testing.T) {
	t.Helper()
	if *fortnightSeed == 0 && !t.Failed() {
		return
	}
	t.Logf("seed %d:\n%s\n%s", f.seed, f.plan, strings.Join(f.events, "\n"))
	if *fortnightLog == "" {
		return
	}
	if err := os.WriteFile(*fortnightLog, f.log.Bytes(), 0o600); err != nil {
		t.Error(err)
	}
}
