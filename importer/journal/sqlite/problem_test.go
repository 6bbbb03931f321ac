package sqlite

import (
	"testing"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// refusal is an amendment that makes a row invalid.
func refusal(row int, field, message string) importer.Amendment {
	return importer.Amendment{Row: row, Problem: &importer.RowProblem{
		Row: row, Problem: mapping.Problem{Rule: mapping.RuleDuplicateKey, Attribute: mapping.AttributeNamed(field), Column: mapping.NoColumn, Message: message},
	}}
}

func TestProblems(t *testing.T) {
	j := openTest(t, t.TempDir())
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	email := importer.RowProblem{Row: 3, Header: "E-mail", Problem: mapping.Problem{
		Rule: mapping.RuleBadEmail, Attribute: mapping.Email, Column: 30, Value: "zoë@", Message: "not an address", Advice: "fix it",
	}}
	id := importer.RowProblem{Row: 3, Header: "ID", Problem: mapping.Problem{
		Rule: mapping.RuleUnusualCharacter, Severity: mapping.SeverityWarning, Attribute: mapping.UniqueID, Column: 0, Value: "a b", Message: "odd",
	}}
	whole := importer.RowProblem{Row: 900, Problem: mapping.Problem{Rule: mapping.RuleRaggedRow, Column: mapping.NoColumn, Message: "too short"}}
	must(t, r.Append(t.Context(), []importer.PlannedRow{
		testRow(2, importer.StatusPending),
		{Row: 3, Status: importer.StatusInvalid, Problems: []importer.RowProblem{email, id}},
		testRow(4, importer.StatusPending),
		{Row: 900, Status: importer.StatusInvalid, Problems: []importer.RowProblem{whole}},
	}))
	late, lost := refusal(2, "unique_id", "twice"), refusal(3, "unique_id", "twice too")
	must(t, r.Amend(t.Context(), []importer.Amendment{lost, late}))
	must(t, r.Seal(t.Context(), importer.RunPushing, 4, nil))

	want := []importer.RowProblem{*late.Problem, *lost.Problem, email, id, whole}
	var got []importer.RowProblem
	for line, err := range r.Results(t.Context()) {
		must(t, err)
		got = append(got, line.Problems...)
	}
	diff(t, "problems", got, want)
}
