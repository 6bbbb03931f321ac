package conformance

import (
	"errors"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

func ends() []part {
	return []part{
		{"forget", forget},
		{"forget a target", forgetTarget},
		{"expire", expire},
		{"expire stops with its context", expireStops},
		{"forget that fails keeps the run", forgetThatFails},
		{"payloads leave with the run", payloadsLeave},
	}
}

// otherRun begins a run to another target.
func otherRun(t *test, j journal.Journal, target string) journal.Run {
	t.Helper()
	r := begin(t, j, target)
	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(77, importer.StatusPending), testRow(400, importer.StatusPending)}))
	return r
}

func forget(t *test) {
	j := t.open()
	over := finished(t, j, 2, 3).Info().ID
	dead := planned(t, j, importer.RunPushing, 4)
	claim(t, dead, 1)
	planning := otherRun(t, j, "dead").Info().ID
	j = t.crash()
	busy := otherRun(t, j, "busy").Info().ID
	release, err := j.Lock(t.Context(), "busy")
	must(t, err)

	n, err := j.Forget(t.Context(), over, dead.Info().ID, planning, busy, 99)
	if n != 3 || !errors.As(err, new(*journal.BusyError)) || !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("forgot %d, %v", n, err)
	}
	for _, j := range []journal.Journal{j, t.open()} {
		runs, err := j.Runs(t.Context())
		must(t, err)
		if len(runs) != 1 || runs[0].ID != busy {
			t.Errorf("left: %+v", runs)
		}
		found, err := j.Acceptances().Accepted(t.Context(), testTarget, []importer.Digest{testKey(2), testKey(4)})
		must(t, err)
		diff(t, "acceptances outlive their run", found, map[importer.Digest]importer.Acceptance{
			testKey(2): {Hash: testRow(2, importer.StatusPending).Hash, Unique: testUnique(2), ReferenceID: "20", AcceptedAt: testTime},
		})
	}
	if _, err := j.Run(t.Context(), over); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("a forgotten run: %v", err)
	}
	must(t, release())
}

func forgetTarget(t *test) {
	j := t.open()
	finished(t, j, 2)
	must(t, j.SaveUserTypes(t.Context(), testTarget, nil, testTime))
	diff(t, "accepted", accepted(t, j, 2), map[int]string{2: "20"})
	planned(t, j, importer.RunHeld, 3)
	other := begin(t, j, "another target").Info().ID

	release, err := j.Lock(t.Context(), testTarget)
	must(t, err)
	if err := j.ForgetTarget(t.Context(), testTarget); !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("while a run is in progress: %v", err)
	}
	must(t, release())
	for range 2 { // the second time there is nothing
		must(t, j.ForgetTarget(t.Context(), testTarget))
	}
	diff(t, "accepted", accepted(t, j, 2), map[int]string{})
	runs, err := j.Runs(t.Context())
	must(t, err)
	if len(runs) != 1 || runs[0].ID != other {
		t.Errorf("left: %+v", runs)
	}
	if _, at, err := j.UserTypes(t.Context(), testTarget); !at.IsZero() || err != nil {
		t.Errorf("its user types are still known: %v, %v", at, err)
	}
	finished(t, j, 5) // it can be used again
	diff(t, "accepted then", accepted(t, j, 2, 5), map[int]string{5: "50"})
}

func expire(t *test) {
	j := t.open()
	old, young := finished(t, j, 2, 3).Info().ID, finished(t, j, 77).Info().ID
	busy := begin(t, j, "busy").Info().ID
	release, err := j.Lock(t.Context(), "busy")
	must(t, err)
	n, err := j.Expire(t.Context(), old, busy, 99)
	if n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	must(t, release())
	runs, err := j.Runs(t.Context())
	must(t, err)
	if len(runs) != 2 || runs[0].ID != busy || runs[1].ID != young {
		t.Errorf("left: %+v", runs)
	}
	diff(t, "accepted", accepted(t, j, 2, 3, 77), map[int]string{2: "20", 3: "30", 77: "770"})
}

func expireStops(t *test) {
	j := t.open()
	old := finished(t, j, 2, 3)
	n, err := j.Expire(cancelled(t), old.Info().ID)
	if n != 0 || !errors.Is(err, cancelled(t).Err()) {
		t.Errorf("forgot %d, %v", n, err)
	}
	diff(t, "the run is as it was", statuses(t, old), []string{"2 pushed 1", "3 pushed 1"})
}

// A run that could not be deleted keeps its payloads.
func forgetThatFails(t *test) {
	j := t.open()
	id := planned(t, j, importer.RunHeld, 2, 3).Info().ID
	if n, err := j.Forget(cancelled(t), id); err == nil || n != 0 {
		t.Fatal("it was deleted")
	}
	again := openRun(t, j, id)
	must(t, again.Start(t.Context()))
	diff(t, "can be pushed", claim(t, again, 2), []int{2, 3})
}

// Once a run is over there is nothing to push, and its rows can still be read.
func payloadsLeave(t *test) {
	j := t.open()
	over := finished(t, j, 2, 3)
	replaced := planned(t, j, importer.RunPushing, 2, 3)
	claim(t, replaced, 1)
	must(t, replaced.Stop(t.Context()))
	must(t, j.Supersede(t.Context(), replaced.Info().ID))
	for r, want := range map[journal.Run][]string{over: {"2 pushed 1", "3 pushed 1"}, replaced: {"2 unknown 0", "3 not_sent 0"}} {
		again := openRun(t, t.open(), r.Info().ID)
		diff(t, "results", statuses(t, again), want)
		if err := again.Start(t.Context()); !errors.As(err, new(*journal.StateError)) {
			t.Errorf("run %d, start: %v", r.Info().ID, err)
		}
		if jobs, err := again.Claim(t.Context(), 1); !errors.As(err, new(*journal.StateError)) || len(jobs) > 0 {
			t.Errorf("run %d, claim: %v", r.Info().ID, err)
		}
	}
}
