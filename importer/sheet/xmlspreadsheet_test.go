package sheet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// xmlBookOf writes an XML Spreadsheet 2003 with the sheets given.
func xmlBookOf(sheets string) string {
	return `<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:schemas-microsoft-com:office:excel">
<DocumentProperties xmlns="urn:schemas-microsoft-com:office:office"><Author>x</Author></DocumentProperties>
<Styles><Style ss:ID="Default" ss:Name="Normal"/><Style ss:ID="s1"><Font/><NumberFormat ss:Format="Short Date"/></Style>
<Style ss:ID="s2"><NumberFormat ss:Format="000000000"/></Style><Style ss:ID="s3"><NumberFormat ss:Format="dd\-mm\-yy"/></Style></Styles>
` + sheets + `</Workbook>`
}

func xmlSheetOf(name, rows string) string {
	return `<Worksheet ss:Name="` + name + `"><Names/><Table ss:ExpandedColumnCount="9999999"><Column ss:Width="5"/>` + rows +
		`</Table><WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Selected/></WorksheetOptions></Worksheet>`
}

const xmlPeople = `<Row><Cell><Data ss:Type="String">Banner ID</Data></Cell><Cell><Data ss:Type="String">Name</Data></Cell><Cell><Data ss:Type="String">DOB</Data></Cell></Row>`

func TestXMLSpreadsheet(t *testing.T) {
	const note = "The file is an XML Spreadsheet 2003, whatever its name says, and was read as such."
	tests := map[string]struct {
		rows  string // below the header
		want  []string
		notes []string
	}{
		"every kind of cell": {
			rows: `<Row><Cell ss:StyleID="s2"><Data ss:Type="Number">901234</Data></Cell><Cell><Data ss:Type="String">Zo&#235; &amp;&#10;Lee </Data></Cell><Cell ss:StyleID="s1"><Data ss:Type="DateTime">2004-02-29T00:00:00.000</Data></Cell></Row>` +
				`<Row><Cell><Data ss:Type="Number">9.00123456E8</Data></Cell><Cell><Data ss:Type="Boolean">1</Data></Cell><Cell ss:StyleID="s3"><Data ss:Type="Number">38046</Data></Cell></Row>` +
				`<Row><Cell ss:Formula="=A1"><Data ss:Type="Error">#N/A</Data></Cell><Cell ss:Formula="=A1"/><Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40">A<B>nn</B></ss:Data><Comment><ss:Data>no</ss:Data></Comment></Cell></Row>`,
			want: []string{"2: n000901234|Zoë &\nLee |d2004-02-29", "3: n900123456|bTRUE|d2004-02-29", "4: e#N/A|f|Ann"}, notes: []string{note},
		},
		"places that are named": {
			rows: `<Row ss:Index="4" ss:Hidden="1"><Cell ss:Index="2"><Data ss:Type="String">Ann</Data></Cell></Row><Row ss:Span="2"/><Row><Cell ss:MergeAcross="1"><Data ss:Type="Number">7</Data></Cell><Cell><Data ss:Type="String">x</Data></Cell></Row>`,
			want: []string{"4: |Ann", "8: n7||x"},
			notes: []string{
				"5 blank rows between the others were left out.", note, "1 row that is hidden or filtered out was read too.",
				"The sheet has merged cells (1 range). A value counts only for the first cell of its range: check the rows that share one.",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.xls", xmlBookOf(xmlSheetOf("People", xmlPeople+tt.rows))), Options{})
			if got.err != nil || got.sheet != "People" {
				t.Fatalf("sheet %q, error %v", got.sheet, got.err)
			}
			if diff := cmp.Diff(tt.want, got.rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notes, got.notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestXMLSpreadsheetSheets(t *testing.T) {
	row := `<Row><Cell><Data ss:Type="Number">900100</Data></Cell></Row>`
	hidden := strings.Replace(xmlSheetOf("Old &amp; gone", xmlPeople+row), "<Selected/>", "<Visible>SheetHidden</Visible>", 1)
	path := writeFile(t, "people.xls", xmlBookOf(hidden+xmlSheetOf("Notes", strings.ReplaceAll(xmlPeople, "String\">", "String\">My "))+xmlSheetOf("People", xmlPeople+row)))
	got := readFile(t, path, Options{})
	if got.err != nil || got.sheet != "People" || len(got.rows) != 1 || !strings.Contains(got.notes[0], `these were not: "Old & gone" (hidden) and "Notes".`) {
		t.Errorf("sheet %q, rows %q, notes %q, error %v", got.sheet, got.rows, got.notes, got.err)
	}
	if got := readFile(t, path, Options{Sheet: "old & gone", Format: XLSX}); got.err != nil || len(got.rows) != 1 {
		t.Errorf("by name: rows %q, error %v", got.rows, got.err)
	}
}

func TestXMLSpreadsheetEncodings(t *testing.T) {
	book := xmlBookOf(xmlSheetOf("People", xmlPeople+`<Row><Cell><Data ss:Type="String">Zoë</Data></Cell></Row>`))
	western, err := charmap.Windows1252.NewEncoder().String(strings.Replace(book, `version="1.0"`, `version="1.0" encoding="windows-1252"`, 1))
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.Replace(book, `version="1.0"`, `version="1.0" encoding="UTF-16"`, 1))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"UTF-8": book, "western": western, "UTF-16": wide} {
		if got := readFile(t, writeFile(t, "people.xls", content), Options{}); got.err != nil || len(got.rows) != 1 || got.rows[0] != "2: Zoë" {
			t.Errorf("%s: rows %q, error %v", name, got.rows, got.err)
		}
	}
}

func TestXMLSpreadsheetFaults(t *testing.T) {
	good := xmlBookOf(xmlSheetOf("People", xmlPeople+`<Row><Cell><Data ss:Type="Number">7</Data></Cell></Row>`))
	for name, tt := range map[string]struct{ content, message string }{
		"cut short":            {good[:len(good)-40], "too early"},
		"an entity":            {strings.Replace(good, "<Workbook", "<!DOCTYPE a [<!ENTITY b \"c\">]><Workbook", 1), "document type"},
		"rows out of order":    {strings.Replace(good, "<Row><Cell><Data ss:Type=\"Number", "<Row ss:Index=\"1\"><Cell><Data ss:Type=\"Number", 1), "out of order"},
		"cells out of order":   {strings.Replace(good, "<Cell><Data ss:Type=\"String\">Name", "<Cell ss:Index=\"1\"><Data ss:Type=\"String\">Name", 1), "out of order"},
		"a column beyond XFD":  {strings.Replace(good, "<Cell><Data ss:Type=\"Number", "<Cell ss:Index=\"16385\"><Data ss:Type=\"Number", 1), "address"},
		"a row beyond a sheet": {strings.Replace(good, "<Row><Cell><Data ss:Type=\"Number", "<Row ss:Index=\"1048577\"><Cell><Data ss:Type=\"Number", 1), "more rows"},
		"an unknown element":   {strings.Replace(good, "<Cell><Data ss:Type=\"Number", "<Choice/><Cell><Data ss:Type=\"Number", 1), "Choice"},
	} {
		path := writeFile(t, "people.xls", tt.content)
		if fe := fileError(t, readFile(t, path, Options{}).err, path); !strings.Contains(fe.Message, tt.message) {
			t.Errorf("%s: %s", name, fe.Message)
		}
	}
}
