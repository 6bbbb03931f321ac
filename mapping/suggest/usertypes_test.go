package suggest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opscom-import/mapping"
)

// proposed returns the values that are proposed for the user type.
func proposed(suggestions []Suggestion) []mapping.ValuePair {
	i := slices.IndexFunc(suggestions, func(s Suggestion) bool { return s.Attribute == mapping.UserTypeID })
	if i < 0 {
		return nil
	}
	return suggestions[i].Values
}

func TestProposeValues(t *testing.T) {
	for _, tc := range []struct {
		name  string
		table []string
		want  []mapping.ValuePair
	}{
		{"codes", []string{"Class", "FT", "PT", "ft", "FT"}, []mapping.ValuePair{{From: "FT", To: "FT"}, {From: "PT", To: "PT"}}},
		{"ids of types", []string{"Class", "1", "9"}, nil},
		{"no values", []string{"Class", ""}, nil},
		{"too many", []string{"Class", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"}, nil},
		{"a sure header's values are types", []string{"User Type", "Student", "Staff"}, nil},
		{"another attribute", []string{"City", "Ottawa"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, proposed(Columns(table(tc.table...)))); diff != "" {
				t.Errorf("proposed values differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithUserTypes(t *testing.T) {
	types := []mapping.UserType{
		{ID: "1", Name: "Full Time Student"}, {ID: "2", Name: "Part-Time Student"}, {ID: "4", Name: "Staff"},
		{ID: "5", Name: "Faculty"}, {ID: "6", Name: "Visitor"}, {ID: "7", Name: "Visitor"}, {ID: "8", Name: "Contractor"},
	}
	for _, tc := range []struct {
		name   string
		values []string
		want   []mapping.ValuePair
	}{
		{"abbreviations", []string{"FT", "PT", "Fac"}, []mapping.ValuePair{
			{From: "FT", To: "Full Time Student"}, {From: "PT", To: "Part-Time Student"}, {From: "Fac", To: "Faculty"}}},
		{"spelled otherwise", []string{"full-time", "PART TIME STUDENT", "staff "}, []mapping.ValuePair{
			{From: "full-time", To: "Full Time Student"}, {From: "PART TIME STUDENT", To: "Part-Time Student"}, {From: "staff", To: "staff"}}},
		{"French", []string{"Temps plein", "Étudiant à temps partiel"}, []mapping.ValuePair{
			{From: "Temps plein", To: "Full Time Student"}, {From: "Étudiant à temps partiel", To: "Étudiant à temps partiel"}}},
		{"which of two", []string{"Student", "Visitor", "FT"}, []mapping.ValuePair{
			{From: "Student", To: "Student"}, {From: "Visitor", To: "Visitor"}, {From: "FT", To: "Full Time Student"}}},
		{"none of them", []string{"AS", "RE"}, []mapping.ValuePair{{From: "AS", To: "AS"}, {From: "RE", To: "RE"}}},
		{"types already", []string{"Staff", "full time student"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header, rows := table(append([]string{"Class"}, tc.values...)...)
			before := Columns(header, rows)
			got := WithUserTypes(before, types)
			if diff := cmp.Diff(tc.want, proposed(got)); diff != "" {
				t.Errorf("values differ (-want +got):\n%s", diff)
			}
			for _, pair := range proposed(before) {
				if pair.From != pair.To {
					t.Errorf("the suggestions that were given have changed: %v", pair)
				}
			}
			file := File(mapping.SourceSection{}, got, Likely)
			file.Fields = append(file.Fields, mapping.Field{Attribute: mapping.UniqueID, Columns: []string{"Class"}})
			_, err := mapping.Compile(file, header, mapping.Options{LoginSource: "SSO", UserTypes: types, UserTypesKnown: true})
			refused := slices.ContainsFunc(tc.want, func(p mapping.ValuePair) bool { return !isUserType(p.To, types) })
			if (err != nil) != refused {
				t.Errorf("a value that is not a user type must be refused by name, and no other: %v", err)
			}
		})
	}
}
