package journeys_test

import "strings"

// isKilled kills the program in every step, and starts it again: what was answered is
// there, at the same address, and what had reached OPS-COM is not lost.
func isKilled(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "40/s")
	all := students(100)
	again := func(step string) {
		j.Helper()
		at := j.address()
		p.kill()
		p.start()
		j.open(p.address)
		j.find("button", "Open the file")
		j.open(at)
		j.isAt(step)
	}
	j.uploads(p, j.writes("students.csv", table(j, ',', bannerTable(all))))
	j.goes("link", "✓ File")
	again("File")
	j.goes("link", "Columns")
	j.answers("Pref Name, and where it is blank FIRST_NAME")
	j.column("STVCLAS Desc", "User Type")
	again("Columns")
	j.answers("04/01/2000 is 4 January 2000")
	j.login("SSO")
	again("Columns")
	j.next("Values")
	j.values("Full-time", "Full Time Student", "Part-time", "Part Time Student", "Resident", "Resident Student", "Visiting", "Visitor")
	again("Values")
	j.next("Rows")
	again("Rows")
	j.next("Review")
	again("Review")
	j.goes("button", "100 people")
	j.eventually("some people are pushed", func() bool { return len(p.practiced()) > 5 })
	p.kill()
	if n := len(p.practiced()); n >= 100 {
		j.Errorf("all %d people were pushed before the program was killed", n)
	}
	j.sees("The program is closed. Nothing is lost: open it again and press Go on.")
	p.start()
	j.open(p.address)
	j.goes("link", "Go on with students.csv")
	j.goes("button", "Go on")
	j.sees("Practice is done: 100 people were accepted.")
	again(evaluate[string](j, "document.querySelector('h1').innerText"))
	j.reached(expect(all, bannerPerson), p.practiced())
}

// isHeld takes a file of which so many rows are wrong that the push is held, and lets it
// go from the page.
func isHeld(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	all := students(30)
	for i := range 12 {
		all[i].email = "nobody"
	}
	j.uploads(p, j.writes("students.csv", table(j, ',', plainTable(all, "Student ID", "Last Name", "First Name", "Email"))))
	j.answers("It is Unique ID")
	j.answers("Yes, it is Email")
	j.login("SSO")
	j.next("Rows")
	j.sees("12 rows need fixing.")
	j.next("Review")
	j.sees("This needs a second look", "12 of 30")
	j.inspects()
	j.click("button", "18 people") // the browser asks for the tick
	j.isAt("Review")
	j.click("checkbox", "I have looked at it")
	j.pushes(18)
	j.reached(expect(all[12:], plainPerson), p.practiced())
}

// goesForReal practices first and then pushes to what stands for OPS-COM.
func goesForReal(j *journey) {
	real := j.startReal("")
	p := j.startProgram(append(real.flags, "--rate", "0")...)
	all := students(8)
	j.uploads(p, j.writes("students.csv", table(j, ',', plainTable(all, "Student ID", "Last Name", "First Name", "Email"))))
	j.answers("It is Unique ID")
	j.login("SSO")
	j.next("Rows")
	j.next("Review")
	j.sees("Practice: nothing reaches OPS-COM.")
	j.pushes(8)
	j.reached(expect(all, plainPerson), p.practiced())
	if sent := real.people(j); len(sent) > 0 {
		j.Fatalf("practice has sent %v", sent)
	}
	j.goes("button", "Now for real")
	j.isAt("Review")
	j.inspects()
	j.fills("To confirm, type the number of people", "7")
	j.goes("button", "8 people")
	j.isAt("Review")
	if sent := real.people(j); len(sent) > 0 {
		j.Fatalf("a wrong number has sent %v", sent)
	}
	j.fills("To confirm, type the number of people", "8")
	j.goes("button", "8 people")
	j.sees("It is done: 8 people are in OPS-COM.")
	j.reached(expect(all, plainPerson), real.people(j))
}

// hasNoScripts takes an export from the file to the sandbox in a browser that runs no
// scripts.
func hasNoScripts(j *journey) {
	j.withoutScripts()
	p := j.startProgram("--sandbox", "--rate", "0")
	j.open(p.address)
	j.find("button", "Open the file")
	j.tabs("link", "Skip to the content")
	j.press("Enter")
	j.press("Tab")
	if !evaluate[bool](j, "document.querySelector('main').contains(document.activeElement)") {
		j.Errorf("the link to the content leads to %s", j.focused())
	}
	all := students(12)
	j.uploads(p, j.writes("students.csv", table(j, ',', bannerTable(all))))
	j.decidesBanner()
	j.next("Review")
	j.pushes(12)
	j.reached(expect(all, bannerPerson), p.practiced())
}

// isHostile has a file whose name, headers and cells are markup, which must show as text.
func isHostile(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	all := students(6)
	const attack = `"><img src=x onerror=document.title='taken'><script>document.title='taken'</script>`
	all[0].last, all[1].email = attack, attack
	records := plainTable(all, "Student ID", "Last Name", "First Name", "Email", attack)
	for i := range records[1:] {
		records[i+1] = append(records[i+1], attack)
	}
	j.uploads(p, j.writes("<img src=x onerror=document.title='taken'>.csv", table(j, ',', records)))
	check := func() {
		j.Helper()
		if n := evaluate[int](j, "document.querySelectorAll('main img, main script, header img').length"); n > 0 || strings.Contains(evaluate[string](j, "document.title"), "taken") && !strings.Contains(evaluate[string](j, "document.title"), "img") {
			j.Errorf("%s: a cell has become part of the page", j.address())
		}
	}
	check()
	j.goes("link", "✓ File")
	j.sees("<script>")
	check()
	j.goes("link", "Columns")
	j.sees("<script>")
	check()
	j.answers("It is Unique ID")
	j.login("SSO")
	j.next("Rows")
	j.sees("<script>")
	check()
	j.next("Review")
	check()
	j.pushes(4)
	check()
}

// isStopped stops a push, looks at what the page says meanwhile and afterwards, and goes
// on after the program was closed.
func isStopped(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "4/s")
	all := students(90)
	j.uploads(p, j.writes("students.csv", table(j, ',', bannerTable(all))))
	j.decidesBanner()
	j.next("Review")
	j.goes("button", "90 people")
	j.eventually("some people are pushed", func() bool { return len(p.practiced()) > 1 })
	j.isAccessible()
	j.hasPlainWords()
	j.isNotGreen()
	j.picture("push", 700)
	j.goes("button", "Close the program")
	j.isAccessible()
	j.hasPlainWords()
	j.goes("link", "No, go back")
	j.open(p.address)
	j.goes("link", "Pushing students.csv…")
	j.click("button", "Stop")
	j.sees("It is not complete.")
	j.isNotGreen()
	j.inspects()
	j.goes("link", "Files")
	j.find("link", "Go on with students.csv")
	j.inspects()
	j.goes("button", "Close the program")
	j.sees("The program is closed")
	p.ends()
	if n := len(p.practiced()); n == 0 || n >= 90 {
		j.Errorf("%d of 90 people were pushed before the stop", n)
	}
	p.flags = []string{"--sandbox", "--rate", "0"}
	p.start()
	j.open(p.address)
	j.goes("link", "Go on with students.csv")
	j.goes("button", "Go on")
	j.sees("Practice is done: 90 people were accepted.")
	j.reached(expect(all, bannerPerson), p.practiced())
}
