package journeys_test

// plainPerson is what is to become of a student whose file has nothing but these.
func plainPerson(s student) person {
	return person{"unique_id": s.id, "login_source": "SSO", "first_name": s.first, "last_name": s.last, "email": s.email}
}

// plainTable is a table of them, with these names of its columns if there are any.
func plainTable(all []student, header ...string) [][]string {
	var records [][]string
	if len(header) > 0 {
		records = append(records, header)
	}
	for _, s := range all {
		records = append(records, []string{s.id, s.last, s.first, s.email})
	}
	return records
}

// hasNoHeader takes a file whose first row is a person from the file to the sandbox.
func hasNoHeader(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	all := students(8)
	j.uploads(p, j.writes("students.csv", table(j, ',', plainTable(all))))
	j.isAt("File")
	j.isNotGreen()
	j.inspects()
	j.click("radio", "There is no such row: each row is a person")
	j.goes("button", "Next: Columns")
	j.isAt("Columns")
	j.isNotGreen()
	j.column("Column A", "Unique ID")
	j.column("Column B", "Last Name")
	j.column("Column C", "First Name")
	j.column("Column D", "Email")
	j.login("SSO")
	j.next("Rows")
	j.next("Review")
	j.pushes(8)
	j.reached(expect(all, plainPerson), p.practiced())
}

// hasADoubtfulDelimiter takes a file whose columns are separated by semicolons, while as
// many commas are in it, from the file to the sandbox.
func hasADoubtfulDelimiter(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	all := students(8)
	text := "Student ID;Name,Legal\n"
	for _, s := range all {
		text += s.id + ";" + s.last + "," + s.first + "\n"
	}
	j.uploads(p, j.writes("students.csv", text))
	j.isAt("File")
	j.isNotGreen()
	j.inspects()
	j.picture("delimiter", 900)
	j.goes("button", "Semicolon")
	j.goes("button", "Next: Columns")
	j.answers("It is Unique ID")
	j.answers("the last name, a comma, the first name")
	j.login("SSO")
	j.next("Rows")
	j.next("Review")
	j.pushes(8)
	j.reached(expect(all, func(s student) person {
		who := plainPerson(s)
		delete(who, "email")
		return who
	}), p.practiced())
}

// hasAPassword takes an encrypted workbook from the file to the sandbox, and types a
// wrong password first.
func hasAPassword(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	all := students(8)
	j.uploads(p, j.workbook("students.xlsx", "Maple-7", []sheetOf{{"Students", plainTable(all, "Student ID", "Last Name", "First Name", "Email")}}))
	j.isAt("File")
	j.isNotGreen()
	j.inspects()
	j.fills("Password", "Maple-8")
	j.goes("button", "Open the workbook")
	j.isAt("File")
	j.isNotGreen()
	j.fills("Password", "Maple-7")
	j.goes("button", "Open the workbook")
	j.isAt("Columns")
	j.answers("It is Unique ID")
	j.login("SSO")
	j.next("Rows")
	j.next("Review")
	j.pushes(8)
	j.reached(expect(all, plainPerson), p.practiced())
}

// hasSheets takes a workbook with three sheets from the file to the sandbox. The people
// to push are not in the first.
func hasSheets(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	all := students(16)
	header := []string{"Student ID", "Last Name", "First Name", "Email"}
	j.uploads(p, j.workbook("students.xlsx", "", []sheetOf{
		{"Notes", [][]string{{"Made for parking"}, {"Ask the registrar"}}},
		{"Spring", plainTable(all[:8], header...)},
		{"Fall", plainTable(all[8:], header...)},
	}))
	j.isAt("File")
	j.isNotGreen()
	j.inspects()
	j.goes("button", "Fall")
	j.sees("Fall (shown below)", all[8].id)
	j.goes("button", "Next: Columns")
	j.answers("It is Unique ID")
	j.login("SSO")
	j.next("Rows")
	j.next("Review")
	j.pushes(8)
	j.reached(expect(all[8:], plainPerson), p.practiced())
}
