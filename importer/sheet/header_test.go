package sheet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const guessed = "Row 1 was used as the header, although none of its names is known and it looks like the rows below it."

func TestHeaderIsFound(t *testing.T) {
	const people = "900100,Ann,Lee,2004-02-29\n900101,Bob,Roy,2003-01-05\n900102,Cy,Poe,2002-07-09\n"
	tests := map[string]struct {
		csv   string
		at    int
		names string // joined by |
		rows  int
		notes []string
	}{
		"at once":               {csv: "Banner ID,First,Last,DOB\n" + people, at: 1, names: "Banner ID|First|Last|DOB", rows: 3},
		"unknown names":         {csv: "Kennung,Rufname,Sippe,Tag\n" + people, at: 1, names: "Kennung|Rufname|Sippe|Tag", rows: 3},
		"nothing but the names": {csv: "Banner ID,First,Last,DOB\n", at: 1, names: "Banner ID|First|Last|DOB", notes: []string{"There are no rows below the header in row 1."}},
		"below a title and a blank line": {
			csv: "Students of fall 2026,,,\n\nBanner ID,First,Last,DOB\n" + people, at: 3, names: "Banner ID|First|Last|DOB", rows: 3,
			notes: []string{"The header was found in row 3. The text above it in row 1 was treated as titles or notes and skipped."},
		},
		"below notes of two cells": {
			csv: "Term:,Fall 2026,,\nPrinted:,2026-08-30,,\nBanner ID,First,Last,DOB\n" + people, at: 3, names: "Banner ID|First|Last|DOB", rows: 3,
			notes: []string{"The header was found in row 3. The text above it in rows 1 and 2 was treated as titles or notes and skipped."},
		},
		"printed twice": {
			csv: "Banner ID,First,Last,DOB\nBanner ID,First,Last,DOB\n" + people, at: 1, names: "Banner ID|First|Last|DOB", rows: 3,
			notes: []string{"The header is repeated in row 2, and was left out there."},
		},
		"a year among the names": {csv: "Banner ID,First name,Last name,2026\n" + people, at: 1, names: "Banner ID|First name|Last name|2026", rows: 3},
		"words above words": {
			csv: "city,color\nHull,red\nLaval,blue\n", at: 1, names: "city|color", rows: 2,
		},
		"words that nobody knows above words": {
			csv: "Fahrzeug,Farbe\nHull,red\nLaval,blue\n", at: 1, names: "Fahrzeug|Farbe", rows: 2, notes: []string{guessed},
		},
		"a name twice, and none": {
			csv: "Banner ID,Name,Name,\n900100,Ann,Lee,x\n900101,Bob,Roy,y\n", at: 1, names: "Banner ID|Name|Name|", rows: 2,
			notes: []string{
				`Columns B and C have the same name in the header, "Name". Give them different ones, or name the one that is meant with its letter in a mapping, as in "Name (column B)".`,
				`Column D has values, but no name in the header. A mapping can name it by its letter, as in "(column C)".`,
			},
		},
		"groups that tell names apart": {
			csv: ",Home Address,,Mailing,\nStudent ID,Street,City,Street,City\n900100,1 Elm,Hull,2 Oak,Laval\n900101,3 Elm,Hull,4 Oak,Laval\n", at: 2,
			names: "Student ID|Home Address / Street|Home Address / City|Mailing / Street|Mailing / City", rows: 2,
			notes: []string{"The header was joined from rows 1 and 2."},
		},
		"groups beside names": {
			csv: "Student ID,Address,,,Birth date\n,Street,City,Postal code,\n900100,1 Elm,Hull,K1A 0B1,2004-02-29\n900101,3 Elm,Hull,K1A 0B2,2003-02-28\n", at: 2,
			names: "Student ID|Address / Street|Address / City|Address / Postal code|Birth date", rows: 2,
			notes: []string{"The header was joined from rows 1 and 2."},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", tt.csv), Options{})
			if got.err != nil {
				t.Fatal(got.err)
			}
			if names := strings.Join(got.header.Names, "|"); names != tt.names || got.header.Row != tt.at || len(got.rows) != tt.rows {
				t.Errorf("header %q in row %d, rows %q\nwant %q in row %d, and %d rows", names, got.header.Row, got.rows, tt.names, tt.at, tt.rows)
			}
			if diff := cmp.Diff(tt.notes, got.notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

// fitting returns whether a row has all these names, joined by |.
func fitting(names string) func([]string) bool {
	return func(row []string) bool {
		return !slices.ContainsFunc(strings.Split(names, "|"), func(name string) bool { return !slices.Contains(row, name) })
	}
}

// A row with the names of all columns that are needed is the header, whatever else is in it.
func TestHeaderFits(t *testing.T) {
	days := strings.Repeat(",2025-09-03", 8)
	questions := ""
	for i := range 40 {
		questions += fmt.Sprintf(",Q%d", i+1)
	}
	marks := strings.Repeat(",5", 40)
	tests := map[string]struct {
		csv  string
		at   int // 0 for a question
		row  int // of the question
		rows int
	}{
		"dates":                                {"ID,First,Last" + days + "\n900100,Ann,Lee" + days + "\n900101,Bob,Roy" + days + "\n", 1, 0, 2},
		"questions":                            {"ID,First,Last" + questions + "\n900100,Ann,Lee" + marks + "\n900101,Bob,Roy" + marks + "\n", 1, 0, 2},
		"weeks, and printed again":             {"1,2,3,4,5,6,ID,First,Last\n,,,,,,900100,Ann,Lee\n1,2,3,4,5,6,ID,First,Last\n,,,,,,900101,Bob,Roy\n", 1, 0, 2},
		"addresses":                            {"ID,First,Last,ann@college.example,https://a.example,613-555-0142\n900100,Ann,Lee,x,y,z\n", 1, 0, 1},
		"one person":                           {"ID,First,Last,2025,2026,2027,2028,2029\n900100,Ann,Lee,1,2,3,4,5\n", 1, 0, 1},
		"no person":                            {"ID,First,Last,2025,2026,2027,2028\n", 1, 0, 0},
		"below titles with numbers":            {"Attendance,2025-09-03,to,2025-12-19\n1,2\nID,First,Last,2025-09-03,2025-09-04,2025-09-05\n900100,Ann,Lee,P,P,A\n", 3, 0, 1},
		"below the codes of a survey":          {"QID1,QID2,QID3,QID4\nID,First,Last,Age\n900100,Ann,Lee,19\n900101,Bob,Roy,20\n", 2, 0, 2},
		"below groups":                         {",Person,,Marks,\nID,First,Last,1,2\n900100,Ann,Lee,5,6\n900101,Bob,Roy,7,8\n", 2, 0, 2},
		"below people with whom it was sorted": {"900100,Ann,Lee,5\n900101,Bob,Roy,6\nID,First,Last,2025\n900102,Cy,Poe,7\n", 0, 3, 0},
		"below people without numbers, sorted as well": {"alee,Ann,Lee\nbroy,Bob,Roy\nID,First,Last\ncpoe,Cy,Poe\n", 0, 3, 0},
		"a name is missing, among dates":               {"ID,First,Surname" + days + "\n900100,Ann,Lee" + days + "\n", 0, 1, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people.csv", tt.csv)
			got := readFile(t, path, Options{FitsHeader: fitting("ID|First|Last")})
			if tt.at == 0 {
				if fe := fileError(t, got.err, path); fe.Row != tt.row || !strings.Contains(fe.Message, "--header-row") {
					t.Errorf("row %d: %s", fe.Row, fe.Message)
				}
				return
			}
			if got.err != nil || got.header.Row != tt.at || len(got.rows) != tt.rows || !fitting("ID|First|Last")(got.header.Names) {
				t.Errorf("header %q in row %d, rows %q, error %v, want row %d and %d rows", got.header.Names, got.header.Row, got.rows, got.err, tt.at, tt.rows)
			}
		})
	}
}

// A file without a header is a question, whatever is in its first row: a person
// must never become the header, nor the header a person.
func TestHeaderIsAskedFor(t *testing.T) {
	tests := map[string]struct {
		csv string
		row int
	}{
		"only people":                {"900100,Ann,Lee,2004-02-29\n900101,Bob,Roy,2003-01-05\n", 1},
		"one person":                 {"900100,Ann,Lee,2004-02-29\n", 1},
		"people below a title":       {"Students,,,\n900100,Ann,Lee,2004-02-29\n900101,Bob,Roy,2003-01-05\n", 2},
		"mostly words":               {"jlee7,Ann,Lee,Hull,Quebec,Full Time,ann@college.example\njroy12,Bob,Roy,Hull,Quebec,Full Time,bob@college.example\n", 1},
		"a header below people":      {"900100,Ann,Lee,Hull\n900101,Bob,Roy,Hull\nStudent ID,First name,Last name,City\n900102,Cy,Poe,Hull\n", 3},
		"two rows that may be it":    {"Kennung,Anschrift,,\n,Gasse,Ort,Zahl\n900100,Elm,Hull,12\n900101,Oak,Laval,14\n", 2},
		"numbers for names":          {"1,2,3\n4,5,6\n7,8,9\n", 1},
		"a first person without ids": {"n/a,Ann,Lee,2004-02-29,613-555-0142\n900101,Bob,Roy,2003-01-05,613-555-0143\n900102,Cy,Poe,2003-01-06,613-555-0144\n", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people.csv", tt.csv)
			fe := fileError(t, readFile(t, path, Options{}).err, path)
			if fe.Row != tt.row || !strings.Contains(fe.Message, "--header-row") {
				t.Errorf("row %d: %s", fe.Row, fe.Message)
			}
			if strings.Contains(fe.Message, "Ann") {
				t.Errorf("the error holds a cell: %s", fe.Message)
			}
			if got := readFile(t, path, Options{HeaderRow: 1}); got.err != nil || got.header.Row != 1 {
				t.Errorf("asked for row 1: %v", got.err)
			}
		})
	}
}

func TestMergedHeader(t *testing.T) {
	cell := func(ref, text string) string {
		return `<c r="` + ref + `" t="inlineStr"><is><t>` + text + `</t></is></c>`
	}
	people := `<row r="3"><c r="A3"><v>900100</v></c>` + cell("B3", "Ann") + cell("C3", "Lee") + `</row><row r="4"><c r="A4"><v>900101</v></c>` + cell("B4", "Bob") + cell("C4", "Roy") + `</row>`
	tests := map[string]struct {
		rows, merges string
		names        string
		at           int
	}{
		"a group over two of three columns": {
			`<row r="1">` + cell("A1", "Kennung") + cell("B1", "Person") + `</row><row r="2">` + cell("B2", "Rufname") + cell("C2", "Sippe") + `</row>` + people,
			"A1:A2 B1:C1", "Kennung|Person / Rufname|Person / Sippe", 2,
		},
		"a title over all columns": {
			`<row r="1">` + cell("A1", "Students") + `</row><row r="2">` + cell("A2", "Student ID") + cell("B2", "Name") + cell("C2", "Name") + `</row>` + people,
			"A1:C1", "Student ID|Name|Name", 2,
		},
		"a name over two columns, and people at once": {
			`<row r="1">` + cell("A1", "Code") + cell("B1", "Person") + `</row><row r="2">` + cell("A2", "x") + cell("B2", "Cy") + cell("C2", "Poe") + `</row><row r="3">` + cell("A3", "y") + cell("B3", "Ann") + cell("C3", "Lee") + `</row>`,
			"B1:C1", "Code|Person|", 1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var merges strings.Builder
			for _, ref := range strings.Fields(tt.merges) {
				merges.WriteString(`<mergeCell ref="` + ref + `"/>`)
			}
			got := readSheet(t, strings.Replace(sheetXML(tt.rows), "</sheetData>", "</sheetData><mergeCells>"+merges.String()+"</mergeCells>", 1))
			if names := strings.Join(got.header.Names, "|"); got.err != nil || names != tt.names || got.header.Row != tt.at || len(got.rows) != 2 {
				t.Errorf("header %q in row %d, rows %q, error %v\nwant %q in row %d", names, got.header.Row, got.rows, got.err, tt.names, tt.at)
			}
		})
	}
}

// gridXML returns the rows of a sheet, cells being separated by commas; digits make numbers.
func gridXML(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString("<row>")
		for text := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), ",") {
			switch _, err := strconv.Atoi(text); {
			case text == "":
				b.WriteString("<c/>")
			case err == nil:
				b.WriteString("<c><v>" + text + "</v></c>")
			default:
				b.WriteString(`<c t="inlineStr"><is><t>` + text + `</t></is></c>`)
			}
		}
		b.WriteString("</row>")
	}
	return b.String()
}

func TestMergedHeaderOfSeveralRows(t *testing.T) {
	tests := map[string]struct {
		grid, merges string
		names        string
		at, rows     int
	}{
		"three rows": {
			"Student ID,Student,,,E-mail\n,Legal name,,Preferred,\n,First,Last,First,\n900100,Ann,Lee,Annie,ann@college.example\n900101,Bob,Roy,,bob@college.example\n",
			"A1:A3 B1:D1 E1:E3 B2:C2", "Student ID|Student / Legal name / First|Student / Legal name / Last|Student / Preferred / First|E-mail", 3, 2,
		},
		"four rows below a title": {
			"Students of fall,,,,\nKennung,Person,,,\n,Anschrift,,,Name\n,Privat,,Arbeit,\n,Ort,Gasse,Ort,\n900100,Hull,Elm,Laval,Lee\n900101,Hull,Oak,Laval,Roy\n",
			"A1:E1 A2:A5 B2:E2 B3:D3 E3:E5 B4:C4", "Kennung|Person / Anschrift / Privat / Ort|Person / Anschrift / Privat / Gasse|Person / Anschrift / Arbeit / Ort|Person / Name", 5, 2,
		},
		"names that go down over two of three": {
			"ID,Name,,Address,\n,Legal,,Street,City\n,First,Last,,\n900100,Ann,Lee,1 Elm,Hull\n900101,Bob,Roy,2 Oak,Hull\n",
			"A1:A3 B1:C1 D1:E1 B2:C2 D2:D3 E2:E3", "ID|Name / Legal / First|Name / Legal / Last|Address / Street|Address / City", 3, 2,
		},
		"groups alone, without a name that goes down": {
			"School,,Person,\nBoard,,Legal,\nCode,Region,First,Last\n900100,East,Ann,Lee\n900101,West,Bob,Roy\n",
			"A1:B1 C1:D1 A2:B2 C2:D2", "School / Board / Code|School / Board / Region|Person / Legal / First|Person / Legal / Last", 3, 2,
		},
		"two rows, and people of words": {
			"Login,Name,\n,First,Last\nalee,Ann,Lee\nbroy,Bob,Roy\n",
			"A1:A2 B1:C1", "Login|Name / First|Name / Last", 2, 2,
		},
		"a town that several people share": {
			"Login,First,Last,City\nalee,Ann,Lee,Hull\nbroy,Bob,Roy,\ncpoe,Cy,Poe,\n",
			"D2:D4", "Login|First|Last|City", 1, 3,
		},
		"a value over two columns in the first person": {
			"Login,First,Last,City\nalee,Ann,,Hull\nbroy,Bob,Roy,Hull\ncpoe,Cy,Poe,Hull\n",
			"B2:C2", "Login|First|Last|City", 1, 3,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var merges strings.Builder
			for _, ref := range strings.Fields(tt.merges) {
				merges.WriteString(`<mergeCell ref="` + ref + `"/>`)
			}
			got := readSheet(t, strings.Replace(sheetXML(gridXML(tt.grid)), "</sheetData>", "</sheetData><mergeCells>"+merges.String()+"</mergeCells>", 1))
			if names := strings.Join(got.header.Names, "|"); got.err != nil || names != tt.names || got.header.Row != tt.at || len(got.rows) != tt.rows {
				t.Errorf("header %q in row %d, rows %q, error %v\nwant %q in row %d", names, got.header.Row, got.rows, got.err, tt.names, tt.at)
			}
			if notes := strings.Join(got.notes, " "); strings.Contains(name, "three rows") && !strings.Contains(notes, "The header was joined from rows 1, 2 and 3.") {
				t.Errorf("notes %q", notes)
			}
		})
	}
	page := "<table><tr><th rowspan=3>Student ID<th colspan=3>Student<tr><th colspan=2>Legal<th>Preferred<tr><th>First<th>Last<th>First" +
		"<tr><td>900100<td>Ann<td>Lee<td>Annie<tr><td>900101<td>Bob<td>Roy<td></table>"
	got := readFile(t, writeFile(t, "people.xls", page), Options{})
	if names := strings.Join(got.header.Names, "|"); names != "Student ID|Student / Legal / First|Student / Legal / Last|Student / Preferred / First" || len(got.rows) != 2 {
		t.Errorf("a web page: header %q, rows %q, error %v", names, got.rows, got.err)
	}
}
