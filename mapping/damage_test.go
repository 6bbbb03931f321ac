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
		{UniqueID, Cell{Text: "9.0E+08"}, "", DamagedNumber, "last digits are lost"},
		{UniqueID, Cell{Text: "1.23457E+11"}, "", DamagedNumber, "last digits are lost"},
		{StudentNumber, Cell{Text: "1,23457E+11"}, "", DamagedNumber, "last digits are lost"},
		{UniqueID, Cell{Text: "9e+08"}, "", DamagedNumber, ""},
		{CellPhone, Cell{Text: "6.13555E+09"}, "", DamagedNumber, ""},
		{Street, Cell{Text: "1.2E+05"}, "", DamagedNumber, ""},
		{UniqueID, Cell{Text: "9E08"}, "9E08", "", ""},
		{UniqueID, Cell{Text: "A-12E+5"}, "A-12E+5", UnusualCharacter, ""},
		{UniqueID, Cell{"9001234567890120", NumberCell}, "", DamagedNumber, "first 15 only"},
		{UniqueID, Cell{"900123456789012", NumberCell}, "900123456789012", "", ""},

		// Numbers that a program has taken for amounts
		{UniqueID, Cell{Text: "900123456.0"}, "", DamagedNumber, `Write "900123456" if`},
		{UniqueID, Cell{Text: "900,123,456"}, "", DamagedNumber, `Write "900123456" if`},
		{UniqueID, Cell{Text: "9,001"}, "", DamagedNumber, `Write "9001" if`},
		{UniqueID, Cell{Text: "9001,001"}, "9001,001", UnusualCharacter, ""},
		{UniqueID, Cell{Text: "A01,001"}, "A01,001", UnusualCharacter, ""},
		{StudentNumber, Cell{Text: "900,12"}, "900,12", "", ""},
		{UniqueID, Cell{Text: "900123456.5"}, "900123456.5", UnusualCharacter, ""},
		{PostalCode, Cell{Text: "90210.0"}, "", DamagedNumber, `Write "90210" if`},
		{CellPhone, Cell{Text: "-1268"}, "", DamagedNumber, "subtracted"},
		{CellPhone, Cell{Text: "4521"}, "4521", "", ""},

		// Numbers that a spreadsheet has taken for dates
		{UniqueID, Cell{"2026-01-02", DateCell}, "", TurnedToDate, "format Text"},
		{Street, Cell{"2026-01-02", DateCell}, "", TurnedToDate, ""},
		{CellPhone, Cell{Text: "2-Jan"}, "", TurnedToDate, ""},
		{CellPhone, Cell{Text: "Jan-02"}, "", TurnedToDate, ""},
		{UniqueID, Cell{Text: "02-janv"}, "", TurnedToDate, ""},
		{UniqueID, Cell{Text: "02-Mart"}, "02-Mart", "", ""},
		{UniqueID, Cell{Text: "123-May"}, "123-May", "", ""},
		{UserName, Cell{Text: "may-12"}, "may-12", "", ""},
		{LastName, Cell{Text: "May"}, "May", "", ""},

		// Letters that were lost or read in the wrong encoding
		{FirstName, Cell{Text: "Beno?t"}, "", BadCharacter, "question mark"},
		{FirstName, Cell{Text: "?"}, "?", "", ""},
		{Street, Cell{Text: "12 Main St?"}, "12 Main St?", "", ""},
		{FirstName, Cell{Text: "ZoÃ«"}, "", WrongEncoding, `"Zoë"`},
		{FirstName, Cell{Text: "ZoÃƒÂ«"}, "", WrongEncoding, `"Zoë"`},
		{FirstName, Cell{Text: "Zo√´"}, "", WrongEncoding, `"Zoë"`},
		{FirstName, Cell{Text: "Zo├½"}, "", WrongEncoding, `"Zoë"`},
		{LastName, Cell{Text: "Oâ€™Brien"}, "", WrongEncoding, `"O’Brien"`},
		{City, Cell{Text: "MontrÃ©al"}, "", WrongEncoding, `"Montréal"`},
		{City, Cell{Text: "Ã\u0089vry"}, "", WrongEncoding, `"Évry"`},
		{City, Cell{Text: "Évry"}, "Évry", "", ""},
		{LastName, Cell{Text: "JOÃO"}, "JOÃO", "", ""},
		{LastName, Cell{Text: "CAFÉ’S"}, "CAFÉ’S", "", ""},
		{LastName, Cell{Text: "Ångström"}, "Ångström", "", ""},
		{LastName, Cell{Text: "Иванов"}, "Иванов", "", ""},

		// Letters of another alphabet
		{UniqueID, Cell{Text: "А00123456"}, "", LookAlike, `"A00123456"`},
		{Email, Cell{Text: "zoе@example.ca"}, "", LookAlike, `"zoe@example.ca"`},
		{UserName, Cell{Text: "ｚroe1"}, "", LookAlike, `"zroe1"`},
		{UniqueID, Cell{Text: "９００１"}, "", LookAlike, `4 characters`},
		{UserName, Cell{Text: "élodie"}, "élodie", "", ""},
		{LastName, Cell{Text: "Ивановa"}, "Ивановa", "", ""},

		// What is safe to mend
		{UniqueID, Cell{Text: "900\u200b123456"}, "900123456", MendedText, "nobody can see"},
		{CellPhone, Cell{Text: "613\u2011555\u00a00100"}, "613\u2011555 0100", MendedText, "spaces of an unusual kind"},
		{FirstName, Cell{Text: "Anna\u00a0Maria"}, "Anna Maria", MendedText, ""},
		{FirstName, Cell{Text: "\u00a0Anna\u200b"}, "Anna", "", ""},
		{FirstName, Cell{Text: "Zoe\u0308"}, "Zo\u00eb", MendedText, "accents"},
		{FirstName, Cell{Text: "\u0645\u06cc\u200c\u062e"}, "\u0645\u06cc\u200c\u062e", "", ""},
		{UniqueID, Cell{Text: `="00123456"`}, "00123456", MendedText, "formula"},
		{UniqueID, Cell{Text: `="2-Jan"`}, "", TurnedToDate, ""},
		{UniqueID, Cell{Text: "'00123456"}, "00123456", MendedText, "apostrophe"},
		{LastName, Cell{Text: "'t Hooft"}, "'t Hooft", "", ""},
	} {
		t.Run(fmt.Sprint(tc.attribute, " ", tc.cell.Text), func(t *testing.T) {
			r := mapCell(t, tc.attribute, "", tc.cell)
			got, _ := r.Profile.Get(tc.attribute)
			if got != tc.want {
				t.Errorf("sent %q, want %q", got, tc.want)
			}
			checkProblem(t, r, tc.rule, tc.says)
			if asIs := mapCell(t, tc.attribute, "as_is: true", tc.cell); len(asIs.Problems) > 0 && !slices.Contains([]Rule{UnusualCharacter, BadEmail, BadCharacter}, asIs.Problems[0].Rule) {
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
	m := mustCompile(t, parseFields(t, "", fields), []string{"It"}, testContext())
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
	case rule != "" && (len(r.Problems) == 0 || r.Problems[0].Rule != rule || !strings.Contains(r.Problems[0].Message, says)):
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
		{"MA", "2139", "[postal_code]", "02139", LostZeros, Warning},
		{"MA", "2139-4307", "[postal_code]", "02139-4307", LostZeros, Warning},
		{"NJ", "70011234", "[postal_code]", "07001-1234", LostZeros, Warning},
		{"PR", "926", "[postal_code]", "00926", LostZeros, Warning},
		{"Massachusetts", "2139", "[postal_code]", "02139", LostZeros, Warning},
		{"MA", "2139", "[]", "", LostZeros, Error},
		{"MA", "02139", "[postal_code]", "02139", "", 0},
		{"", "2139", "[postal_code]", "2139", "", 0},
		{"ON", "2139", "[postal_code]", "2139", LostZeros, Warning},
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
			m := mustCompile(t, f, []string{"State", "ZIP"}, testContext())
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
