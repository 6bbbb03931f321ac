package suggest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The names that the Controller accepts are certain in a table that has unique_id,
// whatever the values; in other tables the values may show that they mean something
// else.
func TestOwnNames(t *testing.T) {
	for name, tc := range map[string]struct {
		table []string
		want  string
	}{
		"odd values": {[]string{
			"unique_id|login_source|user_name|email|state|zip|phone_cell|student_no|driver_license_num|street|user_type_id",
			"1|SSO|a b|none|Active|x|y|7|z|PO|Full", "2|SSO|a b|none|Active|x|y|7|z|PO|Full", "3|SSO|a b|none|Active|x|y|7|z|PO|Full",
		}, "unique_id = unique_id\nlogin_source = login_source\nuser_name = user_name\nemail = email\nstreet = street\nprovince = state\npostal_code = zip\nphone_cell = phone_cell\nuser_type_id = user_type_id\nstudent_no = student_no\ndriver_licence_num = driver_license_num"},
		"one id for all":               {[]string{"unique_id|first_name", "1|Ann", "1|Bo", "1|Cy"}, "unique_id = unique_id\nfirst_name = first_name"},
		"capitals and spaces":          {[]string{" UNIQUE_ID|State ", "1|Active"}, "unique_id =  UNIQUE_ID\nprovince = State "},
		"street2 alone":                {[]string{"unique_id|street|street2", "1|1 Main St|Apt 3"}, "unique_id = unique_id\nstreet = street\nstreet2 = street2"},
		"both of all pairs":            {[]string{"unique_id|state|province|zip|postal_code|state2|province2", "1|NY|BC|1|2|NY|BC"}, "unique_id = unique_id\nprovince = state\npostal_code = zip\nprovince2 = state2"},
		"before other names":           {[]string{"unique_id|email|Email Address|Banner ID|Home State|state", "1|a@b.example|c@d.example|2|ON|QC"}, "unique_id = unique_id\nemail = email\nprovince = state"},
		"one name twice":               {[]string{"unique_id|province|state|state", "1|ON|ON|QC"}, "unique_id = unique_id\nprovince ? province\nprovince ? state\nprovince ? state"},
		"ids of another system":        {[]string{"Banner ID|email|state", "1|none|Active", "2|none|Active"}, "unique_id = Banner ID\nemail ? email\nprovince ? state"},
		"the label is not the name":    {[]string{"Unique ID|State", "1|Active"}, "unique_id = Unique ID\nprovince ? State"},
		"a street in two of their own": {[]string{"unique_id|street|Address 2", "1|1 Main St|Apt 3"}, "unique_id = unique_id\nstreet ? street"},
	} {
		t.Run(name, func(t *testing.T) {
			header, rows := table(tc.table...)
			suggestions := Columns(header, rows)
			if diff := cmp.Diff(tc.want, short(suggestions)); diff != "" {
				t.Errorf("Columns differs (-want +got):\n%s", diff)
			}
			checkSuggestions(t, header, suggestions)
		})
	}
}

// Of two accepted names the first that is not blank counts, in the order in which the
// columns are.
func TestBothAcceptedNames(t *testing.T) {
	header, rows := table("unique_id|state|province", "1|ON|", "2||QC")
	for _, s := range Columns(header, rows) {
		switch s.Header {
		case "state":
			if diff := cmp.Diff([]string{"state", "province"}, s.Columns); diff != "" {
				t.Error(diff)
			}
		case "province":
			if want := `province comes from "state" (column B), and where that is blank from this column`; s.Why != want {
				t.Errorf("%q, want %q", s.Why, want)
			}
		}
	}
}
