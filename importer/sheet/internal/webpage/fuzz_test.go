package webpage

import (
	"strings"
	"testing"
	"unicode/utf8"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
)

// FuzzWebPage reads a page at once and again with the table's rows held against
// what is promised of all rows.
func FuzzWebPage(f *testing.F) {
	for _, s := range []string{
		"<table><tr><td>a<td>b<tr><td rowspan=2 colspan=3>c</table>", "<table><tr><th>a</th></tr><table><td>x</table></table>", "<html><script><table></script><table><td>&amp;&euml;<br>", "<table hidden><tr style=\"display:none\"><td/></table>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, page string) {
		table, err := Open(strings.NewReader(page), int64(len(page)))
		if err != nil {
			return
		}
		drain(t, table)
	})
}

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
