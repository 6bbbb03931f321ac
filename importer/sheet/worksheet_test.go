package sheet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCells reads one cell, B2, and shows what becomes of it. The styles are
// those of workbookParts.
func TestCells(t *testing.T) {
	tests := []struct{ cell, want string }{
		// Texts.
		{`<c r="B2" t="s"><v>1</v></c>`, "two"},
		{`<c r="B2" t="s"><v> 2 </v></c>`, "three"},
		{`<c r="B2" t="str"><f>A1&amp;"x"</f><v>onex</v></c>`, "onex"},
		{`<c r="B2" t="str"><f>""</f><v></v></c>`, ""},
		{`<c r="B2" t="inlineStr"><is><t>Zoë &amp; Ann &#10;&#x1F600;</t></is></c>`, "Zoë & Ann \n😀"},
		{`<c r="B2" t="inlineStr"><is><t> trimmed </t></is></c>`, "trimmed"},
		{`<c r="B2" t="inlineStr"><is><t xml:space="preserve"> kept </t></is></c>`, " kept "},
		{`<c r="B2" t="inlineStr"><is><t><![CDATA[a<b & c]]>d</t></is></c>`, "a<b & cd"},
		{`<c r="B2" t="inlineStr"><is><r><rPr><b/></rPr><t xml:space="preserve">Ann </t></r><!-- x --><r><t>Lee</t></r><rPh sb="0" eb="1"><t>no</t></rPh><phoneticPr fontId="1"/></is></c>`, "Ann Lee"},
		{`<c r="B2" t="inlineStr"><is><t>a_x000D_b_x005F_x0041_ _x00zz_ _xD83D__xDE00_ _xD83D_ _xDE00__xD83D_ _x</t></is></c>`, "a\rb_x0041_ _x00zz_ 😀 _xD83D_ _xDE00__xD83D_ _x"},
		{"<c r=\"B2\" t=\"inlineStr\"><is><t>a\r\nb\rc</t></is></c>", "a\nb\nc"},
		{`<c r="B2" t="inlineStr"><v>plain</v></c>`, "plain"},
		{`<c r="B2"><v>no number</v></c>`, "no number"},
		{`<c r="B2"><v>0x1F</v></c>`, "0x1F"},
		// Nothing.
		{`<c r="B2" s="1"/>`, ""},
		{`<c r="B2" t="s"/>`, ""},
		{`<c r="B2" t="inlineStr"><is><t/></is></c>`, ""},
		{`<c r="B2"><v></v></c>`, ""},
		// Formulas without a result.
		{`<c r="B2"><f>A1*2</f></c>`, "f"},
		{`<c r="B2"><f>A1*2</f><v></v></c>`, "f"},
		{`<c r="B2" t="str"><f>A1</f></c>`, "f"},
		// Booleans and errors.
		{`<c r="B2" t="b"><v>1</v></c>`, "bTRUE"},
		{`<c r="B2" t="b"><v>0</v></c>`, "bFALSE"},
		{`<c r="B2" t="e"><v>#N/A</v></c>`, "e#N/A"},
		// Numbers, in full.
		{`<c r="B2"><v>42</v></c>`, "n42"},
		{`<c r="B2" t="n"><v>-42</v></c>`, "n-42"},
		{`<c r="B2"><v>5.0</v></c>`, "n5"},
		{`<c r="B2"><v>-0.0</v></c>`, "n0"},
		{`<c r="B2"><v>0.1</v></c>`, "n0.1"},
		{`<c r="B2"><v>0.10000000000000001</v></c>`, "n0.1"},
		{`<c r="B2"><v>68.66499999999999</v></c>`, "n68.665"},
		{`<c r="B2"><v>123456789012345</v></c>`, "n123456789012345"},
		{`<c r="B2"><v>123456789012345678</v></c>`, "n123456789012345678"},
		{`<c r="B2"><v>9.00123456E8</v></c>`, "n900123456"},
		{`<c r="B2"><v>1.2345678901234568E+17</v></c>`, "n123456789012345680"},
		{`<c r="B2"><v>1E-7</v></c>`, "n0.0000001"},
		{`<c r="B2" s="3"><v>901</v></c>`, "n901"},
		{`<c r="B2" s="99"><v>901</v></c>`, "n901"},
		// Leading zeros.
		{`<c r="B2" s="2"><v>1234567</v></c>`, "n001234567"},
		{`<c r="B2" s="2"><v>1.5</v></c>`, "n1.5"},
		{`<c r="B2" s="2"><v>-7</v></c>`, "n-7"},
		// Dates.
		{`<c r="B2" s="1"><v>38046</v></c>`, "d2004-02-29"},
		{`<c r="B2" s="1"><f>TODAY()</f><v>38046</v></c>`, "d2004-02-29"},
		{`<c r="B2" s="5"><v>38046.75</v></c>`, "d2004-02-29T18:00:00"},
		{`<c r="B2" s="1"><v>-1</v></c>`, "n-1"},
		{`<c r="B2" s="1"><v>2958466</v></c>`, "n2958466"},
		{`<c r="B2" s="4"><v>0.75</v></c>`, "n0.75"},
		{`<c r="B2" t="d"><v>2004-02-29</v></c>`, "d2004-02-29"},
		{`<c r="B2" t="d"><v>2004-02-29T00:00:00.000</v></c>`, "d2004-02-29"},
		{`<c r="B2" t="d"><v>2004-02-29T23:30:00-05:00</v></c>`, "d2004-02-29T23:30:00"},
		{`<c r="B2" t="d"><v>2004-02-29Z</v></c>`, "d2004-02-29"},
		{`<c r="B2" t="d"><v>12:30:00</v></c>`, "12:30:00"},
	}
	for _, tt := range tests {
		got := readSheet(t, sheetXML(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>`+
			`<row r="2"><c r="A2" t="s"><v>2</v></c>`+tt.cell+`</row>`))
		want := "2: three"
		if tt.want != "" {
			want += "|" + tt.want
		}
		if got.err != nil || len(got.rows) != 1 || got.rows[0] != want {
			t.Errorf("%s\ngot  %q, error %v\nwant %q", tt.cell, got.rows, got.err, want)
		}
	}
}

func TestSheets(t *testing.T) {
	const header = `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>`
	tests := map[string]struct {
		sheet string
		rows  []string
		notes []string
	}{
		"prefixes, processing instructions, comments, other parts of a sheet": {
			sheet: "\uFEFF" + `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><?x y?><!-- <c> --><x:worksheet xmlns:x="` + spreadsheetML + `" xmlns:y="u:y">
			<x:dimension ref="A1:XFD1048576"/><x:cols><x:col min="1" max="2"/></x:cols><x:sheetData>
			<x:row r='1' y:r="7"><x:c r='A1' t='s'><x:v>0</x:v></x:c></x:row >
			<x:row r = "2" spans="1:1" y:label="a > b"><x:c y:t="b" t="s" r="A2"><x:v>1</x:v><x:extLst><x:ext><y:c r="Q9"/></x:ext></x:extLst></x:c></x:row></x:sheetData>
			<x:mergeCells/><x:extLst><x:ext><y:sheetData><y:row r="1"/></y:sheetData></x:ext></x:extLst></x:worksheet>`,
			rows:  []string{"2: two"},
			notes: []string{"Row 1 was used as the header, although none of its names is known and it looks like the rows below it."},
		},
		"what may be ignored": {
			sheet: strings.Replace(sheetXML(header+`<y:a><row r="9"/></y:a><row r="2"><y:b/><c r="A2" t="inlineStr"><y:c>x</y:c><is><z:d>y</z:d><t>1</t></is></c><extLst><c/></extLst></row><z:e/>`),
				"<worksheet", `<worksheet xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:y="u:y" xmlns:z="u:z" mc:Ignorable="y z"`, 1),
			rows: []string{"2: 1"},
		},
		"a table that begins anywhere": {
			sheet: sheetXML(`<row r="2"><c r="B2" t="s"><v>2</v></c></row><row r="7"><c r="D7" t="s"><v>0</v></c><c r="E7" t="s"><v>1</v></c></row><row r="8"><c r="D8"><v>1</v></c><c r="E8"><v>2</v></c></row>`),
			rows:  []string{"8: |||n1|n2"},
			notes: []string{"The header was found in row 7. The text above it in row 2 was treated as titles or notes and skipped."},
		},
		"cells and rows without references": {
			sheet: sheetXML(`<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c/><c><v>7</v></c></row><row r="5"><c r="B5"><v>8</v></c></row><row><c><v>9</v></c></row>`),
			rows:  []string{"2: |n7", "5: |n8", "6: n9"},
			notes: []string{"2 blank rows between the others were left out."},
		},
		"formatted blank rows cost nothing and are not rows": {
			sheet: sheetXML(header + `<row r="2"><c r="A2"><v>1</v></c></row><row r="3"><c r="A3" s="1"/></row><row r="1048576"><c r="XFD1048576" s="1"/></row>`),
			rows:  []string{"2: n1"},
		},
		"hidden rows": {
			sheet: sheetXML(header + `<row r="2" hidden="1"><c r="A2"><v>1</v></c></row><row r="3" hidden="true"><c r="A3"><v>2</v></c></row><row r="4" hidden="1"><c r="A4" s="1"/></row>`),
			rows:  []string{"2: n1", "3: n2"},
			notes: []string{"2 rows that are hidden or filtered out were read too."},
		},
		"hidden columns": {
			sheet: strings.Replace(sheetXML(header+`<row r="2"><c r="A2"><v>1</v></c></row>`), "<sheetData>", `<cols><col min="1" max="1" width="9"/><col min="2" max="16384" hidden="1"><x/></col></cols><sheetData>`, 1),
			rows:  []string{"2: n1"},
			notes: []string{"Column B is hidden, and was read too."},
		},
		"merged cells": {
			sheet: strings.Replace(sheetXML(header+`<row r="2"><c r="A2"><v>1</v></c></row>`), `</sheetData>`, `</sheetData><mergeCells count="1"><mergeCell ref="A2:B3"/></mergeCells>`, 1),
			rows:  []string{"2: n1"},
			notes: []string{"The sheet has merged cells (1 range). A value counts only for the first cell of its range: check the rows that share one, such as 2 to 3 in column A."},
		},
		"a value beyond the header": {
			sheet: sheetXML(header + `<row r="2"><c r="A2"><v>1</v></c><c r="D2"><v>2</v></c></row><row r="3"><c r="A3"><v>3</v></c><c r="D3" t="s"/></row>`),
			rows:  []string{"2: n1|||n2 !ragged_row", "3: n3"},
		},
		"the last row and column": {
			sheet: sheetXML(header + `<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>`),
			rows:  []string{"1048576: " + strings.Repeat("|", 16383) + "n1 !ragged_row"},
			notes: []string{
				"Row 1 was used as the header, although none of its names is known and it looks like the rows below it.",
				"1,048,574 blank rows between the others were left out.",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readSheet(t, tt.sheet)
			if got.err != nil {
				t.Fatal(got.err)
			}
			if diff := cmp.Diff(tt.rows, got.rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notes, got.notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDamagedSheets(t *testing.T) {
	const good = `<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>`
	tests := map[string]struct {
		sheet   string
		row     int // at or after which the error says that it is
		message string
	}{
		"rows out of order":          {sheetXML(good + `<row r="2"><c r="A2"><v>1</v></c></row>`), 2, "out of order"},
		"row 0":                      {sheetXML(good + `<row r="0"/>`), 2, "out of order"},
		"a row that is not a number": {sheetXML(good + `<row r="x"/>`), 2, "out of order"},
		"too many rows":              {sheetXML(good + `<row r="1048577"><c><v>1</v></c></row>`), 2, "more rows"},
		"cells out of order":         {sheetXML(good + `<row r="3"><c r="B3"><v>1</v></c><c r="A3"><v>1</v></c></row>`), 3, "out of order"},
		"a cell twice":               {sheetXML(good + `<row r="3"><c r="B3"/><c r="B3"><v>1</v></c></row>`), 3, "out of order"},
		"a cell of another row":      {sheetXML(good + `<row r="3"><c r="A4"><v>1</v></c></row>`), 3, "address"},
		"a column beyond XFD":        {sheetXML(good + `<row r="3"><c r="XFE3"><v>1</v></c></row>`), 3, "address"},
		"a reference that is none":   {sheetXML(good + `<row r="3"><c r="3A"><v>1</v></c></row>`), 3, "address"},
		"a text that is not there":   {sheetXML(good + `<row r="3"><c r="A3" t="s"><v>3</v></c></row>`), 3, "text"},
		"a text without a number":    {sheetXML(good + `<row r="3"><c r="A3" t="s"><v>x</v></c></row>`), 3, "text"},
		"text that is not UTF-8":     {sheetXML(good + "<row r=\"3\"><c r=\"A3\" t=\"inlineStr\"><is><t>Zo\xEB</t></is></c></row>"), 3, "UTF-8"},
		"an unknown element":         {sheetXML(good + `<row r="3"><choice><c r="A3"><v>1</v></c></choice></row>`), 3, `"choice"`},
		"an unknown namespace":       {sheetXML(good + `<y:row xmlns:y="u:y"/><y:rows xmlns:y="u:y"/>`), 3, `"rows"`},
		"alternatives":               {strings.Replace(sheetXML(good+`<row r="3"><mc:AlternateContent><mc:Choice/></mc:AlternateContent></row>`), "<worksheet", `<worksheet mc:Ignorable="y"`, 1), 3, `"AlternateContent"`},
		"an element in a value":      {sheetXML(good + `<row r="3"><c r="A3"><v>1<b/></v></c></row>`), 3, `"b"`},
		"an unknown entity":          {sheetXML(good + `<row r="3"><c r="A3"><v>&nbsp;</v></c></row>`), 3, "malformed"},
		"an impossible character":    {sheetXML(good + `<row r="3"><c r="A3"><v>&#xD800;</v></c></row>`), 3, "malformed"},
		"elements that cross":        {sheetXML(good + `<row r="3"><c r="A3"><v>1</c></v></row>`), 3, "nest"},
		"an unquoted attribute":      {sheetXML(good + `<row r=3/>`), 2, "malformed"},
		"no end":                     {strings.TrimSuffix(sheetXML(good), `</sheetData></worksheet>`), 2, "too early"},
		"no end of the sheet":        {strings.TrimSuffix(sheetXML(good), `</worksheet>`), 2, "too early"},
		"text after the end":         {sheetXML(good) + "x", 2, "malformed"},
		"rows twice":                 {strings.Replace(sheetXML(good), "</sheetData>", "</sheetData><sheetData/>", 1), 2, `"sheetData"`},
		"two roots":                  {sheetXML(good) + "<worksheet/>", 2, "malformed"},
		"no data":                    {`<worksheet/>`, 1, "no data"},
		"something else":             {`<chartsheet/>`, 1, `"chartsheet"`},
		"a document type":            {`<!DOCTYPE worksheet [<!ENTITY a "b">]>` + sheetXML(good), 1, "document type"},
		"another encoding":           {`<?xml version="1.0" encoding="windows-1252"?>` + sheetXML(good), 1, "UTF-8"},
		"a text without end":         {sheetXML(good + `<row r="3"><c r="A3"><v>` + strings.Repeat("1", 2<<20)), 3, "too long"},
		"elements without end":       {"<worksheet>" + strings.Repeat("<a>", 1000), 1, "malformed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people.xlsx", zipOf(t, workbookParts(tt.sheet)))
			fe := fileError(t, readFile(t, path, Options{}).err, path)
			if fe.Sheet != "People" || fe.Row != tt.row || !strings.Contains(fe.Message, tt.message) {
				t.Errorf("sheet %q, row %d: %s\nwant row %d and %q", fe.Sheet, fe.Row, fe.Message, tt.row, tt.message)
			}
		})
	}
}
