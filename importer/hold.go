package importer

import "fmt"

// Limits are the safety limits of a run, judged on its plan before anything is
// sent.
type Limits struct {
	MaxBad     Limit // rows that may be invalid
	MaxChanged Limit // rows that may be new or changed; only where unchanged rows are told apart
	MinRows    Limit // rows that the file must have; a percentage is of the last run's
}

// Judge returns why the limits hold a run with this plan, a sentence each; none
// when nothing does. lastRows is the number of rows of the last run of the same
// source, 0 when there was none.
func (l Limits) Judge(p Plan, lastRows int) []string {
	var reasons []string
	if bad := p.Counts[StatusInvalid]; l.MaxBad.Exceeded(bad, p.Rows) {
		reasons = append(reasons, fmt.Sprintf("%d of %d rows are invalid; the limit (max-bad) is %s", bad, p.Rows, l.MaxBad))
	}
	if changed := p.Counts[StatusPending]; l.MaxChanged.Exceeded(changed, p.Rows) {
		reasons = append(reasons, fmt.Sprintf("%d of %d rows are new or changed; the limit (max-changed) is %s", changed, p.Rows, l.MaxChanged))
	}
	if l.MinRows.Below(p.Rows, lastRows) {
		reason := fmt.Sprintf("the file has %d rows; at least %s are expected (min-rows)", p.Rows, l.MinRows)
		if l.MinRows.Percent > 0 {
			reason += fmt.Sprintf(" of the %d in the last run", lastRows)
		}
		reasons = append(reasons, reason+"; was the export cut short?")
	}
	return reasons
}
