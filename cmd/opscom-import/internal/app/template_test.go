package app

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/mapping/answers"
	"opscom-import/report"
)

// fillIn writes the template to a file, with people by the headers of the columns.
func fillIn(t *testing.T, env Env, people ...map[string]string) string {
	t.Helper()
	var blank bytes.Buffer
	if err := WriteTemplate(t.Context(), env, &blank); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&blank)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close() // only read, and saved below
	rows, err := book.GetRows("People")
	if err != nil {
		t.Fatal(err)
	}
	for i, person := range people {
		for header, value := range person {
			column := -1
			for c, h := range rows[0] {
				if h == header || strings.HasPrefix(h, header+" (") {
					column = c
				}
			}
			cell, err := excelize.CoordinatesToCellName(column+1, i+2)
			if err == nil {
				err = book.SetCellStr("People", cell, value)
			}
			if err != nil {
				t.Fatalf("%q: %v", header, err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "people.xlsx")
	if err := book.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// A template that was filled in needs no answer, and reaches the Controller as it is.
func TestTemplateRoundTrip(t *testing.T) {
	whole := map[string]string{
		"Unique ID": "000543678", "Login Source": "SSO", "First Name": "Ann", "Last Name": "Roy", "User Name": "aroy", "Email": "ann@college.example",
		"Street": "8 Main St", "City": "Ottawa", "Province or State": "ON", "Postal Code or ZIP": "K1A 0B1",
		"Street, address 2": "9 Side St", "City, address 2": "Hull", "Province or State, address 2": "QC", "Postal Code or ZIP, address 2": "J8X 1A1",
		"Cell Phone": "613-555-0142", "User Type": "Full Time Student", "Employee Number": "0077", "Employee Phone": "613-555-0143",
		"Student Number": "000543678", "Student Phone": "613-555-0144", "Driver's Licence Number": "R1234-56789-01234", "Driver's Licence Province or State": "ON",
		"Date of Birth": "2004-09-03", "Locker User Type": "3",
	}
	few := map[string]string{"Unique ID": "000543679", "Login Source": "SSO", "First Name": "Max", "Last Name": "Ng", "Date of Birth": "2003-02-01", "User Type": "Part Time Student"}
	withSource := map[string]string{"Unique ID": "000543680", "Last Name": "Li", "First Name": "Bo"}
	for _, tc := range []struct {
		name   string
		args   []string
		people []map[string]string
	}{
		{"everything", nil, []map[string]string{whole}},
		{"little", nil, []map[string]string{few}},
		{"both", nil, []map[string]string{whole, few}},
		{"one login source for everybody", []string{"--login-source", "SSO"}, []map[string]string{withSource}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			env := newEnv(t, append([]string{"--sandbox", "--rate", "0"}, tc.args...)...)
			file := fillIn(t, env, tc.people...)
			table, err := Columns(t.Context(), env, file)
			if err != nil {
				t.Fatal(err)
			}
			if a := answers.New(table); a.Open() > 0 {
				t.Errorf("%d questions are open: %+v", a.Open(), a.Cards(table))
			}
			var receipt report.Receipt
			keep := func(r report.Receipt) error { receipt = r; return nil }
			if err := Check(t.Context(), env, []string{file}, keep); err != nil || receipt.Counts[importer.StatusValid] != len(tc.people) || len(receipt.Problems) > 0 {
				t.Fatalf("checked: %+v, %v", receipt, err)
			}
			if err := Push(t.Context(), t.Context(), env, []string{file}, keep); err != nil || receipt.Counts[importer.StatusPushed] != len(tc.people) {
				t.Fatalf("pushed: %+v, %v", receipt, err)
			}
			m := table.Suggestions
			for _, s := range m {
				if s.Attribute == mapping.NoAttribute {
					t.Errorf("%q gives nothing", s.Header)
				}
			}
		})
	}
}

// A blank template has nobody in it, whatever its second sheet says.
func TestBlankTemplate(t *testing.T) {
	env := newEnv(t, "--sandbox")
	file := fillIn(t, env)
	err := Check(t.Context(), env, []string{file}, func(r report.Receipt) error { return fmt.Errorf("checked: %+v", r) })
	if err == nil || !strings.Contains(err.Error(), "no rows") {
		t.Errorf("got %v", err)
	}
}
