package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// keepTime is how long a push may take to forget old runs. What it leaves, the next one
// forgets.
const keepTime = 20 * time.Second

// forgetOld forgets runs that are older than the setting keep. If it cannot, that is
// logged, and changes nothing about what the command did before.
func (e Env) forgetOld(ctx context.Context, j journal.Journal) {
	if e.Settings.Keep == 0 || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	forgotten, err := e.forgetExpired(ctx, j, time.Now().Add(-e.Settings.Keep))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Log.Info("some old runs are forgotten, the next command forgets more", "runs", forgotten)
	case err != nil && !errors.Is(err, context.Canceled):
		e.Log.Warn("old runs could not be forgotten; what was pushed is not affected", "error", err.Error())
	case forgotten > 0:
		e.Log.Info("old runs are forgotten", "runs", forgotten)
	}
}

func (e Env) forgetExpired(ctx context.Context, j journal.Journal, before time.Time) (forgotten int, err error) {
	runs, err := j.Runs(ctx)
	if err != nil {
		return 0, err
	}
	ids := expired(runs, before)
	forgotten, err = j.Expire(ctx, ids...)
	return forgotten, errors.Join(err, e.forgetCopies(context.WithoutCancel(ctx), j, ids))
}

// forgetCopies removes the page's copies of the files of those runs that are forgotten: one
// that is in progress stays, with its file.
func (e Env) forgetCopies(ctx context.Context, j journal.Journal, ids []int64) error {
	var gone []int64
	for _, id := range ids {
		if _, err := j.Run(ctx, id); errors.Is(err, journal.ErrNoRun) {
			gone = append(gone, id)
		}
	}
	return draft.ForgetRuns(e.Settings.State, gone)
}

// expired returns the runs, of all from the newest to the oldest, that were started before
// a time and that nobody needs any more, the oldest first. It leaves out those that are not
// finished or replaced, because they wait for somebody, and of each source the last that is
// finished and the last that --min-rows compares with.
func expired(runs []importer.RunInfo, before time.Time) (ids []int64) {
	type source struct{ target, series string }
	hasFinished, hasCompared := map[source]bool{}, map[source]bool{}
	for _, r := range runs {
		of := source{importer.SameTarget(r.Target), importer.SeriesOf(r.Source)}
		isFinished := r.State == importer.RunFinished && r.Rows > 0
		isCompared := isFinished || r.Rows > 0 && (r.State == importer.RunPushing || r.State == importer.RunStopped || r.State == importer.RunSuperseded && len(r.Held) == 0)
		isNeeded := isFinished && !hasFinished[of] || isCompared && !hasCompared[of]
		hasFinished[of] = hasFinished[of] || isFinished
		hasCompared[of] = hasCompared[of] || isCompared
		isOver := r.State == importer.RunFinished || r.State == importer.RunSuperseded
		if isOver && !isNeeded && r.StartedAt.Before(before) {
			ids = append(ids, r.ID)
		}
	}
	slices.Reverse(ids)
	return ids
}
