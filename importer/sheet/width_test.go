package sheet

import (
	"fmt"
	"strings"
	"testing"
)

// A header with other cells than its rows is one question, whatever the rows' last
// cells are.
func TestHeaderOfOtherWidthIsAsked(t *testing.T) {
	row := func(format string) string {
		var b strings.Builder
		for i := range 12 {
			fmt.Fprintf(&b, format+"\n", 900123400+i)
		}
		return b.String()
	}
	for name, tt := range map[string]struct {
		text    string
		message string // "" when the file is read
	}{
		"names of rows, as R writes them":       {"ID,First,City\n" + row("x%[1]d,%[1]d,Ann,Ottawa"), "The header has 3 names"},
		"a comma inside a name":                 {"ID;Name;City\n" + row("%d;Roy; Ann;Ottawa"), "The header has 3 names"},
		"a comma inside, and one at each end":   {"ID,Name,City,\n" + row("%d,Roy, Ann,Ottawa,"), "The header has 3 names"},
		"two surplus values":                    {"ID\tName\n" + row("%d\tRoy\tAnn\tOttawa"), "The header has 2 names"},
		"a table of one row":                    {"ID,Name,City\n1,Roy, Ann,Ottawa\n", "The header has 3 names"},
		"a missing comma in the header":         {"ID,First Last,City\n" + row("%d,Ann,Roy,Ottawa"), "The header has 3 names"},
		"rows that all lack the last cells":     {"ID,First,Last,City,Unit\n" + row("%d,Ann,Roy"), "The header has 5 cells and the rows have 3"},
		"an extra comma in the header":          {"ID,,First,Last\n" + row("%d,Ann,Roy"), "an extra delimiter"},
		"a comma at the end of the only row":    {"ID,First,Last\n1,Ann,Roy,\n", ""},
		"a comma at the end of each row":        {"ID,First,Last\n" + row("%d,Ann,Roy,"), ""},
		"a comma at the end of each line":       {"ID,First,Last,\n" + row("%d,Ann,Roy,"), ""},
		"several commas at the end of each row": {"ID,First,Last\n" + row("%d,Ann,Roy,,,"), ""},
		"blank last cells":                      {"ID,First,Last,City\n" + row("%d,Ann,Roy,"), ""},
		"numbers of rows under a blank name":    {",ID,First,Last\n" + row("1,%d,Ann,Roy"), ""},
		"a last column whose name is blank":     {"ID,First,\n" + row("%d,Ann,Roy"), ""},
		"one row with a comma inside":           {"ID,First,Last\n" + row("%d,Ann,Roy") + "7,Ann,Roy, Jr.\n", ""},
		"one row that lacks a cell":             {"ID,First,Last\n" + row("%d,Ann,Roy") + "7,Ann\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", tt.text), Options{})
			switch {
			case tt.message == "" && (got.err != nil || strings.Contains(fmt.Sprint(got.rows), "ragged") != strings.HasPrefix(name, "one row")):
				t.Errorf("%v, rows %q", got.err, got.rows)
			case tt.message != "" && (got.err == nil || !strings.Contains(got.err.Error(), tt.message)):
				t.Errorf("got %v and %d rows, want %q", got.err, len(got.rows), tt.message)
			}
		})
	}
}

// Excel leaves out the last cells of 16 rows at a time where all of them are blank.
func TestBlocksOfExcel(t *testing.T) {
	const header = "ID,First,Last,Phone,Unit\n"
	block := func(from, n int, end string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d,Ann,Roy%s\n", 900123400+from+i, end)
		}
		return b.String()
	}
	for name, tt := range map[string]struct {
		text   string
		faulty int
	}{
		"the second block":                 {block(0, 15, ",613-555-0100,") + block(15, 16, "") + block(31, 16, ",,4"), 0},
		"all but the first, and a part":    {block(0, 15, ",613-555-0100,") + block(15, 32, "") + block(47, 5, ""), 0},
		"a block with one cell more":       {block(0, 15, ",,4") + block(15, 16, ",613-555-0100"), 0},
		"short rows elsewhere":             {block(0, 20, ",,4") + block(20, 16, ""), 16},
		"a block with one row of others":   {block(0, 15, ",,4") + block(15, 10, "") + block(25, 1, ",613-555-0100") + block(26, 30, ",,4"), 11},
		"too few at the end":               {block(0, 15, ",,4") + block(15, 2, ""), 2},
		"rows that lack the first of them": {block(0, 15, ",613-555-0100,4") + strings.Repeat("Ann,Roy\n", 16), 16},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAll(writeFile(t, "people.csv", header+tt.text), Options{}, false)
			if err != nil || got.err != nil {
				t.Fatal(err, got.err)
			}
			faulty := 0
			for _, row := range got.rows {
				if hasFault(row) {
					faulty++
				}
			}
			if want := strings.Count(tt.text, "\n"); len(got.rows) != want || faulty != tt.faulty {
				t.Errorf("%d of %d rows are at fault, want %d of %d", faulty, len(got.rows), tt.faulty, want)
			}
		})
	}
}
