package sqlite

import (
	"fmt"
	"iter"
	"os"
	"slices"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/mapping"
)

// checkedPlan returns a plan of three chunks with rows of every kind, and amendments
// of some of them.
func checkedPlan() ([]importer.PlannedRow, [][]importer.Amendment) {
	var plan []importer.PlannedRow
	for row := 2; row < 2+2*format.ChunkRows; row++ {
		p := testRow(row, importer.StatusPending)
		problem := importer.RowProblem{Row: row, Header: "DOB", Problem: mapping.Problem{Rule: mapping.RuleBadDate, Column: 3, Value: "?", Message: "no date"}}
		switch row % 50 {
		case 0:
			p.Status, p.Payload = importer.StatusInvalid, nil
			p.Problems = append(p.Problems, problem)
		case 1:
			problem.Severity = mapping.SeverityWarning
			p.Problems = append(p.Problems, problem)
		case 2:
			p.Status, p.Payload = importer.StatusSkipped, nil
		case 7, 10:
			p.Status, p.Payload = importer.StatusUnchanged, nil
		}
		plan = append(plan, p)
	}
	refused := func(row int) importer.Amendment {
		problem := &importer.RowProblem{Row: row, Problem: mapping.Problem{Rule: mapping.RuleDuplicateKey, Attribute: mapping.UniqueID, Column: mapping.NoColumn, Message: "twice"}}
		return importer.Amendment{Row: row, Problem: problem}
	}
	return plan, [][]importer.Amendment{
		{refused(500), refused(100), {Row: 260, DuplicateOf: 20}},
		{refused(7), refused(101), refused(500)},
	}
}

// collected returns what the results yield.
func collected(t testing.TB, results iter.Seq2[importer.Result, error]) []importer.Result {
	t.Helper()
	var all []importer.Result
	for r, err := range results {
		must(t, err)
		all = append(all, r)
	}
	return all
}

// fill puts the plan into the store, some rows at a time.
func fill(t testing.TB, store importer.PlanStore) {
	t.Helper()
	plan, amendments := checkedPlan()
	for batch := range slices.Chunk(plan, 100) {
		must(t, store.Append(t.Context(), batch))
	}
	for _, some := range amendments {
		must(t, store.Amend(t.Context(), some))
	}
}

// A check shows the same of a row as a push, whichever store kept it.
func TestTempStoreShowsWhatTheJournalShows(t *testing.T) {
	j := openTest(t, t.TempDir())
	run, err := j.begin(t.Context(), testRun())
	must(t, err)
	fill(t, run)
	must(t, run.Seal(t.Context(), importer.RunHeld, 2*format.ChunkRows, nil))
	want := collected(t, run.Results(t.Context()))
	for i := range want {
		if want[i].Status == importer.StatusNotSent {
			want[i].Status = importer.StatusValid
		}
	}
	for _, all := range []bool{true, false} {
		t.Run(fmt.Sprintf("all=%t", all), func(t *testing.T) {
			store := journal.NewTempStore(all)
			defer func() { must(t, store.Close()) }()
			fill(t, store)
			wanted := want
			if !all {
				wanted = reportable(want)
			}
			diff(t, "results", collected(t, store.Results()), wanted)
			diff(t, "the same once more", collected(t, store.Results()), wanted)
			for r, err := range store.Results() {
				must(t, err)
				diff(t, "the first alone", r, wanted[0])
				break
			}
		})
	}
}

// reportable leaves out the rows with nothing to report, and the ids of those that
// were fine until the end of the file.
func reportable(all []importer.Result) []importer.Result {
	var kept []importer.Result
	for _, r := range all {
		if (r.Status == importer.StatusValid || r.Status == importer.StatusUnchanged) && len(r.Problems) == 0 {
			continue
		}
		if len(r.Problems) == 0 && r.Status == importer.StatusDuplicate || len(r.Problems) > 0 && r.Problems[len(r.Problems)-1].Rule == mapping.RuleDuplicateKey {
			r.UniqueID, r.LoginSource = "", ""
		}
		kept = append(kept, r)
	}
	return kept
}

func TestTempStoreNeedsNoFileForRowsThatAreFine(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR"))
	store := journal.NewTempStore(false)
	must(t, store.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(3, importer.StatusPending)}))
	diff(t, "results", collected(t, store.Results()), []importer.Result(nil))
	wantTempFiles(t, 0)

	must(t, store.Append(t.Context(), []importer.PlannedRow{testRow(4, importer.StatusSkipped)}))
	diff(t, "rows", len(collected(t, store.Results())), 1)
	wantTempFiles(t, 1)
	must(t, store.Close())
	wantTempFiles(t, 0)
}

func wantTempFiles(t testing.TB, want int) {
	t.Helper()
	files, err := os.ReadDir(os.TempDir())
	must(t, err)
	if len(files) != want {
		t.Errorf("temporary files: %v, want %d", files, want)
	}
}
