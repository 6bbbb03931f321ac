package journeys_test

import (
	"strings"

	"github.com/chromedp/cdproto/input"
)

// tabs presses Tab until the element has the focus.
func (j *journey) tabs(role, name string) {
	j.Helper()
	e := j.find(role, name)
	for range 300 {
		if on[bool](j, e, "function() { return document.activeElement === this }") {
			return
		}
		j.press("Tab")
	}
	j.Fatalf("Tab does not lead to “%s”, but stays at %s", name, j.focused())
}

// presses goes to the element with Tab, presses Enter, and waits for the page that follows.
func (j *journey) presses(role, name string) {
	j.Helper()
	j.tabs(role, name)
	j.leaves("Enter on “"+name+"”", func() { j.press("Enter") })
}

// usesTheKeyboard takes an export from the file to the sandbox by the keyboard. Only the
// file is chosen by the browser's own means.
func usesTheKeyboard(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	all := students(12)
	j.open(p.address)
	j.find("button", "Open the file")
	j.attaches("#file", j.writes("students.csv", table(j, ',', bannerTable(all))))
	j.presses("button", "Open the file")
	j.isAt("Columns")
	j.startsAtItsHeading()
	j.presses("button", "Pref Name, and where it is blank FIRST_NAME")
	j.hasFocus("button", "✓ Pref Name, and where it is blank FIRST_NAME")
	j.presses("button", "04/01/2000 is 4 January 2000")
	j.tabs("textbox", "Login source")
	call(j, input.InsertText, input.InsertTextParams{Text: "SSO"})
	j.leaves("Enter in the login source", func() { j.press("Enter") })
	j.hasFocus("textbox", "Login source")

	// On the way to an option, arrow keys choose others, which must not be an answer:
	// the ID has its column.
	j.tabs("combobox", "STVCLAS Desc becomes")
	for j.chosen("STVCLAS Desc becomes") != "User Type" {
		j.press("ArrowDown")
	}
	if got := j.chosen("SPRIDEN_ID becomes"); got != "Unique ID" {
		j.Errorf("the column of the ID becomes %q", got)
	}
	j.leaves("Tab", func() { j.press("Tab"); j.press("Enter") })
	j.hasFocus("combobox", "STVCLAS Desc becomes")
	if got := j.chosen("STVCLAS Desc becomes"); got != "User Type" {
		j.Errorf("the column becomes %q", got)
	}
	j.press("ArrowDown")
	j.leaves("going on from what the arrow keys have chosen", func() {
		for range 4 { // “and also”, the button, and what is beside the form
			j.press("Tab")
		}
	})
	if got := j.chosen("STVCLAS Desc becomes"); got == "User Type" {
		j.Error("what the arrow keys have chosen is lost")
	}
	j.column("STVCLAS Desc", "User Type")
	j.presses("link", "Next")
	j.isAt("Values")
	j.startsAtItsHeading()
	for _, pair := range [][2]string{{"Full-time", "Full Time"}, {"Part-time", "Part Time"}, {"Resident", "Resident S"}, {"Visiting", "Visitor"}} {
		j.tabs("combobox", pair[0]+" becomes")
		for !strings.HasPrefix(j.chosen(pair[0]+" becomes"), pair[1]) {
			j.press("ArrowDown")
		}
	}
	j.presses("button", "Save")
	j.presses("link", "Next: Rows")
	j.startsAtItsHeading()
	j.presses("link", "Next: Review")
	j.startsAtItsHeading()
	j.presses("button", "12 people")
	j.sees("Practice is done")
	j.reached(expect(all, bannerPerson), p.practiced())
}

// hasFocus waits until the element has the focus.
func (j *journey) hasFocus(role, name string) {
	j.Helper()
	j.eventually("the focus is at “"+name+"”", func() bool {
		return on[bool](j, j.find(role, name), "function() { return document.activeElement === this }")
	})
}
