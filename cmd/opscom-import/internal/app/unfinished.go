package app

import (
	"context"
	"errors"

	"opscom-import/cmd/opscom-import/internal/fleet"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres"
)

// UnfinishedRun is a run that somebody can go on with, unless somebody does.
type UnfinishedRun struct {
	importer.RunInfo
	Activity Activity
}

// Activity says whether somebody works on a run that is being pushed.
type Activity uint8

// The activities.
const (
	Idle     Activity = iota // nobody does: what pushed it has died, or it is not being pushed
	Working                  // this process or another one does
	Waiting                  // it waits until a worker can
	NoWorker                 // it waits for workers, and none is alive
)

// Unfinished returns the runs that are held, stopped, being pushed, or were cut off, the
// newest first.
func Unfinished(ctx context.Context, env Env) (unfinished []UnfinishedRun, err error) {
	j, err := env.readJournal(ctx)
	if err != nil || j == nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	runs, err := j.Runs(ctx)
	if err != nil {
		return nil, err
	}
	activities, err := activitiesOf(ctx, j, runs)
	for _, r := range runs {
		if r.State == importer.RunHeld || r.State == importer.RunStopped || r.State == importer.RunPushing {
			unfinished = append(unfinished, UnfinishedRun{r, activities[r.ID]})
		}
	}
	return unfinished, err
}

// ActivityOf returns the activity of a run.
func ActivityOf(ctx context.Context, env Env, run importer.RunInfo) (activity Activity, err error) {
	if run.State != importer.RunPushing {
		return Idle, nil
	}
	j, err := env.readJournal(ctx)
	if err != nil || j == nil {
		return Idle, err
	}
	activities, err := activitiesOf(ctx, j, []importer.RunInfo{run})
	return activities[run.ID], errors.Join(err, j.Close())
}

// activitiesOf returns the activities of runs, by their numbers.
func activitiesOf(ctx context.Context, j journal.Journal, runs []importer.RunInfo) (map[int64]Activity, error) {
	activities := make(map[int64]Activity)
	if shared, isShared := j.(*postgres.Journal); isShared { // where a lock would be in the way of others
		standings, err := fleet.Standings(ctx, shared.Pool())
		for id, s := range standings {
			activities[id] = activityOf(s)
		}
		return activities, err
	}
	for _, r := range runs {
		if r.State != importer.RunPushing {
			continue
		}
		release, err := j.Lock(ctx, r.Target)
		switch {
		case errors.As(err, new(*journal.BusyError)):
			activities[r.ID] = Working
		case err != nil:
			return nil, err
		default:
			if err := release(); err != nil {
				return nil, err
			}
		}
	}
	return activities, nil
}

// activityOf returns the activity of a run that workers may push. One whose process pushed it too
// does not have to wait for them.
func activityOf(s fleet.Standing) Activity {
	switch {
	case s.IsPushed:
		return Working
	case s.Waiting > 0 && s.Workers > 0:
		return Waiting
	case s.Waiting > 0 && !s.IsHelped:
		return NoWorker
	}
	return Idle
}
