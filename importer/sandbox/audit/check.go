package audit

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/mapping"
)

// Check returns every violation of an invariant, those of the run as a whole first
// and the others by row.
func Check(run Evidence) []Violation {
	a := newAuditor(run)
	a.checkRows("the journal", a.Journal)
	a.checkLines("the journal", a.Journal, math.MaxInt64)
	a.checkComplete()
	for i := range a.Crashes {
		a.checkCrash(&a.Crashes[i], fmt.Sprintf("the journal after crash %d", i+1))
	}
	if a.Results != nil {
		a.checkRows("the results", a.Results)
		a.checkResults()
	}
	a.checkTotals()
	a.checkStrayRequests()
	slices.SortFunc(a.found, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Invariant, b.Invariant), cmp.Compare(a.Text, b.Text))
	})
	return a.found
}

// auditor is a run with what finds its way through it.
type auditor struct {
	Evidence
	rows     map[int]*SourceRow
	requests map[sandbox.Key][]sandbox.Entry // pushes of this run by whom they concern, in order
	before   map[sandbox.Key]sandbox.Entry   // the last acceptance before this run
	found    []Violation
}

func newAuditor(run Evidence) *auditor {
	a := &auditor{
		Evidence: run, rows: make(map[int]*SourceRow, len(run.Source)),
		requests: make(map[sandbox.Key][]sandbox.Entry), before: make(map[sandbox.Key]sandbox.Entry),
	}
	for i := range run.Source {
		a.rows[run.Source[i].Number] = &run.Source[i]
	}
	for _, entry := range run.Requests {
		switch {
		case entry.Call != sandbox.PushCall || entry.Key == sandbox.Key{}: // a push that could not be read is nobody's
		case entry.Sequence > run.Since:
			a.requests[entry.Key] = append(a.requests[entry.Key], entry)
		case entry.Applied:
			a.before[entry.Key] = entry
		}
	}
	return a
}

func (a *auditor) report(invariant Invariant, row int, format string, args ...any) {
	a.found = append(a.found, Violation{invariant, row, fmt.Sprintf(format, args...)})
}

// checkRows holds the rows that a witness speaks of against those of the source.
func (a *auditor) checkRows(witness string, lines []importer.Result) {
	if len(lines) != len(a.Source) {
		a.report(OneOutcome, 0, "%s has %d rows, the source %d", witness, len(lines), len(a.Source))
	}
	seen := make(map[int]bool, len(lines))
	last := 0
	for i := range lines {
		number := lines[i].Row
		switch {
		case seen[number]:
			a.report(OneOutcome, number, "%s has it twice", witness)
		case a.rows[number] == nil:
			a.report(OneOutcome, number, "%s has it, the source does not", witness)
		case number < last:
			a.report(OneOutcome, number, "%s has it below row %d", witness, last)
		}
		seen[number] = true
		last = number
	}
	for i := range a.Source {
		if number := a.Source[i].Number; !seen[number] {
			a.report(OneOutcome, number, "%s does not have it", witness)
		}
	}
}

// checkLines holds what a witness says of each row against the account as it was
// up to a request.
func (a *auditor) checkLines(witness string, lines []importer.Result, sequence int64) {
	sent := make(map[sandbox.Key]*SourceRow) // by whom it concerns: the row that is not a duplicate
	for i := range lines {
		line := &lines[i]
		row := a.rows[line.Row]
		if row == nil {
			continue // said by checkRows
		}
		if row.Status != importer.StatusPending && line.Status != row.Status {
			a.report(Justified, line.Row, "%s calls it %s, its cells make it %s", witness, line.Status, row.Status)
			continue
		}
		a.checkLine(witness, line, row, a.requestsOf(row, sequence), sent)
		if row.Status == importer.StatusPending && line.Status != importer.StatusDuplicate {
			sent[row.Key] = row
		}
	}
}

// requestsOf returns the requests of the run for the row, up to a request.
func (a *auditor) requestsOf(row *SourceRow, sequence int64) []sandbox.Entry {
	all := a.requests[row.Key]
	end, _ := slices.BinarySearchFunc(all, sequence, func(entry sandbox.Entry, sequence int64) int {
		return cmp.Or(cmp.Compare(entry.Sequence, sequence), -1) // the end of those that are not greater
	})
	return all[:end]
}

// checkLine holds one row's status against the requests for it.
func (a *auditor) checkLine(witness string, line *importer.Result, row *SourceRow, requests []sandbox.Entry, sent map[sandbox.Key]*SourceRow) {
	switch line.Status {
	case importer.StatusPushed:
		if !slices.ContainsFunc(requests, func(e sandbox.Entry) bool { return accepts(e, row, line.ReferenceID) }) {
			a.report(PushedIsAccepted, line.Row, "%s calls it pushed with reference id %q, and the account has no such acceptance of its profile", witness, line.ReferenceID)
		}
	case importer.StatusUnchanged:
		if !accepts(a.before[row.Key], row, line.ReferenceID) {
			a.report(PushedIsAccepted, line.Row, "%s calls it unchanged with reference id %q, and what was last accepted before the run is another", witness, line.ReferenceID)
		}
		a.checkNotSent(Justified, witness, line, requests)
	case importer.StatusDuplicate:
		if first := sent[row.Key]; first == nil || first.Body != row.Body {
			a.report(PushedIsAccepted, line.Row, "%s calls it a duplicate, and no row above is the same", witness)
		}
	case importer.StatusRejected:
		if len(requests) == 0 || !refuses(requests[len(requests)-1], line.ErrorCode) {
			a.report(Justified, line.Row, "%s calls it rejected with error code %q, and that is not what was last answered", witness, line.ErrorCode)
		}
	case importer.StatusInvalid:
		if line.Message == "" {
			a.report(Justified, line.Row, "%s calls it invalid and does not say why", witness)
		}
		a.checkNotSent(Justified, witness, line, requests)
	case importer.StatusFailed:
		if line.Attempts == 0 {
			a.report(Justified, line.Row, "%s calls it failed after no attempt", witness)
		}
	case importer.StatusNotSent:
		a.checkNotSent(NoGuessing, witness, line, requests)
	case importer.StatusSkipped:
		if row.Status != importer.StatusSkipped {
			a.report(Justified, line.Row, "%s calls it skipped, and the mapping does not leave it out", witness)
		}
	case importer.StatusUnknown:
	default:
		a.report(OneOutcome, line.Row, "%s gives it the status %q, which is none", witness, line.Status)
	}
}

func (a *auditor) checkNotSent(invariant Invariant, witness string, line *importer.Result, requests []sandbox.Entry) {
	if len(requests) > 0 {
		a.report(invariant, line.Row, "%s calls it %s, and request %d is about it", witness, line.Status, requests[0].Sequence)
	}
}

// accepts reports whether the entry is the acceptance of the row's profile with
// that reference id.
func accepts(entry sandbox.Entry, row *SourceRow, referenceID string) bool {
	return entry.Applied && entry.Body == row.Body && strconv.Itoa(entry.ReferenceID) == referenceID
}

// refuses reports whether the entry is an answer that refuses the row with that
// error code. Without a code it may be one of which no more than the status arrived,
// when that does not mean "not now".
func refuses(entry sandbox.Entry, code string) bool {
	if code == "" {
		return !entry.Applied && entry.Status/100 == 4 && entry.Status != http.StatusTooManyRequests
	}
	return !entry.Applied && entry.Delivered && strconv.Itoa(entry.ErrorCode) == code
}

// checkComplete makes sure that rules stand behind what is invalid, and that a
// run that calls itself complete leaves nothing open.
func (a *auditor) checkComplete() {
	counts := countsOf(a.Journal)
	open := counts[importer.StatusUnknown] + counts[importer.StatusNotSent]
	if open > 0 && (a.Exit == 0 || a.Exit == 1) {
		a.report(NoGuessing, 0, "the exit code is %d, and %d rows are unknown or not sent", a.Exit, open)
	}
	for i := range a.Journal {
		line := &a.Journal[i]
		if line.Status == importer.StatusInvalid && !hasRule(line) {
			a.report(Justified, line.Row, "it is invalid, and no rule says why")
		}
	}
}

// hasRule reports whether one of the row's problems keeps it from being sent.
func hasRule(line *importer.Result) bool {
	return slices.ContainsFunc(line.Problems, func(p importer.RowProblem) bool {
		return p.Rule != "" && p.Severity == mapping.SeverityError
	})
}
