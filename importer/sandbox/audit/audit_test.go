package audit

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/mapping"
)

// person returns the row of the person with that number, in version v of it.
func person(row, number int, v string) SourceRow {
	id := strconv.Itoa(number)
	return SourceRow{
		Number: row, Status: importer.StatusPending, Key: sandbox.KeyOf("SSO", id),
		Body: sha256.Sum256([]byte(id + v)),
	}
}

// request returns what the request log says of a push of the row that was accepted.
func request(sequence int64, row SourceRow, referenceID int) sandbox.Entry {
	return sandbox.Entry{
		Sequence: sequence, Call: sandbox.PushCall, Key: row.Key, Body: row.Body,
		Status: 200, ReferenceID: referenceID, Applied: true, Delivered: true,
	}
}

// refused makes an acceptance a refusal.
func refused(entry sandbox.Entry, code int) sandbox.Entry {
	entry.Status, entry.ErrorCode, entry.ReferenceID, entry.Applied = 400, code, 0, false
	return entry
}

// lost makes an acceptance one whose answer did not arrive.
func lost(entry sandbox.Entry) sandbox.Entry {
	entry.Status, entry.Delivered = 0, false
	return entry
}

func invalidBy(rule mapping.Rule) []importer.RowProblem {
	return []importer.RowProblem{{Problem: mapping.Problem{Rule: rule}}}
}

// honestRun is a run of which every record tells the truth: one row of every
// status, an earlier run, and two crashes. Each call makes it again.
func honestRun() Evidence {
	pushed, again := person(2, 1, "new"), person(3, 2, "new")
	unchanged, rejected, failed := person(4, 3, "same"), person(5, 4, "new"), person(6, 5, "new")
	twice, contradicted := person(7, 1, "new"), person(10, 6, "new")
	requests := []sandbox.Entry{
		{Sequence: 1, Call: sandbox.TypesCall, Status: 200, Delivered: true},
		request(2, person(2, 1, "old"), 1001), request(3, unchanged, 1003),
		{Sequence: 4, Call: sandbox.TypesCall, Status: 200, Delivered: true}, // this run begins
		request(5, pushed, 1001), request(6, again, 1002), // crash 2
		request(7, again, 1002), refused(request(8, rejected, 0), 9019), lost(request(9, failed, 1005)),
		{Sequence: 10, Call: sandbox.PushCall, Status: 400, ErrorCode: 9003}, // could not be read
	}
	lines := func(second, fourth, fifth importer.Result) []importer.Result {
		return []importer.Result{
			{Row: 2, Status: importer.StatusPushed, ReferenceID: "1001", Attempts: 1}, second,
			{Row: 4, Status: importer.StatusUnchanged, ReferenceID: "1003"}, fourth, fifth,
			{Row: 7, Status: importer.StatusDuplicate, Message: "The same as row 2."},
			{Row: 8, Status: importer.StatusInvalid, Message: "Bad.", Problems: invalidBy(mapping.RuleBadDate)},
			{Row: 9, Status: importer.StatusSkipped},
			{Row: 10, Status: importer.StatusInvalid, Message: "Contradicted.", Problems: invalidBy(mapping.RuleDuplicateKey)},
		}
	}
	final := func() []importer.Result {
		return lines(importer.Result{Row: 3, Status: importer.StatusPushed, ReferenceID: "1002", Attempts: 1},
			importer.Result{Row: 5, Status: importer.StatusRejected, ErrorCode: "9019", Attempts: 1, Message: "Taken."},
			importer.Result{Row: 6, Status: importer.StatusFailed, Attempts: 1})
	}
	counts := func() importer.Counts {
		return importer.Counts{
			importer.StatusPushed: 2, importer.StatusUnchanged: 1, importer.StatusRejected: 1, importer.StatusFailed: 1,
			importer.StatusDuplicate: 1, importer.StatusInvalid: 2, importer.StatusSkipped: 1, importer.StatusUnknown: 0,
		}
	}
	return Evidence{
		Source: []SourceRow{
			pushed, again, unchanged, rejected, failed, twice,
			{Number: 8, Status: importer.StatusInvalid}, {Number: 9, Status: importer.StatusSkipped}, contradicted,
		},
		Requests: requests, Since: 4,
		Crashes: []Crash{{Sequence: 4}, {Sequence: 6, Journal: lines(
			importer.Result{Row: 3, Status: importer.StatusUnknown},
			importer.Result{Row: 5, Status: importer.StatusNotSent},
			importer.Result{Row: 6, Status: importer.StatusNotSent},
		)}},
		Journal: final(), Results: final(),
		Totals: []Totals{
			{Name: "summary", Rows: 9, Counts: counts(), Attempts: 4, Exit: 1},
			{Name: "runs show", Rows: 9, Counts: counts(), Attempts: 4, Exit: 1},
		},
		Exit: 1,
	}
}

func TestAnHonestRunHasNoViolations(t *testing.T) {
	if found := Check(honestRun()); len(found) > 0 {
		t.Errorf("%v", found)
	}
}

// TestLiesAreFound falsifies one record at a time.
func TestLiesAreFound(t *testing.T) {
	both := func(r *Evidence, row int, change func(*importer.Result)) { // journal and results tell the same lie
		change(&r.Journal[row-2])
		change(&r.Results[row-2])
	}
	for name, tc := range map[string]struct {
		doctor func(r *Evidence)
		want   []string // invariants and rows of the violations, a repetition once
	}{
		"a dropped row in the results":     {func(r *Evidence) { r.Results = slices.Delete(r.Results, 3, 4) }, []string{"I1 0", "I1 5"}},
		"a dropped row in the journal":     {func(r *Evidence) { r.Journal = slices.Delete(r.Journal, 5, 6) }, []string{"I1 0", "I1 7", "I5 0"}},
		"a row twice in the results":       {func(r *Evidence) { r.Results = slices.Insert(r.Results, 7, r.Results[7]) }, []string{"I1 0", "I1 9"}},
		"a row that the source lacks":      {func(r *Evidence) { r.Source = r.Source[:8] }, []string{"I1 0", "I1 10"}},
		"rows in another order":            {func(r *Evidence) { r.Results[6], r.Results[7] = r.Results[7], r.Results[6] }, []string{"I1 8"}},
		"a status that is none":            {func(r *Evidence) { both(r, 6, func(l *importer.Result) { l.Status = importer.StatusValid }) }, []string{"I1 6", "I5 0"}},
		"a receipt that does not add up":   {func(r *Evidence) { r.Totals[0].Counts[importer.StatusPushed]++ }, []string{"I1 0", "I5 0"}},
		"a receipt of other rows":          {func(r *Evidence) { r.Totals[0].Rows++ }, []string{"I1 0"}},
		"a changed reference id":           {func(r *Evidence) { both(r, 3, func(l *importer.Result) { l.ReferenceID = "1003" }) }, []string{"I2 3"}},
		"one in the results alone":         {func(r *Evidence) { r.Results[1].ReferenceID = "1001" }, []string{"I2 3", "I5 3"}},
		"an acceptance of another profile": {func(r *Evidence) { r.Requests[4].Body[0]++ }, []string{"I2 0", "I2 2"}},
		"an acceptance that was none":      {func(r *Evidence) { r.Requests[4] = refused(r.Requests[4], 9019) }, []string{"I2 2"}},
		"an acceptance of an earlier run":  {func(r *Evidence) { r.Since = 5 }, []string{"I2 2"}},
		"unchanged and yet another":        {func(r *Evidence) { r.Requests[2].Body[0]++ }, []string{"I2 4"}},
		"unchanged with another id":        {func(r *Evidence) { both(r, 4, func(l *importer.Result) { l.ReferenceID = "1" }) }, []string{"I2 4"}},
		"unchanged and sent": {func(r *Evidence) { r.Requests = append(r.Requests, request(11, r.Source[2], 1003)) },
			[]string{"I4 4"}},
		"a duplicate of nothing":      {func(r *Evidence) { r.Source[5].Body[0]++ }, []string{"I2 7"}},
		"somebody who is not in it":   {func(r *Evidence) { r.Requests = append(r.Requests, request(11, person(11, 9, ""), 1009)) }, []string{"I2 0"}},
		"a doubled acceptance":        {func(r *Evidence) { r.Requests = append(r.Requests, request(11, r.Source[0], 1001)) }, []string{"I3 2"}},
		"an acceptance taken back":    {func(r *Evidence) { both(r, 2, func(l *importer.Result) { l.Status = importer.StatusUnknown }) }, []string{"I3 2", "I5 0", "I6 0"}},
		"rejected for another reason": {func(r *Evidence) { both(r, 5, func(l *importer.Result) { l.ErrorCode = "9020" }) }, []string{"I4 5"}},
		"rejected and accepted later": {func(r *Evidence) { r.Requests = append(r.Requests, request(11, r.Source[3], 1004)) }, []string{"I4 5"}},
		"rejected without a code":     {func(r *Evidence) { both(r, 5, func(l *importer.Result) { l.ErrorCode = "" }) }, nil},
		"rejected without an answer": {func(r *Evidence) {
			both(r, 5, func(l *importer.Result) { l.ErrorCode = "" })
			r.Requests[7].Status = 0
		}, []string{"I4 5"}},
		"rejected by a status that means not now": {func(r *Evidence) {
			both(r, 5, func(l *importer.Result) { l.ErrorCode = "" })
			r.Requests[7].Status = 502
		}, []string{"I4 5"}},
		"rejected unheard":           {func(r *Evidence) { r.Requests[7].Delivered = false }, []string{"I4 5"}},
		"rejected and never sent":    {func(r *Evidence) { r.Requests = slices.Delete(r.Requests, 7, 8) }, []string{"I4 5"}},
		"invalid without a rule":     {func(r *Evidence) { r.Journal[6].Problems = nil }, []string{"I4 8"}},
		"invalid without a word":     {func(r *Evidence) { both(r, 8, func(l *importer.Result) { l.Message = "" }) }, []string{"I4 8"}},
		"invalid and sent":           {func(r *Evidence) { r.Requests = append(r.Requests, request(11, r.Source[8], 1006)) }, []string{"I4 10"}},
		"valid cells called invalid": {func(r *Evidence) { r.Source[6].Status = importer.StatusSkipped }, []string{"I4 8"}},
		"skipped by nothing":         {func(r *Evidence) { r.Source[7] = person(9, 8, "") }, []string{"I4 9"}},
		"failed without an attempt":  {func(r *Evidence) { both(r, 6, func(l *importer.Result) { l.Attempts = 0 }) }, []string{"I4 6", "I5 0"}},
		"another exit code":          {func(r *Evidence) { r.Exit = 0 }, []string{"I5 0"}},
		"another exit code shown":    {func(r *Evidence) { r.Totals[1].Exit = 0 }, []string{"I5 0"}},
		"other counts shown": {func(r *Evidence) {
			r.Totals[1].Counts[importer.StatusPushed]--
			r.Totals[1].Counts[importer.StatusUnknown]++
		}, []string{"I5 0"}},
		"other attempts shown":           {func(r *Evidence) { r.Totals[1].Attempts++ }, []string{"I5 0"}},
		"another message in the results": {func(r *Evidence) { r.Results[4].Message = "Other." }, []string{"I5 6"}},
		"requests that nobody tells of":  {func(r *Evidence) { r.Crashes, r.Totals = nil, nil }, []string{"I5 0"}},
		"sent and called not sent": {func(r *Evidence) { both(r, 6, func(l *importer.Result) { l.Status = importer.StatusNotSent }) },
			[]string{"I5 0", "I6 0", "I6 6"}},
		"sent and called not sent after a crash": {func(r *Evidence) { r.Crashes[1].Journal[1].Status = importer.StatusNotSent }, []string{"I6 3"}},
		"pushed by guess after a crash": {func(r *Evidence) {
			r.Crashes[1].Journal[3] = importer.Result{Row: 5, Status: importer.StatusPushed, ReferenceID: "1004"}
		}, []string{"I2 5", "I3 5"}},
		"complete with an unknown row": {func(r *Evidence) { both(r, 3, func(l *importer.Result) { l.Status = importer.StatusUnknown }) }, []string{"I5 0", "I6 0"}},
		"sent before there was a plan": {func(r *Evidence) { r.Crashes[0].Sequence = 5 }, []string{"I6 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			run := honestRun()
			tc.doctor(&run)
			var got []string
			for _, v := range Check(run) {
				got = append(got, string(v.Invariant)+" "+strconv.Itoa(v.Row))
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, slices.Compact(got)); diff != "" {
				t.Errorf("violations differ (-want +got):\n%s%v", diff, Check(run))
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	row := person(2, 1, "")
	for name, tc := range map[string]struct {
		run  Evidence
		good []int
	}{
		"all pushed":   {Evidence{Requests: []sandbox.Entry{request(1, row, 1001)}, Journal: []importer.Result{{Row: 2, Status: importer.StatusPushed, ReferenceID: "1001", Attempts: 1}}}, []int{0}},
		"one rejected": {Evidence{Requests: []sandbox.Entry{refused(request(1, row, 0), 9019)}, Journal: []importer.Result{{Row: 2, Status: importer.StatusRejected, ErrorCode: "9019", Attempts: 1}}}, []int{1, 3}},
		"one failed":   {Evidence{Journal: []importer.Result{{Row: 2, Status: importer.StatusFailed, Attempts: 5}}}, []int{1, 3}}, // 3: it waits again
		"one not sent": {Evidence{Journal: []importer.Result{{Row: 2, Status: importer.StatusNotSent}}}, []int{3, 4}},
		"one is open":  {Evidence{Requests: []sandbox.Entry{lost(request(1, row, 1001))}, Journal: []importer.Result{{Row: 2, Status: importer.StatusUnknown, Attempts: 1}}}, []int{3}},
	} {
		tc.run.Source, tc.run.Results = []SourceRow{row}, tc.run.Journal
		for exit := range 6 {
			tc.run.Exit = exit
			if found := Check(tc.run); (len(found) == 0) != slices.Contains(tc.good, exit) {
				t.Errorf("%s, exit code %d: %v", name, exit, found)
			}
		}
	}
}
