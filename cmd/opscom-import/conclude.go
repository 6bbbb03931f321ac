package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// currentRun is the run that a command has in hand.
type currentRun struct {
	*journal.Run
	command  string
	began    time.Time
	shown    string                  // the file as the person named it
	waiting  int                     // rows that are to be pushed
	table    *table                  // what it was planned from; nil when that is gone
	problems []importer.ProblemCount // that its plan has found
	changes  *report.Changes         // that its plan has found; nil when it did not look
	ended    error                   // why it ended early; nil when it is complete or held
}

// conclude writes the reports of a run that is complete, stopped or held, and
// returns its receipt, even with the error that stopped it. What was interrupted
// is concluded all the same.
func (s *session) conclude(c currentRun) (receipt report.Receipt, err error) {
	ctx := context.Background()
	held := c.Info().State == importer.RunHeld
	if c.ended != nil {
		if err := c.Stop(ctx); err != nil {
			return receipt, &incompleteError{errors.Join(c.ended, err)}
		}
	}
	set := &reportSet{paths: c.Info().Reports, table: c.table, results: func() iter.Seq2[importer.Result, error] { return c.Results(ctx) }}
	totals, err := s.write(set)
	if err != nil {
		return receipt, &incompleteError{errors.Join(c.ended, howToReport(err))}
	}
	if c.ended == nil && !held {
		if err := c.Finish(ctx, time.Now().UTC()); err != nil {
			return receipt, &incompleteError{err}
		}
	}
	info := c.Info()
	receipt = s.receipt(report.Receipt{
		Command: c.command, Run: info.ID, File: c.shown, Rows: info.Rows, Counts: totals.Counts, Attempts: totals.Attempts,
		Seconds: time.Since(c.began).Seconds(), Held: heldReasons(info), Reports: shortPaths(set.paths),
		Exit: exitOf(totals.Counts, c.ended, held),
	}, append(c.problems, totals.Refused...))
	s.log.Info("run ended", "run", info.ID, "state", string(info.State), "rows", info.Rows, "counts", totals.Counts,
		"attempts", totals.Attempts, "exit", receipt.Exit)
	if err := s.writeSummary(set.paths.Summary, report.Summary{
		Receipt: receipt, Changes: c.changes, StartedAt: info.StartedAt, FinishedAt: info.FinishedAt, Timeline: totals.Timeline.Points(),
	}, c.table); err != nil {
		return receipt, &incompleteError{errors.Join(c.ended, howToReport(err))}
	}
	if c.ended != nil {
		return receipt, &incompleteError{howToGoOn(c.ended)}
	}
	return receipt, nil
}

func (s *session) receipt(r report.Receipt, problems []importer.ProblemCount) report.Receipt {
	r.Problems, r.Target = problems, s.host()
	return r
}

// exitOf returns the exit code of a run with these counts.
func exitOf(counts importer.Counts, ended error, held bool) int {
	switch {
	case held:
		return exitHeld
	case ended != nil || counts.Of(importer.KindOpen) > 0:
		return exitIncomplete
	case counts.Of(importer.KindToFix, importer.KindFailed) > 0:
		return exitRows
	default:
		return exitDone
	}
}

// howToGoOn adds to the reason why a run ended what to do next.
func howToGoOn(ended error) error {
	if errors.Is(ended, importer.ErrInterrupted) {
		return fmt.Errorf("%w; run the same command again to go on", ended)
	}
	return fmt.Errorf("the run was stopped: %w; when that is fixed, run the same command again to go on", ended)
}

// howToReport adds to the reason why a report could not be written what to do next.
func howToReport(err error) error {
	return fmt.Errorf("%w; when that is fixed, run the same command again to have the reports written", err)
}

// print prints a receipt as the settings ask for, after it was made sure that it
// adds up.
func (s *session) print(receipt report.Receipt) error {
	if err := receipt.Check(); err != nil {
		return &incompleteError{err}
	}
	out := s.stdout
	if r := receipt.Reports; r.Results == "-" || r.Problems == "-" || r.Fix == "-" || r.Summary == "-" {
		out = s.stderr // the report has standard output to itself
	}
	switch {
	case s.settings.JSON:
		return receipt.WriteJSON(out)
	case s.settings.Quiet:
		return nil
	default:
		return receipt.WriteText(out, s.style)
	}
}

// written is where those of the reports are that exist.
func written(r importer.Reports) importer.Reports {
	r = shortPaths(r)
	for _, path := range []*string{&r.Results, &r.Problems, &r.Fix, &r.Summary} {
		if _, err := os.Stat(*path); err != nil {
			*path = ""
		}
	}
	return r
}

func shortPaths(r importer.Reports) importer.Reports {
	return importer.Reports{Results: shortPath(r.Results), Problems: shortPath(r.Problems), Fix: shortPath(r.Fix), Summary: shortPath(r.Summary)}
}

// shortPath shows a path as seen from the working folder, where that is shorter.
func shortPath(path string) string {
	if path == "" || path == "-" {
		return path
	}
	if here, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(rel, "..") {
			return rel
		}
	}
	return path
}
