package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// writeFile puts content into a file of its own and returns its path.
func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tempFolder makes a folder, returned, the one for temporary files.
func tempFolder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	useTempFolder(t, dir)
	return dir
}

func useTempFolder(t testing.TB, dir string) {
	t.Helper()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} { // the latter two on Windows
		t.Setenv(name, dir)
	}
}

// read is what a file gave, one line a row:
//
//	2: 900123456|O'Brien|d2004-02-29
//	3: x|y !ragged_row
//
// A cell that is not text has its kind in front of it: n, d, b, e, or f for a
// formula without a result. "!" begins an error's rule, "?" that of a warning.
type read struct {
	header importer.Header
	rows   []string
	notes  []string
	sheet  string
	err    error
}

func readFile(t testing.TB, path string, o Options) read {
	t.Helper()
	table, err := openUnhurried(path, o)
	if err != nil {
		if table != nil {
			t.Fatalf("Open returned a table and the error %v", err)
		}
		return read{err: err}
	}
	got := read{header: table.Header(), sheet: table.Sheet()}
	// Texts are looked at once all is read: they must outlive the next row.
	var rows []importer.Row
	for row := (importer.Row{}); ; {
		if err := table.Next(&row); err != nil {
			if again := table.Next(&row); again != err {
				t.Errorf("Next returned %v, and then %v", err, again)
			}
			if err != io.EOF {
				got.err = err
			}
			break
		}
		kept := row
		kept.Cells = append([]mapping.Cell(nil), row.Cells...)
		rows = append(rows, kept)
	}
	got.notes = table.Notes()
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		got.rows = append(got.rows, rowLine(row))
	}
	return got
}

func rowLine(row importer.Row) string {
	cells := make([]string, len(row.Cells))
	for i, c := range row.Cells {
		cells[i] = [...]string{"", "n", "d", "b", "e", "f"}[c.Kind] + c.Text
	}
	line := fmt.Sprintf("%d: %s", row.Number, strings.Join(cells, "|"))
	for _, p := range row.Problems {
		mark := "!"
		if p.Severity == mapping.SeverityWarning {
			mark = "?"
		}
		line += " " + mark + string(p.Rule)
	}
	return line
}

// fileError returns the error as a *FileError, whose file must be path.
func fileError(t testing.TB, err error, path string) *rows.FileError {
	t.Helper()
	var fe *rows.FileError
	if !errors.As(err, &fe) {
		t.Fatalf("error %v (%T) is not a *FileError", err, err)
	}
	if fe.File != path {
		t.Errorf("the error names file %q, not %q", fe.File, path)
	}
	return fe
}

// parts are the parts of a workbook by name.
type parts map[string]string

const spreadsheetML = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

// workbookParts returns a workbook whose only sheet, "People", is the XML given,
// with the shared strings "one", "two" and "three", and these styles: 0 General,
// 1 a date, 2 nine digits, 3 text, 4 a time of day, 5 a date and time.
func workbookParts(sheetXML string) parts {
	const rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	return parts{
		"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"_rels/.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
			`<Relationship Id="rId1" Type="` + rels + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml": `<workbook xmlns="` + spreadsheetML + `" xmlns:r="` + rels + `"><sheets>` +
			`<sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
			`<Relationship Id="rId1" Type="` + rels + `/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="rId2" Type="` + rels + `/sharedStrings" Target="sharedStrings.xml"/>` +
			`<Relationship Id="rId3" Type="` + rels + `/styles" Target="styles.xml"/></Relationships>`,
		"xl/sharedStrings.xml": `<sst xmlns="` + spreadsheetML + `"><si><t>one</t></si><si><t>two</t></si><si><t>three</t></si></sst>`,
		"xl/styles.xml": `<styleSheet xmlns="` + spreadsheetML + `"><numFmts count="1"><numFmt numFmtId="164" formatCode="000000000"/></numFmts>` +
			`<cellXfs count="6"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="49"/><xf numFmtId="20"/><xf numFmtId="22"/></cellXfs></styleSheet>`,
		"xl/worksheets/sheet1.xml": sheetXML,
	}
}

// zipOf writes the parts as a zip archive.
func zipOf(t testing.TB, p parts) string {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for name, content := range p {
		part, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// sheetXML wraps rows into a worksheet.
func sheetXML(rows string) string {
	return `<worksheet xmlns="` + spreadsheetML + `"><sheetData>` + rows + `</sheetData></worksheet>`
}

// readSheet reads a workbook with one sheet.
func readSheet(t testing.TB, sheet string) read {
	t.Helper()
	return readFile(t, writeFile(t, "people.xlsx", zipOf(t, workbookParts(sheet))), Options{})
}

// openUnhurried opens a file with a clock that stands still: that the machine is busy
// is not a fault of a file.
func openUnhurried(path string, o Options) (*Table, error) {
	return openTable(path, o, func() time.Time { return time.Time{} })
}
