package draft_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/importer"
)

// However answers are given and cells put back, undoing as often as there are answers left
// takes back every correction, one answer at a time.
func TestUndoAfterAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d draft.Draft
		sizes := func() (sum int) {
			for _, n := range d.Answered {
				if n < 1 {
					t.Fatalf("an answer of %d corrections", n)
				}
				sum += n
			}
			return sum
		}
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				row := rapid.IntRange(1, 4).Draw(t, "row")
				before := len(d.Corrections)
				had := d.PutBack(func(c importer.Correction) bool { return c.Row == row })
				if had != (len(d.Corrections) < before) {
					t.Fatalf("it says %t of %d corrections that became %d", had, before, len(d.Corrections))
				}
			default:
				var answer []importer.Correction
				for range rapid.IntRange(0, 3).Draw(t, "size") {
					answer = append(answer, importer.Correction{Row: rapid.IntRange(1, 4).Draw(t, "row"), New: "x"})
				}
				d.Correct(answer)
			}
			if sizes() != len(d.Corrections) {
				t.Fatalf("answers of %v, %d corrections", d.Answered, len(d.Corrections))
			}
		}
		for range len(d.Answered) {
			if before := len(d.Corrections); !d.Undo() || len(d.Corrections) >= before {
				t.Fatal("nothing was undone")
			}
		}
		if d.Undo() || len(d.Corrections) > 0 {
			t.Fatalf("left: %v", d.Corrections)
		}
	})
}

// Corrections are kept on the disk with the draft, and do not outlive the choice of another
// sheet, whose cells are others.
func TestCorrectionsAreOfOneSheet(t *testing.T) {
	state := t.TempDir()
	store, err := draft.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	arrival, err := store.Receive("a.csv", strings.NewReader("x"), 10)
	if err != nil {
		t.Fatal(err)
	}
	d, err := store.Add(arrival, func(d *draft.Draft) error {
		d.Correct([]importer.Correction{{Row: 2, Column: 1, New: "b", Line: "1"}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := draft.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	read, _ := again.Get(d.ID)
	if diff := cmp.Diff(d.Corrections, read.Corrections); diff != "" || len(read.Answered) != 1 {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	read, err = again.Change(d.ID, func(d *draft.Draft) error { d.Source.Sheet = "Other"; return nil })
	if err != nil || len(read.Corrections)+len(read.Answered) > 0 {
		t.Errorf("of another sheet: %v, %v", read.Corrections, err)
	}
}
