package app

import (
	"context"
	"io"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// ResultTab is a selection of a run's results.
type ResultTab string

// The tabs.
const (
	ResultsAll    ResultTab = "all"
	ResultsPushed ResultTab = "pushed"
	ResultsToFix  ResultTab = "fix"  // invalid, or refused by the Controller
	ResultsAgain  ResultTab = "open" // failed, unknown or not sent: they are sent again when the run goes on
	ResultsLeft   ResultTab = "left" // unchanged, duplicates or left out
)

// ResultTabs returns the tabs in the order in which they are shown.
func ResultTabs() []ResultTab {
	return []ResultTab{ResultsAll, ResultsPushed, ResultsToFix, ResultsAgain, ResultsLeft}
}

// Kinds returns the kinds of statuses that the tab has, none for all.
func (t ResultTab) Kinds() []importer.StatusKind {
	switch t {
	case ResultsPushed:
		return []importer.StatusKind{importer.KindDone}
	case ResultsToFix:
		return []importer.StatusKind{importer.KindToFix}
	case ResultsAgain:
		return []importer.StatusKind{importer.KindFailed, importer.KindOpen}
	case ResultsLeft:
		return []importer.StatusKind{importer.KindLeft}
	default:
		return nil
	}
}

// RunResults is a page of a run's results, and what all of them add up to.
type RunResults struct {
	importer.RunInfo
	Counts   importer.Counts
	Attempts int                     // requests sent
	Problems []importer.ProblemCount // that the plan has found, the most common first
	Refused  int                     // the first row that the Controller refused; 0 for none
	Rows     []importer.Result
}

// Count returns how many results are in the tab.
func (r *RunResults) Count(tab ResultTab) int {
	if tab.Kinds() == nil {
		return r.Counts.Sum()
	}
	return r.Counts.Of(tab.Kinds()...)
}

// Results returns at most n results of the tab, from the one at the offset on. It reads
// the whole run, at two million rows a second.
func Results(ctx context.Context, env Env, id int64, tab ResultTab, offset, n int) (page RunResults, err error) {
	err = env.readRun(ctx, id, func(_ journal.Journal, run journal.Run) error {
		page = RunResults{RunInfo: run.Info(), Counts: importer.Counts{}}
		kinds := map[importer.StatusKind]bool{}
		for _, kind := range tab.Kinds() {
			kinds[kind] = true
		}
		at := 0
		var problems importer.ProblemCounter
		for result, err := range run.Results(ctx) {
			if err != nil {
				return err
			}
			page.Counts[result.Status]++
			page.Attempts += result.Attempts
			for _, p := range result.Problems {
				problems.Add(p)
			}
			if result.Status == importer.StatusRejected && page.Refused == 0 {
				page.Refused = result.Row
			}
			if len(kinds) > 0 && !kinds[result.Status.Spec().Kind] {
				continue
			}
			if at >= offset && len(page.Rows) < n {
				page.Rows = append(page.Rows, result)
			}
			at++
		}
		page.Problems = problems.MostCommon()
		return nil
	})
	return page, err
}

// Refusals returns what the Controller said to the rows that it refused in a run, by the
// number of the row: nobody but OPS-COM could have known it before.
func Refusals(ctx context.Context, env Env, id int64) (refusals map[int]importer.Result, err error) {
	err = env.readRun(ctx, id, func(_ journal.Journal, run journal.Run) error {
		refusals = map[int]importer.Result{}
		for result, err := range run.Results(ctx) {
			if err != nil {
				return err
			}
			if result.Status == importer.StatusRejected {
				refusals[result.Row] = result
			}
		}
		return nil
	})
	return refusals, err
}

// WriteSummary writes the summary page of a run, which has no personal data, to w.
func WriteSummary(ctx context.Context, env Env, id int64, w io.Writer) error {
	info, receipt, err := ShowRun(ctx, env, id)
	if err != nil {
		return err
	}
	if receipt.Problems, err = Problems(ctx, env, id); err != nil {
		return err
	}
	return env.readRun(ctx, id, func(_ journal.Journal, run journal.Run) error {
		totals, err := report.WriteResults(report.To("-", io.Discard), run.Results(ctx))
		if err != nil {
			return err
		}
		receipt.File = shownSource(info)
		return report.WriteSummary(report.To("-", w), report.Summary{
			Receipt: receipt, StartedAt: info.StartedAt, FinishedAt: info.FinishedAt, Timeline: totals.Timeline.Points(),
			Version: env.Version, WrittenAt: time.Now(),
		})
	})
}
