package audit

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/mapping"
)

// Evidence is what the records say about one run, from its first process to its last.
type Evidence struct {
	Source   []SourceRow       // the rows below the header, in the file's order
	Requests []sandbox.Entry   // every request that the sandbox got, including earlier runs
	Since    int64             // sequence of the last request before this run, 0 if there was none
	Crashes  []Crash           // one for each time that the program died during this run
	Journal  []importer.Result // the final journal
	Results  []importer.Result // the results file; nil if the run ended before it was written
	Totals   []Totals          // what the other reports count
	Exit     int               // exit code of the last command
}

// SourceRow is one row of the source, mapped on its own.
type SourceRow struct {
	Number int             // as a spreadsheet shows it
	Status importer.Status // before the row is compared with others: Pending, Invalid or Skipped
	Key    sandbox.Key     // the person; of a Pending row
	Body   sandbox.Hash    // hash of the profile that it sends; of a Pending row
}

// NewSourceRow returns the row of the source that was mapped to result.
func NewSourceRow(source *importer.Row, result *mapping.Result) (SourceRow, error) {
	row := SourceRow{Number: source.Number, Status: importer.StatusPending}
	switch {
	case source.IsSkipped(result):
		row.Status = importer.StatusSkipped
	case hasError(source.Problems) || hasError(result.Problems):
		row.Status = importer.StatusInvalid
	}
	if row.Status != importer.StatusPending {
		return row, nil
	}
	loginSource, _ := result.Profile.Get(mapping.LoginSource)
	uniqueID, _ := result.Profile.Get(mapping.UniqueID)
	row.Key = sandbox.KeyOf(loginSource, uniqueID)
	body, err := result.Profile.AppendJSON(nil)
	if err != nil {
		return row, fmt.Errorf("audit row %d: %w", row.Number, err)
	}
	row.Body = sha256.Sum256(body)
	return row, nil
}

func hasError(problems []mapping.Problem) bool {
	return slices.ContainsFunc(problems, func(p mapping.Problem) bool { return p.Severity == mapping.SeverityError })
}

// Crash is the state in which the program died, or stopped, before the run was
// complete.
type Crash struct {
	Sequence int64             // of the last request until then
	Journal  []importer.Result // the journal on the disk; nil if it had no plan yet
}

// Totals is what a report says about the run as a whole.
type Totals struct {
	Name     string // of the report, such as "summary"
	Rows     int
	Counts   importer.Counts
	Attempts int
	Exit     int
}

// Invariant is the short name of one of the invariants in the package's comment.
type Invariant string

// The invariants.
const (
	OneOutcome       Invariant = "I1"
	PushedIsAccepted Invariant = "I2"
	NoRepeat         Invariant = "I3"
	Justified        Invariant = "I4"
	Agreement        Invariant = "I5"
	NoGuessing       Invariant = "I6"
)

// Violation is a statement of one record that another contradicts.
type Violation struct {
	Invariant Invariant
	Row       int // number of the row, 0 if it concerns the run as a whole
	Text      string
}

func (v Violation) String() string {
	if v.Row == 0 {
		return fmt.Sprintf("%s: %s", v.Invariant, v.Text)
	}
	return fmt.Sprintf("%s row %d: %s", v.Invariant, v.Row, v.Text)
}
