package sheet

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"opscom-import/importer"
)

// previewed returns the preview of a file with the content.
func previewed(t *testing.T, name, content string, o Options) *Preview {
	t.Helper()
	p, err := ReadPreview(writeFile(t, name, content), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shown is the rows as lines.
func shown(list []importer.Row) string {
	var lines []string
	for _, row := range list {
		var cells []string
		for _, cell := range row.Cells {
			cells = append(cells, cell.Text)
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return strings.Join(lines, "\n")
}

func TestPreview(t *testing.T) {
	const report = "University of Somewhere,,,\n\nBanner ID,First,Last,DOB\n900100,Ann,Lee,2004-02-29\n900101,Bob,Roy,2003-01-05\n"
	p := previewed(t, "a.csv", report, Options{})
	if p.Problem != nil || p.Header.Row != 3 || !p.Sure || !p.HasRows || !p.IsText || p.Delimiter != ',' || p.Encoding != "utf-8" || p.EncodingReadings != nil {
		t.Errorf("%+v", p)
	}
	want := "University of Somewhere|||\n\nBanner ID|First|Last|DOB\n900100|Ann|Lee|2004-02-29\n900101|Bob|Roy|2003-01-05"
	if got := shown(p.Rows); got != want {
		t.Errorf("rows\n%s\nwant\n%s", got, want)
	}
	if p := previewed(t, "a.csv", report, Options{HeaderRow: 4}); p.Header.Row != 4 || shown(p.Rows) != want {
		t.Errorf("with a row that was asked for: row %d of\n%s", p.Header.Row, shown(p.Rows))
	}
	if p := previewed(t, "a.csv", "Banner ID,First,Last\n", Options{}); p.Problem != nil || p.HasRows {
		t.Errorf("only a header: %+v", p)
	}
	if p := previewed(t, "a.csv", "Fahrzeug,Farbe\nHull,red\nLaval,blue\n", Options{}); p.Problem != nil || p.Sure {
		t.Errorf("a header that is a guess: %+v", p)
	}
	if p := previewed(t, "a.csv", strings.Repeat("1,x\n", 100), Options{NoHeader: true}); len(p.Rows) != previewedRows {
		t.Errorf("%d rows are shown", len(p.Rows))
	}
}

func TestPreviewAsks(t *testing.T) {
	for name, tt := range map[string]struct {
		content  string
		options  Options
		question Question
		rows     int
	}{
		"no header":    {content: "A100,Ann,a@x.example\nA101,Bob,b@x.example\n", question: AskHeader, rows: 2},
		"wrong header": {content: "A100,Ann\nA101,Bob\n", options: Options{HeaderRow: 9}, question: AskHeader, rows: 2},
		"other width":  {content: "Banner ID,,First\n900100,Ann\n900101,Bob\n900102,Cy\n", question: AskHeader, rows: 4},
		"delimiter":    {content: "Banner ID;First,x\nA1;b,c\nA2;d,e\n", question: AskDelimiter},
		"encoding":     {content: "Banner ID,First\nA1,Zo\x8b\nA2,Ren\x82\n", question: AskEncoding},
		"nothing":      {content: ""},
		"blank":        {content: "\n\n", rows: 2},
		"a sheet":      {content: "Banner ID,First\n900100,Ann\n", options: Options{Sheet: "Students"}, question: AskSheet},
	} {
		t.Run(name, func(t *testing.T) {
			p := previewed(t, "a.csv", tt.content, tt.options)
			if p.Problem == nil || p.Problem.Question != tt.question || len(p.Rows) != tt.rows {
				t.Errorf("%d rows, problem %+v", len(p.Rows), p.Problem)
			}
		})
	}
}

func TestPreviewReadsBothWays(t *testing.T) {
	p := previewed(t, "a.csv", "Banner ID;First,x\nA1;b,c\nA2;d,e\n", Options{})
	if p.Delimiter != 0 || len(p.DelimiterReadings) != 2 {
		t.Fatalf("%+v", p)
	}
	for i, want := range []string{"Banner ID;First|x\nA1;b|c\nA2;d|e", "Banner ID|First,x\nA1|b,c\nA2|d,e"} {
		if got := shown(p.DelimiterReadings[i].Rows); got != want {
			t.Errorf("with %q\n%s\nwant\n%s", p.DelimiterReadings[i].Delimiter, got, want)
		}
	}
	p = previewed(t, "a.csv", "Banner ID;First,x\nA1;b,c\nA2;d,e\n", Options{Delimiter: ';'})
	if p.Problem != nil || p.Delimiter != ';' || len(p.DelimiterReadings) != 2 {
		t.Errorf("a delimiter that was chosen can be chosen again: %+v", p)
	}
}

// The doubt may be at the end of a long file.
func TestPreviewFindsTheEncoding(t *testing.T) {
	long := "Banner ID,First\n" + strings.Repeat("900100,Ann\n", 50_000)
	for name, tt := range map[string]struct {
		end, asked, encoding string
		cells                map[string]string
	}{
		"in doubt": {end: "A1,Zo\x8b\n", cells: map[string]string{"windows-1252": "Zo‹", "macintosh": "Zoã", "IBM850": "Zoï"}},
		"chosen":   {end: "A1,Zo\x8b\n", asked: "IBM850", encoding: "IBM850", cells: map[string]string{"windows-1252": "Zo‹", "macintosh": "Zoã", "IBM850": "Zoï"}},
		"assumed":  {end: "A1,Zo\xeb\n", encoding: "windows-1252", cells: map[string]string{"windows-1252": "Zoë", "macintosh": "ZoÎ"}},
		"utf-8":    {end: "A1,Zoë\n", encoding: "utf-8"},
	} {
		t.Run(name, func(t *testing.T) {
			p := previewed(t, "a.csv", long+tt.end, Options{Encoding: tt.asked})
			if (p.Problem == nil) == (tt.encoding == "") || p.Encoding != tt.encoding {
				t.Fatalf("encoding %q, problem %v", p.Encoding, p.Problem)
			}
			got := map[string]string{}
			for _, r := range p.EncodingReadings {
				if len(r.Cells) != 1 || r.Cells[0].Row != 50_002 {
					t.Fatalf("%+v", r)
				}
				got[r.Encoding] = r.Cells[0].Text
			}
			for encoding, want := range tt.cells {
				if got[encoding] != want {
					t.Errorf("readings %q, want %q", got, tt.cells)
				}
			}
			if len(tt.cells) == 0 && len(got) > 0 {
				t.Errorf("readings %q of a text in UTF-8", got)
			}
		})
	}
}

func TestPreviewOfWorkbooks(t *testing.T) {
	locked := lockedWorkbook(t, workbookParts(sheetXML(twoRows)))
	for password, want := range map[string]Question{"": AskPassword, "wrong": WrongPassword, "s3cret": NoQuestion} {
		p := previewed(t, "a.xlsx", locked, Options{Password: password})
		switch {
		case want == NoQuestion && (p.Problem != nil || len(p.Rows) == 0 || len(p.Sheets) != 1 || p.Sheets[0].Name != p.Sheet):
			t.Errorf("with the password: %+v", p)
		case want != NoQuestion && (p.Problem == nil || p.Problem.Question != want):
			t.Errorf("with %q: %+v", password, p.Problem)
		}
	}
}

func TestNoHeader(t *testing.T) {
	const people = "900100,Ann,Lee,\n900101,Bob,Roy,\n900102,Cy,Poe,\n"
	for name, tt := range map[string]struct {
		csv   string
		names string
		rows  []string
		note  string
	}{
		"people alone":        {csv: people, names: "Column A|Column B|Column C", rows: []string{"1: 900100|Ann|Lee", "2: 900101|Bob|Roy", "3: 900102|Cy|Poe"}},
		"below a title":       {csv: "Students of fall 2026,,,\n\n" + people, names: "Column A|Column B|Column C", rows: []string{"3: 900100|Ann|Lee", "4: 900101|Bob|Roy", "5: 900102|Cy|Poe"}, note: "in row 1 was treated as titles"},
		"below their letters": {csv: "Column A,Column B,Column C,What to do\n" + people, names: "Column A|Column B|Column C|What to do", rows: []string{"2: 900100|Ann|Lee|", "3: 900101|Bob|Roy|", "4: 900102|Cy|Poe|"}},
		"a delimiter too many": {
			csv: "900100,Ann,Lee\n900101,Bob,Roy,,,x\n900102,Cy,Poe\n900103,Di,Day\n", names: "Column A|Column B|Column C",
			rows: []string{"1: 900100|Ann|Lee", "2: 900101|Bob|Roy|||x !ragged_row", "3: 900102|Cy|Poe", "4: 900103|Di|Day"},
		},
		"one": {csv: "900100,Ann,Lee\n", names: "Column A|Column B|Column C", rows: []string{"1: 900100|Ann|Lee"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "a.csv", tt.csv), Options{NoHeader: true})
			if got.err != nil || strings.Join(got.header.Names, "|") != tt.names || !slices.Equal(got.rows, tt.rows) {
				t.Errorf("header %q, rows %q, error %v", got.header.Names, got.rows, got.err)
			}
			if !strings.Contains(strings.Join(got.notes, " "), tt.note) || tt.note == "" && len(got.notes) > 0 {
				t.Errorf("notes %q", got.notes)
			}
		})
	}
	got := readFile(t, writeFile(t, "a.xlsx", zipOf(t, workbookParts(sheetXML(twoRows)))), Options{NoHeader: true})
	if got.err != nil || got.header.Row != 0 || len(got.rows) != 2 {
		t.Errorf("a workbook: %+v", got)
	}
	if _, err := Open(writeFile(t, "a.csv", "\n"), Options{NoHeader: true}); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("an empty file: %v", err)
	}
}
