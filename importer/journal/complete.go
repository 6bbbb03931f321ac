package journal

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// CompleteRun is a run that had everybody of its source: it is finished, and its file was
// whole. Its rows may be forgotten by now.
type CompleteRun struct {
	ID         int64
	Source     string
	FileHash   string
	Rows       int // of its file
	FinishedAt time.Time

	looked bool           // for leavers
	stored *format.Roster // when the run is forgotten
}

// IsComplete reports whether the run had everybody of its source. A file without rows is
// a change of nobody.
func IsComplete(r *importer.RunInfo) bool {
	return r.State == importer.RunFinished && r.Rows > 0 && !slices.ContainsFunc(r.Held, importer.IsCutShort)
}

// LastComplete returns the newest complete run of the source, or of one whose path
// differs only in its dates; one of a file with the hash except does not count. When
// there is none, why says so in a clause.
func (e Earlier) LastComplete(ctx context.Context, target, source, except string) (last *CompleteRun, why string, err error) {
	past, err := e.history.PastOf(ctx, target)
	if err != nil {
		return nil, "", err
	}
	series := importer.SeriesOf(source)
	isSeries := func(c CompleteRun) bool { return importer.SeriesOf(c.Source) == series }
	complete, restored := past.complete()
	for i := range complete {
		c := &complete[i]
		if c.ID > restored && isSeries(*c) && (except == "" || c.FileHash != except) {
			return c, "", nil
		}
	}
	if i := slices.IndexFunc(complete, isSeries); i >= 0 && complete[i].ID <= restored {
		return nil, "the journal was restored from a backup, and there is no complete run of this file since", nil
	}
	all, err := e.history.Runs(ctx)
	if err != nil {
		return nil, "", err
	}
	return nil, whyNone(all, target, series, except), nil
}

// Past is what is stored of the runs to a target.
type Past struct {
	Runs    []importer.RunInfo // the newest first
	Rosters []*format.Roster   // of complete runs that are forgotten
}

// complete returns the complete runs, the newest first, and the last run before the
// journal was restored from a backup; 0 if it was not.
func (p Past) complete() (complete []CompleteRun, restored int64) {
	for _, s := range p.Rosters {
		if s.Source == format.RestoredSource {
			restored = max(restored, s.ID)
		} else {
			complete = append(complete, CompleteRun{ID: s.ID, Source: s.Source, FileHash: s.FileHash, Rows: s.Rows, FinishedAt: s.FinishedAt, looked: s.Looked, stored: s})
		}
	}
	for i := range p.Runs {
		if r := &p.Runs[i]; IsComplete(r) {
			complete = append(complete, CompleteRun{ID: r.ID, Source: r.Source, FileHash: r.FileHash, Rows: r.Rows, FinishedAt: r.FinishedAt, looked: r.Leavers != nil})
		}
	}
	slices.SortFunc(complete, func(a, b CompleteRun) int { return int(b.ID - a.ID) })
	return complete, restored
}

// IsLastComplete reports whether a run is complete, and no later one of its source is.
func (p Past) IsLastComplete(r *importer.RunInfo) bool {
	if !IsComplete(r) {
		return false
	}
	complete, _ := p.complete()
	return !slices.ContainsFunc(complete, func(c CompleteRun) bool {
		return c.ID > r.ID && importer.SeriesOf(c.Source) == importer.SeriesOf(r.Source)
	})
}

// last returns the newest run of the source, or of one whose path differs only in its
// dates, that was allowed: one that a safety limit held, and that nobody approved,
// says nothing about what the source should look like, and neither does one without
// rows.
func (p Past) last(source string) (run importer.RunInfo, ok bool) {
	series := importer.SeriesOf(source)
	i := slices.IndexFunc(p.Runs, func(r importer.RunInfo) bool {
		isAllowed := r.State == importer.RunPushing || r.State == importer.RunStopped || r.State == importer.RunFinished || r.State == importer.RunSuperseded && len(r.Held) == 0
		return r.Rows > 0 && isAllowed && importer.SeriesOf(r.Source) == series
	})
	if i < 0 {
		return run, false
	}
	return p.Runs[i], true
}

// whyNone says why none of all runs, the newest first, is a complete one of the series.
func whyNone(all []importer.RunInfo, target, series, except string) string {
	var unfinished, elsewhere, other, same *importer.RunInfo
	for i := range all {
		r := &all[i]
		isTarget, isSeries := importer.SameTarget(r.Target) == importer.SameTarget(target), importer.SeriesOf(r.Source) == series
		switch {
		case r.State == importer.RunPlanning: // perhaps this very one
		case isTarget && isSeries && except != "" && r.FileHash == except && IsComplete(r):
			same = cmp.Or(same, r)
		case isTarget && isSeries:
			unfinished = cmp.Or(unfinished, r)
		case isSeries && IsComplete(r):
			elsewhere = cmp.Or(elsewhere, r)
		case isTarget:
			other = cmp.Or(other, r)
		}
	}
	switch {
	case same != nil:
		return fmt.Sprintf("run %d pushed this very file, and there is no complete run before it", same.ID)
	case unfinished != nil && unfinished.State == importer.RunFinished:
		return fmt.Sprintf("there is no complete run of this file yet (that of run %d had no rows, or was cut short)", unfinished.ID)
	case unfinished != nil:
		return fmt.Sprintf("there is no complete run of this file yet (run %d is %s)", unfinished.ID, unfinished.State)
	case elsewhere != nil:
		return fmt.Sprintf("the runs of this file went to another client or Controller (run %d to %s)", elsewhere.ID, elsewhere.Target)
	case other != nil:
		return fmt.Sprintf("there is no earlier run of this file, nor of one whose name differs only in a date (run %d is of %s)", other.ID, filepath.Base(other.Source))
	}
	return NoRunYet
}

// NoRunYet says why there is no complete run of a file when nothing is known at all.
const NoRunYet = "there is no earlier run of this file"
