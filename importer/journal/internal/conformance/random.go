package conformance

import (
	"flag"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"opscom-import/importer"
)

// How much the model test does, unless -rapid.checks and -rapid.steps say otherwise: each step
// is some changes that are synced to the disk.
const (
	modelChecks = 15
	shortChecks = 5 // with -short
	modelSteps  = 20
)

// testModel makes random calls, lets processes die, and compares the journal with a model.
func testModel(t *testing.T, newPlace func(TB) Place) {
	checks := modelChecks
	if testing.Short() {
		checks = shortChecks
	}
	preset(t, "rapid.checks", checks)
	preset(t, "rapid.steps", modelSteps)
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, newPlace(t))
		t.Repeat(map[string]func(*rapid.T){
			"plan":      w.drawPlan,
			"start":     w.drawStart,
			"claim":     func(t *rapid.T) { w.needs(t, importer.RunPushing); w.claim(rapid.IntRange(1, 9).Draw(t, "most")) },
			"claim all": func(t *rapid.T) { w.needs(t, importer.RunPushing); w.claim(1000) },
			"record":    func(t *rapid.T) { w.drawOutcomes(t, false) },
			"record all and go on": func(t *rapid.T) {
				w.drawOutcomes(t, true)
				if w.active.isDrained() {
					w.nextRound()
				}
			},
			"stop":      func(t *rapid.T) { w.needs(t, importer.RunPushing); w.stop() },
			"finish":    func(t *rapid.T) { w.needs(t, importer.RunPushing); w.finish() },
			"push it":   func(t *rapid.T) { w.needs(t, importer.RunPushing); w.drawEnd(t) },
			"supersede": func(t *rapid.T) { w.supersede(w.draw(t, importer.RunHeld, importer.RunStopped)) },
			"forget": func(t *rapid.T) {
				w.forget(w.draw(t, importer.RunHeld, importer.RunStopped, importer.RunFinished, importer.RunSuperseded))
			},
			"die": func(t *rapid.T) { w.die() },
			"":    func(t *rapid.T) { w.check(t) },
		})
	})
}

// preset sets a flag for this test that the command line does not set.
func preset(t *testing.T, name string, value int) {
	isSet := false
	flag.Visit(func(f *flag.Flag) { isSet = isSet || f.Name == name })
	f := flag.Lookup(name)
	if isSet || f == nil {
		return
	}
	before := f.Value.String()
	must(t, f.Value.Set(strconv.Itoa(value)))
	t.Cleanup(func() { must(t, f.Value.Set(before)) })
}

// check compares the run that is pushed, and sometimes everything.
func (w *world) check(t *rapid.T) {
	if w.active != nil {
		w.compare(w.active)
	}
	if rapid.IntRange(0, 7).Draw(t, "look at everything") == 0 {
		w.compareAll()
	}
}

// needs skips the step unless a run is in the state.
func (w *world) needs(t *rapid.T, state importer.RunState) {
	if w.active == nil || w.active.state != state {
		t.Skip("no such run")
	}
}

// draw draws a run that is in one of the states.
func (w *world) draw(t *rapid.T, states ...importer.RunState) *modelRun {
	runs := w.left(states...)
	if len(runs) == 0 {
		t.Skip("no such run")
	}
	return rapid.SampledFrom(runs).Draw(t, "run")
}

// drawPlan makes a plan, or begins to.
func (w *world) drawPlan(t *rapid.T) {
	if w.active != nil {
		t.Skip("a run is pushed")
	}
	w.begin()
	end := rapid.SampledFrom([]string{"push", "push", "push", "hold", "discard", "die"}).Draw(t, "end")
	row := 1
	for range rapid.IntRange(0, 12).Draw(t, "rows") {
		row += rapid.SampledFrom([]int{1, 1, 1, 2, 126, 250, 600}).Draw(t, "gap")
		w.add(rapid.SampledFrom([]importer.Status{importer.StatusPending, importer.StatusPending, importer.StatusPending, importer.StatusUnchanged, importer.StatusSkipped}).Draw(t, "status"), row)
	}
	if rapid.Bool().Draw(t, "amend") {
		var amendments []importer.Amendment
		for _, row := range w.active.rows {
			if row.plan.Status != importer.StatusPending {
				continue
			}
			switch number := row.plan.Row; rapid.IntRange(0, 5).Draw(t, "amendment") {
			case 0:
				amendments = append(amendments, importer.Amendment{Row: number, DuplicateOf: 1})
			case 1:
				amendments = append(amendments, refusal(number, "email", "used twice"))
			case 2:
				amendments = append(amendments, importer.Amendment{Row: number, Round: rapid.IntRange(1, 2).Draw(t, "round")})
			}
		}
		w.amend(amendments...)
	}
	switch end {
	case "push":
		w.seal(importer.RunPushing)
	case "hold":
		w.seal(importer.RunHeld)
	case "discard":
		w.discard()
	default:
		w.die()
	}
}

func (w *world) drawStart(t *rapid.T) {
	if w.active != nil {
		t.Skip("a run is pushed")
	}
	w.start(w.draw(t, importer.RunHeld, importer.RunStopped), rapid.Bool().Draw(t, "with the old handle"))
}

// drawOutcomes records outcomes of some rows in flight, or of all.
func (w *world) drawOutcomes(t *rapid.T, all bool) {
	w.needs(t, importer.RunPushing)
	rows := w.active.inFlight()
	if len(rows) == 0 {
		if !all {
			t.Skip("no row is in flight")
		}
		return
	}
	rows = rapid.Permutation(rows).Draw(t, "rows")
	if !all {
		rows = rows[:rapid.IntRange(1, len(rows)).Draw(t, "how many")]
	}
	var outcomes []importer.Outcome
	for _, row := range rows {
		attempts := rapid.IntRange(1, 3).Draw(t, "attempts")
		o := importer.Outcome{Row: row, Answer: importer.Answer{Attempts: attempts}}
		switch rapid.IntRange(0, 6).Draw(t, "outcome") {
		default:
			o.Status, o.ReferenceID = importer.StatusPushed, strconv.Itoa(1000*w.ticks+row)
		case 3:
			o.Status, o.ErrorCode, o.Field, o.Message = importer.StatusRejected, "9019", "email", "not unique"
		case 4:
			o.Status, o.Message, o.Retry = importer.StatusFailed, "no answer", rapid.Bool().Draw(t, "again")
		case 5:
			o.Status, o.Retry = importer.StatusUnknown, true
		case 6:
			o = released(row)
		}
		outcomes = append(outcomes, o)
	}
	w.record(outcomes...)
}

// drawEnd pushes the run to its end.
func (w *world) drawEnd(t *rapid.T) {
	for {
		w.claim(1000)
		w.drawOutcomes(t, true)
		round := w.active.round
		if !w.active.isDrained() {
			break
		}
		if w.nextRound(); w.active.round == round {
			break
		}
	}
	w.finish()
}
