package audit

import (
	"maps"
	"math"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
)

// The exit codes, as docs/reference/commands.md has them.
const (
	exitDone       = 0
	exitRows       = 1
	exitIncomplete = 3
	exitHeld       = 4
)

// checkResults holds the results file against the journal, line by line.
func (a *auditor) checkResults() {
	stored := make(map[int]importer.Result, len(a.Journal))
	for _, line := range a.Journal {
		stored[line.Row] = shown(line)
	}
	for i := range a.Results {
		line := &a.Results[i]
		want, known := stored[line.Row]
		if got := shown(*line); known && !sameLine(got, want) {
			a.report(Agreement, line.Row, "the results say %s %q %q after %d attempts, the journal says %s %q %q after %d",
				got.Status, got.ReferenceID, got.ErrorCode, got.Attempts, want.Status, want.ReferenceID, want.ErrorCode, want.Attempts)
		}
	}
	a.checkLines("the results", a.Results, math.MaxInt64)
}

// shown is the part of a result that its line in a results file shows.
func shown(r importer.Result) importer.Result {
	r.Problems = nil
	if !r.FinishedAt.IsZero() {
		r.FinishedAt = r.FinishedAt.UTC().Truncate(time.Second)
	}
	return r
}

func sameLine(a, b importer.Result) bool {
	equal := a.FinishedAt.Equal(b.FinishedAt)
	return equal && a.Row == b.Row && a.UniqueID == b.UniqueID && a.LoginSource == b.LoginSource && a.Status == b.Status &&
		a.ReferenceID == b.ReferenceID && a.ErrorCode == b.ErrorCode && a.Field == b.Field && a.Message == b.Message &&
		a.Warnings == b.Warnings && a.Attempts == b.Attempts
}

// checkClaims holds the reports that count rows, and the exit code, against the
// journal.
func (a *auditor) checkTotals() {
	counts := countsOf(a.Journal)
	attempts := 0
	for i := range a.Journal {
		attempts += a.Journal[i].Attempts
	}
	for _, claim := range a.Totals {
		if claim.Rows != len(a.Source) || claim.Counts.Sum() != claim.Rows {
			a.report(OneOutcome, 0, "%s tells of %d rows and adds up to %d; the source has %d", claim.Name, claim.Rows, claim.Counts.Sum(), len(a.Source))
		}
		if !maps.Equal(withoutZeros(claim.Counts), counts) {
			a.report(Agreement, 0, "%s counts %v, the journal %v", claim.Name, claim.Counts, counts)
		}
		if claim.Attempts != attempts {
			a.report(Agreement, 0, "%s counts %d requests, the journal %d", claim.Name, claim.Attempts, attempts)
		}
		if claim.Exit != a.Exit {
			a.report(Agreement, 0, "%s gives the exit code %d, the command %d", claim.Name, claim.Exit, a.Exit)
		}
	}
	a.checkExit(counts)
	if came := a.pushes(); len(a.Crashes) == 0 && came > attempts {
		a.report(Agreement, 0, "%d requests came, and the journal tells of %d", came, attempts)
	}
}

// checkExit holds the exit code against the rows' statuses.
func (a *auditor) checkExit(counts importer.Counts) {
	want := exitDone
	tried := counts[importer.StatusPushed] + counts[importer.StatusRejected] + counts[importer.StatusFailed] + counts[importer.StatusUnknown]
	switch {
	case a.Exit == exitHeld && tried == 0:
		want = exitHeld
	case counts[importer.StatusUnknown]+counts[importer.StatusNotSent] > 0:
		want = exitIncomplete
	case a.Exit == exitIncomplete && (a.Results == nil || counts[importer.StatusRejected]+counts[importer.StatusFailed] > 0):
		want = exitIncomplete // the reports could not be written, the last row brought the news that all are refused, or failed rows wait again
	case counts[importer.StatusInvalid]+counts[importer.StatusRejected]+counts[importer.StatusFailed] > 0:
		want = exitRows
	}
	if a.Exit != want {
		a.report(Agreement, 0, "the exit code is %d; by the journal's %v it is %d", a.Exit, counts, want)
	}
}

// pushes returns how many pushes came in this run that could be read.
func (a *auditor) pushes() int {
	n := 0
	for _, requests := range a.requests {
		n += len(requests)
	}
	return n
}

// checkStrangers makes sure that anyone who was sent stands in the source, with that
// very profile.
func (a *auditor) checkStrayRequests() {
	type profile struct {
		key  sandbox.Key
		body sandbox.Hash
	}
	known := make(map[profile]bool, len(a.Source))
	for i := range a.Source {
		known[profile{a.Source[i].Key, a.Source[i].Body}] = true
	}
	for key, requests := range a.requests {
		for _, entry := range requests {
			if !known[profile{key, entry.Body}] {
				a.report(PushedIsAccepted, 0, "request %d brought a profile that no row of the source gives", entry.Sequence)
			}
		}
	}
}

func countsOf(lines []importer.Result) importer.Counts {
	counts := importer.Counts{}
	for i := range lines {
		counts[lines[i].Status]++
	}
	return counts
}

func withoutZeros(counts importer.Counts) importer.Counts {
	counts = maps.Clone(counts)
	maps.DeleteFunc(counts, func(_ importer.Status, n int) bool { return n == 0 })
	return counts
}
