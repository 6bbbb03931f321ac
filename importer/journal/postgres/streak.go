package postgres

import (
	"fmt"

	"opscom-import/importer"
)

// streak is what some outcomes say about the rows that fail in a row.
type streak struct {
	failed   bool   // some row did
	pushed   bool   // some row was
	failing  string // how the last ones failed, as nameOf names it
	failures int    // how many in a row did, the last of which is the last row
	isWhole  bool   // they are all that failed, and none was pushed: they continue the streak before, if it is alike
}

// stored is the streak of a run as the database has it.
type stored struct {
	failing  string
	failures int
	pushed   bool
}

// streakOf sums up outcomes in the order in which they are recorded.
func streakOf(outcomes []importer.Outcome) streak {
	var s importer.Streak
	failed := 0
	for i := range outcomes {
		next := s.After(&outcomes[i])
		if next.Failures > 0 && next != s {
			failed++
		}
		s = next
	}
	return streak{failed: failed > 0, pushed: s.Pushed, failing: nameOf(s), failures: s.Failures, isWhole: failed == s.Failures && !s.Pushed}
}

// nameOf names how rows fail, "" for none. It has no value of a row.
func nameOf(s importer.Streak) string {
	if s.Failures == 0 {
		return ""
	}
	return fmt.Sprintf("%s %+q %d", s.Status, s.Code, s.HTTP) // what a Controller sends may be no valid text
}

// before returns the streak that was stored, if the first of the outcomes can continue it.
func (s stored) before(outcomes []importer.Outcome) importer.Streak {
	var first importer.Streak
	for i := 0; i < len(outcomes) && first.Failures == 0; i++ {
		first = first.After(&outcomes[i])
	}
	if nameOf(first) != s.failing {
		return importer.Streak{Pushed: s.pushed}
	}
	first.Failures, first.Pushed = s.failures, s.pushed
	return first
}
