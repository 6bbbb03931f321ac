package app

import (
	"context"
	"errors"
	"time"

	"opscom-import/importer"
)

// Figures are what the journal knows of all runs.
type Figures struct {
	Held      int                  // runs that a safety limit holds
	Bytes     int64                // of the journal on the disk
	Successes map[string]time.Time // when a run of a series was last finished, by the path of the series
}

// JournalFigures returns what the journal knows of the runs to the environment's target,
// how many runs are held, and its size.
func JournalFigures(ctx context.Context, env Env) (f Figures, err error) {
	j, err := env.readJournal(ctx)
	if err != nil || j == nil {
		return f, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	stats, err := j.Stats(ctx)
	var runs []importer.RunInfo
	if err == nil {
		runs, err = j.Runs(ctx)
	}
	f = Figures{Bytes: stats.Bytes, Successes: make(map[string]time.Time)}
	for _, r := range runs {
		if r.State == importer.RunHeld {
			f.Held++
		}
		series := importer.SeriesOf(r.Source)
		if r.State == importer.RunFinished && importer.SameTarget(r.Target) == env.target() && r.FinishedAt.After(f.Successes[series]) {
			f.Successes[series] = r.FinishedAt
		}
	}
	return f, err
}
