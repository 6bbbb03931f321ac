package mapping

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWhereWithout(t *testing.T) {
	list := []Without{{"Status", []string{"Withdrawn", ""}}, {"Unused", nil}, {`The "Type"`, []string{`a\b`, "é\n", "+1"}}}
	where := WhereWithout(list)
	if want := `col("Status") not in ["Withdrawn", ""] and col("The \"Type\"") not in ["a\\b", "é\n", "+1"]`; where != want {
		t.Errorf("wrote %s\nwant  %s", where, want)
	}
	got, ok := WithoutOf(where)
	if diff := cmp.Diff(slices.Delete(list, 1, 2), got); !ok || diff != "" {
		t.Errorf("read %v (-want +got):\n%s", ok, diff)
	}
	header := []string{"Status", `The "Type"`}
	filter, err := NewFilter(SourceSection{Where: where}, header)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		cells []string
		keeps bool
	}{
		{[]string{"Active", "x"}, true},
		{[]string{" Withdrawn ", "x"}, false},
		{[]string{"withdrawn", "x"}, true}, // as Mapper.Map
		{[]string{"  ", "x"}, false},
		{[]string{"Active", `a\b`}, false},
		{[]string{"Active"}, true},
		{nil, false},
	} {
		var cells []Cell
		for _, text := range tc.cells {
			cells = append(cells, Cell{Text: text})
		}
		if got := filter.Keeps(cells); got != tc.keeps {
			t.Errorf("%q is kept: %v", tc.cells, got)
		}
	}
}

// What a person cannot have made by clicks is not shown as clicks.
func TestWithoutOfOthers(t *testing.T) {
	for where, ok := range map[string]bool{
		"":                             true,
		"  ":                           true,
		`col("A") not in ["x"]`:        true,
		`not (col("A") in ["x"])`:      true,
		`col("A") in ["x"]`:            false,
		`A not in ["x"]`:               false,
		`col("A") != "x"`:              false,
		`col("A") not in ["x", 1]`:     false,
		`col("A") not in col("B")`:     false,
		`col("A", "B") not in ["x"]`:   false,
		`upper(col("A")) not in ["x"]`: false,
		`col("A") not in ["x"] or col("B") not in ["x"]`:  false,
		`col("A") not in ["x"] and col("A") not in ["y"]`: false,
		`col("A") not in ["x"] and B == "y"`:              false,
		`col("A" not in`:                                  false,
		strings.Repeat("(", 300_000):                      false,
		strings.Repeat("not ", 10_000) + `col("A")`:       false,
	} {
		if _, got := WithoutOf(where); got != ok {
			t.Errorf("%.60q is read: %v", where, got)
		}
	}
}

// Whatever is in the cells, what is ticked is left out and nothing else.
func TestWhereWithoutAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Filter(func(s string) bool { return strings.ToValidUTF8(s, "") == s && ValueOf([]Cell{{Text: s}}, 0) == s })
		header := []string{"A", "B"}
		list := []Without{{"A", rapid.SliceOfNDistinct(text, 1, 5, rapid.ID).Draw(t, "a")}, {"B", rapid.SliceOfNDistinct(text, 1, 5, rapid.ID).Draw(t, "b")}}
		where := WhereWithout(list)
		if got, ok := WithoutOf(where); !ok || !cmp.Equal(got, list) {
			t.Fatalf("%s is read as %q, %v", where, got, ok)
		}
		filter, err := NewFilter(SourceSection{Where: where}, header)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		a, b := text.Draw(t, "cell of A"), text.Draw(t, "cell of B")
		want := !slices.Contains(list[0].Values, a) && !slices.Contains(list[1].Values, b)
		if got := filter.Keeps([]Cell{{Text: a}, {Text: b}}); got != want {
			t.Fatalf("%s keeps %q, %q: %v", where, a, b, got)
		}
	})
}
