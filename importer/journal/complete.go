package journal

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"opscom-import/importer"
)

// CompleteRun is a run that had everybody of its source: it is finished, and its file was
// whole. Its rows may be forgotten by now.
type CompleteRun struct {
	ID         int64
	Source     string
	FileHash   string
	Rows       int // of its file
	FinishedAt time.Time

	looked bool          // for leavers
	stored *storedRoster // when the run is forgotten
}

// isComplete reports whether the run had everybody of its source. A file without rows is
// a change of nobody.
func isComplete(r *importer.RunInfo) bool {
	return r.State == importer.RunFinished && r.Rows > 0 && !slices.ContainsFunc(r.Held, importer.IsCutShort)
}

// LastComplete returns the newest complete run of the source, or of one whose path
// differs only in its dates; one of a file with the hash except does not count. When
// there is none, why says so in a clause.
func (j *Journal) LastComplete(ctx context.Context, target, source, except string) (last *CompleteRun, why string, err error) {
	series := importer.SeriesOf(source)
	err = j.view(ctx, "find the last complete run", func(tx *sql.Tx) (err error) {
		complete, restored, err := completeRuns(ctx, tx, target)
		for i := range complete {
			c := &complete[i]
			if err == nil && last == nil && c.ID > restored && importer.SeriesOf(c.Source) == series && (except == "" || c.FileHash != except) {
				last = c
			}
		}
		if err == nil && last == nil {
			isSeries := func(c CompleteRun) bool { return importer.SeriesOf(c.Source) == series }
			if i := slices.IndexFunc(complete, isSeries); i >= 0 && complete[i].ID <= restored {
				why = "the journal was restored from a backup, and there is no complete run of this file since"
			} else {
				why, err = whyNone(ctx, tx, target, series, except)
			}
		}
		return err
	})
	return last, why, err
}

// WasRestoredSince reports whether the journal was restored from a backup after a run to the
// target had begun.
func (j *Journal) WasRestoredSince(ctx context.Context, target string, run int64) (was bool, err error) {
	err = j.view(ctx, "see whether the journal was restored", func(tx *sql.Tx) error {
		_, restored, err := completeRuns(ctx, tx, target)
		was = run <= restored
		return err
	})
	return was, err
}

// completeRuns returns the complete runs to a target, the newest first, and the last run
// before the journal was restored from a backup; 0 if it was not.
func completeRuns(ctx context.Context, tx *sql.Tx, target string) (complete []CompleteRun, restored int64, err error) {
	same, err := loadTargets(ctx, tx, target)
	if err != nil {
		return nil, 0, err
	}
	runs, err := loadRuns(ctx, tx, "WHERE run.target"+inTargets+"AND state = ?", same.ids(), importer.RunFinished)
	if err != nil {
		return nil, 0, err
	}
	complete, err = loadRosters(ctx, tx, same)
	complete = slices.DeleteFunc(complete, func(c CompleteRun) bool {
		if c.Source == restoredSource {
			restored = max(restored, c.ID)
		}
		return c.Source == restoredSource
	})
	for i := range runs {
		if r := &runs[i]; isComplete(&r.RunInfo) {
			complete = append(complete, CompleteRun{ID: r.ID, Source: r.Source, FileHash: r.FileHash, Rows: r.Rows, FinishedAt: r.FinishedAt, looked: r.Leavers != nil})
		}
	}
	slices.SortFunc(complete, func(a, b CompleteRun) int { return int(b.ID - a.ID) })
	return complete, restored, err
}

// whyNone says why there is no complete run of the series.
func whyNone(ctx context.Context, tx *sql.Tx, target, series, except string) (string, error) {
	runs, err := loadRuns(ctx, tx, "ORDER BY run.id DESC")
	var unfinished, elsewhere, other, same *runRecord
	for i := range runs {
		r := &runs[i]
		isTarget, isSeries := importer.SameTarget(r.Target) == importer.SameTarget(target), importer.SeriesOf(r.Source) == series
		switch {
		case r.State == importer.RunPlanning: // perhaps this very one
		case isTarget && isSeries && except != "" && r.FileHash == except && isComplete(&r.RunInfo):
			same = first(same, r)
		case isTarget && isSeries:
			unfinished = first(unfinished, r)
		case isSeries && isComplete(&r.RunInfo):
			elsewhere = first(elsewhere, r)
		case isTarget:
			other = first(other, r)
		}
	}
	switch {
	case err != nil:
		return "", err
	case same != nil:
		return fmt.Sprintf("run %d pushed this very file, and there is no complete run before it", same.ID), nil
	case unfinished != nil && unfinished.State == importer.RunFinished:
		return fmt.Sprintf("there is no complete run of this file yet (that of run %d had no rows, or was cut short)", unfinished.ID), nil
	case unfinished != nil:
		return fmt.Sprintf("there is no complete run of this file yet (run %d is %s)", unfinished.ID, unfinished.State), nil
	case elsewhere != nil:
		return fmt.Sprintf("the runs of this file went to another client or Controller (run %d to %s)", elsewhere.ID, elsewhere.Target), nil
	case other != nil:
		return fmt.Sprintf("there is no earlier run of this file, nor of one whose name differs only in a date (run %d is of %s)", other.ID, filepath.Base(other.Source)), nil
	}
	return NoRunYet, nil
}

// NoRunYet says why there is no complete run of a file when nothing is known at all.
const NoRunYet = "there is no earlier run of this file"

func first(found, next *runRecord) *runRecord {
	if found != nil {
		return found
	}
	return next
}
