package sheet

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// workbookOf writes a workbook whose sheets, "One" and on, have these lines, cells
// being separated by commas; digits make numbers.
func workbookOf(t *testing.T, sheets ...string) string {
	t.Helper()
	names := []string{"One", "Two", "Three", "Four"}[:len(sheets)]
	p := severalSheets(names...)
	for i, lines := range sheets {
		var rows strings.Builder
		for line := range strings.Lines(lines) {
			rows.WriteString("<row>")
			for text := range strings.SplitSeq(strings.TrimSpace(line), ",") {
				if _, err := strconv.Atoi(text); err == nil {
					fmt.Fprintf(&rows, "<c><v>%s</v></c>", text)
				} else {
					fmt.Fprintf(&rows, `<c t="inlineStr"><is><t>%s</t></is></c>`, text)
				}
			}
			rows.WriteString("</row>")
		}
		p[fmt.Sprintf("xl/worksheets/s%d.xml", i)] = sheetXML(rows.String())
	}
	return writeFile(t, "people.xlsx", zipOf(t, p))
}

// Among several sheets the one is read that looks most like people.
func TestSheetOfPeopleIsChosen(t *testing.T) {
	const (
		people = "Banner ID,First name,Last name,City\n900100,Ann,Lee,Hull\n"
		staff  = "Employee ID,First name,Last name\n77,Kim,Moe\n"
		empty  = "Banner ID,First name,Last name,City,Email\n"
		notes  = "About\nAsk Kim about these\n"
		counts = "Program,Seats\nArts,12\nLaw,13\n"
		values = "1,2,3\n4,5,6\n"
	)
	tests := map[string]struct {
		sheets []string
		want   string
		note   string
	}{
		"below notes and counts":      {[]string{notes, counts, people}, "Three", ""},
		"the one with the most names": {[]string{staff, people}, "Two", ""},
		"the first of two alike":      {[]string{people, people}, "One", `Other sheets look like lists of people too: "Two". To read another one, name it with --sheet.`},
		"rows before names":           {[]string{empty, people}, "Two", ""},
		"none like people":            {[]string{counts, notes}, "One", ""},
		"one that has no header":      {[]string{values, people}, "Two", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, workbookOf(t, tt.sheets...), Options{})
			notes := strings.Join(got.notes, " ")
			if got.err != nil || got.sheet != tt.want || !strings.Contains(notes, tt.note) || !strings.Contains(notes, fmt.Sprintf("The sheet %q was read", tt.want)) {
				t.Errorf("sheet %q, notes %q, error %v", got.sheet, notes, got.err)
			}
			if more := strings.Contains(notes, "Other sheets"); more != (tt.note != "") {
				t.Errorf("notes %q", notes)
			}
		})
	}
	got := readFile(t, workbookOf(t, people, "ID,First,2025\n77,Kim,1\n", people), Options{FitsHeader: fitting("ID|First")})
	if notes := strings.Join(got.notes, " "); got.err != nil || got.sheet != "Two" || strings.Contains(notes, "Other sheets") {
		t.Errorf("the sheet with the needed columns: sheet %q, notes %q, error %v", got.sheet, notes, got.err)
	}
	path := workbookOf(t, values, counts)
	if fe := fileError(t, readFile(t, path, Options{}).err, path); fe.Sheet != "One" || !strings.Contains(fe.Message, "--header-row") {
		t.Error(fe)
	}
}
