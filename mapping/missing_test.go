package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestMissing puts one value into one attribute. "" as the result: the value counts as
// blank, and a warning says so.
func TestMissing(t *testing.T) {
	for attribute, values := range map[Attribute]string{
		CellPhone:     `NA|nan|N/A|none|null|\N|(null)|<none>|undefined|unknown|-|(   )    -|___-___-____|0|000-000-0000|(999) 999-9999|tbd|--|n.a.|Aucun|"NULL"|--None--|+1 (___) ___-____|+1|+44|+1 (   )    -|1-|1 ___`,
		Email:         `NULL|n/a|none|-|\N|[blank]|(vide)`,
		DateOfBirth:   `N/A|0000-00-00|0000-00-00 00:00:00|00/00/0000|0|null|-|inconnu`,
		Province:      `N/A|null|-|.|None|0`,
		PostalCode:    `00000|N/A|-|null|0`,
		LoginSource:   `NULL|none|N/A|-`,
		StudentNumber: `NULL|nan|None|N/A|\N|-|undefined`,
		Street:        `N/A|None|NULL|-|0|Not Available|sans objet|(blank)|unbekannt|entfällt|néant|geen|no aplica`,
		City:          `N/A|NULL|Null|undefined|-|0|,|.|(null)|""|''|'null'|xxx|XXXX|zzz|Unknown|Desconocida|sconosciuto|k. A.|keine Angabe|não informado|niet van toepassing|N/R|Non renseigné`,
		FirstName:     `Not Provided|no data|N/A|-|--|\N|(null)|<NULL>|0|""|.|*|[none]|?|n/d|S/O|xxx|XXX|Keine Angabe|Non communiqué`,
		LastName:      `\N|(none)|—|…|[]|{}`,
	} {
		for value := range strings.SplitSeq(values, "|") {
			r := mapCell(t, attribute, "", Cell{Text: value})
			if got, sent := r.Profile.Get(attribute); sent {
				t.Errorf("%s %q was sent as %q", attribute, value, got)
			}
			checkProblem(t, r, RuleMissingValue, "counts as blank")
		}
	}
}

// What only looks like a word for no value is a value.
func TestNotMissing(t *testing.T) {
	for attribute, values := range map[Attribute]string{
		CellPhone:     `613-555-0100|+1 000 555 0100|1-800-555-HELP|111 1112|0800 000 001|5|4521`,
		Email:         `na@example.ca|null@example.ca|none@none.example`,
		Province:      `ND|N.D.|NB|NL|NT`,
		PostalCode:    `00601|N0N 0N0|01000`,
		StudentNumber: `0|00|NA12|null7`,
		Street:        `12 Null St|Unknown Road 4|N/A Wing|NA-2|0 Main St|12 Main St Apt #4|#4B`,
		City:          `Nan|Nanaimo|Y|Å|None|100 Mile House|Nil|Unknown Corners|Missing Link|Xxyz|Oo|Geen|Aaaberg`,
		FirstName:     `Null|Na|NA|Nan|None|None-Marie|N.A.|K.A.|Nil|J|Ng|花|ا|O|Blank|Vide|Leer|Xx|K. A.|Ooo|III|Geen|Nessuna`,
		LastName:      `Null|NULL|Na|Nd|Unknown|Empty|O|Ó|'t Hooft|D'Arcy|Tbd`,
		UserName:      `null1|nalee|none|na`,
	} {
		for value := range strings.SplitSeq(values, "|") {
			r := mapCell(t, attribute, "", Cell{Text: value})
			got, sent := r.Profile.Get(attribute)
			if want := strings.TrimPrefix(value, "N.D."); !sent || got != value && want != "" {
				t.Errorf("%s %q was sent as %q, %v: %v", attribute, value, got, sent, r.Problems)
			}
			if len(r.Problems) > 0 {
				t.Errorf("%s %q: unexpected: %v", attribute, value, r.Problems)
			}
		}
	}
}

// A word that may be a name is one until the table shows otherwise.
func TestReviewOfMissing(t *testing.T) {
	const fields = "unique_id: {column: ID}\nfirst_name: First\nlast_name: Last\ncity: City\nphone_cell: Phone"
	people := func(n int) (rows []string) {
		for i := range n {
			rows = append(rows, fmt.Sprintf("9%05d|Ann|Roy|Hull|613-555-01%02d", i, i%100))
		}
		return rows
	}
	for _, tc := range []struct {
		name string
		rows []string
		want string // what is reported, each as sequence and attribute
	}{
		{"a surname among many", append(people(50), "1|Bo|Na|Hull|", "2|Nan|Null|Hull|", "3|Na|Nan|Nan|"), ""},
		{"written as programs do", append(people(50), "1|Bo|NULL|Hull|", "2|null|Roy|Hull|", "3|nan|NaN|Hull|"), "50 last_name 51 first_name 52 first_name 52 last_name"},
		{"typed in small letters", append(people(50), "1|Bo|unknown|Hull|", "2|blank|Roy|Hull|", "3|Bo|Unknown|Hull|"), "50 last_name 51 first_name"},
		{"the style of the column", []string{"1|ANN|ROY|HULL|", "2|BO|NULL|HULL|", "3|NA|LEE|HULL|"}, ""},
		{"two people in capitals", []string{"1|ANN|ROY|HULL|", "2|BO|NULL|HULL|", "3|NULL|LEE|HULL|", "4|BO|LEE|NONE|", "5|BO|NONE|HULL|"}, ""},
		{"capitals of other letters", []string{"1|ЮЛИЯ|ÖßNER|HULL|", "2|BO|NULL|HULL|", "3|花子|ÄßEN|HULL|", "4|X|ÉRIC|HULL|"}, ""},
		{"a family among many", append(people(400), "1|Bo|Null|Hull|", "2|Di|Null|Hull|", "3|Ed|Null|Hull|", "4|Al|Null|Hull|"), ""},
		{"the same word where it is none", append(people(50), "1|NA|Roy|Hull|", "2|Bo|Roy|Hull|NA"), "50 first_name"},
		{"a name and another writing", append(people(50), "1|Bo|Na|Hull|", "2|Bo|Roy|Hull|NA"), ""},
		{"a town in a row with blanks", append(people(50), "1|Bo|Roy|None|N/A", "2|Bo|Roy|None|613-555-0100"), "50 city"},
		{"a surname of three", append(people(50), "1|Bo|Nan|Hull|", "2|Bo|Nan|Hull|", "3|Bo|Nan|Hull|"), ""},
		{"a common short name", append(people(400), "1|Bo|Na|Hull|", "2|Bo|Na|Hull|", "3|Bo|Na|Hull|", "4|Bo|Na|Hull|"), ""},
		{"too common", append(people(20), slices.Repeat([]string{"1|Bo|Na|Hull|"}, 10)...), "20 last_name 21 last_name 22 last_name 23 last_name 24 last_name 25 last_name 26 last_name 27 last_name 28 last_name 29 last_name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := mustCompile(t, parseFields(t, "", fields), []string{"ID", "First", "Last", "City", "Phone"}, testOptions())
			var r Result
			for _, row := range tc.rows {
				m.Map(texts(strings.Split(row, "|")...), &r)
			}
			review, err := m.Review(func(sequence int) int { return sequence + 2 })
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range review.Problems {
				if p.Problem.Rule == RuleMissingValue {
					got = append(got, fmt.Sprint(p.Sequence, " ", p.Problem.Attribute))
				}
			}
			if all := strings.Join(got, " "); all != tc.want {
				t.Errorf("got %q, want %q", all, tc.want)
			}
		})
	}
}

func TestReviewAsksAboutManyMissing(t *testing.T) {
	var names []Cell
	for range 30 {
		names = append(names, Cell{Text: "NULL"}, Cell{Text: "Roy"}, Cell{Text: "Lee"})
	}
	_, err := reviewOf(t, "last_name: It", names...)
	if err == nil || !strings.Contains(err.Error(), `30 rows have "NULL"`) || !strings.Contains(err.Error(), `missing_values: ["NULL"]`) {
		t.Errorf("got %v", err)
	}
	for _, field := range []string{"last_name: {column: It, as_is: true}", `last_name: {column: It, values: {"NULL": Null}, otherwise: keep}`} {
		if review, err := reviewOf(t, field, names...); err != nil || len(review.Problems) > 0 {
			t.Errorf("%s: got %v, %v", field, review.Problems, err)
		}
	}
}

// More rows than are remembered are a question, however small their share is.
func TestReviewOfMoreMissingThanRemembered(t *testing.T) {
	m := mustCompile(t, parseFields(t, "", "unique_id: {value: u-1}\nlast_name: It"), []string{"It"}, testOptions())
	var r Result
	for i := range 40 * (maxSuspects + 1) {
		text := "Roy"
		if i%40 == 0 {
			text = "NULL"
		}
		m.Map(texts(text), &r)
	}
	if _, err := m.Review(func(sequence int) int { return sequence + 2 }); err == nil || !strings.Contains(err.Error(), `4097 rows have "NULL"`) {
		t.Errorf("got %v", err)
	}
}

// The mapping's own words count as blank, in expressions too.
func TestNamedMissingValues(t *testing.T) {
	f := parseFields(t, "missing_values: [NULL, Private]", "unique_id: A\ncity: {column: [B, C]}\nlast_name: {expr: 'B + C'}")
	m := mustCompile(t, f, []string{"A", "B", "C"}, testOptions())
	var r Result
	m.Map(texts("1", "Private", "Hull"), &r)
	if city, _ := r.Profile.Get(City); city != "Hull" {
		t.Errorf("the city is %q", city)
	}
	if last, _ := r.Profile.Get(LastName); last != "Hull" {
		t.Errorf("the last name is %q", last)
	}
}

// A preferred name that stands for none gives way to the legal one.
func TestMissingFallsThrough(t *testing.T) {
	for value, want := range map[string]string{"-": "Robert", "NULL": "Robert", "none": "Robert", "0": "Robert", `""`: "Robert", "NA": "Robert", "Bob": "Bob", "Na": "Na", "Nan": "Nan"} {
		m := mustCompile(t, parseFields(t, "", "unique_id: {value: u-1}\nfirst_name: {column: [Nick, First]}"), []string{"Nick", "First"}, testOptions())
		var r Result
		m.Map(texts(value, "Robert"), &r)
		if got, _ := r.Profile.Get(FirstName); got != want {
			t.Errorf("%q gave %q, want %q", value, got, want)
		}
		if said := len(r.Problems) == 1 && r.Problems[0].Severity == SeverityWarning; said != (want == "Robert") {
			t.Errorf("%q: said %v", value, r.Problems)
		}
	}
}

func TestMissingInsideAnExpression(t *testing.T) {
	m := mustCompile(t, parseFields(t, "", `unique_id: {value: u-1}
last_name: {expr: 'First + " " + Last'}`), []string{"First", "Last"}, testOptions())
	for row, rule := range map[string]Rule{"Ann|NULL": RuleMissingValue, `\N|Roy`: RuleMissingValue, "Ann|N/A": RuleMissingValue, "Ann|Null": "", "ANN|NULL": "", "Nan|Na": "", "Ann|-": ""} {
		var r Result
		m.Map(texts(strings.Split(row, "|")...), &r)
		if got := len(r.Problems) > 0; got != (rule != "") {
			t.Errorf("%s: got %v", row, r.Problems)
		}
	}
}

func TestMayBeMissing(t *testing.T) {
	for value, want := range map[string]bool{"N/A": true, "NULL": true, "-": true, "Staff": false, "12": false} {
		if got := MayBeMissing(UserTypeID, value); got != want {
			t.Errorf("%q may stand for no value: %v", value, got)
		}
	}
}
