package mapping_test

import (
	"fmt"
	"time"

	"opscom-import/mapping"
)

// A row of a spreadsheet becomes a profile, as a mapping file says.
func Example() {
	file, err := mapping.Parse("students.mapping.yaml", []byte(`
version: 1
source:
  where: 'Status in ["AS", "RE"]'
fields:
  unique_id: Banner ID
  login_source: {value: SSO}
  first_name: {column: [Preferred Name, First Name]}
  date_of_birth: {column: DOB, date: DD/MM/YYYY}
  province: State/Province
  user_type_id: {column: Class, values: {FT: Full Time Student, PT: "9"}}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	header := []string{"Banner ID", "First Name", "Preferred Name", "DOB", "State/Province", "Class", "Status"}
	mapper, err := mapping.Compile(file, header, mapping.Options{
		UserTypes:      []mapping.UserType{{ID: "1", Name: "Full Time Student"}, {ID: "9", Name: "Part Time Student"}},
		UserTypesKnown: true,
		Today:          time.Date(2026, time.September, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	rows := [][]string{
		{"000123456", "Zoë", "", "2/3/1998", "Québec", "ft", "AS"},
		{"000123457", "Samuel", "Sam", "31/02/1997", "Ontaro", "PT", "RE"},
		{"000123458", "Maya", "", "", "", "", "WD"},
	}
	var result mapping.Result
	for _, row := range rows {
		cells := make([]mapping.Cell, len(row))
		for i, text := range row {
			cells[i].Text = text
		}
		mapper.Map(cells, &result)
		if result.Skipped {
			fmt.Println("skipped")
			continue
		}
		payload, err := result.Profile.AppendJSON(nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(string(payload))
		for _, p := range result.Problems {
			fmt.Printf("  %s in column %s: %s\n", p.Rule, mapping.ColumnLetter(p.Column), p.Text())
		}
	}
	// Output:
	// {"unique_id":"000123456","login_source":"SSO","first_name":"Zoë","province":"QC","user_type_id":"1","date_of_birth":"1998-03-02"}
	// {"unique_id":"000123457","login_source":"SSO","first_name":"Sam","user_type_id":"9"}
	//   bad_region in column E: Province or State "Ontaro" is not a province or state; the nearest is Ontario. Write ON if that is what you mean.
	//   bad_date in column D: Date of Birth "31/02/1997" is not a valid date when it is read as DD/MM/YYYY. Correct the date.
	// skipped
}

// A mistake in a mapping file has its line, and names what was probably meant.
func ExampleCompile_mistake() {
	file, err := mapping.Parse("students.mapping.yaml", []byte(`version: 1
fields:
  unique_id: Banner ID
  province: {column: Provnce, apply: [uper]}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = mapping.Compile(file, []string{"Banner ID", "Province"}, mapping.Options{LoginSource: "SSO"})
	fmt.Println(err)
	// Output:
	// students.mapping.yaml:4: province: there is no column "Provnce"; the nearest is "Province"
	// students.mapping.yaml:4: province.apply: there is no transform "uper"; the nearest is "upper"
}

func ExampleParse() {
	_, err := mapping.Parse("students.mapping.yaml", []byte(`version: 1
fields:
  unique_id: Banner ID
  login_source: {value: SSO}
  frist_name: First Name
  email: {column: E-mail, blank: keep}
`))
	fmt.Println(err)
	// Output:
	// students.mapping.yaml:5: fields: "frist_name" is not an attribute of a profile; the nearest is "first_name"
	// students.mapping.yaml:6: email.blank: "keep" is not understood; write omit, clear or error
}
