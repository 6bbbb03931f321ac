package suggest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opscom-import/mapping"
)

// TestColumnsByContent: a header that says nothing is matched by the column's values,
// and is likely at most.
func TestColumnsByContent(t *testing.T) {
	for _, tc := range []struct {
		name  string
		table []string
		want  string
		why   string // part of the reason of the first column
	}{
		{"e-mails", []string{"Col7", "a@b.example", "c@d.example", "e@f.example"}, "email ? Col7", "its values look like e-mail addresses"},
		{"contact", []string{"Contact", "a@b.example", "c@d.example", "e@f.example"}, "email ? Contact", "e-mail addresses"},
		{"an emergency contact", []string{"Emergency Contact", "a@b.example", "c@d.example", "e@f.example"}, "", "somebody other"},
		{"a contact who has a name", []string{"Contact|Contact Name", "a@b.example|Jo", "c@d.example|Bo", "e@f.example|Flo"}, "", "somebody other"},
		{"a header that says something", []string{"Coach 2b", "a@b.example", "c@d.example", "e@f.example"}, "", "somebody other"},
		{"a header nobody knows", []string{"Bursar", "a@b.example", "c@d.example", "e@f.example"}, "email ? Bursar", "is not a known name, and its values look like e-mail addresses"},
		{"the school's e-mail", []string{"SU Email", "a@b.example", "c@d.example", "e@f.example"}, "email ? SU Email", "the address that the school gives"},
		{"the school's e-mail, no values", []string{"su_email"}, "email ? su_email", "the address that the school gives"},
		{"the school's e-mail beside another", []string{"SU Email|Email", "a@b.example|a@x.example", "c@d.example|c@x.example", "e@f.example|e@x.example"}, "email = Email", "email comes from"},
		{"the address of a department", []string{"Nurs Email", "a@b.example", "a@b.example", "a@b.example"}, "", "no attribute is known"},
		{"no addresses under it", []string{"SU Email", "yes", "no", "yes"}, "", "no attribute is known"},
		{"a name that the school made up", []string{"MyNorth", "a@b.example", "c@d.example", "e@f.example"}, "email ? MyNorth", "look like e-mail addresses"},
		{"the school's number", []string{"UWO ID", "250100201", "250100202", "250100203"}, "unique_id ? UWO ID", "the number that the school gives"},
		{"the school's number beside another", []string{"UWO ID|Banner ID", "250100201|1", "250100202|2", "250100203|3"}, "unique_id = Banner ID", "unique_id comes from"},
		{"a row's number", []string{"Rec ID", "1", "2", "3"}, "", "no attribute is known"},
		{"an id without values", []string{"Org ID"}, "", "no attribute is known"},
		{"beside the Controller's own names", []string{"Notes|unique_id", "a@b.example|1", "c@d.example|2", "e@f.example|3"}, "unique_id = unique_id", "no attribute"},
		{"too few values", []string{"Col7", "a@b.example", "c@d.example"}, "", "no attribute is known"},
		{"one is none", []string{"Col7", "a@b.example", "c@d.example", "none"}, "", "no attribute is known"},
		{"the address of an office", []string{"Col7", "a@b.example", "a@b.example", "a@b.example", "a@b.example"}, "", "no attribute is known"},
		{"two of them", []string{"Col7|Col8", "a@b.example|a@x.example", "c@d.example|c@x.example", "e@f.example|e@x.example"}, "", "look like e-mail addresses"},
		{"one beside an unknown one", []string{"Col7|Bursar", "a@b.example|a@x.example", "c@d.example|c@x.example", "e@f.example|e@x.example"}, "", "look like e-mail addresses"},
		{"a header gives it", []string{"Col7|E-mail", "a@b.example|a@x.example", "c@d.example|c@x.example", "e@f.example|e@x.example"}, "email = E-mail", "look like e-mail addresses"},
		{"the same header twice", []string{"Field|Field", "a@b.example|1", "c@d.example|2", "e@f.example|3"}, "", "look like e-mail addresses"},

		{"dates of birth", []string{"Field 12", "2001-12-31", "1999-01-02", "1984-05-06"}, "date_of_birth ? Field 12", "look like dates of birth"},
		{"dates of birth, day first", []string{"Field 12", "31/12/2001", "02/01/1999", "06/05/1984"}, "date_of_birth ? Field 12", "only DD/MM/YYYY"},
		{"dates of birth, either way", []string{"Field 12", "01/12/2001", "02/01/1999", "06/05/1984"}, "date_of_birth ? Field 12", "DD/MM/YYYY or MM/DD/YYYY"},
		{"dates of enrolment", []string{"Field 12", "2021-09-01", "2022-09-01", "2023-01-09"}, "", "no attribute is known"},
		{"the same date", []string{"Field 12", "2001-09-01", "2001-09-01", "2001-09-01"}, "", "no attribute is known"},
		{"a date under another header", []string{"Admitted", "2001-12-31", "1999-01-02", "1984-05-06"}, "", "look like dates of birth"},

		{"Canadian postal codes", []string{"Info", "K1A 0B1", "m5v3l9", "H2X 1Y4"}, "postal_code ? Info", "look like postal codes"},
		{"ZIP codes, some with four more", []string{"Info", "14850", "14850-1234", "10001"}, "postal_code ? Info", "look like postal codes"},
		{"five digits may be anything", []string{"Info", "14850", "14851", "10001"}, "", "no attribute is known"},

		{"provinces", []string{"Text 3", "ON", "QC", "ON"}, "province ? Text 3", "look like provinces or states"},
		{"states", []string{"Text 3", "NY", "NJ", "PA"}, "province ? Text 3", "look like provinces or states"},
		{"degrees", []string{"Text 3", "MA", "MS", "MD"}, "", "no attribute is known"},
		{"a switch", []string{"Text 3", "ON", "ON", "ON"}, "", "no attribute is known"},
		{"languages", []string{"Text 3", "EN", "FR", "EN"}, "", "no attribute is known"},

		{"ids are only said", []string{"Data", "900100201", "900100202", "900100203"}, "", "its values look like the IDs of people"},
		{"amounts are not ids", []string{"Data", "900100201", "90010.50", "7"}, "", "no attribute is known by this name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header, rows := table(tc.table...)
			suggestions := Columns(header, rows)
			if diff := cmp.Diff(tc.want, short(suggestions)); diff != "" {
				t.Errorf("Suggest differs (-want +got):\n%s", diff)
			}
			if !strings.Contains(suggestions[0].Why, tc.why) {
				t.Errorf("the reason is %q, want one with %q", suggestions[0].Why, tc.why)
			}
			checkSuggestions(t, header, suggestions)
		})
	}
}

// TestColumnsRealDates: the dates of a workbook need no format.
func TestColumnsRealDates(t *testing.T) {
	var rows [][]mapping.Cell
	for _, day := range []string{"2001-12-31", "1999-01-02T00:00:00", "1984-05-06"} {
		rows = append(rows, []mapping.Cell{{Text: day, Kind: mapping.DateCell}})
	}
	got := Columns([]string{"Column 4"}, rows)
	if short(got) != "date_of_birth ? Column 4" || got[0].Date != "" {
		t.Errorf("got %q with the form %q", short(got), got[0].Date)
	}
}
