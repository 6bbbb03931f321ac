package mapping

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUserTypesByID: without the Controller's list an id passes as it is, and a name,
// wherever it comes from, is a question: nobody can tell what it means.
func TestUserTypesByID(t *testing.T) {
	const denied = "the Controller does not list its user types, because the API token lacks the permission to list them, or is wrong"
	const advice = "Write the number of the type, or ask OPS-COM to give the token that permission"
	file := "students.mapping.yaml:"
	header := []string{"ID", "Class"}
	for _, tc := range []struct {
		name, fields string
		classes      []string
		want         string // the last row, or the mistakes
	}{
		{"ids", "user_type_id: Class", []string{"9", "12345"}, `{"unique_id":"7","login_source":"SSO","user_type_id":"12345"}`},
		{"blank", "user_type_id: Class", []string{"9", " "}, `{"unique_id":"7","login_source":"SSO"}`},
		{"none", "city: Class", []string{"Hull"}, `{"unique_id":"7","login_source":"SSO","city":"Hull"}`},
		{"constant", "user_type_id: {value: '4'}", []string{""}, `{"unique_id":"7","login_source":"SSO","user_type_id":"4"}`},
		{"values", "user_type_id: {column: Class, values: {FT: '1', PT: 2}}", []string{"PT"}, `{"unique_id":"7","login_source":"SSO","user_type_id":"2"}`},
		{"a value that is not listed is its row's problem", "user_type_id: {column: Class, values: {FT: '1'}}", []string{"Staff"},
			`{"unique_id":"7","login_source":"SSO"}` + "\n" + `error unknown_value user_type_id B "Staff": User Type "Staff" is not one of the values in the mapping. Correct the cell, or add the value to the mapping.`},
		{"names in cells", "user_type_id: Class", []string{"9", "Staff", "", "Staff"},
			file + `4: user_type_id: the column "Class" gives user types by name (2 rows, the first is row 3), and ` + denied + `. Translate the names into the numbers of the types with values, or ask OPS-COM to give the token that permission`},
		{"a code with a zero is no id", "user_type_id: Class", []string{"01"},
			file + `4: user_type_id: the column "Class" gives user types by name (1 row, the first is row 2), and ` + denied + `. Translate the names into the numbers of the types with values, or ask OPS-COM to give the token that permission`},
		{"names that the values leave", "user_type_id: {column: Class, values: {FT: '1'}, otherwise: keep}", []string{"FT", "Staff"},
			file + `4: user_type_id: the column "Class" gives user types by name (1 row, the first is row 3), and ` + denied + `. Translate the names into the numbers of the types with values, or ask OPS-COM to give the token that permission`},
		{"names in the mapping", "user_type_id:\n  column: Class\n  values: {FT: Staff, PT: 2}\n  default: Visitor", nil,
			file + `6: user_type_id.values: User Type "Staff" is not the number of a user type, and ` + denied + ". " + advice + "\n" +
				file + `7: user_type_id.default: "Visitor" is not the number of a user type`},
		{"a name for all", "user_type_id: {value: Staff}", nil,
			file + `4: user_type_id.value: User Type "Staff" is not the number of a user type, and ` + denied + ". " + advice},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := Compile(parseFields(t, "", "unique_id: ID\n"+tc.fields), header, Options{LoginSource: "SSO", UserTypesByID: true, Today: today()})
			got := ""
			if err == nil {
				var r Result
				for _, class := range tc.classes {
					m.Map(texts("7", class), &r)
				}
				got = show(t, &r)
				_, err = m.Review(func(sequence int) int { return sequence + 2 })
			}
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
