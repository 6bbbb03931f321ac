package simulation_test

import (
	"slices"
	"strings"
	"testing"
)

// replayed is how many seeds TestSimulationReplays plays again.
const replayed = 6

// TestSimulationReplays plays seeds again: everything must happen again, at the same
// nanosecond and in every process: each write to the journal, each answer, each
// crash, each exit code.
//
// Everything that begins at one instant of virtual time is given a delay of its own,
// but for what happens inside the program: when a refusal ends the run at the very
// instant at which it lets another worker start, Go's scheduler decides. One seed in
// some two hundred has such an instant, and with it two or three courses.
func TestSimulationReplays(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every seed several times: not with -short")
	}
	const courses = 5
	for seed := uint64(1); seed <= replayed; seed++ {
		first := eventsOf(play(t, seed, onMachine()))
		var again []string
		for range courses {
			if again = eventsOf(play(t, seed, onMachine())); slices.Equal(first, again) {
				break
			}
		}
		if !slices.Equal(first, again) {
			i := 0
			for i < min(len(first), len(again))-1 && first[i] == again[i] {
				i++
			}
			t.Errorf("seed %d took another course each time: %s, then %s", seed, first[i], again[i])
		}
		ended := func(event string) bool { return strings.Contains(event, "exit code") }
		if !slices.ContainsFunc(first, ended) {
			t.Errorf("in seed %d no command ends; it has %d events", seed, len(first))
		}
	}
}

// eventsOf returns what happened, in order: at one instant by what it is.
func eventsOf(c *course) []string {
	slices.Sort(c.events)
	return c.events
}
