package journeys_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
)

// student is an invented person in the files of the journeys.
type student struct {
	id, first, preferred, last, born, email, kind string
}

// students returns n of them. No day of a birth is beyond the 12th, so that no program
// can tell it from the month.
func students(n int) []student {
	first := []string{"Anna", "Bob", "Chloé", "Dev", "Éric", "Fay", "Gus", "Hana", "Ivan", "Jo"}
	last := []string{"Ng", "O'Neil", "Müller", "Singh", "Côté", "Diaz", "Roy", "Sato", "Petrov", "Smith", "Lee"}
	kinds := []string{"Full-time", "Part-time", "Resident", "Full-time", "Visiting"}
	all := make([]student, n)
	for i := range all {
		s := student{id: fmt.Sprintf("%09d", 543678+7*i), first: first[i%len(first)], last: last[i%len(last)], kind: kinds[i%len(kinds)],
			born: fmt.Sprintf("%d-%02d-%02d", 2000+i%8, 1+i%12, 1+(i*5+3)%12), email: fmt.Sprintf("p%d@example.ca", 100+i)}
		if i%3 == 0 {
			s.preferred = first[(i+4)%len(first)]
		}
		all[i] = s
	}
	return all
}

// slashed returns the day of the birth as day/month/year.
func (s student) slashed() string {
	return s.born[8:10] + "/" + s.born[5:7] + "/" + s.born[:4]
}

// expect returns what is to reach OPS-COM of the students: these attributes, in the
// order of the ids.
func expect(all []student, of func(s student) person) []person {
	var people []person
	for _, s := range all {
		people = append(people, of(s))
	}
	slices.SortFunc(people, func(a, b person) int { return strings.Compare(a["unique_id"], b["unique_id"]) })
	return people
}

// writes writes a text to a file of the journey and returns its path.
func (j *journey) writes(name, text string) string {
	j.Helper()
	path := filepath.Join(j.TempDir(), name)
	j.must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

// table is the text of a CSV file.
func table(j *journey, comma rune, records [][]string) string {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.Comma = comma
	j.must(w.WriteAll(records))
	return text.String()
}

// workbook writes the sheets to a workbook, with the password if it is not "", and
// returns its path.
func (j *journey) workbook(name, password string, sheets []sheetOf) string {
	j.Helper()
	book := excelize.NewFile()
	for i, sheet := range sheets {
		if i == 0 {
			j.must(book.SetSheetName("Sheet1", sheet.name))
		} else {
			_, err := book.NewSheet(sheet.name)
			j.must(err)
		}
		for r, record := range sheet.records {
			j.must(book.SetSheetRow(sheet.name, fmt.Sprint("A", r+1), &record))
		}
	}
	path := filepath.Join(j.TempDir(), name)
	j.must(book.SaveAs(path, excelize.Options{Password: password}))
	j.must(book.Close())
	return path
}

// sheetOf is a sheet of a workbook.
type sheetOf struct {
	name    string
	records [][]string
}
