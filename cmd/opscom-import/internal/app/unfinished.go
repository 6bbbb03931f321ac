package app

import (
	"context"
	"errors"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// UnfinishedRun is a run that somebody can go on with.
type UnfinishedRun struct {
	importer.RunInfo
	Busy bool // it is being pushed now, by this process or another; else what pushed it has died
}

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
	for _, r := range runs {
		u := UnfinishedRun{RunInfo: r}
		switch r.State {
		case importer.RunHeld, importer.RunStopped:
		case importer.RunPushing:
			release, err := j.Lock(r.Target)
			if err == nil {
				err = release()
			}
			if u.Busy = errors.As(err, new(*journal.BusyError)); err != nil && !u.Busy {
				return nil, err
			}
		default:
			continue
		}
		unfinished = append(unfinished, u)
	}
	return unfinished, nil
}
