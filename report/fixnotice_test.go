package report_test

import (
	"archive/zip"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"opscom-import/importer/sheet"
	"opscom-import/mapping"
	"opscom-import/report"
)

const noticeSheet = "Read this first"

// parts returns the parts of the workbook by their names.
func parts(t *testing.T, path string) map[string]string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := archive.Close(); err != nil {
			t.Error(err)
		}
	}()
	texts := map[string]string{}
	for _, part := range archive.File {
		text, err := fs.ReadFile(archive, part.Name)
		if err != nil {
			t.Fatal(err)
		}
		texts[part.Name] = string(text)
	}
	return texts
}

// shown returns the sheet that a program opens the workbook at, the sheets that are
// selected with it, and the texts of its column A.
func shown(t *testing.T, path string) (active string, selected, lines []string) {
	t.Helper()
	book, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	}()
	active = book.GetSheetName(book.GetActiveSheetIndex())
	rows, err := book.GetRows(active)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		lines = append(lines, strings.Join(row, "|"))
	}
	for part, content := range parts(t, path) {
		if strings.Contains(content, `tabSelected="1"`) || strings.Contains(content, `tabSelected="true"`) {
			selected = append(selected, part)
		}
	}
	return active, selected, lines
}

// A workbook with only the first rows to fix says so in the sheet that is shown first, and
// is read as any other.
func TestFixSaysThatItIsPart(t *testing.T) {
	for name, s := range map[string]report.FixSheet{
		"a workbook": students(),
		"a CSV file": {Header: students().Header},
		"a title":    {Sheet: "Students", HeaderRow: 3, Header: students().Header},
		"the name":   {Sheet: "read THIS first", Header: students().Header},
		"no words":   {Header: []string{"A", "B", "C", "D", "E", "F"}},
	} {
		t.Run(name, func(t *testing.T) {
			noticeSheet := noticeSheet
			if strings.EqualFold(s.Sheet, noticeSheet) {
				noticeSheet += " (2)"
			}
			s.ToFix = report.MaxFixRows
			whole := written(t, s, faultyStudents())
			if active, _, _ := shown(t, whole); active == noticeSheet {
				t.Error("it is not the whole, and says that it is not")
			}
			readTable(t, whole, sheet.Options{Sheet: s.Sheet})
			s.ToFix++
			path := written(t, s, faultyStudents())
			active, selected, lines := shown(t, path)
			if active != noticeSheet || len(selected) != 1 {
				t.Errorf("it is opened at %q, with %d sheets selected", active, len(selected))
			}
			if want := "This workbook has only the first 4 of the 10,001 rows to fix."; len(lines) == 0 || lines[0] != want {
				t.Errorf("the notice begins with %q, want %q", lines, want)
			}
			options := map[string]sheet.Options{
				"as it comes":  {},
				"by name":      {Sheet: s.Sheet},
				"mapped":       {FitsHeader: func(header []string) bool { return slices.Contains(header, s.Header[0]) }},
				"brought back": {FitsHeader: func(header []string) bool { return slices.Contains(header, adviceHeader) }},
			}
			for name, o := range options {
				header, rows := readTable(t, path, o)
				if diff := cmp.Diff(append(slices.Clone(s.Header), adviceHeader), header.Names); diff != "" {
					t.Errorf("%s: header (-want +got):\n%s", name, diff)
				}
				var numbers []int
				for _, row := range rows {
					number, _ := report.AdvisedRow(row.Cells[len(s.Header)].Text)
					numbers = append(numbers, number)
				}
				if diff := cmp.Diff([]int{17, 18, 40, 41}, numbers); diff != "" {
					t.Errorf("%s: rows (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// Formulas, notes and lists of the rows are where they are without the notice.
func TestTheNoticeChangesNoOtherSheet(t *testing.T) {
	whole, part := students(), students()
	part.ToFix = report.MaxFixRows + 1
	rows := append(faultyStudents(), report.FixRow{Row: 50, Problems: []mapping.Problem{{Rule: mapping.RuleRequired, Column: 0, Message: "Fill it in."}}})
	want, got := parts(t, written(t, whole, rows)), parts(t, written(t, part, rows))
	for _, name := range []string{"xl/worksheets/sheet1.xml", "xl/comments1.xml"} {
		is, was := got[name], want[name]
		for _, selected := range []string{` tabSelected="true"`, ` tabSelected="1"`, ` tabSelected="false"`, ` tabSelected="0"`} {
			is, was = strings.ReplaceAll(is, selected, ""), strings.ReplaceAll(was, selected, "")
		}
		if diff := cmp.Diff(was, is); diff != "" || is == "" {
			t.Errorf("%s (-whole +part):\n%s", name, diff)
		}
	}
}
