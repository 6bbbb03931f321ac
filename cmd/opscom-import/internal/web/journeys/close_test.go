package journeys_test

// closesThePage looks at the first page and closes the program from it.
func closesThePage(j *journey) {
	p := j.startProgram("--sandbox")
	j.open(p.address)
	j.find("button", "Close the program")
	j.isAccessible()
	j.canBeTabbed()
	j.goes("button", "Close the program")
	j.sees("The program is closed")
	j.isAccessible()
	p.ends()
}
