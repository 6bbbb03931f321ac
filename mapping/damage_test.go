package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestDamage(t *testing.T) {
	for _, tc := range []struct {
		attribute Attribute
		cell      Cell
		want      string // the value as it is sent; "" when it is not
		rule      Rule   // "" when there is nothing to say
		says      string // part of the message
	}{
		// Numbers that a spreadsheet has shortened
		{UniqueID, Cell{Text: "9.0E+08"}, "", RuleDamagedNumber, "last digits are lost"},
		{UniqueID, Cell{Text: "1.23457E+11"}, "", RuleDamagedNumber, "last digits are lost"},
		{StudentNumber, Cell{Text: "1,23457E+11"}, "", RuleDamagedNumber, "last digits are lost"},
		{UniqueID, Cell{Text: "9e+08"}, "", RuleDamagedNumber, ""},
		{CellPhone, Cell{Text: "6.13555E+09"}, "", RuleDamagedNumber, ""},
		{Street, Cell{Text: "1.2E+05"}, "", RuleDamagedNumber, ""},
		{UniqueID, Cell{Text: "9E08"}, "9E08", "", ""},
		{UniqueID, Cell{Text: "A-12E+5"}, "A-12E+5", RuleUnusualCharacter, ""},
		{UniqueID, Cell{"9001234567890120", NumberCell}, "", RuleDamagedNumber, "only the first 15"},
		{UniqueID, Cell{"900123456789012", NumberCell}, "900123456789012", "", ""},

		// Numbers that a program has taken for amounts
		{UniqueID, Cell{Text: "900123456.0"}, "", RuleDamagedNumber, `Write "900123456" if`},
		{UniqueID, Cell{Text: "900,123,456"}, "", RuleDamagedNumber, `Write "900123456" if`},
		{UniqueID, Cell{Text: "9,001"}, "", RuleDamagedNumber, `Write "9001" if`},
		{UniqueID, Cell{Text: "9001,001"}, "9001,001", RuleUnusualCharacter, ""},
		{UniqueID, Cell{Text: "A01,001"}, "A01,001", RuleUnusualCharacter, ""},
		{StudentNumber, Cell{Text: "900,12"}, "900,12", "", ""},
		{UniqueID, Cell{Text: "900123456.5"}, "900123456.5", RuleUnusualCharacter, ""},
		{PostalCode, Cell{Text: "90210.0"}, "", RuleDamagedNumber, `Write "90210" if`},
		{CellPhone, Cell{Text: "-1268"}, "", RuleDamagedNumber, "subtracted"},
		{CellPhone, Cell{Text: "4521"}, "4521", "", ""},
		{CellPhone, Cell{Text: "$9001"}, "", RuleDamagedNumber, "sign of a currency"},
		{PostalCode, Cell{Text: "$90210"}, "", RuleDamagedNumber, "sign of a currency"},
		{UserName, Cell{Text: "1.0"}, "", RuleDamagedNumber, "has decimals"},
		{Street, Cell{Text: "7.E240"}, "", RuleDamagedNumber, "last digits are lost"},

		// Numbers that a spreadsheet has taken for dates
		{UniqueID, Cell{"2026-01-02", DateCell}, "", RuleTurnedToDate, "formatted as Text"},
		{Street, Cell{"2026-01-02", DateCell}, "", RuleTurnedToDate, ""},
		{CellPhone, Cell{Text: "2-Jan"}, "", RuleTurnedToDate, ""},
		{CellPhone, Cell{Text: "Jan-02"}, "", RuleTurnedToDate, ""},
		{UniqueID, Cell{Text: "02-janv"}, "", RuleTurnedToDate, ""},
		{PostalCode, Cell{Text: "2/3/1998"}, "", RuleTurnedToDate, ""},
		{PostalCode, Cell{Text: "Jan 02"}, "", RuleTurnedToDate, ""},
		{UserName, Cell{Text: "May/12"}, "", RuleTurnedToDate, ""},
		{UniqueID, Cell{Text: "02-Mart"}, "02-Mart", "", ""},
		{UniqueID, Cell{Text: "123-May"}, "123-May", "", ""},
		{UserName, Cell{Text: "may-12"}, "may-12", "", ""},
		{LastName, Cell{Text: "May"}, "May", "", ""},

		// Letters that were lost or read in the wrong encoding
		{FirstName, Cell{Text: "Beno?t"}, "", RuleBadCharacter, "question mark"},
		{Street, Cell{Text: "12 Main St?"}, "12 Main St?", RuleBadCharacter, "may stand for a lost letter"},
		{FirstName, Cell{Text: "ZoÃ«"}, "", RuleWrongEncoding, `"Zoë"`},
		{FirstName, Cell{Text: "ZoÃƒÂ«"}, "", RuleWrongEncoding, `"Zoë"`},
		{FirstName, Cell{Text: "Zo√´"}, "", RuleWrongEncoding, `"Zoë"`},
		{FirstName, Cell{Text: "Zo├½"}, "", RuleWrongEncoding, `"Zoë"`},
		{LastName, Cell{Text: "Oâ€™Brien"}, "", RuleWrongEncoding, `"O’Brien"`},
		{City, Cell{Text: "MontrÃ©al"}, "", RuleWrongEncoding, `"Montréal"`},
		{City, Cell{Text: "Ã\u0089vry"}, "", RuleWrongEncoding, `"Évry"`},
		{City, Cell{Text: "Évry"}, "Évry", "", ""},
		{LastName, Cell{Text: "JOÃO"}, "JOÃO", "", ""},
		{LastName, Cell{Text: "CAFÉ’S"}, "CAFÉ’S", "", ""},
		{LastName, Cell{Text: "Ångström"}, "Ångström", "", ""},
		{LastName, Cell{Text: "Иванов"}, "Иванов", "", ""},

		// Letters of another alphabet
		{UniqueID, Cell{Text: "А00123456"}, "", RuleLookAlike, `"A00123456"`},
		{Email, Cell{Text: "zoе@example.ca"}, "", RuleLookAlike, `"zoe@example.ca"`},
		{UserName, Cell{Text: "ｚroe1"}, "", RuleLookAlike, `"zroe1"`},
		{UniqueID, Cell{Text: "９００１"}, "", RuleLookAlike, `4 characters`},
		{StudentNumber, Cell{Text: "٩٠٠١٢٣٤٠٢"}, "", RuleLookAlike, `"900123402"`},
		{EmployeeNumber, Cell{Text: "۷۷۱"}, "", RuleLookAlike, `"771"`},
		{UserName, Cell{Text: "élodie"}, "élodie", "", ""},
		{LastName, Cell{Text: "Ивановa"}, "Ивановa", "", ""},

		// What is safe to fix
		{UniqueID, Cell{Text: "900\u200b123456"}, "900123456", RuleCleanedText, "invisible"},
		{CellPhone, Cell{Text: "613\u2011555\u00a00100"}, "613\u2011555 0100", RuleCleanedText, "unusual spaces"},
		{FirstName, Cell{Text: "Anna\u00a0Maria"}, "Anna Maria", RuleCleanedText, ""},
		{FirstName, Cell{Text: "\u00a0Anna\u200b"}, "Anna", "", ""},
		{FirstName, Cell{Text: "Zoe\u0308"}, "Zo\u00eb", RuleCleanedText, "accents"},
		{FirstName, Cell{Text: "\u0645\u06cc\u200c\u062e"}, "\u0645\u06cc\u200c\u062e", "", ""},
		{UniqueID, Cell{Text: `="00123456"`}, "00123456", RuleCleanedText, "formula"},
		{UniqueID, Cell{Text: `="2-Jan"`}, "", RuleTurnedToDate, ""},
		{UniqueID, Cell{Text: "'00123456"}, "00123456", RuleCleanedText, "apostrophe"},
		{LastName, Cell{Text: "'t Hooft"}, "'t Hooft", "", ""},
	} {
		t.Run(fmt.Sprint(tc.attribute, " ", tc.cell.Text), func(t *testing.T) {
			r := mapCell(t, tc.attribute, "", tc.cell)
			got, _ := r.Profile.Get(tc.attribute)
			if got != tc.want {
				t.Errorf("sent %q, want %q", got, tc.want)
			}
			checkProblem(t, r, tc.rule, tc.says)
			if asIs := mapCell(t, tc.attribute, "as_is: true", tc.cell); len(asIs.Problems) > 0 && !slices.Contains([]Rule{RuleUnusualCharacter, RuleBadEmail, RuleBadCharacter}, asIs.Problems[0].Rule) {
				t.Errorf("as it is: %v", asIs.Problems)
			}
		})
	}
}

// mapCell maps one cell to an attribute whose field has this key besides its column.
func mapCell(t *testing.T, a Attribute, key string, cell Cell) *Result {
	t.Helper()
	if key != "" {
		key = ", " + key
	}
	fields := a.String() + ": {column: It" + key + "}"
	if a != UniqueID {
		fields += "\nunique_id: {value: \"1\"}"
	}
	m := mustCompile(t, parseFields(t, "", fields), []string{"It"}, testOptions())
	r := new(Result)
	m.Map([]Cell{cell}, r)
	return r
}

// checkProblem demands one problem of the rule whose message says something, or none.
func checkProblem(t *testing.T, r *Result, rule Rule, says string) {
	t.Helper()
	switch {
	case rule == "" && len(r.Problems) > 0:
		t.Errorf("unexpected: %v", r.Problems)
	case rule != "" && (len(r.Problems) == 0 || r.Problems[0].Rule != rule || !strings.Contains(r.Problems[0].Text(), says)):
		t.Errorf("got %v, want %s with %q", r.Problems, rule, says)
	}
}

func TestLostZerosOfZIP(t *testing.T) {
	for _, tc := range []struct {
		state, zip, apply string
		want              string
		rule              Rule
		severity          Severity
	}{
		{"MA", "2139", "[postal_code]", "02139", RuleLostZeros, SeverityWarning},
		{"MA", "2139-4307", "[postal_code]", "02139-4307", RuleLostZeros, SeverityWarning},
		{"NJ", "70011234", "[postal_code]", "07001-1234", RuleLostZeros, SeverityWarning},
		{"PR", "926", "[postal_code]", "00926", RuleLostZeros, SeverityWarning},
		{"Massachusetts", "2139", "[postal_code]", "02139", RuleLostZeros, SeverityWarning},
		{"MA", "2139", "[]", "", RuleLostZeros, SeverityError},
		{"MA", "02139", "[postal_code]", "02139", "", 0},
		{"", "2139", "[postal_code]", "2139", "", 0},
		{"ON", "2139", "[postal_code]", "2139", RuleLostZeros, SeverityWarning},
		{"CA", "90210", "[postal_code]", "90210", "", 0},
		{"MA", "21", "[postal_code]", "21", "", 0},
		{"MA", "K1A0B1", "[postal_code]", "K1A 0B1", "", 0},
	} {
		t.Run(tc.state+" "+tc.zip, func(t *testing.T) {
			apply := ", apply: " + tc.apply
			if tc.apply == "[]" {
				apply = ""
			}
			f := parseFields(t, "", "unique_id: {value: \"1\"}\nprovince: State\npostal_code: {column: ZIP"+apply+"}")
			m := mustCompile(t, f, []string{"State", "ZIP"}, testOptions())
			r := new(Result)
			m.Map(texts(tc.state, tc.zip), r)
			if got, _ := r.Profile.Get(PostalCode); got != tc.want {
				t.Errorf("sent %q, want %q", got, tc.want)
			}
			checkProblem(t, r, tc.rule, "")
			if len(r.Problems) > 0 && r.Problems[0].Severity != tc.severity {
				t.Errorf("%v, want %v", r.Problems, tc.severity)
			}
		})
	}
}
