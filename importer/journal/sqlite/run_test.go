package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// TestStates tries every change of state from every state.
func TestStates(t *testing.T) {
	const (
		seal      = "seal"
		start     = "start"
		claimOne  = "claim"
		stop      = "stop"
		finish    = "finish"
		supersede = "supersede"
		discard   = "discard"
		add       = "append"
	)
	actions := map[string]func(*Run) error{
		seal:      func(r *Run) error { return r.Seal(t.Context(), importer.RunHeld, 1, []string{"too few"}) },
		start:     func(r *Run) error { return r.Start(t.Context()) },
		claimOne:  func(r *Run) error { _, err := r.Claim(t.Context(), 1); return err },
		stop:      func(r *Run) error { return r.Stop(t.Context()) },
		finish:    func(r *Run) error { return r.Finish(t.Context(), testTime) },
		supersede: func(r *Run) error { return r.journal.Supersede(t.Context(), r.id) },
		discard:   func(r *Run) error { return r.Discard(t.Context()) },
		add: func(r *Run) error {
			return r.Append(t.Context(), []importer.PlannedRow{testRow(9, importer.StatusInvalid)})
		},
	}
	// What each state allows, and where it leads.
	allowed := map[importer.RunState]map[string]importer.RunState{
		importer.RunPlanning:   {seal: importer.RunHeld, discard: "", add: importer.RunPlanning},
		importer.RunHeld:       {start: importer.RunPushing, supersede: importer.RunSuperseded},
		importer.RunPushing:    {start: importer.RunPushing, claimOne: importer.RunPushing, stop: importer.RunStopped, finish: importer.RunFinished},
		importer.RunStopped:    {start: importer.RunPushing, supersede: importer.RunSuperseded},
		importer.RunFinished:   {},
		importer.RunSuperseded: {},
	}
	reach := map[importer.RunState]func(*Run){
		importer.RunPlanning:   func(*Run) {},
		importer.RunHeld:       func(r *Run) { must(t, actions[seal](r)) },
		importer.RunPushing:    func(r *Run) { must(t, r.Seal(t.Context(), importer.RunPushing, 1, nil)) },
		importer.RunStopped:    func(r *Run) { must(t, r.Seal(t.Context(), importer.RunPushing, 1, nil)); must(t, r.Stop(t.Context())) },
		importer.RunFinished:   func(r *Run) { must(t, r.Seal(t.Context(), importer.RunPushing, 1, nil)); must(t, actions[finish](r)) },
		importer.RunSuperseded: func(r *Run) { must(t, actions[seal](r)); must(t, actions[supersede](r)) },
	}
	j := openTest(t, t.TempDir())
	for state, ways := range allowed {
		for name, act := range actions {
			t.Run(fmt.Sprintf("%s %s", state, name), func(t *testing.T) {
				r, err := j.begin(t.Context(), testRun())
				must(t, err)
				must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusSkipped)}))
				reach[state](r)
				r, err = sameRun(r, state)
				must(t, err)
				after, ok := ways[name]
				err = act(r)
				if wrong := new(journal.StateError); !ok && (!errors.As(err, &wrong) || wrong.State != state) {
					t.Fatalf("error %v, want a StateError", err)
				} else if ok {
					must(t, err)
				}
				if !ok {
					after = state
				}
				stored, err := j.run(t.Context(), r.id)
				if after == "" {
					if !errors.Is(err, journal.ErrNoRun) {
						t.Errorf("the run is still there: %v", err)
					}
					return
				}
				must(t, err)
				if got := stored.Info().State; got != after {
					t.Errorf("became %s, want %s", got, after)
				}
			})
		}
	}
}

// sameRun opens the run again, as another process would; only the one that plans
// has the rows that are not stored yet.
func sameRun(r *Run, state importer.RunState) (*Run, error) {
	if state == importer.RunPlanning {
		return r, nil
	}
	return r.journal.run(context.Background(), r.id)
}

func TestBeginAndInfo(t *testing.T) {
	j := openTest(t, t.TempDir())
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	want := testRun()
	want.ID, want.State = 1, importer.RunPlanning
	diff(t, "a run being planned", r.Info(), want)

	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending)}))
	must(t, r.Seal(t.Context(), importer.RunHeld, 1, []string{"the file has 1 row; 100 are expected"}))
	want.State, want.Rows, want.Held = importer.RunHeld, 1, []string{"the file has 1 row; 100 are expected"}
	diff(t, "a held run", r.Info(), want)

	must(t, r.Start(t.Context()))
	claim(t, r, 1)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	must(t, r.Finish(t.Context(), testTime))
	want.State, want.FinishedAt = importer.RunFinished, testTime
	diff(t, "a finished run", r.Info(), want)
	stored, err := j.run(t.Context(), 1)
	must(t, err)
	diff(t, "the stored run", stored.Info(), want)

	if _, err := j.run(t.Context(), 2); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("run 2: %v", err)
	}
}

func TestUnfinishedAndLast(t *testing.T) {
	j := openTest(t, t.TempDir())
	ctx := t.Context()
	if _, ok, err := j.Last(ctx, testTarget, testSource); ok || err != nil {
		t.Errorf("last of none: %v %v", ok, err)
	}
	finished := planned(t, j, importer.RunPushing)
	must(t, finished.Finish(ctx, testTime))
	stopped := planned(t, j, importer.RunPushing, 2)
	must(t, stopped.Stop(ctx))
	held := planned(t, j, importer.RunHeld, 2)
	superseded, err := j.begin(ctx, testRun())
	must(t, err)
	must(t, superseded.Seal(ctx, importer.RunHeld, 0, []string{"too few rows"}))
	must(t, j.Supersede(ctx, superseded.id))
	elsewhere := testRun()
	elsewhere.Source = "/data/staff.csv"
	_, err = j.begin(ctx, elsewhere)
	must(t, err)
	planning, err := j.begin(ctx, testRun())
	must(t, err)

	runs, err := j.Unfinished(ctx, testTarget, testSource)
	must(t, err)
	diff(t, "unfinished", runs, []importer.RunInfo{held.Info(), stopped.Info()})
	last, ok, err := j.Last(ctx, testTarget, testSource)
	if err != nil || !ok || last.ID != stopped.id {
		t.Errorf("last is %d, %v, %v; want %d", last.ID, ok, err, stopped.id)
	}
	all, err := j.Runs(ctx)
	must(t, err)
	if len(all) != 6 || all[0].ID != planning.id || all[5].ID != finished.id {
		t.Errorf("runs: %+v", all)
	}
	if runs, err := j.Unfinished(ctx, "another", testSource); err != nil || len(runs) > 0 {
		t.Errorf("of another target: %v %v", runs, err)
	}
}

func TestSealAndAppendRefuse(t *testing.T) {
	j := openTest(t, t.TempDir())
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(5, importer.StatusPending)}))
	for name, err := range map[string]error{
		"a row twice":        r.Append(t.Context(), []importer.PlannedRow{testRow(5, importer.StatusPending)}),
		"a row out of order": r.Append(t.Context(), []importer.PlannedRow{testRow(4, importer.StatusPending)}),
		"no status":          r.Append(t.Context(), []importer.PlannedRow{testRow(6, "splendid")}),
		"no such end":        r.Seal(t.Context(), importer.RunFinished, 1, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestDiscardLeavesNoText(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(300, importer.StatusPending)}))
	if _, err := os.Stat(string(j.payloadFile(r.id))); err != nil {
		t.Fatal(err)
	}
	must(t, r.Discard(t.Context()))
	if _, err := os.Stat(string(j.payloadFile(r.id))); !os.IsNotExist(err) {
		t.Errorf("the payloads are still there: %v", err)
	}
	must(t, j.Close())
	for _, text := range []string{"id-2", "Canary-2"} {
		if holds(t, j.dir, text) {
			t.Errorf("%s is still in the journal", text)
		}
	}
}
