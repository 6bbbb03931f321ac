package journeys_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/xuri/excelize/v2"
)

// faultySample returns the path of the sample with faults, and its rows by their number
// in the file, each by header.
func faultySample(j *journey) (path string, rows map[int]map[string]string) {
	j.Helper()
	path, err := filepath.Abs(filepath.Join(root, "samples", "with-faults.csv"))
	j.must(err)
	file, err := os.Open(path)
	j.must(err)
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	j.must(err)
	rows = map[int]map[string]string{}
	for i, record := range records[1:] {
		row := map[string]string{}
		for c, header := range records[0] {
			row[header] = record[c]
		}
		rows[i+2] = row
	}
	return path, rows
}

// peopleOf returns what is to reach OPS-COM of the sample's rows.
func peopleOf(rows map[int]map[string]string) []person {
	types := map[string]string{"FT": "1", "PT": "2", "RS": "9", "EX": "6", "FTE": "1", "Co-op": "1"}
	people := map[string]person{}
	for _, number := range slices.Sorted(maps.Keys(rows)) {
		row := rows[number]
		if row["Enrol Status"] == "WD" {
			continue
		}
		first := row["Preferred First Name"]
		if first == "" {
			first = row["Legal First Name"]
		}
		who := person{"unique_id": row["Banner ID"], "login_source": "SSO", "first_name": first, "last_name": row["Legal Last Name"],
			"email": row["E-mail"], "user_name": row["Username"], "date_of_birth": row["DOB"], "user_type_id": types[row["Student Type"]]}
		if who["email"] == "none" { // as programs write where there is nothing
			delete(who, "email")
		}
		people[row["Banner ID"]] = who
	}
	var sorted []person
	for _, id := range slices.Sorted(maps.Keys(people)) {
		sorted = append(sorted, people[id])
	}
	return sorted
}

// decidesFaulty answers the questions of the sample, from the columns to the rows.
func (j *journey) decidesFaulty() {
	j.Helper()
	j.answers("Yes, it is Unique ID")
	j.answers("Yes, it is User Type")
	j.answers("Preferred First Name, and where it is blank Legal First Name")
	j.answers("Addr 1, then Addr 2, in one line")
	j.login("SSO")
	j.next("Values")
	j.values("FT", "Full Time Student", "PT", "Part Time Student", "RS", "Resident Student", "EX", "Visitor", "FTE", "Full Time Student", "Co-op", "Full Time Student")
	j.leavesOut("Enrol Status", "WD")
	j.next("Rows")
	j.sees("21 rows need fixing.")
	j.isNotGreen()
}

// repairs are what is right in the sample's faulty rows.
func repairs() map[int]map[string]string {
	return map[int]map[string]string{
		14:  {"E-mail": "jkowalczyk.03@example.ca"},
		19:  {"Banner ID": "000546900"},
		26:  {"E-mail": "tcote03@example.ca"},
		35:  {"DOB": "2004-02-29"},
		54:  {"City": "Saint-Louis-du-Ha! Ha!"},
		80:  {"E-mail": "bmckenzie.80@example.ca"},
		103: {"E-mail": "fabernathy08@example.ca"},
		117: {"DOB": "2001-05-14"},
		147: {"DOB": "2005-01-13"},
		221: {"State/Province": "ON"},
		232: {"Banner ID": "000589000"},
		252: {"Username": "fgonzalez252"},
		268: {"City": "Ottawa"},
	}
}

// accepted returns what is to reach OPS-COM of the sample's rows: two of the people have
// the address and the user name of its administrator, and are refused. The
// result says why.
func (j *journey) accepted(rows map[int]map[string]string) []person {
	j.Helper()
	j.sees("2 rows need fixing", "The email address must be unique", "The user name must be unique")
	return slices.DeleteFunc(peopleOf(rows), func(who person) bool { return who["email"] == "parking@example.edu" || who["user_name"] == "admin" })
}

// fixesEveryRow fixes the faulty rows of the sample in the page, until none is left.
func fixesEveryRow(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	path, rows := faultySample(j)
	j.uploads(p, path)
	j.decidesFaulty()
	for _, tab := range []string{"All rows", "Worth a look", "Left out", "Duplicates", "To fix"} {
		j.goes("link", tab)
		j.isAccessible()
		j.hasPlainWords()
	}
	j.goes("button", "Use ON (State/Province, row 65)")
	j.sees("20 rows need fixing.")
	j.goes("button", "Leave this row out (row 304)")
	j.goes("button", "Leave this row out (row 305)")
	j.sees("16 rows need fixing.")
	j.goes("button", "Undo the last change")
	j.sees("18 rows need fixing.")
	j.goes("button", "Leave this row out (row 305)")
	rows[65]["State/Province"] = "ON"
	delete(rows, 304)
	delete(rows, 305)
	for number, cells := range repairs() {
		for header, text := range cells {
			rows[number][header] = text
			if number == 26 {
				continue
			}
			j.fillsCell(header, number, text)
		}
	}
	j.press("Enter")
	j.sees("1 row needs fixing.")
	j.isNotGreen()
	j.goes("button", "Use tcote03@example.ca (E-mail, row 26)")
	j.sees("Nothing is left to fix.")
	j.goes("link", "Changed here")
	j.isAccessible()
	j.hasPlainWords()
	j.next("Review")
	j.pushes(len(peopleOf(rows)))
	j.reached(j.accepted(rows), p.practiced())
	j.inspects()
}

// bringsBackTheWorkbook fixes the rows in the workbook that the page gives.
func bringsBackTheWorkbook(j *journey) {
	p := j.startProgram("--sandbox", "--rate", "0")
	path, rows := faultySample(j)
	j.uploads(p, path)
	j.decidesFaulty()
	repaired := repairs()
	repaired[65] = map[string]string{"State/Province": "ON"}
	workbook := j.downloaded("link", "Download the workbook")
	book, err := excelize.OpenFile(workbook)
	j.must(err)
	sheet := book.GetSheetName(0)
	records, err := book.GetRows(sheet)
	j.must(err)
	for r, record := range records[1:] {
		var number int
		_, err := fmt.Sscanf(record[len(record)-1], "Row %d:", &number)
		j.must(err)
		for header, text := range repaired[number] {
			cell, err := excelize.CoordinatesToCellName(1+slices.Index(records[0], header), r+2)
			j.must(errors.Join(err, book.SetCellStr(sheet, cell, text)))
			rows[number][header] = text
		}
	}
	j.must(errors.Join(book.Save(), book.Close()))
	j.attaches("#fix", workbook)
	j.goes("button", "Take it over")
	j.sees("4 rows need fixing.")
	j.goes("button", "Leave this row out (row 304)")
	j.goes("button", "Leave this row out (row 305)")
	j.sees("Nothing is left to fix.")
	delete(rows, 304)
	delete(rows, 305)
	j.next("Review")
	j.pushes(len(peopleOf(rows)))
	j.reached(j.accepted(rows), p.practiced())
}
