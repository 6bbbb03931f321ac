package mapping

import (
	"fmt"
	"math/rand"
	"testing"
)

// Texts that are known to be no dates are passed over, and change nothing.
func TestDateFormatDetectorRemembersNoDates(t *testing.T) {
	for seed := range int64(300) {
		r := rand.New(rand.NewSource(seed))
		fast, slow := NewDateFormatDetector([]int{0, 1}, today()), NewDateFormatDetector([]int{0, 1}, today())
		pool := make([]Cell, 2+r.Intn(20))
		for i := range pool {
			if pool[i].Text = randomText(r); r.Intn(2) == 0 {
				pool[i].Text = fmt.Sprintf("%d/%d/%d", 1+r.Intn(20), 1+r.Intn(14), 1980+r.Intn(40))
			}
			pool[i].Kind = CellKind(r.Intn(3))
			if r.Intn(5) == 0 {
				pool[i].Text = ""
			}
		}
		for row := range 60 {
			cells := []Cell{pool[r.Intn(len(pool))], pool[r.Intn(len(pool))]}
			slow.others = [len(slow.others)]Cell{}
			if got, want := fast.Add(row, cells), slow.Add(row, cells); got != want {
				t.Fatalf("seed %d, row %d, %q: proves %v, want %v", seed, row, cells, got, want)
			}
		}
		gotPattern, gotQuestion := fast.Format()
		wantPattern, wantQuestion := slow.Format()
		if gotPattern != wantPattern || gotQuestion != wantQuestion || fast.Done() != slow.Done() || fast.iso != slow.iso || fast.texts != slow.texts {
			t.Fatalf("seed %d: %q and %q, want %q and %q", seed, gotPattern, gotQuestion, wantPattern, wantQuestion)
		}
	}
}
