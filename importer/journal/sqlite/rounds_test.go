package sqlite

import (
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/mapping"
)

// inRounds plans pending rows from 2 to last, and gives some of them a round.
func inRounds(t *testing.T, j *Journal, last int, rounds ...importer.Amendment) *Run {
	t.Helper()
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	var plan []importer.PlannedRow
	for row := 2; row <= last; row++ {
		plan = append(plan, testRow(row, importer.StatusPending))
	}
	must(t, r.Append(t.Context(), plan))
	must(t, r.Amend(t.Context(), rounds))
	must(t, r.Seal(t.Context(), importer.RunPushing, len(plan), nil))
	return r
}

// claimRound claims all that a round has.
func claimRound(t *testing.T, r *Run) (rows []int) {
	t.Helper()
	for {
		some := claim(t, r, 3)
		if len(some) == 0 {
			return rows
		}
		rows = append(rows, some...)
	}
}

func TestRoundsAreClaimedInTurn(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := inRounds(t, j, 8, importer.Amendment{Row: 3, Round: 2}, importer.Amendment{Row: 4, Round: 1}, importer.Amendment{Row: 8, Round: 1})
	for _, want := range [][]int{{2, 5, 6, 7}, {4, 8}, {3}} {
		rows := claimRound(t, r)
		diff(t, "claimed", rows, want)
		for _, row := range rows {
			must(t, r.Record(t.Context(), []importer.Outcome{pushed(row)}))
		}
		if more := r.NextRound(); more != (rows[0] != 3) {
			t.Errorf("after %v another round follows: %v", rows, more)
		}
	}
	must(t, r.Finish(t.Context(), testTime))
}

// Chunks of a later round may have nothing of the first, and the other way round.
func TestRoundsInSeveralChunks(t *testing.T) {
	j := openTest(t, t.TempDir())
	var amendments []importer.Amendment
	var later []int
	for row := format.ChunkRows; row < 2*format.ChunkRows; row++ { // all of the second chunk
		amendments = append(amendments, importer.Amendment{Row: row, Round: 1})
		later = append(later, row)
	}
	r := inRounds(t, j, 3*format.ChunkRows, amendments...)
	if first := claimRound(t, r); len(first) != 3*format.ChunkRows-1-format.ChunkRows {
		t.Errorf("%d rows are in the first round", len(first))
	}
	if !r.NextRound() {
		t.Fatal("there is no second round")
	}
	diff(t, "claimed", claimRound(t, r), later)
}

// TestCrashBetweenRounds: wherever the process dies, what it has not sent is known not to
// be sent, and the order is kept when the run is resumed.
func TestCrashBetweenRounds(t *testing.T) {
	for _, tc := range []struct {
		name  string
		until int // 0: the first round is claimed; 1: and recorded; 2: the second is claimed; 3: and recorded
		want  []string
		again [][]int
	}{
		{"before any outcome", 0, []string{"2 unknown 0", "3 not_sent 0", "4 not_sent 0", "5 unknown 0"}, [][]int{{2, 5}, {4}, {3}}},
		{"between the rounds", 1, []string{"2 pushed 1", "3 not_sent 0", "4 not_sent 0", "5 pushed 1"}, [][]int{nil, {4}, {3}}},
		{"in the second round", 2, []string{"2 pushed 1", "3 not_sent 0", "4 unknown 0", "5 pushed 1"}, [][]int{nil, {4}, {3}}},
		{"after the second round", 3, []string{"2 pushed 1", "3 not_sent 0", "4 pushed 1", "5 pushed 1"}, [][]int{nil, {3}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := openTest(t, t.TempDir())
			r := inRounds(t, j, 5, importer.Amendment{Row: 3, Round: 2}, importer.Amendment{Row: 4, Round: 1})
			for step := range tc.until + 1 {
				switch step {
				case 0, 2:
					claimRound(t, r)
				case 1:
					must(t, r.Record(t.Context(), []importer.Outcome{reference(2, "a"), reference(5, "a")}))
					r.NextRound()
				case 3:
					must(t, r.Record(t.Context(), []importer.Outcome{reference(4, "a")}))
				}
			}
			diff(t, "before the crash", statuses(t, r), tc.want)
			j, err := Open(t.Context(), crashed(t, j))
			must(t, err)
			defer func() { must(t, j.Close()) }()
			must(t, j.Recover(t.Context(), testTarget))
			r, err = j.run(t.Context(), r.id)
			must(t, err)
			diff(t, "after the crash", statuses(t, r), tc.want)
			must(t, r.Start(t.Context()))
			for i, want := range tc.again {
				rows := claimRound(t, r)
				diff(t, "claimed again", rows, want)
				for _, row := range rows {
					must(t, r.Record(t.Context(), []importer.Outcome{reference(row, "b")}))
				}
				if more := r.NextRound(); more != (i+1 < len(tc.again)) {
					t.Errorf("round %d: another one follows: %v", i, more)
				}
			}
			must(t, r.Finish(t.Context(), testTime))
		})
	}
}

// A row below all those of the first round may have been sent once it is claimed.
func TestCrashBelowTheFirstRound(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := inRounds(t, j, 4, importer.Amendment{Row: 4, Round: 1})
	claimRound(t, r)
	must(t, r.Record(t.Context(), []importer.Outcome{reference(2, "a"), reference(3, "a")}))
	r.NextRound()
	diff(t, "before it is claimed", statuses(t, r), []string{"2 pushed 1", "3 pushed 1", "4 not_sent 0"})
	claimRound(t, r)
	diff(t, "once it is claimed", statuses(t, r), []string{"2 pushed 1", "3 pushed 1", "4 unknown 0"})
}

// A row of a later round that was claimed and did not leave was certainly not sent.
func TestReleasedRowOfALaterRound(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := inRounds(t, j, 3, importer.Amendment{Row: 2, Round: 1})
	claimRound(t, r)
	must(t, r.Record(t.Context(), []importer.Outcome{reference(3, "a")}))
	r.NextRound()
	claimRound(t, r)
	must(t, r.Record(t.Context(), []importer.Outcome{{Row: 2, Answer: importer.Answer{Status: importer.StatusNotSent}, Retry: true}}))
	must(t, r.Stop(t.Context()))
	diff(t, "released", statuses(t, r), []string{"2 not_sent 0", "3 pushed 1"})
}

// A warning leaves a row pending, in both stores.
func TestAmendedWarning(t *testing.T) {
	warning := importer.RowProblem{Row: 3, Header: "E-mail", Problem: mapping.Problem{
		Rule: mapping.RuleEmailTaken, Severity: mapping.SeverityWarning, Attribute: mapping.Email, Column: 3, Message: "Taken.",
	}}
	j := openTest(t, t.TempDir())
	r := inRounds(t, j, 4, importer.Amendment{Row: 3, Round: 1}, importer.Amendment{Row: 3, Problem: &warning})
	diff(t, "claimed at first", claimRound(t, r), []int{2, 4})
	for _, row := range []int{2, 4} {
		must(t, r.Record(t.Context(), []importer.Outcome{reference(row, "a")}))
	}
	r.NextRound()
	diff(t, "claimed then", claimRound(t, r), []int{3})
	for line, err := range r.Results(t.Context()) {
		must(t, err)
		if (line.Warnings != "") != (line.Row == 3) || line.Message != "" {
			t.Errorf("row %d: warnings %q, message %q", line.Row, line.Warnings, line.Message)
		}
	}
	store := journal.NewTempStore(false)
	defer func() { must(t, store.Close()) }()
	must(t, store.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(3, importer.StatusPending)}))
	must(t, store.Amend(t.Context(), []importer.Amendment{{Row: 3, Round: 1}, {Row: 3, Problem: &warning}}))
	lines := collected(t, store.Results())
	if len(lines) != 1 || lines[0].Row != 3 || lines[0].Status != importer.StatusValid || lines[0].Warnings == "" || len(lines[0].Problems) != 1 {
		t.Errorf("a check shows %+v", lines)
	}
}
