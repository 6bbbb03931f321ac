package sheet

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

func TestFooters(t *testing.T) {
	const left = "The text below the table in %s was treated as totals or notes and skipped."
	tests := map[string]struct {
		below string // two people
		rows  int
		note  string
	}{
		"a count":                        {"Total: 312 students,,,\n", 2, fmt.Sprintf(left, "row 4")},
		"a sum":                          {"Total,312,,\n", 2, fmt.Sprintf(left, "row 4")},
		"a sum in French":                {"Sous-total,,,312\n", 2, fmt.Sprintf(left, "row 4")},
		"below a blank row":              {"\n312 rows,,,\nGenerated on 2026-08-30,,,\n*** End of report ***,,,\n", 2, fmt.Sprintf(left, "rows 5, 6 and 7")},
		"a sentence below a blank row":   {"\nAsk Kim about these,,,\n", 2, fmt.Sprintf(left, "row 5")},
		"a sentence at once":             {"Ask Kim about these,,,\n", 3, ""},
		"an id alone":                    {"\n900102,,,\n", 3, "1 blank row between the others was left out."},
		"a user name alone":              {"\ncpoe,,,\n", 3, "1 blank row between the others was left out."},
		"a person called Total":          {"Total,Ann,900102,2004-02-29\n", 3, ""},
		"a person called Page":           {"Page,,,\n", 3, ""},
		"a person below what may be one": {"\nTotal: 2,,,\n900102,Cy,Poe,2002-07-09\n", 4, "1 blank row between the others was left out."},
		"lines that are drawn":           {"---,--,==,\n900102,Cy,Poe,2002-07-09\n+----+----+\n", 3, "Dashes in rows 4 and 6 were left out as a separator line."},
		"dashes for what is not known":   {"-,-,-,-\n900102,--,--,\n", 4, ""},
		"a total of more than numbers":   {"Total,312,Hull,\n", 3, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", "Student ID,First,Last,DOB\n900100,Ann,Lee,2004-02-29\n900101,Bob,Roy,2003-01-05\n"+tt.below), Options{})
			if notes := strings.Join(got.notes, " "); got.err != nil || len(got.rows) != tt.rows || notes != tt.note {
				t.Errorf("rows %q, notes %q, error %v\nwant %d rows and %q", got.rows, notes, got.err, tt.rows, tt.note)
			}
		})
	}
}

// Rows that are not people are left out at the end alone, and only a few: a list
// of single cells is given as it is.
func TestManyLoneCellsAreRows(t *testing.T) {
	got := readFile(t, writeFile(t, "people.csv", "Student ID,First,Last\n900100,Ann,Lee\n"+strings.Repeat("Total: 7,,\n", 30)), Options{})
	if got.err != nil || len(got.rows) < 1+maxFooter || got.rows[1] != "3: Total: 7||" {
		t.Errorf("%d rows, the second %q, error %v", len(got.rows), got.rows[1], got.err)
	}
}

func TestSecondTable(t *testing.T) {
	const second = "A second table begins in row 5. None of its rows is sent: put it into its own file or sheet."
	tests := map[string]struct {
		below string
		rows  []string // from the third on
		note  string
	}{
		"other columns":    {"\nProgram,Dean,Campus,Students\nArts,Kim,Hull,12\n", []string{"5: Program|Dean|Campus|Students !second_table", "6: Arts|Kim|Hull|12 !second_table"}, second},
		"the same moved":   {"\nFirst,Last,DOB,Student ID\n", []string{"5: First|Last|DOB|Student ID !second_table"}, second},
		"the same at once": {"Last,First,DOB,Student ID\n", []string{"4: Last|First|DOB|Student ID !second_table"}, strings.Replace(second, "row 5", "row 4", 1)},
		"below a total":    {"Total: 2,,,\nLast,First,DOB,Student ID\n", []string{"5: Last|First|DOB|Student ID !second_table"}, second + " The text below the table in row 4 was treated as totals or notes and skipped."},
		"the header again": {"Student ID,First,Last,DOB\n900102,Cy,Poe,2002-07-09\n", []string{"5: 900102|Cy|Poe|2002-07-09"}, "The header is repeated in row 4, and was left out there."},
		"a narrower one":   {"\nFaculty,Dean,,\nArts,Kim,,\n", []string{"5: Faculty|Dean|| !second_table", "6: Arts|Kim|| !second_table"}, second},
		"people":           {"\ncpoe,Cy,Poe,\n900104,Di,Fox,2001-01-01\n", []string{"5: cpoe|Cy|Poe|", "6: 900104|Di|Fox|2001-01-01"}, "1 blank row between the others was left out."},
		"a person":         {"\ncpoe,Cy,Poe,\n", []string{"5: cpoe|Cy|Poe|"}, "1 blank row between the others was left out."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", "Student ID,First,Last,DOB\n900100,Ann,Lee,2004-02-29\n900101,Bob,Roy,2003-01-05\n"+tt.below), Options{})
			if got.err != nil || len(got.rows) < 2 {
				t.Fatalf("rows %q, error %v", got.rows, got.err)
			}
			if diff := cmp.Diff(tt.rows, got.rows[2:]); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if notes := strings.Join(got.notes, " "); !strings.Contains(notes, tt.note) {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
		})
	}
}

// lines is a source of rows: cells separated by commas.
type lines struct {
	rest   []string
	number int
}

func (l *lines) Next(row *importer.Row) error {
	if len(l.rest) == 0 {
		return io.EOF
	}
	l.number++
	row.Number, row.Cells, row.Problems = l.number, row.Cells[:0], nil
	for text := range strings.SplitSeq(l.rest[0], ",") {
		row.Cells = append(row.Cells, mapping.Cell{Text: text})
	}
	l.rest = l.rest[1:]
	return nil
}

func (l *lines) Notes() []string { return nil }

func (l *lines) Close() error { return nil }

// FuzzBody wants every row that is not blank to be somewhere: above the header, in
// it, given, or named as left out.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		"id,name,dob\n9001,Ann,2004-01-01\n\nTotal: 1\n", "Students\n\nid,first,last\nid,first,last\n1,a,b\nid,first,last\n\nlast,first,id\nx,y,2\nend of report", ",Home,\nid,street,city\n7,a,b", "a\n1\nTotal\n2\nTotal",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		source := &lines{rest: strings.Split(text, "\n")}
		table := &Table{rows: source, budget: rows.NewWorkBudget(0, time.Now)}
		if err := table.findHeader(Options{}); err != nil {
			return
		}
		found := map[int]bool{}
		for row := (importer.Row{}); ; {
			if err := table.Next(&row); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if found[row.Number] {
				t.Fatalf("row %d is given twice", row.Number)
			}
			found[row.Number] = true
		}
		for _, number := range slices.Concat(table.body.footers, table.body.repeated, table.body.separators) {
			if found[number] {
				t.Fatalf("row %d is given and left out", number)
			}
			found[number] = true
		}
		for i, line := range strings.Split(text, "\n") {
			if number := i + 1; number > table.header.Row && !found[number] && strings.Trim(line, ",") != "" && strings.TrimSpace(strings.ReplaceAll(line, ",", "")) != "" {
				t.Fatalf("row %d, %q, is lost", number, line)
			}
		}
	})
}
