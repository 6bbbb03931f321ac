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
func Check(evidence Evidence) []Violation {
	a := newAuditor(evidence)
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

// auditor is the evidence with indexes of it.
type auditor struct {
	Evidence
	rows     map[int]*SourceRow
	requests map[sandbox.Key][]sandbox.Entry // pushes of this run, in order
	before   map[sandbox.Key]sandbox.Entry   // last acceptance before this run
	found    []Violation
}

func newAuditor(evidence Evidence) *auditor {
	a := &auditor{
		Evidence: evidence, rows: make(map[int]*SourceRow, len(evidence.Source)),
		requests: make(map[sandbox.Key][]sandbox.Entry), before: make(map[sandbox.Key]sandbox.Entry),
	}
	for i := range a.Source {
		a.rows[a.Source[i].Number] = &a.Source[i]
	}
	for _, entry := range a.Requests {
		switch {
		case entry.Call != sandbox.PushCall || entry.Key == sandbox.Key{}: // a push that could not be parsed belongs to nobody
		case entry.Sequence > a.Since:
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

// checkRows compares the rows of a record with those of the source.
func (a *auditor) checkRows(record string, lines []importer.Result) {
	if len(lines) != len(a.Source) {
		a.report(OneOutcome, 0, "%s has %d rows, the source %d", record, len(lines), len(a.Source))
	}
	seen := make(map[int]bool, len(lines))
	last := 0
	for i := range lines {
		number := lines[i].Row
		switch {
		case seen[number]:
			a.report(OneOutcome, number, "%s has it twice", record)
		case a.rows[number] == nil:
			a.report(OneOutcome, number, "%s has it, the source does not", record)
		case number < last:
			a.report(OneOutcome, number, "%s has it below row %d", record, last)
		}
		seen[number] = true
		last = number
	}
	for number := range a.rows {
		if !seen[number] {
			a.report(OneOutcome, number, "%s does not have it", record)
		}
	}
}

// checkLines compares each row's status in a record with the request log up to a
// request.
func (a *auditor) checkLines(record string, lines []importer.Result, sequence int64) {
	sent := make(map[sandbox.Key]*SourceRow) // the row of a key that is not a duplicate
	for i := range lines {
		line := &lines[i]
		row := a.rows[line.Row]
		if row == nil {
			continue // reported by checkRows
		}
		if row.Status != importer.StatusPending && line.Status != row.Status {
			a.report(Justified, line.Row, "%s calls it %s, but its cells make it %s", record, line.Status, row.Status)
			continue
		}
		a.checkLine(record, line, row, a.requestsOf(row, sequence), sent[row.Key])
		if row.Status == importer.StatusPending && line.Status != importer.StatusDuplicate {
			sent[row.Key] = row
		}
	}
}

// requestsOf returns the run's requests for the row, up to a request.
func (a *auditor) requestsOf(row *SourceRow, sequence int64) []sandbox.Entry {
	all := a.requests[row.Key]
	later := slices.IndexFunc(all, func(e sandbox.Entry) bool { return e.Sequence > sequence })
	if later < 0 {
		return all
	}
	return all[:later]
}

// checkLine compares a row's status with the requests for it. first is the row above
// with the same key that was to be sent, nil for none.
func (a *auditor) checkLine(record string, line *importer.Result, row *SourceRow, requests []sandbox.Entry, first *SourceRow) {
	claim := fmt.Sprintf("%s calls it %s", record, line.Status)
	notSent := func(invariant Invariant) {
		if len(requests) > 0 {
			a.report(invariant, line.Row, "%s, but request %d is about it", claim, requests[0].Sequence)
		}
	}
	expect := func(invariant Invariant, ok bool, format string, args ...any) {
		if !ok {
			a.report(invariant, line.Row, "%s%s", claim, fmt.Sprintf(format, args...))
		}
	}
	switch line.Status {
	case importer.StatusPushed:
		accepted := slices.ContainsFunc(requests, func(e sandbox.Entry) bool { return accepts(e, row, line.ReferenceID) })
		expect(PushedIsAccepted, accepted, " with reference id %q, but the request log has no such acceptance of its profile", line.ReferenceID)
	case importer.StatusUnchanged:
		expect(PushedIsAccepted, accepts(a.before[row.Key], row, line.ReferenceID),
			" with reference id %q, but what was last accepted before the run is different", line.ReferenceID)
		notSent(Justified)
	case importer.StatusDuplicate:
		expect(PushedIsAccepted, first != nil && first.Body == row.Body, ", but no row above is the same")
	case importer.StatusRejected:
		last := len(requests) - 1
		expect(Justified, last >= 0 && refuses(requests[last], line.ErrorCode), " with error code %q, but that is not what was last answered", line.ErrorCode)
	case importer.StatusInvalid:
		expect(Justified, line.Message != "", " and does not say why")
		notSent(Justified)
	case importer.StatusFailed:
		expect(Justified, line.Attempts > 0, " after no attempt")
	case importer.StatusNotSent:
		notSent(NoGuessing)
	case importer.StatusSkipped:
		expect(Justified, row.Status == importer.StatusSkipped, ", but the mapping does not leave it out")
	case importer.StatusUnknown:
	default:
		expect(OneOutcome, false, ", which is not a status of a finished run")
	}
}

// accepts reports whether the entry accepts the row's profile with that reference id.
func accepts(entry sandbox.Entry, row *SourceRow, referenceID string) bool {
	return entry.Applied && entry.Body == row.Body && strconv.Itoa(entry.ReferenceID) == referenceID
}

// refuses reports whether the entry rejects the row with that error code. Without a
// code it may be an answer of which only the status arrived, unless that means "not
// now".
func refuses(entry sandbox.Entry, code string) bool {
	if code == "" {
		return !entry.Applied && entry.Status/100 == 4 && entry.Status != http.StatusTooManyRequests
	}
	return !entry.Applied && entry.Delivered && strconv.Itoa(entry.ErrorCode) == code
}

// checkComplete checks that invalid rows have a rule as their reason, and that a run
// that calls itself complete leaves nothing open.
func (a *auditor) checkComplete() {
	counts := countsOf(a.Journal)
	open := counts[importer.StatusUnknown] + counts[importer.StatusNotSent]
	if open > 0 && (a.Exit == 0 || a.Exit == 1) {
		a.report(NoGuessing, 0, "the exit code is %d, and %d rows are unknown or not sent", a.Exit, open)
	}
	for i := range a.Journal {
		line := &a.Journal[i]
		hasRule := slices.ContainsFunc(line.Problems, func(p importer.RowProblem) bool { return p.Rule != "" && p.Severity == mapping.SeverityError })
		if line.Status == importer.StatusInvalid && !hasRule {
			a.report(Justified, line.Row, "it is invalid, and no rule says why")
		}
	}
}
