package sheet

import (
	"strings"
	"testing"
)

func TestCutValuesAreSaid(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   string // "" for nothing
	}{
		{[]string{"12 Main St", strings.Repeat("x", 254), strings.Repeat("x", 256), strings.Repeat("é", 200)}, ""},
		{[]string{"12 Main St", strings.Repeat("é", 255)}, "Row 3, column B has a value of exactly 255 characters, which"},
		{[]string{strings.Repeat("x", 255), "", strings.Repeat("y", 32_767)}, "Row 2, column B has a value of exactly 255 characters, and so has 1 other value, which"},
	} {
		got := readFile(t, writeFile(t, "people.csv", "id,address\n1,"+strings.Join(tt.values, "\n1,")+"\n"), Options{})
		if notes := strings.Join(got.notes, "\n"); got.err != nil || strings.Contains(notes, "exactly") != (tt.want != "") || !strings.Contains(notes, tt.want) {
			t.Errorf("%d values: notes %q, error %v, want %q", len(tt.values), notes, got.err, tt.want)
		}
	}
}
