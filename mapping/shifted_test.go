package mapping

import (
	"strings"
	"testing"
)

// TestShiftedColumns maps six rows, the first as given and the others like it.
func TestShiftedColumns(t *testing.T) {
	const fields = "unique_id: {value: u-1}\nfirst_name: First\nlast_name: Last\nemail: Mail\nphone_cell: Phone\nprovince: State\ndate_of_birth: DOB"
	header := []string{"First", "Last", "Mail", "Phone", "State", "DOB"}
	for row, names := range map[string]string{ // what the question names, "" for no question
		"900123401|Ann|Roy|a@example.ca|613-555-0100|ON":        "First Name (from the column \"First\"), Email (from the column \"Mail\")",
		"Roy|a@example.ca|613-555-0100|ON|2004-03-09|":          "Last Name",
		"Ann|Roy|Hull|none of them|ON|2004-03-09":               "Email (from the column \"Mail\") and Cell Phone (from the column \"Phone\")",
		"Ann|Roy|a@example.ca|613-555-0100|Kerala|9th of March": "", // an address and a date of elsewhere
		"Ann|Roy|a@example|613-555-0100|ON|2004-03-09":          "", // one attribute alone
		"Ann|Roy|a@example.ca|613-555-0100|ON|2004-03-09":       "",
	} {
		m := mustCompile(t, parseFields(t, "", fields), header, testOptions())
		var r Result
		for range 6 {
			m.Map(texts(strings.Split(row, "|")...), &r)
		}
		_, err := m.Review(func(sequence int) int { return sequence + 2 })
		switch {
		case names == "" && err != nil:
			t.Errorf("%s: got %v", row, err)
		case names != "" && (err == nil || !strings.Contains(err.Error(), names) || !strings.Contains(err.Error(), "other columns than their headers")):
			t.Errorf("%s: got %v, want %q in it", row, err, names)
		}
	}
}

// A few rows, or some rows among many, are wrong in themselves.
func TestNotShiftedColumns(t *testing.T) {
	for _, bad := range []int{4, 8} {
		m := mustCompile(t, parseFields(t, "", "unique_id: {value: u-1}\nfirst_name: First\nphone_cell: Phone"), []string{"First", "Phone"}, testOptions())
		var r Result
		for range bad {
			m.Map(texts("613-555-0100", "Ann"), &r)
		}
		for range bad / 5 {
			m.Map(texts("Ann", "613-555-0100"), &r)
		}
		if _, err := m.Review(func(sequence int) int { return sequence + 2 }); err != nil {
			t.Errorf("%d rows: got %v", bad, err)
		}
	}
}
