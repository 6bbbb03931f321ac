package web

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"opscom-import/importer"
)

// What a form of rows names is read again, and nothing else passes for it.
func TestCellRef(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ref := cellRef{rapid.IntRange(1, 1<<30).Draw(t, "row"), rapid.IntRange(-1, 16384).Draw(t, "column")}
		if got, rule, ok := parseRef(ref.String() + ".bad_date"); !ok || got != ref || rule != "bad_date" {
			t.Fatalf("%v is read as %v %q, %t", ref, got, rule, ok)
		}
	})
	for _, text := range []string{"", ".", "1", "1.", ".1", "a.b", "1.x.bad_date"} {
		if ref, _, ok := parseRef(text); ok {
			t.Errorf("%q is the cell %v", text, ref)
		}
	}
}

func TestTheLaterAnswerToACellCounts(t *testing.T) {
	var a rowsAnswer
	a.set(importer.Correction{Row: 2, Column: 1, Old: "a", New: "typed"})
	a.set(importer.Correction{Row: 3, Column: 1, Old: "a", New: "b"})
	a.set(importer.Correction{Row: 2, Column: 1, Old: "a", New: "proposed"})
	want := []importer.Correction{{Row: 2, Column: 1, Old: "a", New: "proposed"}, {Row: 3, Column: 1, Old: "a", New: "b"}}
	if diff := cmp.Diff(want, a.Corrections); diff != "" {
		t.Errorf("corrections (-want +got):\n%s", diff)
	}
	if a.At != (cellRef{2, 1}) {
		t.Errorf("at %v", a.At)
	}
}
