package inbox

import (
	"path"
	"testing"

	"pgregory.net/rapid"
)

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"*.csv", "students.csv", true}, {"*.csv", ".csv", true}, {"*.csv", "students.CSV", false},
		{"*.csv", "students.csv.part", false}, {"students-????.csv", "students-2026.csv", true},
		{"students-????.csv", "students-26.csv", false}, {"a*b*c", "a-b-b-c", true}, {"a*b*c", "acb", false},
		{"*", "x", true}, {"**", "", true}, {"?", "", false}, {"?", "é", true}, {"x", "*", false}, {"?", "*", true},
		{"\u00c9tudiants*.csv", "E\u0301tudiants 2026.csv", true}, // as a Mac writes it
		{"-rf *", "-rf x", true}, {"(a)+.csv", "(a)+.csv", true},
	} {
		if got := Match(test.pattern, test.name); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.name, got)
		}
	}
}

func TestOverlap(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"*.csv", "students*", true}, {"*.csv", "*.xlsx", false}, {"a*", "b*", false}, {"*a", "*b", false},
		{"students-*.csv", "*-2026.csv", true}, {"a?c", "ab*", true}, {"a?", "a", false}, {"??*", "?", false},
		{"staff.csv", "staff.csv", true}, {"staff.csv", "Staff.csv", false}, {"*", "?", true},
		{"*ab", "*b?", false}, {"*ab*", "*ba*", true}, {"a*a", "a", false}, {"a*a", "aa", true},
	} {
		if Overlap(test.a, test.b) != test.want || Overlap(test.b, test.a) != test.want {
			t.Errorf("%q and %q overlap: want %v", test.a, test.b, test.want)
		}
	}
}

// Two patterns overlap if and only if some short name matches both: with so few
// characters, one as long as both together is enough.
func TestOverlapIsExact(t *testing.T) {
	var names []string
	level := []string{""}
	for range 6 {
		var longer []string
		for _, name := range level {
			longer = append(longer, name+"a", name+"b")
		}
		names = append(names, level...)
		level = longer
	}
	names = append(names, level...)
	pattern := rapid.StringMatching(`[ab*?]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := pattern.Draw(t, "a"), pattern.Draw(t, "b")
		want := false
		for _, name := range names {
			inA, errA := path.Match(a, name)
			inB, errB := path.Match(b, name)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			if inA != Match(a, name) {
				t.Fatalf("%q matches %q: %v", a, name, !inA)
			}
			want = want || inA && inB
		}
		if got := Overlap(a, b); got != want {
			t.Fatalf("%q and %q overlap: %v, want %v", a, b, got, want)
		}
	})
}
