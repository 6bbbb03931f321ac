package conformance

import (
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/mapping"
)

func rounds() []part {
	return []part{
		{"rounds are claimed in turn", roundsInTurn},
		{"rounds in several chunks", roundsInSeveralChunks},
		{"a crash between rounds", crashBetweenRounds},
		{"a row of a later round below the first", belowTheFirstRound},
		{"a released row of a later round", releasedRowOfALaterRound},
		{"a warning leaves a row pending", amendedWarning},
	}
}

// inRounds plans pending rows from 2 to last, and gives some of them a round.
func inRounds(t *test, last int, rounds ...importer.Amendment) journal.Run {
	t.Helper()
	r := begin(t, t.open(), testTarget)
	var plan []importer.PlannedRow
	for row := 2; row <= last; row++ {
		plan = append(plan, testRow(row, importer.StatusPending))
	}
	must(t, r.Append(t.Context(), plan))
	must(t, r.Amend(t.Context(), rounds))
	must(t, r.Seal(t.Context(), importer.RunPushing, len(plan), nil))
	return r
}

func record(t *test, r journal.Run, rows ...int) {
	t.Helper()
	for _, row := range rows {
		must(t, r.Record(t.Context(), []importer.Outcome{pushed(row)}))
	}
}

func roundsInTurn(t *test) {
	r := inRounds(t, 8, importer.Amendment{Row: 3, Round: 2}, importer.Amendment{Row: 4, Round: 1}, importer.Amendment{Row: 8, Round: 1})
	for _, want := range [][]int{{2, 5, 6, 7}, {4, 8}, {3}} {
		rows := claimAll(t, r)
		diff(t, "claimed", rows, want)
		record(t, r, rows...)
		if more := r.NextRound(); more != (want[0] != 3) {
			t.Errorf("after %v another round follows: %v", want, more)
		}
	}
	must(t, r.Finish(t.Context(), testTime))
}

// Chunks of a later round may have nothing of the first, and the other way round.
func roundsInSeveralChunks(t *test) {
	var amendments []importer.Amendment
	var later []int
	for row := format.ChunkRows; row < 2*format.ChunkRows; row++ { // all of the second chunk
		amendments = append(amendments, importer.Amendment{Row: row, Round: 1})
		later = append(later, row)
	}
	r := inRounds(t, 3*format.ChunkRows, amendments...)
	var outcomes []importer.Outcome
	for _, row := range claimAll(t, r) {
		outcomes = append(outcomes, pushed(row))
	}
	diff(t, "rows of the first round", len(outcomes), 3*format.ChunkRows-1-format.ChunkRows)
	must(t, r.Record(t.Context(), outcomes))
	if !r.NextRound() {
		t.Fatal("there is no second round")
	}
	diff(t, "claimed", claimAll(t, r), later)
}

// Wherever the process dies, what it has not sent is known not to be sent, and the order is
// kept when the run is resumed.
func crashBetweenRounds(t *test) {
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
		t.place = t.newPlace(t)
		r := inRounds(t, 5, importer.Amendment{Row: 3, Round: 2}, importer.Amendment{Row: 4, Round: 1})
		for step := range tc.until + 1 {
			switch step {
			case 0, 2:
				claimAll(t, r)
			case 1:
				record(t, r, 2, 5)
				r.NextRound()
			case 3:
				record(t, r, 4)
			}
		}
		diff(t, tc.name+": before the crash", statuses(t, r), tc.want)
		_, r = t.afterCrash(r.Info().ID)
		diff(t, tc.name+": after the crash", statuses(t, r), tc.want)
		must(t, r.Start(t.Context()))
		for i, want := range tc.again {
			rows := claimAll(t, r)
			diff(t, tc.name+": claimed again", rows, want)
			record(t, r, rows...)
			if more := r.NextRound(); more != (i+1 < len(tc.again)) {
				t.Errorf("%s: round %d: another one follows: %v", tc.name, i, more)
			}
		}
		must(t, r.Finish(t.Context(), testTime))
	}
}

// A row below all those of the first round may have been sent once it is claimed.
func belowTheFirstRound(t *test) {
	r := inRounds(t, 4, importer.Amendment{Row: 2, Round: 1})
	record(t, r, claimAll(t, r)...)
	r.NextRound()
	diff(t, "before it is claimed", statuses(t, r), []string{"2 not_sent 0", "3 pushed 1", "4 pushed 1"})
	claimAll(t, r)
	diff(t, "once it is claimed", statuses(t, r), []string{"2 unknown 0", "3 pushed 1", "4 pushed 1"})
}

// A row of a later round that was claimed and did not leave was certainly not sent.
func releasedRowOfALaterRound(t *test) {
	r := inRounds(t, 3, importer.Amendment{Row: 2, Round: 1})
	record(t, r, claimAll(t, r)...)
	r.NextRound()
	claimAll(t, r)
	must(t, r.Record(t.Context(), []importer.Outcome{released(2)}))
	must(t, r.Stop(t.Context()))
	diff(t, "released", statuses(t, r), []string{"2 not_sent 0", "3 pushed 1"})
}

// A warning leaves a row pending, in both stores.
func amendedWarning(t *test) {
	warning := importer.RowProblem{Row: 3, Header: "E-mail", Problem: mapping.Problem{
		Rule: mapping.RuleEmailTaken, Severity: mapping.SeverityWarning, Attribute: mapping.Email, Column: 3, Message: "Taken.",
	}}
	r := inRounds(t, 4, importer.Amendment{Row: 3, Round: 1}, importer.Amendment{Row: 3, Problem: &warning})
	first := claimAll(t, r)
	diff(t, "claimed at first", first, []int{2, 4})
	record(t, r, first...)
	r.NextRound()
	diff(t, "claimed then", claimAll(t, r), []int{3})
	for _, line := range collected(t, r.Results(t.Context())) {
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
