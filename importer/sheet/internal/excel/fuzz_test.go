package excel

import (
	"bytes"
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"opscom-import/importer/sheet/internal/rows"
)

// FuzzWorksheet reads a sheet at once and again in small pieces: the rows must
// be the same, and nothing that is promised of rows may break.
func FuzzWorksheet(f *testing.F) {
	for _, content := range []string{
		`<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>`, `<row><c><v>1.5</v></c><c t="b"><v>1</v></c></row>`, `<row r="3" hidden="1"><c r="C3" s="1"><v>38046.5</v></c></row>`,
		`<row><c t="inlineStr"><is><r><t xml:space="preserve"> a</t></r><r><t>_x0041_&amp;</t></r></is></c></row>`, `<x:row xmlns:x="y"/><!-- > --><?p ?>`,
		`<row><c s="2"><v>00012</v></c><c s="2"><f/><v>12</v></c></row>`, `<row><c t="d"><v>2004-02-29T10:00:00Z</v></c></row>`,
	} {
		f.Add([]byte(sheetXML(content)), 1)
	}
	cells := cellReader{
		strings: &sharedStrings{starts: []uint32{0}, chunks: []string{"one"}},
		formats: []numberFormat{{}, {sections: datesOnly}, parseNumberFormat("000-00")},
	}
	f.Fuzz(func(t *testing.T, sheet []byte, size int) {
		whole, err := drain(t, newWorksheet(io.NopCloser(bytes.NewReader(sheet)), cells))
		for _, row := range whole {
			if row.Number > rows.MaxRows || len(row.Cells) == 0 || len(row.Cells) > rows.MaxColumns {
				t.Fatalf("row %d has %d cells", row.Number, len(row.Cells))
			}
		}
		pieces, pieceErr := drain(t, newWorksheet(io.NopCloser(&chunks{bytes.NewReader(sheet), max(1, size%100)}), cells))
		if diff := cmp.Diff(whole, pieces); diff != "" {
			t.Fatalf("at once (-) and in pieces (+):\n%s", diff)
		}
		if (err == io.EOF) != (pieceErr == io.EOF) {
			t.Fatalf("at once %v, in pieces %v", err, pieceErr)
		}
	})
}

// FuzzXML holds the scanner against encoding/xml: what both accept has the same
// elements and the same text.
func FuzzXML(f *testing.F) {
	for _, s := range []string{
		"<a/>", `<?xml version="1.0"?><a b='c'>d&#x41;&lt;<e/><![CDATA[<]]>f</a>`, "<a>\r\n\r</a >", `<x:a xmlns:x="y" z=">"><!-- - --></x:a>`, "\uFEFF<a></a> ",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		got, err := scannedTokens(document)
		if err != nil {
			return
		}
		want, err := decodedTokens(document)
		if err != nil {
			return // stricter about names and characters that mean nothing here
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("encoding/xml (-) and the scanner (+):\n%s", diff)
		}
	})
}

// tokens are tags, and between them the text.
type tokens []string

func (list *tokens) text(s string) {
	if n := len(*list); n > 0 && strings.HasPrefix((*list)[n-1], "text ") {
		(*list)[n-1] += s
	} else if s != "" {
		*list = append(*list, "text "+s)
	}
}

func scannedTokens(document []byte) (tokens, error) {
	var list tokens
	for x := newXMLScanner(bytes.NewReader(document)); ; {
		kind, err := x.next()
		switch {
		case err != nil:
			return nil, err
		case kind == xmlEOF:
			return list, nil
		case kind == xmlStart:
			list = append(list, "<"+string(x.name))
		case kind == xmlEnd:
			list = append(list, ">"+string(x.name))
		case kind == xmlText:
			list.text(string(x.text))
		}
	}
}

func decodedTokens(document []byte) (tokens, error) {
	var list tokens
	depth := 0
	for d := xml.NewDecoder(bytes.NewReader(document)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			list = append(list, "<"+token.Name.Local)
		case xml.EndElement:
			depth--
			list = append(list, ">"+token.Name.Local)
		case xml.CharData:
			if depth > 0 {
				list.text(string(token))
			}
		}
	}
}

// FuzzSharedStrings reads shared strings at once and in pieces, into memory and to the
// disk: the texts must be the same.
func FuzzSharedStrings(f *testing.F) {
	for _, s := range []string{
		`<si><t>a</t></si><si/>`, `<si><r><rPr/><t xml:space="preserve"> a</t></r><r><t>b</t></r><rPh><t>c</t></rPh></si>`, `<si><t>_x0041__xD83D__xDE00_&#10;</t></si>`, `<x:si xmlns:x="y"><x:t>a</x:t></x:si>`, "<si><t>\r\n</t><extLst/></si>",
	} {
		f.Add([]byte("<sst>"+s+"</sst>"), 7)
	}
	f.Fuzz(func(t *testing.T, part []byte, size int) {
		want, err := scanSharedStrings(newXMLScanner(bytes.NewReader(part)), maxStringsMemory)
		got, diskErr := scanSharedStrings(newXMLScanner(&chunks{bytes.NewReader(part), max(1, size%100)}), 0)
		if (err == nil) != (diskErr == nil) {
			t.Fatalf("at once %v, in pieces %v", err, diskErr)
		}
		if err != nil {
			return
		}
		if len(got.starts) != len(want.starts) {
			t.Fatalf("%d texts at once, %d in pieces", len(want.starts), len(got.starts))
		}
		for i := range want.starts {
			a, errA := want.get(i)
			b, errB := got.get(i)
			if a != b || errA != nil || errB != nil || !utf8.ValidString(a) {
				t.Fatalf("text %d: %q, error %v, on the disk %q, error %v", i, a, errA, b, errB)
			}
		}
		if err := got.close(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzStyles reads a number in a cell with any styles: it is a date, or no digit of it
// is lost.
func FuzzStyles(f *testing.F) {
	for _, code := range []string{"000-00-0000", "yyyy\\-mm\\-dd;@", "[$-409]d-mmm-yy", "[h]:mm", `"A"000`, "0.00E+00", "[Red]0;[Blue]-0", `00\/00`, "_(* #,##0_)", "General"} {
		f.Add(code, 38046, "", 1)
	}
	f.Add("", 12, `<cellXfs><xf numFmtId="14"/></cellXfs>`, 0)
	f.Fuzz(func(t *testing.T, code string, number int, styles string, style int) {
		format := parseNumberFormat(code)
		cells := cellReader{formats: []numberFormat{{}, format}}
		value := []byte(strconv.Itoa(number))
		cell, text, err := cells.number(style, value, nil)
		if err != nil || !utf8.Valid(text) {
			t.Fatalf("%q shows %d as %q, error %v", code, number, text, err)
		}
		shown := cell.Text + string(text)
		if section := format.section(float64(number)); section.kind != dateFormat && (section.kind != shownFormat || section.places > 0) && !holdsInOrder(shown, string(value)) {
			t.Fatalf("%q shows %d as %q", code, number, shown)
		}
		file := styledWorkbook(t, sheetXML(`<row><c s="`+strconv.Itoa(style)+`"><v>`+string(value)+`</v></c></row>`), styles)
		book, err := OpenWorkbook(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		source, err := book.Open(book.Sheets()[0])
		if err != nil {
			t.Fatal(err)
		}
		if all, err := drain(t, source); err != io.EOF || len(all) > 1 || len(all) == 0 && shown != "" {
			t.Fatalf("rows %v, error %v", all, err)
		}
	})
}

// holdsInOrder reports whether all characters of part stand in text, in their order.
func holdsInOrder(text, part string) bool {
	for _, r := range part {
		i := strings.IndexRune(text, r)
		if i < 0 {
			return false
		}
		text = text[i+utf8.RuneLen(r):]
	}
	return true
}

func FuzzXMLSpreadsheet(f *testing.F) {
	f.Add(xmlDocument(`<Row><Cell><Data ss:Type="String">Banner ID</Data></Cell></Row><Row><Cell ss:StyleID="s1"><Data ss:Type="Number">38046</Data></Cell></Row>`))
	f.Add(xmlDocument(`<Row ss:Index="3" ss:Span="2"><Cell ss:Index="2" ss:MergeAcross="1" ss:MergeDown="1" ss:StyleID="s2"><Data ss:Type="Number">12</Data></Cell></Row>`))
	f.Fuzz(func(t *testing.T, document string) {
		book, err := OpenXML(strings.NewReader(document), int64(len(document)))
		if err != nil {
			return
		}
		for _, sheet := range book.Sheets() {
			source, err := book.Open(sheet)
			if err != nil {
				t.Fatalf("the document was read, but sheet %q is not found: %v", sheet.Name, err)
			}
			all, err := drain(t, source)
			if err != io.EOF {
				continue
			}
			for _, row := range all {
				if row.Number > rows.MaxRows || len(row.Cells) == 0 || len(row.Cells) > rows.MaxColumns {
					t.Fatalf("row %d has %d cells", row.Number, len(row.Cells))
				}
			}
		}
	})
}
