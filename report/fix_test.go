package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"opscom-import/importer"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
	"opscom-import/report"
)

const adviceHeader = "What to do (opscom-import)"

func yielding[T any](items []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
		if err != nil {
			yield(*new(T), err)
		}
	}
}

func students() report.FixSheet {
	return report.FixSheet{
		Sheet:  "Students",
		Header: []string{"Banner ID", "Legal Last Name", "", "E-mail", "DOB", "Class"},
		Choices: map[int][]string{
			5: {"Full Time Student", `Staff, "casual" & part-time <1 year`, "=Visitor", "007"},
			3: {},
		},
	}
}

func faultyStudents() []report.FixRow {
	return []report.FixRow{
		{
			Row: 17, Cells: []string{"000123456", "O'Brien", "", "none", "2004-02-31", "FTE"},
			Problems: []mapping.Problem{
				{Rule: mapping.RuleBadEmail, Column: 3, Message: `Email "none" is not an e-mail address. Write it as name@example.ca.`},
				{Rule: mapping.RuleBadDate, Column: 4, Message: `Date of Birth "2004-02-31" is not a valid date. Correct the date.`},
				{Rule: mapping.RuleUnknownUserType, Column: 5, Message: `User Type "FTE" is not in the Controller's list.`},
			},
		},
		{
			Row: 18, Cells: []string{"=1+1", "Zoë <b>&amp;", "kept"},
			Problems: []mapping.Problem{
				{Rule: mapping.RuleRequired, Column: 3, Message: "Email is blank. Fill it in."},
				{Rule: mapping.RuleUnusualCharacter, Severity: mapping.SeverityWarning, Column: 0, Message: "Unique ID holds '='. Check that it is meant."},
				{Rule: mapping.RuleBadEmail, Column: 0, Message: "Another problem of the same cell."},
			},
		},
		{
			Row: 40, Cells: []string{"900123458", "Smith", "", "a@example.org", "2003-01-01", "Full Time Student"},
			Note: "The Controller refused the row (error code 9019): another user has this e-mail address.",
		},
		{
			Row: 41, Cells: []string{"900123459", "#N/A", "", "b@example.org"},
			Problems: []mapping.Problem{
				{Rule: mapping.RuleCellError, Column: 1, Message: `The cell for Last Name shows the error "#N/A".`},
				{Rule: mapping.RuleDuplicateKey, Column: mapping.NoColumn, Message: "the same person has other values in row 40"},
			},
		},
	}
}

// written returns the workbook of the rows.
func written(t testing.TB, s report.FixSheet, rows []report.FixRow) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.fix.xlsx")
	n, err := report.WriteFix(report.To(path, nil), s, yielding(rows, nil))
	if err != nil || n != len(rows) {
		t.Fatalf("wrote %d rows of %d, %v", n, len(rows), err)
	}
	return path
}

// readTable reads a file as the importer does.
func readTable(t rapid.TB, path string, o sheet.Options) (header importer.Header, rows []importer.Row) {
	t.Helper()
	table, err := sheet.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	}()
	for {
		var row importer.Row
		if err := table.Next(&row); errors.Is(err, io.EOF) {
			return table.Header(), rows
		} else if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

func texts(cells []mapping.Cell) []string {
	list := make([]string, len(cells))
	for i, c := range cells {
		list[i] = c.Text
	}
	return list
}

func TestFixIsReadAsItWasWritten(t *testing.T) {
	header, rows := readTable(t, written(t, students(), faultyStudents()), sheet.Options{Sheet: "Students"})
	if diff := cmp.Diff(importer.Header{Row: 1, Names: append(students().Header, adviceHeader)}, header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	want := [][]string{
		{"000123456", "O'Brien", "", "none", "2004-02-31", "FTE", "Row 17: E-mail (column D): Email \"none\" is not an e-mail address. Write it as name@example.ca.\n" +
			"DOB (column E): Date of Birth \"2004-02-31\" is not a valid date. Correct the date.\n" +
			"Class (column F): User Type \"FTE\" is not in the Controller's list."},
		{"=1+1", "Zoë <b>&amp;", "kept", "", "", "", "Row 18: E-mail (column D): Email is blank. Fill it in.\n" +
			"Banner ID (column A): Unique ID holds '='. Check that it is meant.\n" +
			"Banner ID (column A): Another problem of the same cell."},
		{"900123458", "Smith", "", "a@example.org", "2003-01-01", "Full Time Student", "Row 40: The Controller refused the row (error code 9019): another user has this e-mail address."},
		{"900123459", "", "", "b@example.org", "", "", "Row 41: Legal Last Name (column B): The cell for Last Name shows the error \"#N/A\".\n" +
			"the same person has other values in row 40"},
	}
	if len(rows) != len(want) {
		t.Fatalf("read %d rows, want %d", len(rows), len(want))
	}
	for i, row := range rows {
		if diff := cmp.Diff(want[i], texts(row.Cells)); diff != "" || len(row.Problems) > 0 {
			t.Errorf("row %d, problems %v (-want +got):\n%s", row.Number, row.Problems, diff)
		}
	}
}

// What excelize does not write is lost without an error.
func TestFixLooks(t *testing.T) {
	file, err := excelize.OpenFile(written(t, students(), faultyStudents()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}()
	wantFilter(t, file, "'Students'!$A$1:$G$5") // before the sheet is taken apart
	comments, err := file.GetComments("Students")
	if err != nil {
		t.Fatal(err)
	}
	notes := map[string]string{}
	for _, c := range comments {
		for _, run := range c.Paragraph {
			notes[c.Cell] += run.Text
		}
	}
	wantNotes := map[string]string{
		"D2": `Email "none" is not an e-mail address. Write it as name@example.ca.`,
		"E2": `Date of Birth "2004-02-31" is not a valid date. Correct the date.`,
		"F2": `User Type "FTE" is not in the Controller's list.`,
		"D3": "Email is blank. Fill it in.",
		"A3": "Unique ID holds '='. Check that it is meant.\nAnother problem of the same cell.",
		"B5": `The cell for Last Name shows the error "#N/A".`,
	}
	if diff := cmp.Diff(wantNotes, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	for cell, want := range map[string]string{"A2": "", "D2": "FFD2CC", "D3": "FFD2CC", "A3": "FFD2CC", "B5": "FFD2CC", "D4": ""} {
		id, err := file.GetCellStyle("Students", cell)
		if err != nil {
			t.Fatal(err)
		}
		style, err := file.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(style.Fill.Color, ""); got != want || style.NumFmt != 49 {
			t.Errorf("%s is filled %q, format %d; want %q, and text", cell, got, style.NumFmt, want)
		}
	}
	wantDropDown(t, file)
	panes, err := file.GetPanes("Students")
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("panes %+v, %v; want the header frozen", panes, err)
	}
	props, err := file.GetDocProps()
	if err != nil || props.Creator != "opscom-import" || props.LastModifiedBy != "opscom-import" {
		t.Errorf("written by %+v, %v", props, err)
	}
}

// wantFilter fails the test unless the filter's range is the only name that the
// workbook defines, and its ids are not marked as numbers stored as text.
func wantFilter(t *testing.T, file *excelize.File, area string) {
	t.Helper()
	if names := file.GetDefinedName(); len(names) != 1 || names[0].RefersTo != area {
		t.Errorf("defined names %+v, want the filter's %s", names, area)
	}
	content, ok := file.Pkg.Load("xl/worksheets/sheet1.xml")
	if xml, isBytes := content.([]byte); !ok || !isBytes || !bytes.Contains(xml, []byte(`numberStoredAsText="true"`)) || !bytes.Contains(xml, []byte("<autoFilter ")) {
		t.Error("there is no filter, or ids are marked as numbers stored as text")
	}
}

// An apostrophe in a formula that is not doubled makes Excel repair the workbook.
func TestFixOfASheetWithAnApostrophe(t *testing.T) {
	s := students()
	s.Sheet, s.HeaderRow = "Ann's", 3
	file, err := excelize.OpenFile(written(t, s, faultyStudents()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}()
	wantFilter(t, file, "'Ann''s'!$A$3:$G$7")
}

func wantDropDown(t *testing.T, file *excelize.File) {
	t.Helper()
	validations, err := file.GetDataValidations("Students")
	if err != nil {
		t.Fatal(err)
	}
	if len(validations) != 1 || validations[0].Sqref != "F2:F5" || validations[0].Type != "list" {
		t.Fatalf("drop-downs %+v, want one at F2:F5", validations)
	}
	name, area, _ := strings.Cut(validations[0].Formula1, "!")
	if area != "$A$1:$A$4" {
		t.Errorf("the list stands at %s", area)
	}
	name = strings.Trim(name, "'")
	if visible, err := file.GetSheetVisible(name); err != nil || visible {
		t.Errorf("the lists' sheet can be seen (%v)", err)
	}
	columns, err := file.GetCols(name)
	if err != nil || len(columns) != 1 {
		t.Fatalf("lists %v, %v", columns, err)
	}
	if diff := cmp.Diff(students().Choices[5], columns[0]); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

// The values of a row that may have moved could pass every rule in the wrong
// columns, so they must not stand in any until somebody has put them there.
func TestRowsThatMayHaveMoved(t *testing.T) {
	ragged := mapping.Problem{Rule: mapping.RuleRaggedRow, Column: mapping.NoColumn, Message: "The row has 2 cells."}
	quotes := mapping.Problem{Rule: mapping.RuleBadQuotes, Severity: mapping.SeverityWarning, Column: mapping.NoColumn, Message: "Look at it."}
	s := report.FixSheet{Header: []string{"ID", "Name", "City"}}
	first := written(t, s, []report.FixRow{
		{Row: 2, Cells: []string{"1", "Smith"}, Problems: []mapping.Problem{ragged}},
		{Row: 3, Cells: []string{"2", "Lee", "Ottawa", "", "beyond"}, Problems: []mapping.Problem{quotes}},
		{Row: 4, Cells: []string{"3", "Roy"}, Problems: []mapping.Problem{quotes}},
		{Row: 5, Cells: []string{"4"}, Problems: []mapping.Problem{{Rule: mapping.RuleSecondTable, Column: mapping.NoColumn, Message: "It is another table."}}},
		{Row: 6, Cells: []string{"5", "Cho", "Hull", "beyond"}, Problems: []mapping.Problem{{Rule: mapping.RuleRaggedRow, Column: 3, Message: "There is a value."}}},
	})
	const moved = "\nThe row's values are to the right of this text. Move each into its column."
	want := [][]string{
		{"", "", "", "Row 2: The row has 2 cells." + moved, "1", "Smith"},
		{"", "", "", "Row 3: Look at it." + moved, "2", "Lee", "Ottawa", "", "beyond"},
		{"3", "Roy", "", "Row 4: Look at it."},
		{"", "", "", "Row 5: It is another table." + moved, "4"},
		{"", "", "", "Row 6: column H: There is a value." + moved, "5", "Cho", "Hull", "beyond"},
	}
	trimmed := func(cells []string) []string {
		for len(cells) > 0 && cells[len(cells)-1] == "" {
			cells = cells[:len(cells)-1]
		}
		return cells
	}
	header, rows := readTable(t, first, sheet.Options{HeaderRow: 1})
	if len(rows) != len(want) {
		t.Fatalf("read %d rows", len(rows))
	}
	var again []report.FixRow
	for i, row := range rows {
		if diff := cmp.Diff(want[i], trimmed(texts(row.Cells))); diff != "" {
			t.Errorf("row %d (-want +got):\n%s", row.Number, diff)
		}
		again = append(again, report.FixRow{Row: row.Number, Cells: texts(row.Cells), Problems: row.Problems})
	}

	// The workbook of a workbook has no second column of advice, and what was moved
	// stays where it is.
	s.Header = header.Names
	second, rows := readTable(t, written(t, s, again), sheet.Options{HeaderRow: 1})
	if diff := cmp.Diff(header, second); diff != "" {
		t.Errorf("header of the second workbook (-first +second):\n%s", diff)
	}
	for i, row := range rows {
		got := trimmed(texts(row.Cells))
		if !strings.HasPrefix(got[3], fmt.Sprintf("Row %d: ", again[i].Row)) {
			t.Errorf("advice of row %d: %q", row.Number, got[3])
		}
		got[3] = want[i][3]
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("row %d of the second workbook (-want +got):\n%s", row.Number, diff)
		}
	}
}

func TestFixKeepsTheMappingsView(t *testing.T) {
	for _, tc := range []struct {
		sheet string
		row   int
		open  sheet.Options
	}{
		{"Ann's \"list\" <1> & more", 3, sheet.Options{Sheet: "Ann's \"list\" <1> & more", HeaderRow: 3}},
		{"Étudiants", 7, sheet.Options{}},
		{"SHEET1", 1, sheet.Options{Sheet: "SHEET1"}},
		{"", 0, sheet.Options{}},
		{"a/b:c, a name that only LibreOffice allows", 1, sheet.Options{}},
		{"opscom-import Choices", 1, sheet.Options{}},
	} {
		t.Run(tc.sheet, func(t *testing.T) {
			s := students()
			s.Sheet, s.HeaderRow = tc.sheet, tc.row
			path := written(t, s, faultyStudents())
			header, rows := readTable(t, path, tc.open)
			if len(rows) != 4 || header.Row != max(tc.row, 1) || rows[0].Number != header.Row+1 {
				t.Errorf("header in row %d, %d rows", header.Row, len(rows))
			}
			source, err := mapping.Parse("", []byte("version: 1\nsource:\n  headers: [Banner ID, Legal Last Name, E-mail, DOB, Class]\n"+
				"fields:\n  unique_id: Banner ID\n  login_source: {value: SSO}\n  last_name: Legal Last Name\n"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := mapping.Compile(source, header.Names, mapping.Options{}); err != nil {
				t.Errorf("the mapping does not fit any more: %v", err)
			}
		})
	}
}

// Without a mapping file the column of advice must not be taken for anything.
func TestAdviceMeansNoAttribute(t *testing.T) {
	header, rows := readTable(t, written(t, students(), faultyStudents()), sheet.Options{})
	var samples [][]mapping.Cell
	for _, row := range rows {
		samples = append(samples, row.Cells)
	}
	for _, s := range suggest.Columns(header.Names, samples) {
		if s.Header == adviceHeader && s.Attribute != mapping.NoAttribute {
			t.Errorf("the advice is suggested as %s", s.Attribute)
		}
	}
}

func TestFixReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.fix.xlsx")
	text := rapid.OneOf(
		rapid.StringMatching(`[=+\-@' ]{0,2}[0-9.,;\n\t <>&"é_x]{0,9}`),
		rapid.StringMatching(`_x[0-9A-Ca-c][0-9A-Fa-f]{3}_{0,2}`), // what Excel writes control characters as
		rapid.StringOf(rapid.Rune().Filter(isXMLCharacter)),
	)
	rapid.Check(t, func(t *rapid.T) {
		header := rapid.SliceOfN(text.Filter(holdsText), 1, 8).Draw(t, "header")
		row := rapid.SliceOfN(text, 0, len(header))
		var rows []report.FixRow
		for i, cells := range rapid.SliceOfN(row, 1, 5).Draw(t, "rows") {
			rows = append(rows, report.FixRow{Row: i + 2, Cells: cells, Problems: []mapping.Problem{{Column: rapid.IntRange(mapping.NoColumn, 9).Draw(t, "column"), Message: "x"}}})
		}
		if n, err := report.WriteFix(report.To(path, nil), report.FixSheet{Header: header}, yielding(rows, nil)); err != nil || n != len(rows) {
			t.Fatalf("wrote %d rows of %d, %v", n, len(rows), err)
		}
		read, got := readTable(t, path, sheet.Options{HeaderRow: 1})
		if diff := cmp.Diff(append(header, adviceHeader), read.Names); diff != "" {
			t.Fatalf("header (-want +got):\n%s", diff)
		}
		for i, row := range rows {
			want := append(append([]string{}, row.Cells...), make([]string, len(header)-len(row.Cells))...)
			if diff := cmp.Diff(want, texts(got[i].Cells)[:len(header)]); diff != "" {
				t.Fatalf("row %d (-want +got):\n%s", i, diff)
			}
		}
	})
}

func holdsText(s string) bool { return strings.TrimSpace(s) != "" }

// isXMLCharacter reports whether XML 1.0 can hold the character.
func isXMLCharacter(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || ' ' <= r && r <= '\uD7FF' || '\uE000' <= r && r <= '\uFFFD' || r >= 0x10000
}

// What a workbook cannot hold must not come back as another value.
func TestFixOfWhatAWorkbookCannotHold(t *testing.T) {
	long := strings.Repeat("é", 32_768)
	fits := strings.Repeat("😀", 16_383) + "x"
	rows := []report.FixRow{{
		Row: 2, Cells: []string{"a\x00b\x1bc\uFFFFd", long, fits},
		Problems: []mapping.Problem{{Column: 0, Message: "a \x00 in the message, and <tags> & more " + long}},
	}}
	_, got := readTable(t, written(t, report.FixSheet{Header: []string{"A", "B", "C"}}, rows), sheet.Options{})
	cells := texts(got[0].Cells)
	if cells[0] != "a\uFFFDb\uFFFDc\uFFFDd" || cells[1] != "" || cells[2] != fits {
		t.Errorf("cells %.80q", cells)
	}
	if !strings.HasSuffix(cells[3], "…") {
		t.Errorf("the advice ends in %q", cells[3][len(cells[3])-10:])
	}
	rows[0].Problems = nil
	_, got = readTable(t, written(t, report.FixSheet{Header: []string{"A", "B", "C"}}, rows), sheet.Options{})
	if want := "B (column B): The value is too long for a cell of a workbook and was left out. Copy it from the file."; !strings.HasSuffix(got[0].Cells[3].Text, want) {
		t.Errorf("advice %.200q", got[0].Cells[3].Text)
	}
}

func TestFixThatIsTooLarge(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.fix.xlsx")
	for _, s := range []report.FixSheet{
		{Header: make([]string, 16_384)},
		{Header: []string{"A"}, HeaderRow: 1_048_575},
	} {
		if s.HeaderRow == 0 {
			s.Header[0] = "A"
		}
		n, err := report.WriteFix(report.To(path, nil), s, yielding(faultyStudents(), nil))
		if !errors.Is(err, report.ErrTooLarge) || n != 0 {
			t.Errorf("%d columns: %d, %v; want ErrTooLarge", len(s.Header), n, err)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	// One that just fits.
	wide := report.FixSheet{Header: make([]string, 16_383)}
	wide.Header[0], wide.Header[16_382] = "first", "last"
	row := report.FixRow{Row: 2, Cells: make([]string, 16_383)}
	row.Cells[16_382] = "x"
	spilled := report.FixRow{Row: 3, Cells: make([]string, 20_000), Problems: []mapping.Problem{{Rule: mapping.RuleRaggedRow, Column: 19_999, Message: "far out"}}}
	spilled.Cells[0] = "x"
	_, rows := readTable(t, written(t, wide, []report.FixRow{row, spilled}), sheet.Options{HeaderRow: 1})
	if rows[0].Cells[16_382].Text != "x" || rows[0].Cells[16_383].Text != "Row 2: " || !strings.HasPrefix(rows[1].Cells[16_383].Text, "Row 3: far out\n") {
		t.Error("the last columns are not what was written")
	}
}

func TestFixLeavesNothingHalfWritten(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.fix.xlsx")
	broken := errors.New("the journal is gone")
	if n, err := report.WriteFix(report.To(path, nil), students(), yielding(faultyStudents(), nil)); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range []int{0, 1, 300} {
		if n, err := report.WriteFix(report.To(path, nil), students(), yielding(make([]report.FixRow, rows), broken)); !errors.Is(err, broken) || n != 0 {
			t.Errorf("after %d rows: %d, %v", rows, n, err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || !bytes.Equal(text, old) {
		t.Errorf("the old file has changed, %v", err)
	}
	if n, err := report.WriteFix(report.To(path, nil), students(), yielding[report.FixRow](nil, nil)); n != 0 || err != nil {
		t.Errorf("no rows: %d, %v", n, err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	var out bytes.Buffer
	if n, err := report.WriteFix(report.To("-", &out), students(), yielding[report.FixRow](nil, nil)); n != 0 || err != nil || out.Len() == 0 {
		t.Errorf("no rows to a pipe: %d, %v, %d bytes", n, err, out.Len())
	}
}

type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.left {
		n := d.left
		d.left = 0
		return n, io.ErrShortWrite
	}
	d.left -= len(p)
	return len(p), nil
}

func TestFixReportsAFullDisk(t *testing.T) {
	var whole, again bytes.Buffer
	for _, out := range []*bytes.Buffer{&whole, &again} {
		if _, err := report.WriteFix(report.To("-", out), students(), yielding(faultyStudents(), nil)); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(whole.Bytes(), again.Bytes()) {
		t.Error("the same rows gave another workbook")
	}
	for size := 0; size < whole.Len(); size += 97 {
		if _, err := report.WriteFix(report.To("-", &fullDisk{size}), students(), yielding(faultyStudents(), nil)); err == nil {
			t.Fatalf("no error on a disk with room for %d of %d bytes", size, whole.Len())
		}
	}
}

// manyRows yields rows of 27 cells, two of them faulty, that are made as they are
// asked for.
func manyRows(n int) iter.Seq2[report.FixRow, error] {
	return func(yield func(report.FixRow, error) bool) {
		for i := range n {
			cells := make([]string, 27)
			for c := range cells {
				cells[c] = fmt.Sprintf("value %d of row %d", c, i)
			}
			row := report.FixRow{Row: i + 2, Cells: cells, Problems: []mapping.Problem{
				{Rule: mapping.RuleBadEmail, Column: 6, Message: `Email "none" is not an e-mail address. Write it as name@example.ca.`},
				{Rule: mapping.RuleBadDate, Column: 12, Message: "Date of Birth is not a valid date. Correct the date."},
			}}
			if !yield(row, nil) {
				return
			}
		}
	}
}

func manyColumns() report.FixSheet {
	s := report.FixSheet{Header: make([]string, 27)}
	for c := range s.Header {
		s.Header[c] = fmt.Sprintf("Column %d", c)
	}
	return s
}

// Memory does not grow with the rows: they go to a temporary file.
func TestFixMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes large workbooks: not with -short")
	}
	peak := func(rows int) (highest uint64) {
		long := func(yield func(report.FixRow, error) bool) {
			for i := range rows {
				if i%1000 == 0 {
					runtime.GC()
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					highest = max(highest, m.HeapAlloc)
				}
				text := strings.Repeat("x", 1000)
				if !yield(report.FixRow{Row: i + 2, Cells: []string{text + "1", text + "2", text + "3"}}, nil) {
					return
				}
			}
		}
		if _, err := report.WriteFix(report.To("-", io.Discard), report.FixSheet{Header: []string{"A", "B", "C"}}, long); err != nil {
			t.Fatal(err)
		}
		return highest
	}
	few, many := peak(6_000), peak(14_000)
	if many > few+(12<<20) { // the rows alone are 24 MB more
		t.Errorf("%d bytes for 6,000 rows, %d for 14,000: memory grows with the rows", few, many)
	}
}

func TestFixHasNotesToALimit(t *testing.T) {
	const maxNotes, rows = 2000, 1010 // of two notes each
	path := filepath.Join(t.TempDir(), "a.fix.xlsx")
	if n, err := report.WriteFix(report.To(path, nil), manyColumns(), manyRows(rows)); err != nil || n != rows {
		t.Fatal(n, err)
	}
	book, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	}()
	notes, err := book.GetComments("Rows to fix")
	if err != nil || len(notes) != maxNotes {
		t.Errorf("%d notes, %v; want %d", len(notes), err, maxNotes)
	}
	advice, err := book.GetCellValue("Rows to fix", fmt.Sprintf("AB%d", rows+1))
	if want := fmt.Sprintf("Row %d: Column 6 (column G): Email", rows+1); err != nil || !strings.HasPrefix(advice, want) {
		t.Errorf("the last row says %q, %v; want %q", advice, err, want)
	}
}

func BenchmarkWriteFix(b *testing.B) {
	const rows = report.MaxFixRows
	path := filepath.Join(b.TempDir(), "bench.fix.xlsx")
	b.ReportAllocs()
	for b.Loop() {
		if n, err := report.WriteFix(report.To(path, nil), manyColumns(), manyRows(rows)); err != nil || n != rows {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
