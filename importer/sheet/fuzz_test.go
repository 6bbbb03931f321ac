package sheet

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"opscom-import/importer"
)

// drain reads every row, holds each against what is promised of all of them, and
// returns them with the error that ended them.
func drain(t *testing.T, rows rowSource) ([]importer.Row, error) {
	var all []importer.Row
	last := 0
	for {
		var row importer.Row
		if err := rows.next(&row); err != nil {
			return all, err
		}
		if row.Number <= last {
			t.Fatalf("row %d follows row %d", row.Number, last)
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

// FuzzCSV holds the record scanner against encoding/csv: they read the same
// cells, and what encoding/csv refuses is at fault here too.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"id,name\n1,Ann\n", "a,\"b\"\"c\",\"d\ne\"\r\n\r\n,,\n", "a,\"b\n1,2\n", "\"a\"b,c\n", "a\"b\n", "\"\"\"\"", "\"\r\n\"", "\r", "a\r\nb\rc", "\uFEFFa,b",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := newCSV(bytes.NewReader(content), Options{Delimiter: ','})
		if err != nil {
			return
		}
		rows, err := drain(t, c)
		plain := dialect{delimiter: ',', quote: '"', comments: c.comments, skip: c.skip}
		loneCR := bytes.Contains(bytes.ReplaceAll(content, []byte("\r\n"), nil), []byte{'\r'})
		if err != io.EOF || c.dialect != plain || c.commentLines > 0 || c.fixed > 0 || loneCR {
			return
		}
		r := csv.NewReader(bytes.NewReader(content[c.skip:]))
		r.FieldsPerRecord = -1
		want, wantErr := r.ReadAll()
		var got [][]string
		for _, row := range rows {
			if len(row.Problems) > 0 {
				return // read on below a fault, where encoding/csv gives up
			}
			if len(row.Cells) == 0 {
				continue
			}
			var record []string
			for _, cell := range row.Cells {
				if wantErr != nil && isTextFormula([]byte(cell.Text)) {
					return // its quotes are not a fault here
				}
				record = append(record, strings.ReplaceAll(cell.Text, "\r\n", "\n"))
			}
			got = append(got, record)
		}
		if wantErr != nil {
			t.Fatalf("no fault here, but in encoding/csv: %v", wantErr)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("encoding/csv reads (-) what is read here (+):\n%s", diff)
		}
	})
}

// FuzzWorksheet reads a sheet at once and again in small pieces: the rows must
// be the same, and nothing that is promised of rows may break.
func FuzzWorksheet(f *testing.F) {
	for _, rows := range []string{
		twoRows, `<row><c><v>1.5</v></c><c t="b"><v>1</v></c></row>`, `<row r="3" hidden="1"><c r="C3" s="1"><v>38046.5</v></c></row>`,
		`<row><c t="inlineStr"><is><r><t xml:space="preserve"> a</t></r><r><t>_x0041_&amp;</t></r></is></c></row>`, `<x:row xmlns:x="y"/><!-- > --><?p ?>`,
		`<row><c s="2"><v>00012</v></c><c s="2"><f/><v>12</v></c></row>`, `<row><c t="d"><v>2004-02-29T10:00:00Z</v></c></row>`,
	} {
		f.Add([]byte(sheetXML(rows)), 1)
	}
	cells := cellReader{
		strings: &sharedStrings{starts: []uint32{0}, chunks: []string{"one"}},
		formats: []numberFormat{{}, {kind: dateFormat}, parseNumberFormat("000-00")},
	}
	f.Fuzz(func(t *testing.T, sheet []byte, size int) {
		whole, err := drain(t, newWorksheet(io.NopCloser(bytes.NewReader(sheet)), cells))
		for _, row := range whole {
			if row.Number > maxRows || len(row.Cells) == 0 || len(row.Cells) > maxColumns {
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
