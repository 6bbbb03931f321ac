package suggest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"opscom-import/mapping"
)

// ignoreLines compares mappings by what they say, not by where they say it.
var ignoreLines = cmp.Options{
	cmpopts.IgnoreFields(mapping.File{}, "Name"),
	cmpopts.IgnoreFields(mapping.Field{}, "Line"),
	cmpopts.IgnoreFields(mapping.ValuePair{}, "Line"),
	cmpopts.IgnoreTypes(mapping.Lines{}),
}

// suggestedFields returns the lines under "fields:" of the suggestion for a table.
func suggestedFields(t *testing.T, suggestions []Suggestion) string {
	t.Helper()
	text, err := Format(mapping.SourceSection{}, suggestions)
	if err != nil {
		t.Fatal(err)
	}
	_, fields, _ := strings.Cut(string(text), "fields:\n")
	fields, _, _ = strings.Cut(fields, "# These columns are not used")
	return fields
}

// accepted returns the mapping that a person makes of a suggestion by deleting
// the marks of the guesses.
func accepted(t *testing.T, suggestions []Suggestion) *mapping.File {
	t.Helper()
	text, err := Format(mapping.SourceSection{}, suggestions)
	if err != nil {
		t.Fatal(err)
	}
	file, err := mapping.Parse("x.yaml", []byte(strings.ReplaceAll(string(text), likelyMark, "")))
	if err != nil {
		t.Fatalf("without the marks the suggestion cannot be read: %v\n%s", err, text)
	}
	return file
}

// profileOf maps the first row of a table by a mapping.
func profileOf(t *testing.T, file *mapping.File, header []string, row []mapping.Cell) string {
	t.Helper()
	mapper, err := mapping.Compile(file, header, mapping.Options{LoginSource: "SSO", Today: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	var result mapping.Result
	mapper.Map(row, &result)
	for _, problem := range result.Problems {
		t.Errorf("problem: %s", problem.Text())
	}
	text, err := result.Profile.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestColumnsFullNames: the names of one column are ready to use.
func TestColumnsFullNames(t *testing.T) {
	header, rows := table("unique_id|Student Name", "1|Roy, Zoé Marie", "2|van der Berg, Li")
	suggestions := Columns(header, rows)
	const want = `  unique_id: unique_id # certain: the attribute's own name; such as 1 | 2
  # login_source: {value: SSO} # no column has it: write the code of your login source here, or give --login-source
  # likely: first_name: {expr: given_name(col("Student Name"))} # it holds the full name; this is the part after the comma, with middle names; such as Roy, Zoé Marie | van der Berg, Li
  # likely: last_name: {expr: family_name(col("Student Name"))} # it holds the full name; this is the part before the comma; such as Roy, Zoé Marie | van der Berg, Li
`
	if diff := cmp.Diff(want, suggestedFields(t, suggestions)); diff != "" {
		t.Errorf("the suggestion differs (-want +got):\n%s", diff)
	}
	got := profileOf(t, accepted(t, suggestions), header, rows[0])
	if want := `"first_name":"Zoé Marie","last_name":"Roy"`; !strings.Contains(got, want) {
		t.Errorf("the profile is %s, want one with %s", got, want)
	}
}

// TestColumnsPreferredNames: the list that takes the preferred name where it is not
// blank is ready, beside the name that everybody has.
func TestColumnsPreferredNames(t *testing.T) {
	for _, tc := range []struct {
		name   string
		header string
		want   string
	}{
		{"beside a sure name", "First Name|Preferred First Name|Nickname", `  first_name: First Name # certain: the attribute's own name
  # or: first_name: {column: [Preferred First Name, Nickname, First Name]} # the first that is not blank, so that a preferred name comes before the legal one
`},
		{"beside a legal name", "Legal First Name|Preferred First Name", `  # likely: first_name: Legal First Name # a usual name for it; or is it column B?
  # likely: first_name: {column: [Preferred First Name, Legal First Name]} # a preferred name may differ from the legal one, and is often blank; or is it column A?
`},
		{"last names", "Surname|Preferred Last Name", `  last_name: Surname # certain: a usual name for it
  # or: last_name: {column: [Preferred Last Name, Surname]} # the first that is not blank, so that a preferred name comes before the legal one
`},
		{"French", "Prénom|Prénom usuel", `  first_name: Prénom # certain: a usual name for it
  # or: first_name: {column: [Prénom usuel, Prénom]} # the first that is not blank, so that a preferred name comes before the legal one
`},
		{"alone", "Preferred Name", "  # likely: first_name: Preferred Name # a preferred name may differ from the legal one, and is often blank\n"},
		{"beside two names", "First|Legal First Name|Preferred Name", `  # likely: first_name: First # a usual name for it; or is it column B, C?
  # likely: first_name: Legal First Name # a usual name for it; or is it column A, C?
  # likely: first_name: Preferred Name # a preferred name may differ from the legal one, and is often blank; or is it column A, B?
`},
		{"twice the same header", "First Name|Preferred Name|Preferred Name", "  first_name: First Name # certain: the attribute's own name\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header, _ := table(tc.header)
			got := suggestedFields(t, Columns(header, nil))
			_, got, _ = strings.Cut(got, "login-source\n")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("the suggestion differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPreferredNameTaken: the line "# or:" in the place of the one above it makes
// a mapping that prefers the preferred name.
func TestPreferredNameTaken(t *testing.T) {
	header, rows := table("unique_id|First Name|Preferred First Name", "1|Maxime|Max", "2|Zoé|")
	text, err := Format(mapping.SourceSection{}, Columns(header, rows))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "  first_name:") {
			lines = append(lines, strings.Replace(line, orMark, "", 1))
		}
	}
	file, err := mapping.Parse("x.yaml", []byte(strings.Join(lines[4:], "")))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`"first_name":"Max"`, `"first_name":"Zoé"`} {
		if got := profileOf(t, file, header, rows[i]); !strings.Contains(got, want) {
			t.Errorf("the profile is %s, want one with %s", got, want)
		}
	}
}

// TestFormatSuggestedValues: the table of values is on separate lines, each of them
// marked, and is missing when the samples were removed.
func TestFormatSuggestedValues(t *testing.T) {
	header, rows := table("unique_id|Class", "1|FT", "2|no")
	suggestions := WithUserTypes(Columns(header, rows), []mapping.UserType{{ID: "1", Name: "Full Time Student"}, {ID: "9", Name: "None"}})
	const want = `  # likely: user_type_id: # its values must be user types of the Controller, or be translated into them with ` + "`values`" + `; to the right of each value, write the user type that it means; such as FT | no
  # likely:   column: Class
  # likely:   values:
  # likely:     FT: Full Time Student
  # likely:     'no': 'no'
`
	_, got, _ := strings.Cut(suggestedFields(t, suggestions), "login-source\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the suggestion differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(File(mapping.SourceSection{}, suggestions, Likely).Fields, accepted(t, suggestions).Fields, ignoreLines); diff != "" {
		t.Errorf("without the marks the suggestion differs:\n%s", diff)
	}
	for i := range suggestions {
		suggestions[i].Samples = nil
	}
	_, got, _ = strings.Cut(suggestedFields(t, suggestions), "login-source\n")
	if strings.Contains(got, "FT") {
		t.Errorf("there are values although the samples were taken out:\n%s", got)
	}
}

// TestColumnsSerialDates: Excel's serial numbers are proposed as such, and a person is
// asked.
func TestColumnsSerialDates(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values []string
		kind   mapping.CellKind
		want   string
	}{
		{"text", []string{"36892", "30001", "33333.0"}, mapping.TextCell, "excel"},
		{"numbers", []string{"36892", "30001"}, mapping.NumberCell, "excel"},
		{"with a time of day", []string{"36892.5", "30001"}, mapping.TextCell, ""},
		{"out of a life's reach", []string{"36892", "90001"}, mapping.TextCell, ""},
		{"years", []string{"1999", "2001"}, mapping.TextCell, ""},
		{"days in one number", []string{"20011231", "19990102"}, mapping.TextCell, "YYYYMMDD"},
		{"serials among dates", []string{"36892", "2001-12-31"}, mapping.TextCell, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var rows [][]mapping.Cell
			for _, value := range tc.values {
				rows = append(rows, []mapping.Cell{{Text: value, Kind: tc.kind}})
			}
			got := Columns([]string{"DOB"}, rows)
			if got[0].Date != tc.want {
				t.Errorf("the form is %q, want %q (%s)", got[0].Date, tc.want, got[0].Why)
			}
			if tc.want == "excel" && (got[0].Confidence != Likely || !strings.Contains(got[0].Why, "Excel's serial numbers")) {
				t.Errorf("it is %s, %q", got[0].Confidence, got[0].Why)
			}
		})
	}
}
