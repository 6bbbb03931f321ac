package webpage

import (
	"strings"
	"testing"
)

// TestReferencesOnce has a page that shows a reference: it is resolved once, as a
// browser does.
func TestReferencesOnce(t *testing.T) {
	page := "<table><tr><td>O&#39;Brien<td>R&amp;D<td>A&amp;amp;B<td>&amp;lt;4&amp;gt;</table>"
	table, err := Open(strings.NewReader(page), int64(len(page)))
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := drain(t, table)
	for i, want := range []string{"O'Brien", "R&D", "A&amp;B", "&lt;4&gt;"} {
		if got := rows[0].Cells[i].Text; got != want {
			t.Errorf("cell %d is %q, want %q", i, got, want)
		}
	}
}
