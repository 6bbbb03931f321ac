package conformance

import (
	"context"
	"errors"
	"strings"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/mapping"
)

func pushes() []part {
	return []part{
		{"claims in row order", claimsInRowOrder},
		{"claims skip chunks with nothing pending", claimsSkipChunks},
		{"results", results},
		{"a run is resumed after a stop", resumeAfterStop},
		{"a released row keeps its outcome", releasedRow},
		{"finish refuses rows in flight", finishRefuses},
		{"record refuses", recordRefuses},
		{"one claims while another records", oneClaimsWhileAnotherRecords},
		{"results are of one state", resultsOfOneState},
		{"cancelled calls change nothing", cancelledCalls},
	}
}

func claimsInRowOrder(t *test) {
	r := planned(t, t.open(), importer.RunPushing, 2, 3, 255, 256, 257, 1000, 1001)
	diff(t, "first claim", claim(t, r, 3), []int{2, 3, 255})
	diff(t, "second claim", claim(t, r, 2), []int{256, 257})
	diff(t, "third claim", claim(t, r, 100), []int{1000, 1001})
	diff(t, "fourth claim", claim(t, r, 100), []int(nil))
}

// Chunks are loaded several at a time, but not those far apart.
func claimsSkipChunks(t *test) {
	r := begin(t, t.open(), testTarget)
	var want []int
	for row := 2; row < 20*format.ChunkRows; row += 100 {
		status := importer.StatusUnchanged
		if chunk := format.ChunkOf(row); chunk < 2 || chunk == 5 || chunk == 6 || chunk > 17 {
			status, want = importer.StatusPending, append(want, row)
		}
		must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(row, status)}))
	}
	must(t, r.Seal(t.Context(), importer.RunPushing, 100, nil))
	var got []int
	for _, n := range []int{1, 3, 1000, 1000} {
		got = append(got, claim(t, r, n)...)
	}
	diff(t, "claimed", got, want)
}

func results(t *test) {
	r := begin(t, t.open(), testTarget)
	later := testTime.Add(time.Minute)
	problem := func(row int, severity mapping.Severity, attribute mapping.Attribute, message string) importer.RowProblem {
		return importer.RowProblem{Row: row, Header: "E-mail", Problem: mapping.Problem{
			Rule: mapping.RuleBadEmail, Severity: severity, Attribute: attribute, Column: 3, Message: message, Advice: "Fix it.",
		}}
	}
	invalid := importer.PlannedRow{Row: 3, Status: importer.StatusInvalid, Problems: []importer.RowProblem{
		problem(3, mapping.SeverityWarning, mapping.City, "A warning."), problem(3, mapping.SeverityError, mapping.Email, "Not an address."),
	}}
	unchanged := testRow(4, importer.StatusUnchanged)
	unchanged.ReferenceID = "44"
	warned := testRow(9, importer.StatusPending)
	warned.Problems = []importer.RowProblem{problem(9, mapping.SeverityWarning, mapping.Email, "Odd.")}
	must(t, r.Append(t.Context(), []importer.PlannedRow{
		testRow(2, importer.StatusPending), invalid, unchanged, testRow(5, importer.StatusPending), testRow(6, importer.StatusPending), testRow(7, importer.StatusSkipped),
		testRow(8, importer.StatusPending), warned, testRow(10, importer.StatusPending), testRow(11, importer.StatusPending), testRow(12, importer.StatusPending), testRow(700, importer.StatusPending),
	}))
	first, second := refusal(3, "unique_id", "first"), refusal(3, "user_name", "second")
	must(t, r.Amend(t.Context(), []importer.Amendment{
		first, {Row: 5, DuplicateOf: 2},
	}))
	must(t, r.Amend(t.Context(), []importer.Amendment{second}))
	must(t, r.Seal(t.Context(), importer.RunPushing, 12, nil))
	claim(t, r, 6) // rows 2, 6, 8, 9, 10, 11
	must(t, r.Record(t.Context(), []importer.Outcome{
		{Row: 10, Answer: importer.Answer{Status: importer.StatusFailed, Message: "no answer", Attempts: 5}, Retry: true, FinishedAt: testTime},
		{Row: 2, Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: "a-b", Attempts: 2}, FinishedAt: testTime},
	}))
	must(t, r.Record(t.Context(), []importer.Outcome{
		{Row: 6, Answer: importer.Answer{Status: importer.StatusRejected, ErrorCode: "9019", Field: "email", Message: "not unique", Attempts: 1}, FinishedAt: later},
		released(8),
		{Row: 9, Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: "9", Attempts: 1}, FinishedAt: later},
	}))
	line := func(row int, status importer.Status) importer.Result {
		p := testRow(row, status)
		return importer.Result{Row: row, UniqueID: p.UniqueID, LoginSource: p.LoginSource, Status: status}
	}
	want := []importer.Result{
		line(2, importer.StatusPushed),
		{Row: 3, Status: importer.StatusInvalid, Field: "user_name", Message: "second; first; E-mail (column D): Not an address. Fix it.",
			Warnings: "E-mail (column D): A warning. Fix it.", Problems: append([]importer.RowProblem{*second.Problem, *first.Problem}, invalid.Problems...)},
		line(4, importer.StatusUnchanged), line(5, importer.StatusDuplicate), line(6, importer.StatusRejected), line(7, importer.StatusSkipped), line(8, importer.StatusNotSent),
		line(9, importer.StatusPushed), line(10, importer.StatusFailed), line(11, importer.StatusUnknown), line(12, importer.StatusNotSent), line(700, importer.StatusNotSent),
	}
	want[0].ReferenceID, want[0].Attempts, want[0].FinishedAt = "a-b", 2, testTime
	want[2].ReferenceID = "44"
	want[3].Message = "The same as row 2."
	want[4].ErrorCode, want[4].Field, want[4].Message, want[4].Attempts, want[4].FinishedAt = "9019", "email", "not unique", 1, later
	want[7].ReferenceID, want[7].Attempts, want[7].FinishedAt, want[7].Warnings = "9", 1, later, "E-mail (column D): Odd. Fix it."
	want[7].Problems = warned.Problems
	want[8].Message, want[8].Attempts, want[8].FinishedAt = "no answer", 5, testTime

	diff(t, "results", collected(t, r.Results(t.Context())), want)
	diff(t, "results as another process sees them", collected(t, openRun(t, t.open(), r.Info().ID).Results(t.Context())), want)
	counts, attempts, err := r.Counts(t.Context())
	must(t, err)
	diff(t, "counts", counts, importer.Counts{
		importer.StatusPushed: 2, importer.StatusInvalid: 1, importer.StatusUnchanged: 1, importer.StatusDuplicate: 1, importer.StatusRejected: 1,
		importer.StatusSkipped: 1, importer.StatusNotSent: 3, importer.StatusFailed: 1, importer.StatusUnknown: 1,
	})
	diff(t, "attempts", attempts, 9)
	for range r.Results(t.Context()) { // may be left early
		break
	}
}

func resumeAfterStop(t *test) {
	j := t.open()
	r := planned(t, j, importer.RunPushing, 2, 3, 4, 5, 300, 301)
	claim(t, r, 5)
	must(t, r.Record(t.Context(), []importer.Outcome{
		pushed(2), {Row: 3, Answer: importer.Answer{Status: importer.StatusFailed, Attempts: 4}, Retry: true}, {Row: 4, Answer: importer.Answer{Status: importer.StatusRejected, Attempts: 1}},
		released(300),
	}))
	must(t, r.Stop(t.Context()))
	stopped := []string{"2 pushed 1", "3 failed 4", "4 rejected 1", "5 unknown 0", "300 not_sent 0", "301 not_sent 0"}
	diff(t, "stopped", statuses(t, r), stopped)

	again := openRun(t, j, r.Info().ID)
	must(t, again.Start(t.Context()))
	diff(t, "started again", statuses(t, again), stopped)
	diff(t, "claimed again", claim(t, again, 3), []int{3, 5, 300})
	diff(t, "what is claimed may have been sent", statuses(t, again),
		[]string{"2 pushed 1", "3 unknown 4", "4 rejected 1", "5 unknown 0", "300 unknown 0", "301 not_sent 0"})
	must(t, again.Record(t.Context(), []importer.Outcome{pushed(3), pushed(5), pushed(300)}))
	if err := again.Finish(t.Context(), testTime); err == nil || !strings.Contains(err.Error(), "still to be pushed") {
		t.Errorf("finish with a row left: %v", err)
	}
	diff(t, "the rest", claim(t, again, 3), []int{301})
	must(t, again.Record(t.Context(), []importer.Outcome{{Row: 301, Answer: importer.Answer{Status: importer.StatusFailed, Attempts: 5}, Retry: true}}))
	must(t, again.Finish(t.Context(), testTime))
	diff(t, "finished", statuses(t, again), []string{"2 pushed 1", "3 pushed 5", "4 rejected 1", "5 pushed 1", "300 pushed 1", "301 failed 5"})
}

// A row that is claimed again and released keeps the outcome that it had: to call it
// not_sent would be a guess, when it may have been sent before the process died.
func releasedRow(t *test) {
	givenBack := func(rows ...int) (outcomes []importer.Outcome) {
		for _, row := range rows {
			outcomes = append(outcomes, released(row))
		}
		return outcomes
	}
	r := planned(t, t.open(), importer.RunPushing, 2, 3, 4, 5, 6)
	claim(t, r, 5)
	must(t, r.Record(t.Context(), append(givenBack(2),
		importer.Outcome{Row: 3, Answer: importer.Answer{Status: importer.StatusFailed, Attempts: 4, Message: "no answer"}, Retry: true},
		importer.Outcome{Row: 4, Answer: importer.Answer{Status: importer.StatusUnknown, Attempts: 1}, Retry: true},
		importer.Outcome{Row: 5, Answer: importer.Answer{Status: importer.StatusRejected, Attempts: 1, ErrorCode: "9002"}, Retry: true},
	)))
	_, r = t.afterCrash(r.Info().ID) // with row 6 in flight
	stood := []string{"2 not_sent 0", "3 failed 4", "4 unknown 1", "5 rejected 1", "6 unknown 0"}
	must(t, r.Start(t.Context()))
	diff(t, "claimed", claim(t, r, 5), []int{2, 3, 4, 5, 6})
	must(t, r.Record(t.Context(), givenBack(2, 3, 4, 5, 6)))
	must(t, r.Stop(t.Context()))
	diff(t, "claimed and released", statuses(t, r), stood)

	must(t, r.Start(t.Context()))
	claim(t, r, 5)
	_, r = t.afterCrash(r.Info().ID)
	must(t, r.Start(t.Context()))
	claim(t, r, 5)
	must(t, r.Record(t.Context(), givenBack(2, 3, 4, 5, 6)))
	diff(t, "in flight when the process died, and released", statuses(t, r),
		[]string{"2 unknown 0", "3 unknown 4", "4 unknown 1", "5 unknown 1", "6 unknown 0"})
}

func finishRefuses(t *test) {
	r := planned(t, t.open(), importer.RunPushing, 2)
	if err := r.Finish(t.Context(), testTime); err == nil {
		t.Error("finished although a row was not sent")
	}
	claim(t, r, 1)
	if err := r.Finish(t.Context(), testTime); err == nil {
		t.Error("finished although a row is in flight")
	}
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)})) // the run goes on
	must(t, r.Finish(t.Context(), testTime))
}

func recordRefuses(t *test) {
	r := planned(t, t.open(), importer.RunPushing, 2, 3)
	claim(t, r, 1)
	for name, outcomes := range map[string][]importer.Outcome{
		"a row that nobody claimed": {pushed(2), pushed(3)},
		"a status that is none":     {{Row: 2, Answer: importer.Answer{Status: "splendid"}}},
	} {
		if err := r.Record(t.Context(), outcomes); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	diff(t, "nothing was recorded", statuses(t, r), []string{"2 unknown 0", "3 not_sent 0"})
	must(t, r.Record(t.Context(), nil))
}

// oneClaimsWhileAnotherRecords is for the race detector.
func oneClaimsWhileAnotherRecords(t *test) {
	var rows []int
	for row := 2; row < 2000; row++ {
		rows = append(rows, row)
	}
	r := planned(t, t.open(), importer.RunPushing, rows...)
	jobs := make(chan []importer.Job, 4)
	failed := make(chan error, 1)
	go func() {
		defer close(jobs)
		for {
			claimed, err := r.Claim(t.Context(), 64)
			if err != nil || len(claimed) == 0 {
				failed <- err
				return
			}
			select {
			case jobs <- claimed:
			case <-t.Context().Done(): // the test has failed
				return
			}
		}
	}()
	for claimed := range jobs {
		var outcomes []importer.Outcome
		for _, job := range claimed {
			outcomes = append(outcomes, pushed(job.Row))
		}
		must(t, r.Record(t.Context(), outcomes))
		counts, _, err := r.Counts(t.Context())
		must(t, err)
		if counts.Sum() != len(rows) {
			t.Fatalf("%d rows, want %d", counts.Sum(), len(rows))
		}
		r.Info()
	}
	must(t, <-failed)
	must(t, r.Finish(t.Context(), testTime))
}

// resultsOfOneState reads results while more is recorded. Rows are recorded in their order:
// once one was not pushed, none behind it was.
func resultsOfOneState(t *test) {
	const rows = 2000
	numbers := make([]int, rows)
	for i := range numbers {
		numbers[i] = i + 2
	}
	r := planned(t, t.open(), importer.RunPushing, numbers...)
	seen := openRun(t, t.open(), r.Info().ID)
	recorded := make(chan error, 1)
	go func() { recorded <- pushInOrder(context.WithoutCancel(t.Context()), r) }()
	for done := false; !done; {
		select {
		case err := <-recorded:
			must(t, err)
			done = true // after one more look
		default:
		}
		isPushed := rows
		lines := collected(t, seen.Results(t.Context()))
		for i, line := range lines {
			switch {
			case line.Status != importer.StatusPushed:
				isPushed = min(isPushed, i)
			case isPushed < rows:
				t.Fatalf("row %d is pushed, and row %d is %s", line.Row, lines[isPushed].Row, lines[isPushed].Status)
			}
		}
		if len(lines) != rows || done && isPushed < rows {
			t.Errorf("%d lines, the first %d are pushed", len(lines), isPushed)
		}
	}
}

// pushInOrder pushes all rows of the round, and records them in their order.
func pushInOrder(ctx context.Context, r journal.Run) error {
	for {
		jobs, err := r.Claim(ctx, 50)
		if err != nil || len(jobs) == 0 {
			return err
		}
		outcomes := make([]importer.Outcome, len(jobs))
		for i, job := range jobs {
			outcomes[i] = pushed(job.Row)
		}
		if err := r.Record(ctx, outcomes); err != nil {
			return err
		}
	}
}

func cancelledCalls(t *test) {
	j := t.open()
	r := planned(t, j, importer.RunPushing, 2, 3)
	ended := cancelled(t)
	if _, err := r.Claim(ended, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("claim: %v", err)
	}
	diff(t, "claimed", claim(t, r, 9), []int{2, 3})
	if err := r.Record(ended, []importer.Outcome{pushed(2)}); !errors.Is(err, context.Canceled) {
		t.Errorf("record: %v", err)
	}
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	if err := r.Stop(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("stop: %v", err)
	}
	if err := r.Finish(ended, testTime); !errors.Is(err, context.Canceled) {
		t.Errorf("finish: %v", err)
	}
	must(t, r.Stop(t.Context()))
	diff(t, "results", statuses(t, r), []string{"2 pushed 1", "3 unknown 0"})
	id := r.Info().ID
	for name, err := range map[string]error{
		"start": r.Start(ended), "supersede": j.Supersede(ended, id), "recover": j.Recover(ended, testTarget),
		"save user types": j.SaveUserTypes(ended, testTarget, nil, testTime), "forget the target": j.ForgetTarget(ended, testTarget),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := j.Forget(ended, id); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("forget: %d, %v", n, err)
	}
	if n, err := j.Expire(ended, id); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("expire: %d, %v", n, err)
	}
	if _, err := j.Begin(ended, testRun()); !errors.Is(err, context.Canceled) {
		t.Errorf("begin: %v", err)
	}
	runs, err := j.Runs(t.Context())
	must(t, err)
	if len(runs) != 1 || runs[0].State != importer.RunStopped {
		t.Errorf("runs: %+v", runs)
	}
	var last error
	for _, err := range r.Results(ended) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("results: %v", last)
	}
	must(t, r.Start(t.Context()))
	diff(t, "claimed again", claim(t, r, 9), []int{3})
}
