package main

import (
	"iter"
	"slices"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/report"
)

// tally adds up what a receipt says of results beyond their statuses, as they
// pass on their way to the report.
type tally struct {
	counts     importer.Counts
	attempts   int
	needPerson int // rows that someone has to fix
	problems   int // that the plan found
	timeline   report.Timeline
	refusals   []importer.ProblemCount // rows that the Controller refused, by its error code
}

func (t *tally) watch(results iter.Seq2[importer.Result, error]) iter.Seq2[importer.Result, error] {
	return func(yield func(importer.Result, error) bool) {
		for r, err := range results {
			t.attempts += r.Attempts
			t.problems += len(r.Problems)
			t.timeline.Add(r.FinishedAt, r.Status)
			if needsPerson(r.Status) {
				t.needPerson++
			}
			if r.Status == importer.StatusRejected {
				t.refuse(r)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func (t *tally) refuse(r importer.Result) {
	rule := mapping.Rule("error code " + r.ErrorCode)
	if r.ErrorCode == "" {
		rule = "refused without an error code"
	}
	i := slices.IndexFunc(t.refusals, func(p importer.ProblemCount) bool { return p.Rule == rule })
	if i < 0 {
		i = len(t.refusals)
		t.refusals = append(t.refusals, importer.ProblemCount{Rule: rule, Column: mapping.NoColumn, Row: r.Row})
	}
	t.refusals[i].Count++
}
