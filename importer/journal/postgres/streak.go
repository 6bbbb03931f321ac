package postgres

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"opscom-import/importer"
)

// streak is what some outcomes say about the rows that fail in a row.
type streak struct {
	failed   bool   // some row did
	pushed   bool   // some row was
	failing  string // how the last ones failed, as Journal.nameOf names it
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
func (j *Journal) streakOf(outcomes []importer.Outcome) streak {
	var s importer.Streak
	failed := 0
	for i := range outcomes {
		next := s.After(&outcomes[i])
		if next.Failures > 0 && next != s {
			failed++
		}
		s = next
	}
	return streak{failed: failed > 0, pushed: s.Pushed, failing: j.nameOf(s), failures: s.Failures, isWhole: failed == s.Failures && !s.Pushed}
}

// nameOf names how rows fail, "" for none. Two names are equal if and only if the rows failed alike. They do not show what a
// Controller sent as its error code: nobody can tell whether that has a value of the row.
func (j *Journal) nameOf(s importer.Streak) string {
	if s.Failures == 0 {
		return ""
	}
	digest := hmac.New(sha256.New, j.salt)
	fmt.Fprintf(digest, "%s %q %d", s.Status, s.Code, s.HTTP)
	return hex.EncodeToString(digest.Sum(nil))
}

// before returns the streak that was stored, if the first of the outcomes can continue it.
func (j *Journal) before(s stored, outcomes []importer.Outcome) importer.Streak {
	var first importer.Streak
	for i := 0; i < len(outcomes) && first.Failures == 0; i++ {
		first = first.After(&outcomes[i])
	}
	if j.nameOf(first) != s.failing {
		return importer.Streak{Pushed: s.pushed}
	}
	first.Failures, first.Pushed = s.failures, s.pushed
	return first
}
