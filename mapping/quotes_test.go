package mapping

import (
	"fmt"
	"strings"
	"testing"
)

func TestQuotes(t *testing.T) {
	const same = "\x00same"
	for _, tc := range []struct {
		attribute Attribute
		text      string
		want      string
		rule      Rule
	}{
		{FirstName, "“Ann”", "Ann", RuleCleanedText},
		{FirstName, `"Ann"`, "Ann", RuleCleanedText},
		{FirstName, `"""Ann"""`, "Ann", RuleCleanedText},
		{FirstName, "'Ann'", "Ann", RuleCleanedText},
		{FirstName, "„Ann“", "Ann", RuleCleanedText},
		{FirstName, "« Ann »", "Ann", RuleCleanedText},
		{FirstName, "‘Ann’", "Ann", RuleCleanedText},
		{FirstName, "''Ann''", "Ann", RuleCleanedText},
		{FirstName, "``Ann''", "Ann", RuleCleanedText},
		{FirstName, `“ "Ann" ”`, "Ann", RuleCleanedText},
		{FirstName, `"Robert ""Bob"" R"`, `Robert "Bob" R`, RuleCleanedText},
		{LastName, "'O''Neil'", "O'Neil", RuleCleanedText},
		{LastName, "'O'Neil'", "O'Neil", RuleCleanedText},
		{LastName, "‘O’Neil’", "O’Neil", RuleCleanedText},
		{UniqueID, "“900123401”", "900123401", RuleCleanedText},
		{UniqueID, "'A0012341", "A0012341", RuleCleanedText},
		{UniqueID, "'900123401'", "900123401", RuleCleanedText},
		{Email, "'ann@example.ca", "ann@example.ca", RuleCleanedText},
		{CellPhone, `"613-555-0100"`, "613-555-0100", RuleCleanedText},
		{PostalCode, "'K1A 0B1", "K1A 0B1", RuleCleanedText},
		{Street, "“12 Main St”", "12 Main St", RuleCleanedText},
		{FirstName, "“NULL”", "", RuleMissingValue},
		{FirstName, `"Ann`, "", RuleBadQuotes},
		{FirstName, "Ann”", "", RuleBadQuotes},
		{UniqueID, `900123401"`, "", RuleBadQuotes},

		{LastName, `O"Brien`, "", RuleBadQuotes},

		{LastName, `ד"ר כהן`, same, ""},
		{LastName, "'t Hooft", same, ""},
		{LastName, "'s-Gravesande", same, ""},
		{LastName, "'Ali", same, ""},
		{FirstName, `Robert "Bob"`, same, ""},
		{FirstName, `"Bo" Boris`, same, ""},
		{FirstName, `"Bo" Boris "Bear"`, same, ""},
		{Street, "“The Lodge”", same, ""},
		{Street, "“The Lodge”, 5 Main St", same, ""},
		{Street, "«Le Nid», 4 rue Roy", same, ""},
		{Street, `12 1/2" Pipe Rd`, same, ""},
		{LastName, "O'Neal", same, ""},
		{LastName, "Thomas'", same, ""},
	} {
		t.Run(fmt.Sprint(tc.attribute, " ", tc.text), func(t *testing.T) {
			r := mapCell(t, tc.attribute, "", Cell{Text: tc.text})
			if tc.want == same {
				tc.want = tc.text
			}
			if got, _ := r.Profile.Get(tc.attribute); got != tc.want {
				t.Errorf("sent %q, want %q", got, tc.want)
			}
			checkProblem(t, r, tc.rule, "")
		})
	}
}

// TestQuotesOfColumns has rows of one or two columns, and what the column's quotes mean.
func TestQuotesOfColumns(t *testing.T) {
	for _, tc := range []struct {
		rows  string // cells apart by ;, rows by |
		field string
		want  string // what is sent
		asks  bool
	}{
		{"'A1;'Ann|'A2;'Bo|'A3;'t Hooft", "It", "Ann Bo 't Hooft", false},
		{"'A1;'Ann|'A2;'Bo|'A3;''t Hooft", "It", "Ann Bo 't Hooft", false},
		{"A1;'Ann|A2;'Bo|A3;'Cy", "It", "'Ann 'Bo 'Cy", true},
		{"A1;'Ann|A2;'Bo|A3;'Cy", "{column: It, apply: [unquote]}", "Ann Bo Cy", false},
		{"A1;'Ann|A2;'Bo|A3;'Cy", "{column: It, as_is: true}", "'Ann 'Bo 'Cy", false},
		{"A1;'Ali|A2;Bo|A3;Cy", "It", "'Ali Bo Cy", false},
		{"A1;'t Hooft|A2;'s Gravesande", "It", "'t Hooft 's Gravesande", false},
		{"A1;“Lodge”|A2;“Lee”|A3;“Nid”", "It", "Lodge Lee Nid", false},
		{"A1;'Ann|A2;Bo", "It", "'Ann Bo", false},
	} {
		t.Run(tc.rows+" "+tc.field, func(t *testing.T) {
			m := mustCompile(t, parseFields(t, "", "unique_id: Id\nlast_name: "+tc.field), []string{"Id", "It"}, testOptions())
			var sent []string
			for row := range strings.SplitSeq(tc.rows, "|") {
				var r Result
				m.Map(texts(strings.Split(row, ";")...), &r)
				name, _ := r.Profile.Get(LastName)
				sent = append(sent, name)
			}
			if got := strings.Join(sent, " "); got != tc.want {
				t.Errorf("sent %q, want %q", got, tc.want)
			}
			if _, err := m.Review(func(sequence int) int { return sequence }); (err != nil) != tc.asks {
				t.Errorf("asked %v", err)
			}
		})
	}
}
