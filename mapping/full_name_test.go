package mapping

import "testing"

func TestFullNames(t *testing.T) {
	m := mustCompile(t, parseFields(t, "", `unique_id: {value: u-1}
first_name: {expr: given_name(Name)}
last_name: {expr: family_name(Name)}`), []string{"Name"}, testOptions())
	for name, want := range map[string][2]string{ // "" for a row that is invalid
		"Roy, Ann":              {"Ann", "Roy"},
		"De La Cruz, Mary Jane": {"Mary Jane", "De La Cruz"},
		"O'Neil,Zoé":            {"Zoé", "O'Neil"},
		"Ng, J.":                {"J.", "Ng"},
		"Smith III, Jim":        {"Jim", "Smith III"},
		"Smith, Jr., John":      {},
		"Smith, Jim, III":       {},
		"Smith, Jr.":            {},
		"Smith, III":            {},
		"Smith, M.D.":           {},
		"Madonna":               {},
		", Ann":                 {},
		"Roy,":                  {},
		"Junior, Ann":           {"Ann", "Junior"},
		"Roy, Junior Ann":       {"Junior Ann", "Roy"},
	} {
		var r Result
		m.Map(texts(name), &r)
		first, _ := r.Profile.Get(FirstName)
		last, _ := r.Profile.Get(LastName)
		if got := [2]string{first, last}; got != want || (len(r.Problems) > 0) != (want == [2]string{}) {
			t.Errorf("%q gave %q, %v; want %q", name, got, r.Problems, want)
		}
	}
}
