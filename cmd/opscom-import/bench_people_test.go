package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// exportHeader names the columns of a registrar's export.
var exportHeader = []string{
	"Term", "Banner ID", "Legal Last Name", "Legal First Name", "Preferred First Name", "Middle Name", "DOB", "E-mail", "Username",
	"Addr 1", "Addr 2", "City", "State/Province", "Postal Code", "Country", "Home Phone", "Cell Phone", "Program", "Faculty",
	"Level", "Campus", "Student Type", "Enrol Status", "Residence", "Emergency Contact", "Emergency Phone", "Parking Permit",
}

// exportMapping makes profiles of an export, of which most columns are not needed.
// docs/benchmarks/peers/dictreader.py does the same.
const exportMapping = `version: 1
fields:
  unique_id: Banner ID
  login_source: {value: SSO}
  first_name: {column: [Preferred First Name, Legal First Name]}
  last_name: Legal Last Name
  user_name: Username
  email: {column: E-mail, apply: [lower], required: true}
  street: Addr 1
  city: City
  province: {column: State/Province, apply: [province]}
  postal_code: {column: Postal Code, apply: [postal_code]}
  phone_cell: Cell Phone
  user_type_id: {column: Student Type, values: {FT: "1", PT: "2"}, otherwise: error}
  student_no: Banner ID
  date_of_birth: {column: DOB, date: YYYY-MM-DD}
`

// exportRow fills record with the cells of one student.
func exportRow(record []string, i int) {
	n := strconv.Itoa(i)
	surname, name := [...]string{"Tremblay-Gagnon", "Smith", "Okafor"}[i%3], [...]string{"Zoë", "Alexander", "Mei"}[i%3]
	preferred, class := "", "FT"
	if i%4 == 0 {
		preferred = "Alex"
	}
	if i%5 == 0 {
		class = "PT"
	}
	copy(record, []string{
		"202701", fmt.Sprintf("9%08d", i), surname, name, preferred, "Marie", fmt.Sprintf("%d-%02d-%02d", 1990+i%17, 1+i%12, 1+i%28),
		"student" + n + "@college.example", "student" + n, strconv.Itoa(i%999+1) + " Rue Principale", "", "Ottawa", "ON", "K1A 0B1",
		"Canada", "613-555-0142", "613-555-0199", "Computer Science", "Arts", "Undergraduate", "Main", class, "RE", "Off campus",
		"Jean Tremblay", "613-555-0100", "N",
	})
}

// writeExportMapping writes the mapping file of an export.
func writeExportMapping(path string) error {
	return os.WriteFile(path, []byte(exportMapping), 0o600)
}

// writeExportCSV writes an export of 27 columns as CSV.
func writeExportCSV(path string, rows int) error {
	return writeCSV(path, exportHeader, rows, exportRow)
}

// writeExportWorkbook writes an export as a workbook, its texts in the cells.
func writeExportWorkbook(path string, rows int) (err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	w, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	record, cells := slices.Clone(exportHeader), make([]any, len(exportHeader))
	for i := range rows + 1 {
		if i > 0 {
			exportRow(record, i-1)
		}
		for c, text := range record {
			cells[c] = text
		}
		if err := w.SetRow("A"+strconv.Itoa(i+1), cells); err != nil {
			return err
		}
	}
	return errors.Join(w.Flush(), book.SaveAs(path))
}

func writeCSV(path string, header []string, rows int, fill func(record []string, i int)) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := csv.NewWriter(bufio.NewWriterSize(file, 1<<20))
	if err := w.Write(header); err != nil {
		return err
	}
	record := make([]string, len(header))
	for i := range rows {
		fill(record, i)
		if err := w.Write(record); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// profileNames are the columns of a file that needs no mapping: the Controller's own names.
func profileNames() []string {
	return []string{"unique_id", "login_source", "first_name", "last_name", "user_name", "email", "street", "city", "province", "postal_code"}
}

func profileRow(record []string, i int) {
	n := strconv.Itoa(i)
	copy(record, []string{
		fmt.Sprintf("9%08d", i), "SSO", "Zoë", "Tremblay", "user" + n, "user" + n + "@example.edu",
		n + " College Street", "Ottawa", "ON", "K1A 0B1",
	})
}

// writeProfiles writes a file with these columns.
func writeProfiles(path string, rows int) error {
	return writeCSV(path, profileNames(), rows, profileRow)
}

// benchToken is the API token in the bodies of requests.
const benchToken = "bench-token"

// profileBodies returns the request bodies that a push of that file sends.
func profileBodies(rows int) [][]byte {
	names := profileNames()
	record, bodies := make([]string, len(names)), make([][]byte, rows)
	for i := range bodies {
		profileRow(record, i)
		body := fmt.Appendf(nil, `{"apiToken":%q`, benchToken)
		for c, value := range record {
			body = fmt.Appendf(body, `,%q:%q`, names[c], value)
		}
		bodies[i] = append(body, '}')
	}
	return bodies
}

func TestBenchFilesHaveTheirRows(t *testing.T) {
	for name, write := range map[string]func(string, int) error{"export": writeExportCSV, "profiles": writeProfiles} {
		path := filepath.Join(t.TempDir(), name+".csv")
		if err := write(path, 5); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) != 6 {
			t.Errorf("%s has %d lines", name, len(lines))
		}
		for _, line := range lines {
			if strings.Count(line, ",") != strings.Count(lines[0], ",") {
				t.Errorf("%s: %q has a different number of cells from the header", name, line)
			}
		}
	}
	if n := len(exportHeader); n != 27 {
		t.Errorf("an export has %d columns", n)
	}
}
