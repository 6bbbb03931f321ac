package journeys_test

import "path/filepath"

// closesThePage looks at a file and closes the program from the page.
func closesThePage(j *journey) {
	p := j.startProgram("--sandbox")
	j.open(p.address)
	j.find("button", "Check the file")
	j.isAccessible()
	j.canBeTabbed()
	sample, err := filepath.Abs(filepath.Join(root, "samples", "with-faults.csv"))
	j.must(err)
	j.attaches("#file", sample)
	j.goes("button", "Check the file")
	j.find("button", "Check again with this mapping")
	j.isAccessible()
	j.canBeTabbed()
	j.goes("button", "Close the program")
	j.sees("The program is closed")
	j.isAccessible()
	p.ends()
}
