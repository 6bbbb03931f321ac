package sheet

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"opscom-import/importer"
)

// repeated gives a text, another many times, and a last one.
func repeated(first, again string, times int, last string) io.Reader {
	readers := []io.Reader{strings.NewReader(first)}
	block := strings.Repeat(again, max(1, (1<<20)/len(again)))
	for left := times * len(again); left > 0; left -= len(block) {
		readers = append(readers, strings.NewReader(block[:min(left, len(block))]))
	}
	return io.MultiReader(append(readers, strings.NewReader(last))...)
}

// packed writes a workbook in which one part is what the reader gives.
func packed(t *testing.T, p parts, name string, content io.Reader) string {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.DefaultCompression) })
	for part, text := range p {
		var r io.Reader = strings.NewReader(text)
		if part == name {
			r = content
		}
		f, err := w.Create(part)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(f, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// Small files that grow without end must be refused before they fill the memory.
func TestHostileWorkbooks(t *testing.T) {
	if testing.Short() {
		t.Skip("reads huge workbooks: not with -short")
	}
	const sheet, styles, texts = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml"
	begin, end, _ := strings.Cut(sheetXML("|"), "|")
	tests := map[string]struct {
		part    string
		content io.Reader
		message string
	}{
		"rows without end":         {sheet, repeated(begin, "<row></row>", 8<<20, end), "more rows"},
		"texts without end":        {texts, repeated("<sst>", "<x></x>", 12<<20, "</sst>"), "unpacks to more"},
		"styles without end":       {styles, repeated("<styleSheet>", "<x></x>", 12<<20, "</styleSheet>"), "damaged"},
		"a million styles":         {styles, repeated("<styleSheet><cellXfs>", `<xf numFmtId="14"/>`, 800_000, "</cellXfs></styleSheet>"), "damaged"},
		"a million columns":        {sheet, repeated(begin+`<row><c t="s"><v>0</v></c></row>`, `<row><c/><c/><c/></row>`, 1000, `<row r="5000"><c r="AAAAA5000"><v>1</v></c></row>`+end), "address"},
		"a tag without end":        {sheet, repeated("<worksheet ", `a=">" `, 1<<20, ""), "malformed"},
		"a text without end":       {sheet, repeated(begin, " ", 2<<20, end), "too long"},
		"a value without end":      {sheet, repeated(begin+`<row><c r="A1"><v>`, "<![CDATA[1]]>", 5<<20, ""), "longer than"},
		"a row without end":        {sheet, repeated(begin+"<row>", `<c t="inlineStr"><is><t>`+strings.Repeat("word ", 1000)+`</t></is></c>`, 5000, "</row>"+end), "longer than"},
		"names without end":        {sheet, repeated("", "<"+strings.Repeat("a", 5000)+">", 300, ""), "malformed"},
		"a text of runs":           {texts, repeated("<sst><si>", "<r><t>"+strings.Repeat("word ", 1000)+"</t></r>", 5000, "</si></sst>"), "longer than"},
		"elements in elements":     {sheet, repeated("<worksheet>", "<extLst>", 1<<20, ""), "malformed"},
		"a comment that goes on":   {sheet, repeated(begin+"<!--", "- ", 2<<20, ""), "too long"},
		"rows that are all styled": {sheet, repeated(begin, `<row ht="12"><c s="1"/><c s="1"/><c s="1"/></row>`, 1_000_000, end), "has rows"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people.xlsx", packed(t, workbookParts(sheetXML(`<row><c><v>1</v></c></row>`)), tt.part, tt.content))
			got := readFile(t, path, Options{})
			if fe := fileError(t, got.err, path); !strings.Contains(fe.Message, tt.message) {
				t.Errorf("%s\nwant %q", fe.Message, tt.message)
			}
		})
	}
}

// A value in the last column of every row makes many cells of few bytes.
func TestLastColumnOfEveryRow(t *testing.T) {
	if testing.Short() {
		t.Skip("reads wide rows: not with -short")
	}
	begin, end, _ := strings.Cut(sheetXML("|"), "|")
	var rows strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&rows, `<row r="%d"><c r="XFD%d"><v>1</v></c></row>`, i+2, i+2)
	}
	path := writeFile(t, "people.xlsx", zipOf(t, workbookParts(begin+`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`+rows.String()+end)))
	table, err := openUnhurried(path, Options{HeaderRow: 1})
	for row := new(importer.Row); err == nil; {
		err = table.Next(row)
	}
	if fe := fileError(t, err, path); !strings.Contains(fe.Message, "more columns") {
		t.Error(fe)
	}
	if err := table.Close(); err != nil {
		t.Error(err)
	}
}

// A workbook that was cut short is refused, wherever it was cut.
func TestWorkbookCutAnywhere(t *testing.T) {
	book := zipOf(t, workbookParts(sheetXML(twoRows)))
	path := writeFile(t, "people.xlsx", book)
	for size := 4; size < len(book); size += 1 + size/97 {
		if err := os.WriteFile(path, []byte(book[:size]), 0o600); err != nil {
			t.Fatal(err)
		}
		fileError(t, readFile(t, path, Options{}).err, path)
	}
}

// A byte that was flipped is an error, or makes no difference to what is read.
func TestWorkbookFlippedAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("reads hundreds of damaged workbooks: not with -short")
	}
	book := []byte(zipOf(t, workbookParts(sheetXML(twoRows))))
	path := writeFile(t, "people.xlsx", "")
	for i := 0; i < len(book); i += 3 {
		flipped := bytes.Clone(book)
		flipped[i] ^= 0x10
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, path, Options{}); got.err != nil {
			fileError(t, got.err, path)
		} else if len(got.rows) != 1 || got.rows[0] != "2: n1" {
			t.Fatalf("byte %d: rows %q, notes %q", i, got.rows, got.notes)
		}
	}
}
