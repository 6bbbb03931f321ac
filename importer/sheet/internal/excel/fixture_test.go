package excel

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"
	"unicode/utf8"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
)

// drain reads every row, holds each against what is promised of all of them, and
// returns them with the error that ended them.
func drain(t *testing.T, source rows.Source) ([]importer.Row, error) {
	var all []importer.Row
	last := 0
	for {
		var row importer.Row
		if err := source.Next(&row); err != nil {
			return all, err
		}
		if row.Number <= last || row.Number > rows.MaxRows || len(row.Cells) > rows.MaxColumns {
			t.Fatalf("row %d, of %d cells, follows row %d", row.Number, len(row.Cells), last)
		}
		last = row.Number
		for _, c := range row.Cells {
			if !utf8.ValidString(c.Text) {
				t.Fatalf("row %d: %q is not UTF-8", row.Number, c.Text)
			}
		}
		all = append(all, row)
	}
}

const spreadsheetML = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

// sheetXML wraps rows into a worksheet.
func sheetXML(content string) string {
	return `<worksheet xmlns="` + spreadsheetML + `"><sheetData>` + content + `</sheetData></worksheet>`
}

// styledWorkbook returns a workbook with the sheet and the styles given.
func styledWorkbook(t *testing.T, sheet, styles string) []byte {
	t.Helper()
	const rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for name, content := range map[string]string{
		"_rels/.rels":                `<Relationships><Relationship Id="rId1" Type="` + rels + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook xmlns="` + spreadsheetML + `" xmlns:r="` + rels + `"><sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="` + rels + `/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/styles.xml":              `<styleSheet xmlns="` + spreadsheetML + `">` + styles + `</styleSheet>`,
		"xl/worksheets/sheet1.xml":   sheet,
	} {
		part, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(part, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// xmlDocument returns an XML Spreadsheet 2003 with one sheet.
func xmlDocument(content string) string {
	return `<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">` +
		`<Styles><Style ss:ID="s1"><NumberFormat ss:Format="Short Date"/></Style><Style ss:ID="s2"><NumberFormat ss:Format="000000000"/></Style></Styles>` +
		`<Worksheet ss:Name="People"><Names/><Table>` + content + `</Table></Worksheet></Workbook>`
}

func tempFolder(t testing.TB, dir string) {
	t.Helper()
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} { // the latter two on Windows
		t.Setenv(name, dir)
	}
}
