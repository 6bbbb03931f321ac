package journeys_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// saysWhatValuesBecome confirms, chooses and leaves out user types, and leaves rows out by
// another column.
func saysWhatValuesBecome(j *journey) {
	var text strings.Builder
	text.WriteString("unique_id,login_source,last_name,user_type_id,status\r\n")
	for i, kind := range []string{"PT", "PT", "pt", "Full Time Student", "Martian <b>", "FT", "N/A", "Staff", "Staff"} {
		fmt.Fprintf(&text, "%d,SSO,Lee,%s,%s\r\n", 900000+i, kind, []string{"active", "gone", ""}[i%3])
	}
	path := filepath.Join(j.TempDir(), "students.csv")
	j.must(os.WriteFile(path, []byte(text.String()), 0o600))
	p := j.startProgram("--sandbox")
	j.open(p.address)
	j.sees("A new file", "Close the program")
	j.attaches("", path)
	j.goes("button", "Open the file")
	j.sees("3 values are left to decide", "Part Time Student?", "Martian <b>")
	j.isAccessible()
	j.canBeTabbed()
	j.goes("button", "Yes, PT becomes Part Time Student")
	j.sees("2 values are left to decide")
	j.chooses("Martian <b> becomes", "leave these people out")
	j.goes("button", "Yes, FT becomes Full Time Student")
	j.sees("There is nothing left to answer here", "Left out: 1 of 9 rows.")
	j.chooses("By the values of the column", "status")
	j.goes("button", "Show its values")
	j.clickOn(j.find("checkbox", "gone"))
	j.isAccessible()
	j.goes("button", "Save these")
	j.sees("Left out: 3 of 9 rows.")
	j.goes("link", "Next: Rows")
	j.sees("left out by its values")
}
