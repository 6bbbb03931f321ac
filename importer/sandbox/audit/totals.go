package audit

import (
	"maps"
	"math"
	"reflect"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
)

// The exit codes in docs/reference/commands.md.
const (
	exitDone       = 0
	exitRows       = 1
	exitIncomplete = 3
	exitHeld       = 4
)

// checkResults compares the results file with the journal, line by line.
func (a *auditor) checkResults() {
	stored := make(map[int]importer.Result, len(a.Journal))
	for _, line := range a.Journal {
		stored[line.Row] = inFile(line)
	}
	for _, line := range a.Results {
		got := inFile(line)
		if want, known := stored[line.Row]; known && !reflect.DeepEqual(got, want) {
			a.report(Agreement, line.Row, "the results say %s %q %q after %d attempts, the journal says %s %q %q after %d",
				got.Status, got.ReferenceID, got.ErrorCode, got.Attempts, want.Status, want.ReferenceID, want.ErrorCode, want.Attempts)
		}
	}
	a.checkLines("the results", a.Results, math.MaxInt64)
}

// inFile returns the part of a result that a results file shows.
func inFile(r importer.Result) importer.Result {
	r.Problems = nil
	r.FinishedAt = r.FinishedAt.UTC().Truncate(time.Second)
	return r
}

// checkTotals compares the reports that count rows, and the exit code, with the
// journal.
func (a *auditor) checkTotals() {
	counts := countsOf(a.Journal)
	attempts := 0
	for i := range a.Journal {
		attempts += a.Journal[i].Attempts
	}
	for _, t := range a.Totals {
		if t.Rows != len(a.Source) || t.Counts.Sum() != t.Rows {
			a.report(OneOutcome, 0, "%s reports %d rows and adds up to %d; the source has %d", t.Name, t.Rows, t.Counts.Sum(), len(a.Source))
		}
		if !maps.Equal(withoutZeros(t.Counts), counts) {
			a.report(Agreement, 0, "%s counts %v, the journal %v", t.Name, t.Counts, counts)
		}
		if t.Attempts != attempts {
			a.report(Agreement, 0, "%s counts %d requests, the journal %d", t.Name, t.Attempts, attempts)
		}
		if t.Exit != a.Exit {
			a.report(Agreement, 0, "%s has the exit code %d, the command %d", t.Name, t.Exit, a.Exit)
		}
	}
	a.checkExit(counts)
	arrived := 0
	for _, requests := range a.requests {
		arrived += len(requests)
	}
	if len(a.Crashes) == 0 && arrived > attempts {
		a.report(Agreement, 0, "%d requests arrived, the journal has %d", arrived, attempts)
	}
}

// checkExit compares the exit code with the rows' statuses.
func (a *auditor) checkExit(counts importer.Counts) {
	want := exitDone
	tried := counts[importer.StatusPushed] + counts[importer.StatusRejected] + counts[importer.StatusFailed] + counts[importer.StatusUnknown]
	switch {
	case a.Exit == exitHeld && tried == 0:
		want = exitHeld
	case counts[importer.StatusUnknown]+counts[importer.StatusNotSent] > 0:
		want = exitIncomplete
	case a.Exit == exitIncomplete && (a.Results == nil || counts[importer.StatusRejected]+counts[importer.StatusFailed] > 0):
		want = exitIncomplete // the reports could not be written, the last row showed that all are refused, or failed rows wait again
	case counts[importer.StatusInvalid]+counts[importer.StatusRejected]+counts[importer.StatusFailed] > 0:
		want = exitRows
	}
	if a.Exit != want {
		a.report(Agreement, 0, "the exit code is %d; for the journal's %v it should be %d", a.Exit, counts, want)
	}
}

// checkStrayRequests checks that everybody who was sent is in the source, with that
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
				a.report(PushedIsAccepted, 0, "request %d has a profile that no row of the source gives", entry.Sequence)
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
