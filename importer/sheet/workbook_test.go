package sheet

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"opscom-import/importer"
	"opscom-import/mapping"
)

const twoRows = `<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>`

// severalSheets returns a workbook with the sheets named, a name that ends in *
// being hidden, in ~ very hidden, in ! empty, in ^ a chart.
func severalSheets(names ...string) parts {
	p := workbookParts(sheetXML(twoRows))
	var sheets, links strings.Builder
	for i, name := range names {
		kind, content, state := "worksheet", sheetXML(twoRows), ""
		switch name[len(name)-1] {
		case '*':
			state = ` state="hidden"`
		case '~':
			state = ` state="veryHidden"`
		case '!':
			content = sheetXML("")
		case '^':
			kind = "chartsheet"
		}
		fmt.Fprintf(&sheets, `<sheet name="%s" sheetId="%d" r:id="rId%d"%s/>`, strings.TrimRight(name, "*~!^"), i+1, i+1, state)
		fmt.Fprintf(&links, `<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="worksheets/s%d.xml"/>`, i+1, kind, i)
		p[fmt.Sprintf("xl/worksheets/s%d.xml", i)] = content
	}
	const book, rels = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
	p[book] = strings.Replace(p[book], `<sheet name="People" sheetId="1" r:id="rId1"/>`, sheets.String(), 1)
	p[rels] = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` + links.String() + `</Relationships>`
	return p
}

func TestSheetChoice(t *testing.T) {
	tests := map[string]struct {
		sheets []string
		asked  string
		want   string
		note   string
		err    string // what it must say, in part
	}{
		"the only one":            {sheets: []string{"People"}, want: "People"},
		"the first with rows":     {sheets: []string{"Cover!", "People", "Lists"}, want: "People", note: `The sheet "People" was read, and these were not: "Cover" and "Lists".`},
		"hidden is not chosen":    {sheets: []string{"Old*", "Older~", "Chart^", "People"}, want: "People", note: `The sheet "People" was read, and these were not: "Old" (hidden), "Older" (hidden) and "Chart".`},
		"hidden by name":          {sheets: []string{"People", "Old*"}, asked: "old", want: "Old", note: `The sheet "Old" was read, and these were not: "People".`},
		"by name":                 {sheets: []string{"People", "Staff"}, asked: " STAFF ", want: "Staff", note: `The sheet "Staff" was read, and these were not: "People".`},
		"no such name":            {sheets: []string{"People", "Old*"}, asked: "Staff", err: `There is no sheet "Staff". The workbook's sheets are "People" and "Old" (hidden).`},
		"no such name, one sheet": {sheets: []string{"People"}, asked: "Staff", err: `There is no sheet "Staff". The only sheet is "People".`},
		"a chart":                 {sheets: []string{"People", "Chart^"}, asked: "Chart", err: "is a chart"},
		"empty by name":           {sheets: []string{"Cover!", "People"}, asked: "Cover", err: "The sheet is empty"},
		"all empty":               {sheets: []string{"A!", "B!"}, err: "No visible sheet of the workbook has rows."},
		"only hidden ones":        {sheets: []string{"A!", "Old*"}, err: "To read a hidden one, name it with --sheet."},
		"no sheet in a workbook":  {sheets: nil, err: "damaged"},
		"names that XML escapes":  {sheets: []string{"A &amp; B"}, want: "A & B"},
		"the other is damaged":    {sheets: []string{"People", "Gone"}, want: "People", note: `The sheet "People" was read, and these were not: "Gone".`},
		"nothing but a worksheet": {sheets: []string{"Chart^"}, err: "No visible sheet"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people.xlsx", zipOf(t, severalSheets(tt.sheets...)))
			got := readFile(t, path, Options{Sheet: tt.asked})
			if tt.err != "" {
				if fe := fileError(t, got.err, path); !strings.Contains(fe.Message, tt.err) {
					t.Errorf("%s\nwant %q", fe.Message, tt.err)
				}
				return
			}
			if got.err != nil || got.sheet != tt.want || len(got.rows) != 1 {
				t.Fatalf("sheet %q, rows %q, error %v", got.sheet, got.rows, got.err)
			}
			if notes := strings.Join(got.notes, " "); notes != tt.note {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
		})
	}
}

// What other programs write: other names for the parts, none of those that may
// be left out, the strict edition of the standard.
func TestUnusualPackages(t *testing.T) {
	const rels = "xl/_rels/workbook.xml.rels"
	people := sheetXML(`<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="s"><v>0</v></c></row><row r="2"><c r="A2"><v>1</v></c><c r="B2" s="1"><v>38046</v></c></row>`)
	tests := map[string]struct {
		change func(p parts)
		want   string
	}{
		"names in other case, with backslashes": {func(p parts) {
			for _, name := range []string{"xl/workbook.xml", rels, "xl/styles.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"} {
				p[strings.ReplaceAll(strings.ToUpper(name), "/", `\`)] = p[name]
				delete(p, name)
			}
		}, "2: n1|d2004-02-29"},
		"absolute targets": {func(p parts) {
			p[rels] = strings.ReplaceAll(p[rels], `Target="`, `Target="/xl/`)
		}, "2: n1|d2004-02-29"},
		"no styles": {func(p parts) {
			delete(p, "xl/styles.xml")
		}, "2: n1|n38046"},
		"parts that nothing points to": {func(p parts) {
			p[rels] = p[rels][:strings.Index(p[rels], `<Relationship Id="rId2"`)] + "</Relationships>"
		}, "2: n1|d2004-02-29"},
		"another name for the workbook": {func(p parts) {
			p["xl/book.xml"], p["xl/_rels/book.xml.rels"] = p["xl/workbook.xml"], p[rels]
			delete(p, "xl/workbook.xml")
			delete(p, rels)
			p["_rels/.rels"] = strings.Replace(p["_rels/.rels"], "workbook.xml", "book.xml", 1)
		}, "2: n1|d2004-02-29"},
		"dates from 1904": {func(p parts) {
			p["xl/workbook.xml"] = strings.Replace(p["xl/workbook.xml"], "<sheets>", `<workbookPr date1904="1"/><sheets>`, 1)
		}, "2: n1|d2008-03-01"},
		"macros": {func(p parts) {
			p["xl/vbaProject.bin"] = "\x00\x01"
			p["[Content_Types].xml"] = `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>`
		}, "2: n1|d2004-02-29"},
		"the strict edition": {func(p parts) {
			for name, content := range p {
				p[name] = strings.NewReplacer(spreadsheetML, "http://purl.oclc.org/ooxml/spreadsheetml/main",
					"http://schemas.openxmlformats.org/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships").Replace(content)
			}
		}, "2: n1|d2004-02-29"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := workbookParts(people)
			tt.change(p)
			got := readFile(t, writeFile(t, "people.xlsx", zipOf(t, p)), Options{})
			if diff := cmp.Diff([]string{tt.want}, got.rows); diff != "" || got.err != nil {
				t.Errorf("error %v, rows (-want +got):\n%s", got.err, diff)
			}
			if diff := cmp.Diff([]string{"id", "one"}, got.header.Names); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDamagedPackages(t *testing.T) {
	tests := map[string]struct {
		change  func(p parts)
		message string
	}{
		"no workbook":               {func(p parts) { delete(p, "xl/workbook.xml") }, "damaged"},
		"no relationships":          {func(p parts) { delete(p, "_rels/.rels") }, "damaged"},
		"no sheet":                  {func(p parts) { delete(p, "xl/worksheets/sheet1.xml") }, "damaged"},
		"a part twice":              {func(p parts) { p["xl/worksheets/SHEET1.xml"] = p["xl/worksheets/sheet1.xml"] }, "twice"},
		"half a list of sheets":     {func(p parts) { p["xl/workbook.xml"] = p["xl/workbook.xml"][:200] }, "damaged"},
		"half of the styles":        {func(p parts) { p["xl/styles.xml"] = p["xl/styles.xml"][:200] }, "damaged"},
		"half of the relationships": {func(p parts) { p["_rels/.rels"] = p["_rels/.rels"][:100] }, "damaged"},
		"half of the texts":         {func(p parts) { p["xl/sharedStrings.xml"] = p["xl/sharedStrings.xml"][:100] }, "shared strings"},
		"texts that are not UTF-8": {func(p parts) {
			p["xl/sharedStrings.xml"] = strings.Replace(p["xl/sharedStrings.xml"], "one", "Zo\xEB", 1)
		}, "UTF-8"},
		"texts with entities": {func(p parts) {
			p["xl/sharedStrings.xml"] = `<!DOCTYPE sst [<!ENTITY a "aaaa">]>` + p["xl/sharedStrings.xml"]
		}, "document type"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := workbookParts(sheetXML(twoRows))
			tt.change(p)
			path := writeFile(t, "people.xlsx", zipOf(t, p))
			if fe := fileError(t, readFile(t, path, Options{}).err, path); !strings.Contains(fe.Message, tt.message) {
				t.Errorf("%s\nwant %q", fe.Message, tt.message)
			}
		})
	}
}

// A sheet whose bytes don't match their checksum is not to be trusted, although
// every tag of it may look right.
func TestChecksum(t *testing.T) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for name, content := range workbookParts(sheetXML(twoRows)) {
		part, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
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
	damaged := strings.Replace(buf.String(), "<v>1</v>", "<v>2</v>", 1)
	path := writeFile(t, "people.xlsx", damaged)
	if fe := fileError(t, readFile(t, path, Options{}).err, path); !strings.Contains(fe.Message, "checksum") {
		t.Error(fe)
	}
}

// TestAgainstExcelize compares every raw value of workbooks that excelize wrote
// with what excelize itself reads.
func TestAgainstExcelize(t *testing.T) {
	for seed := range uint64(3) {
		path := filepath.Join(t.TempDir(), "people.xlsx")
		writeRandomWorkbook(t, path, rand.New(rand.NewPCG(seed, 1)), seed%2 == 0)
		want := excelizeRows(t, path)
		table, err := openUnhurried(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[int][]mapping.Cell{}
		for {
			var row importer.Row
			if err := table.Next(&row); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			got[row.Number] = row.Cells
		}
		if err := table.Close(); err != nil {
			t.Fatal(err)
		}
		for number, cells := range want {
			for i, value := range cells {
				cell := mapping.Cell{}
				if i < len(got[number]) {
					cell = got[number][i]
				}
				if cell.Kind == mapping.BoolCell {
					cell.Text = map[string]string{"TRUE": "1", "FALSE": "0"}[cell.Text]
				}
				if cell.Text != value {
					t.Fatalf("seed %d, row %d, column %d: %q, and %q in excelize", seed, number, i, cell.Text, value)
				}
			}
			delete(got, number)
		}
		if len(got) > 0 {
			t.Fatalf("seed %d: rows that excelize does not have: %v", seed, got)
		}
	}
}

// writeRandomWorkbook writes texts, numbers and booleans, as a stream (with
// inline strings) or cell by cell (with shared ones).
func writeRandomWorkbook(t *testing.T, path string, r *rand.Rand, stream bool) {
	t.Helper()
	texts := []string{"Ann", " Zoë ", "O'Brien & <Sons>", "two\nlines", "_x0041_", "1.50", "😀", "\"quoted\"", "\ttab", "a\u00a0b", "=1+1"}
	f := excelize.NewFile()
	var w *excelize.StreamWriter
	if stream {
		var err error
		if w, err = f.NewStreamWriter("Sheet1"); err != nil {
			t.Fatal(err)
		}
	}
	number := 1
	for range 300 {
		row := make([]any, 12)
		for i := range row {
			switch r.IntN(5) {
			case 0, 1:
				row[i] = texts[r.IntN(len(texts))] + fmt.Sprint(r.IntN(50))
			case 2:
				row[i] = r.IntN(1_000_000_000)
			case 3:
				row[i] = r.IntN(2) == 0
			}
			if number == 1 {
				row[i] = fmt.Sprintf("Column %d", i+1)
			}
		}
		cell, err := excelize.CoordinatesToCellName(1, number)
		if err == nil && stream {
			err = w.SetRow(cell, row)
		} else if err == nil {
			err = f.SetSheetRow("Sheet1", cell, &row)
		}
		if err != nil {
			t.Fatal(err)
		}
		number += 1 + r.IntN(3)
	}
	if stream {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// excelizeRows returns the raw values of every row below the first that is not
// blank.
func excelizeRows(t *testing.T, path string) map[int][]string {
	t.Helper()
	f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := f.GetRows("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	values := map[int][]string{}
	for i, row := range rows[1:] {
		if strings.TrimSpace(strings.Join(row, "")) != "" {
			values[i+2] = row
		}
	}
	return values
}

// The standard allows UTF-16 for all parts.
func TestPartsInUTF16(t *testing.T) {
	for name, prefix := range map[string]struct{ encoding, mark, declaration string }{
		"little endian":              {"utf-16le", "\uFEFF", `<?xml version="1.0" encoding="UTF-16"?>`},
		"big endian":                 {"utf-16be", "\uFEFF", `<?xml version="1.0" encoding="utf-16" standalone="yes"?>`},
		"without a mark":             {"utf-16le", "", `<?xml version="1.0" encoding="UTF-16LE"?>`},
		"without a declaration":      {"utf-16be", "\uFEFF", ""},
		"without either, big endian": {"utf-16be", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := workbookParts(sheetXML(`<row><c t="inlineStr"><is><t>Prénom</t></is></c></row><row><c t="s"><v>1</v></c></row><row><c t="inlineStr"><is><t>Zoë 𝒵</t></is></c></row>`))
			for part, content := range p {
				p[part] = encoded(t, prefix.mark+prefix.declaration+content, prefix.encoding)
			}
			got := readFile(t, writeFile(t, "people.xlsx", zipOf(t, p)), Options{})
			if want := []string{"2: two", "3: Zoë 𝒵"}; got.err != nil || !slices.Equal(got.rows, want) || got.header.Names[0] != "Prénom" {
				t.Errorf("header %q, rows %q, error %v", got.header.Names, got.rows, got.err)
			}
		})
	}
	p := workbookParts(sheetXML(`<row><c t="inlineStr"><is><t>name</t></is></c></row>`))
	p["xl/worksheets/sheet1.xml"] = encoded(t, "\uFEFF"+p["xl/worksheets/sheet1.xml"], "utf-16le")[:151]
	if got := readFile(t, writeFile(t, "people.xlsx", zipOf(t, p)), Options{}); got.err == nil {
		t.Error("half of a part is read without an error")
	}
}

// A sheet that is listed and lost is told from one that has no rows.
func TestSheetIsLost(t *testing.T) {
	const book, rels = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
	for name, lose := range map[string]func(parts){
		"its part":                     func(p parts) { delete(p, "xl/worksheets/s0.xml") },
		"its part, as another is read": func(p parts) { delete(p, "xl/worksheets/s1.xml") },
		"its relationship":             func(p parts) { p[rels] = strings.Replace(p[rels], `"rId1"`, `"rId9"`, 1) },
		"its id":                       func(p parts) { p[book] = strings.Replace(p[book], `r:id="rId1"`, "", 1) },
		"all relationships":            func(p parts) { delete(p, rels) },
		"the target":                   func(p parts) { p[rels] = strings.Replace(p[rels], "worksheets/s0.xml", "worksheets/other.xml", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			p := severalSheets("People", "Others")
			lose(p)
			path := writeFile(t, "people.xlsx", zipOf(t, p))
			fe := fileError(t, readFile(t, path, Options{}).err, path)
			if !strings.Contains(fe.Message, "damaged") || strings.Contains(fe.Message, "No visible sheet") {
				t.Error(fe)
			}
		})
	}
	p := severalSheets("People", "Hidden*", "Chart^")
	delete(p, "xl/worksheets/s1.xml")
	path := writeFile(t, "people.xlsx", zipOf(t, p))
	if got := readFile(t, path, Options{}); got.err != nil || got.sheet != "People" {
		t.Errorf("a hidden sheet is lost: sheet %q, error %v", got.sheet, got.err)
	}
	if fe := fileError(t, readFile(t, path, Options{Sheet: "Hidden"}).err, path); !strings.Contains(fe.Message, "damaged") {
		t.Error(fe)
	}
}
