package app

import (
	"context"
	"io"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// Problems returns what was wrong with the rows of a run, as its receipt said when it
// ended: what its plan found, the most common first, and what the Controller refused.
func Problems(ctx context.Context, env Env, id int64) (problems []importer.ProblemCount, err error) {
	err = env.readRun(ctx, id, func(_ journal.Journal, run journal.Run) error {
		var counter importer.ProblemCounter
		results := func(yield func(importer.Result, error) bool) {
			for result, err := range run.Results(ctx) {
				for _, p := range result.Problems {
					counter.Add(p)
				}
				if !yield(result, err) {
					return
				}
			}
		}
		totals, err := report.WriteResults(report.To("-", io.Discard), results)
		problems = append(counter.MostCommon(), totals.Refused...)
		return err
	})
	return problems, err
}
