package postgres

import (
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// A run goes its way with no more rights than docs/fleet/roles.sql gives.
func TestRunWithRoles(t *testing.T) {
	owner, urls := withRoles(t)
	execute(t, owner, "DELETE FROM opscom.journal") // a worker may be the first to come
	worker, planner, both, viewer := opened(t, urls["worker"]), opened(t, urls["planner"]), opened(t, urls["planner, worker"]), opened(t, urls["viewer"])

	// submit
	unlock, err := planner.Lock(t.Context(), testTarget)
	must(t, err)
	must(t, planner.Recover(t.Context(), testTarget))
	must(t, planner.SaveUserTypes(t.Context(), testTarget, []mapping.UserType{{ID: "1", Name: "Student"}}, testTime))
	must(t, planner.SetRate(t.Context(), testTarget, 1000))
	must(t, begun(t, planner).Discard(t.Context()))
	r := planned(t, planner, importer.RunPushing, []int{2, 3, 4, 300}, importer.Amendment{Row: 4, Round: 1})
	must(t, unlock())

	// worker
	if reserve(t, keeps(t, worker).Turns(testTarget), 1).Interval == 0 {
		t.Error("turns without a rate")
	}
	must(t, keeps(t, worker).Turns(testTarget).Pause(t.Context(), time.Second))
	lane := again(t, worker, r).Lane()
	diff(t, "claimed", claim(t, lane, 1), []int{2})
	record(t, lane, importer.StatusPushed, 2)
	must(t, lane.Renew(t.Context()))
	must(t, lane.Release(t.Context()))
	must(t, again(t, worker, r).StopBecause(t.Context(), "the Controller is away"))

	// approve, or the same command again
	r = again(t, both, r)
	must(t, r.Start(t.Context()))
	execute(t, owner, "UPDATE opscom.run SET timeline = 'before'") // a failover: the next lane says so, and heals the run
	if _, err := again(t, worker, r).Lane().Claim(t.Context(), 1); err == nil {
		t.Error("rows are claimed on another timeline")
	}
	lane = again(t, worker, r).Lane()
	diff(t, "claimed", claim(t, lane, 9), []int{3, 300})
	record(t, lane, importer.StatusPushed, 3, 300)
	if !lane.NextRound() {
		t.Error("the next round does not begin")
	}
	diff(t, "claimed", claim(t, lane, 9), []int{4})
	record(t, lane, importer.StatusPushed, 4)
	must(t, again(t, worker, r).Finish(t.Context(), testTime))

	// push
	r = planned(t, both, importer.RunHeld, []int{2})
	must(t, r.Start(t.Context()))
	diff(t, "claimed", claim(t, r, 9), []int{2})
	record(t, r, importer.StatusPushed, 2)
	must(t, r.Finish(t.Context(), testTime))
	must(t, both.Supersede(t.Context(), planned(t, both, importer.RunHeld, []int{2}).Info().ID))

	// runs, and check with what was accepted
	for name, j := range map[string]*Journal{"planner": planner, "viewer": viewer} {
		all, err := j.Runs(t.Context())
		if err != nil || len(all) != 3 {
			t.Errorf("%s sees %d runs (%v)", name, len(all), err)
		}
		diff(t, name, statuses(t, again(t, j, r)), "2 pushed 1")
		_, err = acceptedOf(t, j, 2, 3)
		must(t, err)
	}
}
