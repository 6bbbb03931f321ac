package mapping

import (
	"strings"
	"testing"
)

// TestCountries maps a state, a postal code and a country.
func TestCountries(t *testing.T) {
	m := mustCompile(t, parseFields(t, "", "unique_id: {value: u-1}\nprovince: State\npostal_code: ZIP"), []string{"State", "ZIP", "Country"}, testOptions())
	for row, want := range map[string]string{ // the region that is sent, and the severity of what is said
		"TN|600001|India":      " warning",
		"TN||India":            " warning",
		"TN||IND":              " warning",
		"MH|SW1A 1AA|UK":       " warning",
		"Maharashtra||Inde":    " warning",
		"BC|22000|Mexico":      "BC warning",
		"AR|52100|Italie":      "AR warning",
		"ON|K1A 0B1|India":     "ON",
		"TN|37201|USA":         "TN",
		"MP|96950|U.S.A.":      "MP",
		"PR|00601|Puerto Rico": "PR",
		"GA||Georgia":          "GA",
		"ON||CA":               "ON",
		"ON||Domestic":         "ON",
		"ON||":                 "ON",
		"NY||NA":               "NY",
		"Québec||Canada":       "QC",
		"ON||États-Unis":       "ON",
		"DE|24103|Deutschland": "DE warning",
		"PA|66010-000|Brasil":  " warning",
		"TN|600001|":           "TN error",
		"PA|66010-000|":        "PA error",
		"UT|3511 AB|":          "UT error",
		"NH|2011hl|":           "NH error",
		"CA|SW1A 1AA|":         "CA error",
		"ME|M1 1AA|":           "ME error",
		"NS|00-950|":           "NS error",
		"ON|K1A-0B1|":          "ON",
		"ON|K1A 0B|":           "ON",
		"BC|HOHOHO|":           "BC",
		"NY|122071234|":        "NY",
		"NY|12207-1234|":       "NY",
		"MD|20742|":            "MD",
		"TN|372011|USA":        "TN error",
		"GA|403 001|":          "GA error",
		"|600001|India":        "",
		"Narnia||Canada":       " error",
	} {
		var r Result
		m.Map(texts(strings.Split(row, "|")...), &r)
		got, _ := r.Profile.Get(Province)
		for _, p := range r.Problems {
			got += " " + p.Severity.String()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q: %v", row, got, want, r.Problems)
		}
	}
}

// Two columns of countries are none.
func TestTwoCountries(t *testing.T) {
	m := mustCompile(t, parseFields(t, "", "unique_id: {value: u-1}\nprovince: State"), []string{"State", "Country", "Home Country"}, testOptions())
	var r Result
	m.Map(texts("TN", "India", "Canada"), &r)
	if got, _ := r.Profile.Get(Province); got != "TN" || len(r.Problems) > 0 {
		t.Errorf("got %q, %v", got, r.Problems)
	}
}
