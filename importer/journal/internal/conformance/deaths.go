package conformance

import (
	"errors"
	"fmt"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

func deaths() []part {
	return []part{
		{"recover", recoverAfterCrash},
		{"recover leaves other targets alone", recoverLeavesOthersAlone},
		{"a death after each step", deathAfterEachStep},
	}
}

func recoverAfterCrash(t *test) {
	claimTwo := func(j journal.Journal) journal.Run {
		r := planned(t, j, importer.RunPushing, 2, 3, 4)
		claim(t, r, 2)
		must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
		return r
	}
	for name, tc := range map[string]struct {
		before func(journal.Journal) journal.Run
		state  importer.RunState // "" when the run is gone
		rows   []string
		again  []int // what going on claims
	}{
		"planning": {before: func(j journal.Journal) journal.Run {
			r := begin(t, j, testTarget)
			must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(400, importer.StatusPending)}))
			return r
		}},
		"held": {
			before: func(j journal.Journal) journal.Run { return planned(t, j, importer.RunHeld, 2) },
			state:  importer.RunHeld, rows: []string{"2 not_sent 0"}, again: []int{2},
		},
		"sealed": {
			before: func(j journal.Journal) journal.Run { return planned(t, j, importer.RunPushing, 2) },
			state:  importer.RunStopped, rows: []string{"2 not_sent 0"}, again: []int{2},
		},
		"in flight": {
			before: claimTwo,
			state:  importer.RunStopped, rows: []string{"2 pushed 1", "3 unknown 0", "4 not_sent 0"}, again: []int{3, 4},
		},
		"in flight again": {
			before: func(j journal.Journal) journal.Run {
				r := claimTwo(j)
				must(t, r.Record(t.Context(), []importer.Outcome{released(3)}))
				must(t, r.Stop(t.Context()))
				must(t, r.Start(t.Context()))
				claim(t, r, 1)
				return r
			},
			state: importer.RunStopped, rows: []string{"2 pushed 1", "3 unknown 0", "4 not_sent 0"}, again: []int{3, 4},
		},
		"all recorded": {
			before: func(j journal.Journal) journal.Run {
				r := claimTwo(j)
				claim(t, r, 1)
				must(t, r.Record(t.Context(), []importer.Outcome{pushed(3), pushed(4)}))
				return r
			},
			state: importer.RunStopped, rows: []string{"2 pushed 1", "3 pushed 1", "4 pushed 1"},
		},
	} {
		t.place = t.newPlace(t)
		id := tc.before(t.open()).Info().ID
		j := t.crash()
		for range 2 { // a second time changes nothing
			recovered(t, j)
		}
		r, err := j.Run(t.Context(), id)
		if tc.state == "" {
			if !errors.Is(err, journal.ErrNoRun) {
				t.Errorf("%s: still there: %v", name, err)
			}
			continue
		}
		must(t, err)
		diff(t, name+": state", r.Info().State, tc.state)
		diff(t, name+": rows", statuses(t, r), tc.rows)
		must(t, r.Start(t.Context()))
		diff(t, name+": claimed again", claim(t, r, 100), tc.again)
	}
}

func recoverLeavesOthersAlone(t *test) {
	j := t.open()
	r := planned(t, j, importer.RunPushing, 2)
	claim(t, r, 1)
	must(t, j.Recover(t.Context(), "another target"))
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	must(t, r.Finish(t.Context(), testTime))
}

// step is a call to the journal.
type step struct {
	name string
	call func(*world)
}

// script is two runs, of which the first is stopped and resumed, in steps between which a
// process may die.
func script() []step {
	failed := func(row, attempts int) importer.Outcome {
		return importer.Outcome{Row: row, Answer: importer.Answer{Status: importer.StatusFailed, Attempts: attempts, Message: "no answer"}, Retry: true}
	}
	rejected := func(row, attempts int) importer.Outcome {
		return importer.Outcome{Row: row, Answer: importer.Answer{Status: importer.StatusRejected, ErrorCode: "9019", Field: "email", Message: "not unique", Attempts: attempts}}
	}
	return []step{
		{"begin", func(w *world) { w.begin() }},
		{"append", func(w *world) { w.add(importer.StatusPending, 2, 3, 4, 5, 254, 255) }},
		{"append more", func(w *world) { w.add(importer.StatusPending, 256, 257, 700, 701, 702) }},
		{"append the rest", func(w *world) { w.add(importer.StatusUnchanged, 703, 900, 3000) }},
		{"amend", func(w *world) {
			w.amend(importer.Amendment{Row: 4, DuplicateOf: 3}, importer.Amendment{Row: 5, Round: 1}, importer.Amendment{Row: 701, Round: 1},
				importer.Amendment{Row: 2, Round: 2}, refusal(702, "email", "used twice"))
		}},
		{"seal", func(w *world) { w.seal(importer.RunPushing) }}, // round 0: 3, 254, 255, 256, 257, 700
		{"claim", func(w *world) { w.claim(4) }},
		{"record", func(w *world) { w.record(pushed(254)) }},
		{"record more", func(w *world) { w.record(failed(3, 5), rejected(256, 1)) }},
		{"claim the rest", func(w *world) { w.claim(100) }},
		{"record the rest", func(w *world) { w.record(failed(255, 1), pushed(257), rejected(700, 2)) }},
		{"next round", func(w *world) { w.nextRound() }},
		{"claim of the round", func(w *world) { w.claim(1) }},
		{"claim the rest of the round", func(w *world) { w.claim(9) }},
		{"record of the round", func(w *world) { w.record(released(701)) }},
		{"stop", func(w *world) { w.stop() }},
		{"start", func(w *world) { w.start(w.runs[0], true) }}, // 3 and 255 failed, 701 not sent, 5 unknown; then 2
		{"claim again", func(w *world) { w.claim(2) }},
		{"record again", func(w *world) { w.record(pushed(255)) }},
		{"release", func(w *world) { w.record(released(3)) }},
		{"stop again", func(w *world) { w.stop() }},
		{"start in another process", func(w *world) { w.j = w.place.Open(); w.start(w.runs[0], false) }},
		{"claim once more", func(w *world) { w.claim(9) }},
		{"record once more", func(w *world) { w.record(failed(3, 5)) }},
		{"round 1", func(w *world) { w.nextRound() }},
		{"claim round 1", func(w *world) { w.claim(9) }},
		{"record round 1", func(w *world) { w.record(pushed(5), pushed(701)) }},
		{"finish too early", func(w *world) { w.finish() }},
		{"round 2", func(w *world) { w.nextRound() }},
		{"claim round 2", func(w *world) { w.claim(9) }},
		{"record round 2", func(w *world) { w.record(pushed(2)) }},
		{"finish", func(w *world) { w.finish() }},

		{"begin the second", func(w *world) { w.begin() }},
		{"append to the second", func(w *world) { w.add(importer.StatusPending, 2, 3, 5, 254, 256, 257) }},
		{"hold it", func(w *world) { w.seal(importer.RunHeld) }},
		{"forget the first", func(w *world) { w.forget(w.runs[0]) }},
		{"approve", func(w *world) { w.start(w.runs[1], false) }},
		{"claim of the second", func(w *world) { w.claim(4) }},
		{"record of the second", func(w *world) { w.record(pushedAs(2, "new"), failed(3, 2), rejected(5, 1)) }},
		{"claim the rest of the second", func(w *world) { w.claim(9) }},
		{"record the rest of the second", func(w *world) { w.record(rejected(256, 2), released(257), released(254)) }},
		{"stop the second", func(w *world) { w.stop() }},
		{"supersede", func(w *world) { w.supersede(w.runs[1]) }},
	}
}

// deathAfterEachStep lets the process die after each step of the script. Then everything is
// as the model has it; the run is resumed, if there is one, and comes to its end.
func deathAfterEachStep(t *test) {
	steps := script()
	for n := range len(steps) + 1 {
		if testing.Short() && n%5 != 0 && n < len(steps) {
			continue
		}
		t.Run(fmt.Sprintf("%d", n), func(tt *testing.T) {
			w := newWorld(tt, t.newPlace(tt))
			for _, s := range steps[:n] {
				s.call(w)
				if n == len(steps) && w.active != nil { // once is enough
					w.compare(w.active)
				}
			}
			w.die()
			w.compareAll()
			if open := w.left(importer.RunStopped, importer.RunHeld); len(open) > 0 {
				w.start(open[0], false)
				w.pushToTheEnd()
				w.compareAll()
			}
			if tt.Failed() && n > 0 {
				tt.Logf("the process died after %q", steps[n-1].name)
			}
		})
	}
}

// pushToTheEnd pushes all that waits, and finishes the run.
func (w *world) pushToTheEnd() {
	w.Helper()
	r := w.active
	for {
		w.claim(1000)
		var outcomes []importer.Outcome
		for _, row := range r.inFlight() {
			outcomes = append(outcomes, pushedAs(row, "end"))
		}
		w.record(outcomes...)
		round := r.round
		if w.nextRound(); r.round == round {
			break
		}
	}
	w.finish()
	if r.state != importer.RunFinished {
		w.Errorf("run %d is %s in the end", r.id, r.state)
	}
}
