package journeys_test

import (
	"cmp"
	"strings"
)

// bannerTable is an export as a large student system writes it: lines of a title, ids
// with zeros in front, names in two columns, and birth dates that can be read two ways.
func bannerTable(all []student) [][]string {
	records := [][]string{
		{"North Shore College"}, {"SWRXCEL  Active students, fall 2026"}, {},
		{"SPRIDEN_ID", "LAST_NAME", "FIRST_NAME", "Pref Name", "BIRTH_DATE", "E-mail Address", "STVCLAS Desc", "Campus"},
	}
	for _, s := range all {
		records = append(records, []string{s.id, s.last, s.first, s.preferred, s.slashed(), s.email, s.kind, "West"})
	}
	return records
}

// bannerPerson is what is to become of one of them.
func bannerPerson(s student) person {
	types := map[string]string{"Full-time": "1", "Part-time": "2", "Resident": "9", "Visiting": "6"}
	return person{"unique_id": s.id, "login_source": "SSO", "first_name": cmp.Or(s.preferred, s.first), "last_name": s.last,
		"email": s.email, "date_of_birth": s.born, "user_type_id": types[s.kind]}
}

// decidesBanner answers the questions of such an export, from the columns to the rows.
func (j *journey) decidesBanner() {
	j.Helper()
	j.isAt("Columns")
	j.isNotGreen()
	j.column("STVCLAS Desc", "User Type")
	j.answers("Pref Name, and where it is blank FIRST_NAME")
	j.answers("04/01/2000 is 4 January 2000")
	j.isNotGreen()
	j.login("SSO")
	j.next("Values")
	j.isNotGreen()
	at := j.address()
	for _, step := range []string{"rows", "review"} { // a person may have kept the address
		j.open(strings.TrimSuffix(at, "values") + step)
		j.isNotGreen()
		if buttons := strings.Join(j.names("button"), ", "); strings.Contains(buttons, "people") {
			j.Errorf("the page offers to push while questions are open: %s", buttons)
		}
	}
	j.open(at)
	j.isAt("Values")
	j.values("Full-time", "Full Time Student", "Part-time", "Part Time Student", "Resident", "Resident Student", "Visiting", "Visitor")
	j.next("Rows")
}

// bringsAnExport takes the export of a student system from the file to the sandbox, and
// looks closely at each step.
func bringsAnExport(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	all := students(12)
	j.uploads(p, j.writes("students.csv", table(j, ',', bannerTable(all))))
	j.decidesBanner()
	j.sees("All 12 rows are fine.")
	j.next("Review")
	j.pushes(12)
	j.reached(expect(all, bannerPerson), p.practiced())
}

// looksAtEverything inspects each step of such an export.
func looksAtEverything(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	all := students(12)
	all[3].email = "nobody"
	j.open(p.address)
	j.find("button", "Open the file")
	j.inspects()
	j.picture("home", 900)
	j.attaches("#file", j.writes("students.csv", table(j, ',', bannerTable(all))))
	j.goes("button", "Open the file")
	j.isAt("Columns")
	j.inspects()
	j.picture("columns", 1100)
	j.goes("link", "✓ File")
	j.isAt("File")
	j.inspects()
	j.picture("file", 1000)
	j.goes("link", "Columns")
	j.column("STVCLAS Desc", "User Type")
	j.goes("link", "Values")
	j.isAt("Values")
	j.inspects()
	j.picture("values", 900)
	j.goes("link", "Columns")
	j.answers("Pref Name, and where it is blank FIRST_NAME")
	j.answers("04/01/2000 is 4 January 2000")
	j.login("SSO")
	j.next("Values")
	j.values("Full-time", "Full Time Student", "Part-time", "Part Time Student", "Resident", "Resident Student", "Visiting", "Visitor")
	j.next("Rows")
	j.sees("1 row needs fixing.")
	j.inspects()
	j.picture("rows", 1000)
	j.goes("link", "All rows")
	j.inspects()
	j.next("Review")
	j.inspects()
	j.picture("review", 900)
	j.pushes(11)
	j.inspects()
	j.picture("result", 1000)
	j.goes("link", "Runs")
	j.inspects()
	j.goes("link", "Files")
	j.inspects()
}
