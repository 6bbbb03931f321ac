package mapping

import (
	"strings"
	"testing"
	"time"
)

// Two columns with accepted names of one attribute must not differ in a row. Other
// lists of columns may: a preferred name differs from the legal one.
func TestAcceptedNamesAgree(t *testing.T) {
	for name, tc := range map[string]struct {
		field  Field
		header string
		cells  []Cell
		want   string // the value, or a part of the problem
	}{
		"equal":                     {Field{Attribute: Province, Columns: []string{"province", "state"}}, "province|state", texts("ON", "ON"), "ON"},
		"a name and its code":       {Field{Attribute: Province, Columns: []string{"province", "state"}}, "province|state", texts("Ontario", "on"), "ON"},
		"only the second":           {Field{Attribute: Province2, Columns: []string{"province2", "state2"}}, "province2|state2", texts("", "NY"), "NY"},
		"no value in the first":     {Field{Attribute: Province, Columns: []string{"province", "state"}}, "province|state", texts("N/A", "NY"), "NY"},
		"no value in the second":    {Field{Attribute: Province, Columns: []string{"province", "state"}}, "province|state", texts("NY", "-"), "NY"},
		"the row is short":          {Field{Attribute: Province, Columns: []string{"province", "state"}}, "province|state", texts("NY"), "NY"},
		"different":                 {Field{Attribute: Province, Columns: []string{"province", "state"}}, "province|state", texts("BC", "NY"), `differs from "NY" in the column "state"`},
		"the second is no region":   {Field{Attribute: Province, Columns: []string{"province", "state"}}, "province|state", texts("BC", "Active"), `differs from "Active"`},
		"the second is an error":    {Field{Attribute: PostalCode, Columns: []string{"zip", "postal_code"}}, "zip|postal_code", texts("12207", "#N/A"), "shows the error"},
		"other spaces":              {Field{Attribute: PostalCode, Columns: []string{"zip", "postal_code"}}, "zip|postal_code", texts("K1A 0B1", "k1a0b1"), "K1A 0B1"},
		"another code":              {Field{Attribute: PostalCode2, Columns: []string{"Zip2", " POSTAL_CODE2 "}}, "Zip2| POSTAL_CODE2 ", texts("K1A 0B1", "K1A 0B2"), `in the column "POSTAL_CODE2"`},
		"after transforms":          {Field{Attribute: PostalCode, Columns: []string{"zip", "postal_code"}, Apply: []string{"pad:5"}}, "zip|postal_code", texts("2139", "02139"), "02139"},
		"licences":                  {Field{Attribute: DriverLicenceNumber, Columns: []string{"driver_licence_num", "driver_license_num"}}, "driver_licence_num|driver_license_num", texts("D1234-56789", "D123456789"), "D1234-56789"},
		"other headers may differ":  {Field{Attribute: Province, Columns: []string{"Province", "Old State"}}, "Province|Old State", texts("BC", "NY"), "BC"},
		"the mapping says it is so": {Field{Attribute: Province, Columns: []string{"province", "state"}, AsIs: true}, "province|state", texts("BC", "NY"), "BC"},
	} {
		t.Run(name, func(t *testing.T) {
			id, source := "9", "SSO"
			file := &File{Fields: []Field{{Attribute: UniqueID, Value: &id}, {Attribute: LoginSource, Value: &source}, tc.field}}
			m, err := Compile(file, strings.Split(tc.header, "|"), Options{Today: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Fatal(err)
			}
			var r Result
			m.Map(tc.cells, &r)
			got, _ := r.Profile.Get(tc.field.Attribute)
			for _, problem := range r.Problems {
				if problem.Severity == SeverityError {
					got = problem.Message
				}
			}
			if got != tc.want && (len(tc.want) < 6 || !strings.Contains(got, tc.want)) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
