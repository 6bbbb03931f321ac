package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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
// and how many runs are held.
func JournalFigures(ctx context.Context, env Env) (Figures, error) {
	f := Figures{Successes: make(map[string]time.Time)}
	runs, err := Runs(ctx, env)
	if err != nil {
		return f, err
	}
	for _, r := range runs {
		if r.State == importer.RunHeld {
			f.Held++
		}
		series := importer.SeriesOf(r.Source)
		if r.State == importer.RunFinished && importer.SameTarget(r.Target) == env.target() && r.FinishedAt.After(f.Successes[series]) {
			f.Successes[series] = r.FinishedAt
		}
	}
	f.Bytes, err = sizeOf(env.Settings.State)
	return f, err
}

// sizeOf returns how many bytes the files of a folder have. Those that vanish meanwhile
// do not count.
func sizeOf(folder string) (bytes int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return bytes, err
}
