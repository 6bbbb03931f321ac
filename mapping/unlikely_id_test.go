package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// reviewPeople reviews rows of an id, a first and a last name, the first in row 2. It
// returns the rows that are not people.
func reviewPeople(t *testing.T, rows []string) (found []int, err error) {
	t.Helper()
	m := mustCompile(t, parseFields(t, "", "unique_id: ID\nfirst_name: First\nlast_name: Last"), []string{"ID", "First", "Last"}, testOptions())
	r := new(Result)
	for _, row := range rows {
		m.Map(texts(strings.Split(row, "|")...), r)
	}
	review, err := m.Review(func(sequence int) int { return sequence + 2 })
	for _, p := range review.Problems {
		if p.Problem.Rule == RuleUnlikelyID {
			found = append(found, p.Sequence+2)
		}
	}
	return found, err
}

func TestRowsThatAreNotPeople(t *testing.T) {
	numbers := []string{"900123401|Ann|Roy", "900123402|Bo|Lee", "900123403|Cy|Low", "900123404|Di|Fox"}
	letters := []string{"T00123401|Ann|Roy", "T00123402|Bo|Lee", "T00123403|Cy|Low"}
	logins := []string{"aroy|Ann|Roy", "blee2|Bo|Lee", "clow|Cy|Low", "dfox|Di|Fox", "efoy|Ed|Foy"}
	for name, tt := range map[string]struct {
		people []string
		other  []string
		isSaid bool // of each other row
	}{
		"titles":                         {numbers, []string{"Nursing||", "Soudage||", "护理||", "Fall 2026 intake||"}, true},
		"totals":                         {numbers, []string{"Total for Nursing||", "Total:|4|", "Summe|4|", "Anzahl: 4||", "Nursing Count|4|"}, true},
		"an example":                     {numbers, []string{"EXAMPLE - delete this row|Jane|Doe", "e.g. 900000000|Jane|Doe", "z.B. 900000000|Jane|Doe"}, true},
		"a sample":                       {letters, []string{"SAMPLE|Jane|Doe"}, true},
		"rules":                          {numbers, []string{"Required|Required|Optional"}, true},
		"rules in French":                {numbers, []string{"obligatoire|obligatoire|facultatif"}, true},
		"types":                          {numbers, []string{"varchar(9)|varchar(50)|varchar(50)"}, true},
		"units":                          {letters, []string{"9 digits|text|text"}, true},
		"a question of a survey":         {numbers, []string{"Enter your student number:|First name|Last name", "Open-Ended Response|Open-Ended Response|Open-Ended Response"}, true},
		"a page's title":                 {numbers, []string{"Page 2 of 7||", "Printed 2026-09-01||"}, true},
		"a count in the column of ids":   {numbers, []string{"2||"}, true},
		"a sum in the column of ids":     {numbers, []string{"3600493610||"}, true},
		"a title among user names":       {logins, []string{"Nursing||"}, true},
		"a total among user names":       {logins, []string{"Total for Nursing||"}, true},
		"an example among user names":    {logins, []string{"EXAMPLE - delete this row|Jane|Doe"}, true},
		"rules among user names":         {logins, []string{"Required|Required|Required"}, true},
		"few, and one other":             {numbers[:2], []string{"Required|Required|Required"}, true},
		"people named so":                {numbers, []string{"900123405|Total|Count", "900123406|Page|Example", "900123407|Thomas|Thomas"}, false},
		"an id without a name":           {numbers, []string{"900123405||"}, false},
		"letters among digits":           {numbers, []string{"T00123405|Ed|Foy", "90012340X|Flo|Ray", "V-12345|Gus|May"}, false},
		"one digit":                      {[]string{"1|Ann|Roy", "2|Bo|Lee", "10|Cy|Low"}, []string{"3|Di|Fox", "4||"}, false},
		"user names named so":            {logins, []string{"total|Di|Total", "page|Bo|Page", "example|Cy|Example"}, false},
		"a user name without a name":     {logins, []string{"gmay||"}, false},
		"a user name among numbers":      {numbers, []string{"efoy|Ed|Foy", "ray.flo|Flo|Ray"}, false},
		"ids of two kinds":               {slices.Concat(numbers, logins), nil, false},
		"names as ids":                   {nil, []string{"Ann Roy|Ann|Roy", "Bo Lee|Bo|Lee", "Total Recall|Total|Recall"}, false},
		"ids with spaces":                {nil, []string{"STU 900123|Ann|Roy", "STU 900124|Bo|Lee", "STU 900125|Cy|Low"}, false},
		"ids of letters and digits":      {nil, []string{"a3f9c2d1|Ann|Roy", "bbf1c2aa|Bo|Lee", "9900c2d1|Cy|Low", "c0ffee11|Di|Fox"}, false},
		"a file of one person":           {nil, []string{"guest|Ann|Roy"}, false},
		"one example and nothing beside": {nil, []string{"EXAMPLE|Jane|Doe"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := reviewPeople(t, slices.Concat(tt.people, tt.other))
			if err != nil {
				t.Fatal(err)
			}
			var want []int
			for i := range tt.other {
				if tt.isSaid {
					want = append(want, len(tt.people)+i+2)
				}
			}
			if !slices.Equal(found, want) {
				t.Errorf("got rows %d, want %d", found, want)
			}
		})
	}
}

// Staff known by their user names may be among students with numbers.
func TestManyWordsAmongNumbersAreIDs(t *testing.T) {
	var rows []string
	for i := range 400 {
		rows = append(rows, fmt.Sprintf("90012%04d|Ann|Roy", i))
	}
	for i := range 40 {
		rows = append(rows, fmt.Sprintf("staff%c%c|Bo|Lee", 'a'+i%26, 'a'+i/26))
	}
	if found, err := reviewPeople(t, rows); err != nil || found != nil {
		t.Errorf("got rows %d and %v", found, err)
	}
}

func TestManyRowsThatAreNotPeopleAreAQuestion(t *testing.T) {
	var rows []string
	for i := range 100 {
		rows = append(rows, fmt.Sprintf("Group %d||", i), fmt.Sprintf("90012%04d|Ann|Roy", i))
	}
	if _, err := reviewPeople(t, rows); err == nil || !strings.Contains(err.Error(), `100 rows do not look like people: the ID "Group 0" is unlike those of 100 others.`) {
		t.Errorf("got %v", err)
	}
}
