package conformance

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/google/go-cmp/cmp"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
)

const (
	testTarget = "OC_TEST at https://controller.example"
	testSource = "/data/students.csv"
)

var testTime = time.Date(2026, 9, 1, 8, 30, 0, 123_456_000, time.UTC)

func must(t TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func diff(t TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func testRun() importer.RunInfo {
	return importer.RunInfo{
		Client: "OC_TEST", Target: testTarget, Source: testSource, FileHash: "f1", MappingHash: "m1",
		Reports: importer.Reports{Results: "/data/students.results.csv", Fix: "-"}, StartedAt: testTime,
	}
}

// testRow is a planned row; its key follows from its number.
func testRow(row int, status importer.Status) importer.PlannedRow {
	id := fmt.Sprintf("id-%d", row)
	p := importer.PlannedRow{Row: row, UniqueID: id, LoginSource: "SSO", Key: testKey(row), Hash: importer.Digest{byte(row), byte(row >> 8), 1}, Status: status}
	if status == importer.StatusPending {
		p.Payload = fmt.Appendf(nil, `{"unique_id":%q,"last_name":"Canary-%d"}`, id, row)
		p.Unique = testUnique(row)
	}
	return p
}

func testUnique(row int) importer.UniqueValues {
	return importer.UniqueValues{importer.UniqueValue(1_000_000 + row), importer.UniqueValue(2_000_000 + row)}
}

func testKey(row int) importer.Digest {
	return importer.Digest{byte(row), byte(row >> 8), byte(row >> 16), 7}
}

// begin begins a run to a target.
func begin(t TB, j journal.Journal, target string) journal.Run {
	t.Helper()
	info := testRun()
	info.Target = target
	r, err := j.Begin(t.Context(), info)
	must(t, err)
	return r
}

// planned begins a run with pending rows of those numbers and seals it.
func planned(t TB, j journal.Journal, state importer.RunState, rows ...int) journal.Run {
	t.Helper()
	return plannedFor(t, j, testTarget, state, rows...)
}

func plannedFor(t TB, j journal.Journal, target string, state importer.RunState, rows ...int) journal.Run {
	t.Helper()
	r := begin(t, j, target)
	plan := make([]importer.PlannedRow, len(rows))
	for i, row := range rows {
		plan[i] = testRow(row, importer.StatusPending)
	}
	must(t, r.Append(t.Context(), plan))
	must(t, r.Seal(t.Context(), state, len(rows), nil))
	return r
}

// pushed is the outcome of a row that the Controller accepted.
func pushed(row int) importer.Outcome { return pushedAs(row, fmt.Sprint(row*10)) }

func pushedAs(row int, reference string) importer.Outcome {
	return importer.Outcome{Row: row, Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: reference, Attempts: 1}, FinishedAt: testTime}
}

// released is the outcome of a row that was claimed and not sent.
func released(row int) importer.Outcome {
	return importer.Outcome{Row: row, Answer: importer.Answer{Status: importer.StatusNotSent}, Retry: true}
}

// finished makes a run with these rows, all of which are pushed.
func finished(t TB, j journal.Journal, rows ...int) journal.Run {
	t.Helper()
	r := planned(t, j, importer.RunPushing, rows...)
	pushAll(t, r)
	must(t, r.Finish(t.Context(), testTime))
	return r
}

// pushAll claims all rows of the round, and records that they are pushed.
func pushAll(t TB, r journal.Run) {
	t.Helper()
	var outcomes []importer.Outcome
	for _, row := range claimAll(t, r) {
		outcomes = append(outcomes, pushed(row))
	}
	must(t, r.Record(t.Context(), outcomes))
}

// claim claims n rows, fewer only if there are no more, and returns their numbers.
func claim(t TB, r journal.Run, n int) (rows []int) {
	t.Helper()
	for len(rows) < n {
		some := claimOnce(t, r, n-len(rows))
		if len(some) == 0 {
			break
		}
		rows = append(rows, some...)
	}
	return rows
}

// claimOnce calls Claim once.
func claimOnce(t TB, r journal.Run, most int) (rows []int) {
	t.Helper()
	jobs, err := r.Claim(t.Context(), most)
	must(t, err)
	if len(jobs) > most {
		t.Errorf("%d rows were claimed, at most %d were asked for", len(jobs), most)
	}
	for _, job := range jobs {
		rows = append(rows, job.Row)
		if want := string(testRow(job.Row, importer.StatusPending).Payload); string(job.Payload) != want {
			t.Errorf("row %d: payload %s, want %s", job.Row, job.Payload, want)
		}
	}
	return rows
}

// claimAll claims all rows of the round.
func claimAll(t TB, r journal.Run) (rows []int) {
	t.Helper()
	for {
		some := claimOnce(t, r, 77)
		if len(some) == 0 {
			return rows
		}
		rows = append(rows, some...)
	}
}

// statuses returns the results as "row status attempts".
func statuses(t TB, r journal.Run) (lines []string) {
	t.Helper()
	for _, line := range collected(t, r.Results(t.Context())) {
		lines = append(lines, fmt.Sprintf("%d %s %d", line.Row, line.Status, line.Attempts))
	}
	return lines
}

// collected returns what the results yield.
func collected(t TB, results iter.Seq2[importer.Result, error]) (all []importer.Result) {
	t.Helper()
	for line, err := range results {
		must(t, err)
		all = append(all, line)
	}
	return all
}

// openRun opens a stored run.
func openRun(t TB, j journal.Journal, id int64) journal.Run {
	t.Helper()
	r, err := j.Run(t.Context(), id)
	must(t, err)
	return r
}

// recovered puts the journal in order after a process has died, as the next one does.
func recovered(t TB, j journal.Journal) {
	t.Helper()
	release, err := j.Lock(t.Context(), testTarget)
	must(t, err)
	must(t, j.Recover(t.Context(), testTarget))
	must(t, release())
}

// afterCrash lets all processes die, and returns the journal in order, and a run.
func (t *test) afterCrash(id int64) (journal.Journal, journal.Run) {
	t.Helper()
	j := t.crash()
	recovered(t, j)
	return j, openRun(t, j, id)
}

// cancelled returns a context that has ended.
func cancelled(t TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// refusal is an amendment that makes a row invalid.
func refusal(row int, field, message string) importer.Amendment {
	return importer.Amendment{Row: row, Problem: &importer.RowProblem{
		Row: row, Problem: mapping.Problem{Rule: mapping.RuleDuplicateKey, Attribute: mapping.AttributeNamed(field), Column: mapping.NoColumn, Message: message},
	}}
}
