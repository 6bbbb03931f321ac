package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/dustin/go-humanize/english"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// plan plans the table with a planner that has its store, and what to compare with, and
// says what a person should know of the rows.
func (e Env) plan(ctx context.Context, t *mappedTable, planner importer.Planner) (importer.Plan, error) {
	e.notify("Reading %s with %s.", t.in.shown, t.mappingName)
	planner.Source = t
	plan, err := e.planQuietly(ctx, t, planner)
	for _, note := range plan.Notes {
		e.notify("%s", note)
	}
	return plan, err
}

// planQuietly plans the rows of the planner's source, which are the table's. The plan's
// notes are all that a person should know.
func (e Env) planQuietly(ctx context.Context, t *mappedTable, planner importer.Planner) (importer.Plan, error) {
	planner.Mapper, planner.Target = t.mapper, e.target()
	plan, err := planner.Make(ctx)
	if ctx.Err() != nil {
		return plan, errInterruptedEarly()
	}
	if err != nil {
		return plan, err
	}
	plan.CutRow, plan.LastLine = t.CutRow(), t.LastLine()
	plan.Notes = append(t.Notes(), plan.Notes...)
	if void := len(t.rows.Void()); void > 0 {
		plan.Notes = append(plan.Notes, voidNote(void))
	}
	if plan.Rows == 0 && e.Settings.MinRows != (importer.Limit{Set: true}) { // unless none are asked for: --min-rows 0
		return plan, fmt.Errorf("%s has no rows below its header (row %d); was the export cut short? If it may have none, say so with --min-rows 0", t.in.shown, t.Header().Row)
	}
	return plan, t.in.checkUnchanged()
}

// voidNote says how many corrections do not apply any more.
func voidNote(void int) string {
	return english.Plural(void, "correction", "") + " made on the page " + english.PluralWord(void, "does", "do") +
		" not apply any more: the file has another value there now."
}

// judge returns why the safety limits hold this plan of the source, and says what a
// percentage of the last run's rows cannot be compared with. Without a journal there
// is no earlier run.
func (e Env) judge(ctx context.Context, j journal.Journal, plan importer.Plan, source string) ([]string, error) {
	last, held, err := e.compare(ctx, j, plan, source)
	switch {
	case err != nil || e.Settings.MinRows.Percent == 0:
	case last.Rows == 0:
		e.notify("--min-rows %s is NOT checked: there is no earlier run of this file to compare with, nor of one whose name differs only in a date.", e.Settings.MinRows)
	case last.Source != source:
		e.notify("--min-rows %s compares with the %s of run %d, of %s.", e.Settings.MinRows, english.Plural(last.Rows, "row", ""), last.ID, filepath.Base(last.Source))
	}
	return held, err
}

// compare returns the last run of the source, if there is one, and why the safety
// limits hold this plan.
func (e Env) compare(ctx context.Context, j journal.Journal, plan importer.Plan, source string) (last importer.RunInfo, held []string, err error) {
	if j != nil {
		if last, _, err = j.Last(ctx, e.target(), source); err != nil {
			return last, nil, err
		}
	}
	limits := importer.Limits{MaxBad: e.Settings.MaxBad, MaxChanged: e.Settings.MaxChanged, MinRows: e.Settings.MinRows, MaxLeavers: e.Settings.MaxLeavers}
	return last, limits.Judge(plan, last), nil
}

// changes says how a plan's rows differ from what was last accepted, nil when they
// were not compared, as in a run that is resumed.
func changes(s config.Settings, p importer.Plan) *report.Changes {
	if !s.OnlyChanges || p.Rows == 0 {
		return nil
	}
	of := changesOf(p)
	return &of
}

// changesOf says how the rows of a plan that were compared differ from what was last
// accepted.
func changesOf(p importer.Plan) report.Changes {
	return report.Changes{
		New:     p.Counts[importer.StatusPending] - p.Changed - p.Same - p.Doubted,
		Changed: p.Changed, Unchanged: p.Same + p.Counts[importer.StatusUnchanged], Doubted: p.Doubted,
	}
}
