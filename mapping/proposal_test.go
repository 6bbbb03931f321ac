package mapping

import (
	"strings"
	"testing"
)

// What a message says may be written is a proposal that can be taken with one click, and
// a cell that has it is right.
func TestProposals(t *testing.T) {
	for _, tc := range []struct {
		name, fields string
		value, want  string
	}{
		{"a province", `province: {column: X}`, "Ontari-ari-o", "ON"},
		{"no province", `province: {column: X}`, "ZZ", ""},
		{"a user type", `user_type_id: {column: X}`, "Full Time Studnet", "Full Time Student"},
		{"a value of the mapping", `user_type_id: {column: X, values: {FT: 1, PT: 2}}`, "FTE", "FT"},
		{"nothing near", `user_type_id: {column: X, values: {FT: 1, PT: 2}}`, "Co-op", ""},
		{"an amount", `unique_id: {column: X}`, "1,234,567", "1234567"},
		{"a look-alike", `unique_id: {column: X}`, "С1234", "C1234"},
		{"the wrong encoding", `first_name: {column: X}`, "ZoÃ«", "Zoë"},
		{"an address in words", `email: {column: X}`, "tcote03 at example.ca", "tcote03@example.ca"},
		{"an address with a full stop", `email: {column: X}`, "tcote03@example.ca.", "tcote03@example.ca"},
		{"half an address", `email: {column: X}`, "fabernathy08@example.", ""},
		{"a date", `date_of_birth: {column: X}`, "2004-02-31", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.HasPrefix(tc.fields, "unique_id") {
				tc.fields += "\nunique_id: {value: \"1\"}"
			}
			m := mustCompile(t, parseFields(t, "", tc.fields), []string{"X"}, testOptions())
			var r Result
			m.Map(texts(tc.value), &r)
			if len(r.Problems) != 1 || r.Problems[0].Severity != SeverityError {
				t.Fatalf("problems %+v, want one error", r.Problems)
			}
			p := r.Problems[0]
			if p.Proposal != tc.want {
				t.Fatalf("proposal %q, want %q, for %q", p.Proposal, tc.want, p.Text())
			}
			if tc.want == "" {
				return
			}
			if strings.Contains(p.Text(), "Write") && !strings.Contains(p.Text(), tc.want) && p.Rule != RuleBadEmail {
				t.Errorf("%q does not name the proposal %q", p.Text(), tc.want)
			}
			if m.Map(texts(tc.want), &r); len(r.Problems) > 0 {
				t.Errorf("the proposal has problems: %+v", r.Problems)
			}
		})
	}
}

// The zeros that ids have lost are proposed, each its own.
func TestProposedZeros(t *testing.T) {
	cells := append(count(60, 9), Cell{Text: "543678"})
	review, err := reviewOf(t, "unique_id: It", cells...)
	if err != nil || len(review.Problems) != 1 || review.Problems[0].Problem.Proposal != "000543678" {
		t.Errorf("review %+v, %v; want 000543678 proposed", review, err)
	}
}
