package app

import (
	"context"
	"fmt"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// plan plans the table with a planner that has its store, and what to compare with.
func (e Env) plan(ctx context.Context, t *mappedTable, planner importer.Planner) (importer.Plan, error) {
	planner.Source, planner.Mapper, planner.Target = t, t.mapper, e.target()
	e.notify("Reading %s with %s.", t.in.shown, t.mappingName)
	plan, err := planner.Make(ctx)
	if ctx.Err() != nil {
		return plan, errInterruptedEarly()
	}
	if err != nil {
		return plan, err
	}
	for _, note := range append(t.Notes(), plan.Notes...) {
		e.notify("%s", note)
	}
	if plan.Rows == 0 {
		return plan, fmt.Errorf("%s has no rows below its header (row %d); was the export cut short?", t.in.shown, t.Header().Row)
	}
	return plan, t.in.checkUnchanged()
}

// judge returns why the safety limits hold this plan of the source. Without a
// journal there is no earlier run to compare with.
func (e Env) judge(ctx context.Context, j *journal.Journal, plan importer.Plan, source string) ([]string, error) {
	lastRows := 0
	if j != nil {
		last, _, err := j.Last(ctx, e.target(), source)
		if err != nil {
			return nil, err
		}
		lastRows = last.Rows
	}
	limits := importer.Limits{MaxBad: e.Settings.MaxBad, MaxChanged: e.Settings.MaxChanged, MinRows: e.Settings.MinRows}
	return limits.Judge(plan, lastRows), nil
}

// changes says how a plan's rows differ from what was last accepted, nil when they
// were not compared, as in a run that is resumed.
func changes(s config.Settings, p importer.Plan) *report.Changes {
	if !s.OnlyChanges || p.Rows == 0 {
		return nil
	}
	return &report.Changes{New: p.Counts[importer.StatusPending] - p.Changed, Changed: p.Changed, Unchanged: p.Counts[importer.StatusUnchanged]}
}
