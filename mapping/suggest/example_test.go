package suggest_test

import (
	"fmt"
	"os"

	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
)

func ExampleColumns() {
	header := []string{"Banner ID", "Last Name", "Courriel", "DOB", "Phone", "Parent Email"}
	samples := [][]mapping.Cell{
		{{Text: "900100201"}, {Text: "Côté"}, {Text: "zoe@college.example"}, {Text: "31/12/2001"}, {Text: "613-555-0101"}, {}},
		{{Text: "900100202"}, {Text: "O'Neil"}, {Text: "max@college.example"}, {Text: "01/02/2002"}, {Text: "613-555-0102"}, {}},
	}
	for _, s := range suggest.Columns(header, samples) {
		fmt.Printf("%s: %s %s (%s)\n", s.Header, s.Confidence, s.Attribute, s.Why)
	}
	// Output:
	// Banner ID: certain unique_id (it is the institution's number for a person)
	// Last Name: certain last_name (the attribute's own name)
	// Courriel: certain email (a usual name for it)
	// DOB: certain date_of_birth (a usual name for it; only DD/MM/YYYY reads all sample dates)
	// Phone: likely student_phone (it may be the cell phone, or the employee's)
	// Parent Email: unmatched  (it seems to be about somebody other than the student)
}

func ExampleFormat() {
	suggestions := suggest.Columns([]string{"EMPLID", "Nickname", "Term"}, [][]mapping.Cell{
		{{Text: "0042"}, {Text: "Zoé"}, {Text: "Fall"}},
	})
	text, err := suggest.Format(mapping.SourceSection{Sheet: "People"}, suggestions)
	if err != nil {
		fmt.Println(err)
		return
	}
	os.Stdout.Write(text)
	// Output:
	// # Suggested by opscom-import from the headers and the first rows. Read it before you use it.
	// # A line with "# likely:" is a guess and is not used. To use it, delete the words "# likely: ".
	// # A line with "# or:" may replace the line above it: delete that line, and the words "# or: ".
	// # The samples are personal data: delete them before you pass this file on.
	// version: 1
	// source:
	//   sheet: People
	//   headers: [EMPLID, Nickname, Term]
	// fields:
	//   unique_id: EMPLID # certain: it is the institution's number for a person; such as 0042
	//   # login_source: {value: SSO} # no column has it: write the code of your login source here, or give --login-source
	//   # likely: first_name: Nickname # a preferred name may differ from the legal one, and is often blank; such as Zoé
	// # These columns are not used:
	// #   C "Term": the profile has no attribute for it
}
