package sheet

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"opscom-import/importer"
)

// TestCutFile reads files of 20 whole rows, and one more that is given.
func TestCutFile(t *testing.T) {
	date := func(i int) string { return fmt.Sprintf("2004-%02d-%02d", i%12+1, i%28+1) }
	email := func(i int) string { return fmt.Sprintf("p%d@example.edu", i*i) }
	street := func(i int) string { return fmt.Sprintf("%d Main Street%s", i*37, strings.Repeat("x", i)) }
	class := func(i int) string { return []string{"Full Time", "Part Time", "Alumni"}[i%3] }
	for name, tc := range map[string]struct {
		last  func(i int) string
		ends  string // what the file ends with, after 20 rows
		cut   bool
		notes bool
	}{
		"whole, with a line end":           {date, "21,SSO,2004-01-01\n", false, false},
		"whole date":                       {date, "21,SSO,2004-01-01", false, false},
		"CR LF cut in two":                 {date, "21,SSO,2004-01-01\r", false, false},
		"cut date":                         {date, "21,SSO,2004-0", true, false},
		"cut after the delimiter":          {date, "21,SSO,", true, false},
		"cut in another cell":              {date, "21,SS", true, false},
		"cut in the first cell":            {date, "2", true, false},
		"cut date, but the line goes on":   {date, "21,SSO,2004-0\n", false, false},
		"whole date in quotes":             {date, `21,SSO,"2004-01-01"`, false, false},
		"quote not closed":                 {date, `21,SSO,"2004-0`, true, false},
		"quote opened":                     {date, `21,SSO,"`, true, false},
		"whole address":                    {email, "21,SSO,a@example.edu", false, false},
		"cut address":                      {email, "21,SSO,a@example.ed", true, false},
		"class as above":                   {class, "21,SSO,Alumni", false, false},
		"cut class":                        {class, "21,SSO,Alu", true, false},
		"another class":                    {class, "21,SSO,Visitor", false, false},
		"free text":                        {street, "21,SSO,239 Ma", false, true},
		"no value where others have none":  {func(i int) string { return strings.Repeat("x", i%3) }, "21,SSO,", false, false},
		"broken like a row above":          {date, "21,SSO\n22,SSO", false, false},
		"a blank line, and no line end":    {date, "21,SSO,2004-01-01\n  ", false, false},
		"total without a line end":         {date, "Total: 20", false, false},
		"one cell too many is not one cut": {date, "21,SSO,2004-01-01,x", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			content := "id,login,last\n"
			for i := range 20 {
				content += fmt.Sprintf("%d,SSO,%s\n", i+1, tc.last(i))
			}
			table, err := Open(writeFile(t, "students.csv", content+tc.ends), Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer table.Close()
			var row importer.Row
			for err == nil {
				err = table.Next(&row)
			}
			if err != io.EOF {
				t.Fatal(err)
			}
			noted := strings.Contains(strings.Join(table.Notes(), "\n"), "has no line end")
			if cut := table.CutRow() > 0; cut != tc.cut || noted != tc.notes {
				t.Errorf("cut row %d, noted %v; want %v, %v", table.CutRow(), noted, tc.cut, tc.notes)
			}
		})
	}
}
