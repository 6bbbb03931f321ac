package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCompileMistakes: each mistake has its place, and all of them come at once.
func TestCompileMistakes(t *testing.T) {
	header := []string{"ID", "Province", "Status", "Phone", "phone", "DOB"}
	for _, tc := range []struct {
		name, source, fields string
		want                 []string // without the file's name
	}{
		{"unknown column", "", "unique_id: ID\nprovince: Provnce", []string{`4: province: there is no column "Provnce"; the nearest is "Province"`}},
		{"unknown column in a list", "", "unique_id: {column: [ID, Code]}", []string{`3: unique_id: there is no column "Code"`}},
		{"ambiguous column", "", "unique_id: ID\nphone_cell: PHONE", []string{`4: phone_cell: 2 columns are called "PHONE" (D, E); give them different headers in the file`}},
		{"exact column", "", "unique_id: ID\nphone_cell: Phone", nil},
		{"unknown transform", "", "unique_id: {column: ID, apply: [trim, lowerr, uppr]}", []string{
			`3: unique_id.apply: there is no transform "lowerr"; the nearest is "lower"`,
			`3: unique_id.apply: there is no transform "uppr"; the nearest is "upper"`}},
		{"date format", "", "unique_id: ID\ndate_of_birth: {column: DOB, date: DD/MM/YYY}", []string{`4: date_of_birth.date: there is no date token "YYY"; the nearest is "YYYY"`}},
		{"date of another attribute", "", "unique_id: {column: ID, date: DD/MM/YYYY}", []string{`3: unique_id.date: only date_of_birth is a date; delete this key`}},
		{"expression", "", "unique_id: {expr: 'col(\"IDD\")'}", []string{`3: unique_id.expr: there is no column "IDD"; the nearest is "ID" (character 1 of the expression)`}},
		{"expression of another kind", "", "unique_id: {expr: 'ID == \"\"'}", []string{`3: unique_id.expr: the expression gives true or false; write CONDITION ? "one text" : "another"`}},
		{"where", "where: 'Statsu == \"AS\"'", "unique_id: ID", []string{`3: source.where: there is no column "Statsu"; the nearest is "Status" (character 1 of the expression)`}},
		{"where that is not a condition", "where: Status", "unique_id: ID", []string{`3: source.where: expected bool, but got string`}},
		{"values differ in case alone", "", "unique_id: ID\ncity: {column: Status, values: {FT: Hull, ft: Ottawa}}", []string{
			`4: city.values: "ft" is in the list twice, ignoring case, and becomes "Hull" and "Ottawa"; keep one of the two`}},
		{"value that cannot be sent", "", "unique_id: ID\nprovince:\n  column: Status\n  values:\n    A: Ontario\n    B: Ontaro\n  otherwise: Bavaria\n  default: Hull", []string{
			`8: province.values: Province or State "Ontaro" is not a province or state; the nearest is Ontario. Write ON if that is what you mean`,
			`9: province.otherwise: Province or State "Bavaria" is not a province or state of Canada or the USA. Write a postal abbreviation such as ON or NY, or leave the cell blank`,
			`10: province.default: Province or State "Hull" is not a province or state of Canada or the USA. Write a postal abbreviation such as ON or NY, or leave the cell blank`}},
		{"user types that the Controller does not have", "", "unique_id: ID\nuser_type_id:\n  column: Status\n  values:\n    EX: EX\n    ST: Staf\n    V: Staff", []string{
			`7: user_type_id.values: "EX" is not one of the Controller's user types ("Full Time Student", "Part Time Student", "Staff", "Visitor", "visitor"). Write one of them in its place`,
			`8: user_type_id.values: "Staf" is not one of the Controller's user types; the nearest is "Staff". Write one of them in its place`}},
		{"constant that cannot be sent", "", "unique_id: {value: ''}\nemail: {value: nobody}\ncity: {value: '', required: true}", []string{
			`3: unique_id.value: Unique ID is blank. Fill in the value in the mapping`,
			`4: email.value: Email "nobody" is not an e-mail address. Write it as name@example.ca`,
			`5: city.value: City is blank. Fill in the value in the mapping`}},
		{"required and cleared", "", "unique_id: {column: ID, blank: clear}\ncity: {column: Status, required: true, blank: clear}", []string{
			`3: unique_id.blank: a required attribute cannot be cleared; delete this key, or required`,
			`4: city.blank: a required attribute cannot be cleared; delete this key, or required`}},
		{"layout", "headers: [id, Birth Date, Provincee, ' ', '#']", "unique_id: ID", []string{
			`3: source.headers: the mapping expects a column "Birth Date", but the file has none. Correct the file, or change source.headers in the mapping`,
			`3: source.headers: the mapping expects a column "Provincee", but the file has none; the nearest is "Province". Correct the file, or change source.headers in the mapping`,
			`3: source.headers: the mapping expects a column "#", but the file has none. Correct the file, or change source.headers in the mapping`}},
		{"layout with new columns", "headers: [D.O.B., STATUS]", "unique_id: ID", nil},
		{"no unique id", "", "city: Status", []string{` unique_id is missing; the Controller refuses a profile without it. Add unique_id with the column that holds each person's own number`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Compile(parseFields(t, tc.source, tc.fields), header, testOptions())
			var got []string
			if err != nil {
				for _, line := range strings.Split(err.Error(), "\n") {
					got = append(got, strings.TrimPrefix(line, "students.mapping.yaml:"))
				}
				var typed *FileError
				if !errors.As(err, &typed) {
					t.Errorf("%T is not a *FileError", err)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoginSourceFromSettings(t *testing.T) {
	header := []string{"ID", "Source"}
	for _, tc := range []struct{ setting, fields, want string }{
		{"SSO", "unique_id: ID", `{"unique_id":"7","login_source":"SSO"}`},
		{" SSO ", "unique_id: ID", `{"unique_id":"7","login_source":"SSO"}`},
		{"LDAP_2", "unique_id: ID", `{"unique_id":"7","login_source":"LDAP_2"}`},
		{"SSO", "unique_id: ID\nlogin_source: Source", `{"unique_id":"7","login_source":"LDAP"}`},
		{"SSO", "unique_id: ID\nlogin_source: {value: SAML}", `{"unique_id":"7","login_source":"SAML"}`},
		{"", "unique_id: ID", `students.mapping.yaml: login_source is missing; the Controller refuses a profile without it. Give --login-source SSO, or add login_source: {value: SSO} to the mapping, with the code of your own login source`},
		{strings.Repeat("x", 21), "unique_id: ID", `students.mapping.yaml: login_source: the login source in the settings cannot be sent: Login Source "xxxxxxxxxxxxxxxxxxxxx" has 21 characters, and the Controller accepts at most 20. Shorten it`},
	} {
		options := testOptions()
		options.LoginSource = tc.setting
		m, err := Compile(parseFields(t, "", tc.fields), header, options)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			var r Result
			m.Map(texts("7", "LDAP"), &r)
			got = show(t, &r)
		}
		if got != tc.want {
			t.Errorf("%q with %q: got %s, want %s", tc.setting, tc.fields, got, tc.want)
		}
	}
}

// TestCompileWithoutParse: a mapping that was never a file is judged too.
func TestCompileWithoutParse(t *testing.T) {
	_, err := Compile(&File{Fields: []Field{
		{Attribute: City, Columns: []string{"City"}, Blank: "skip"},
		{Attribute: UniqueID},
	}}, []string{"City"}, testOptions())
	want := `mapping: unique_id: nothing says where the value comes from; add column, value or expr
mapping: city.blank: "skip" is not understood; write omit, clear or error`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
