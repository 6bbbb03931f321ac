package importer

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"opscom-import/mapping"
)

// cellsSource is a source of rows that are given whole. Row 1 is the header.
type cellsSource struct {
	names []string
	rows  []Row
}

func (s *cellsSource) Header() Header { return Header{Row: 1, Names: s.names} }

func (s *cellsSource) Next(row *Row) error {
	if len(s.rows) == 0 {
		return io.EOF
	}
	*row, s.rows = s.rows[0], s.rows[1:]
	row.Cells, row.Problems = slices.Clone(row.Cells), slices.Clone(row.Problems)
	return nil
}

func textCells(line string) (cells []mapping.Cell) {
	for text := range strings.SplitSeq(line, "|") {
		cells = append(cells, mapping.Cell{Text: text})
	}
	return cells
}

// readAll returns the rows of a source as lines, with "!" and its message for each
// problem.
func readAll(t rapid.TB, s Source) (lines []string) {
	t.Helper()
	var row Row
	for {
		if err := s.Next(&row); errors.Is(err, io.EOF) {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, c := range row.Cells {
			texts = append(texts, c.Text+strings.Repeat("#", int(c.Kind)))
		}
		line := strings.Join(texts, "|")
		if row.LeftOut {
			line = "out: " + line
		}
		for _, p := range row.Problems {
			line += " !" + mapping.ColumnLetter(p.Column) + " " + p.Message
		}
		lines = append(lines, line)
	}
}

func TestCorrections(t *testing.T) {
	ragged := mapping.Problem{Rule: mapping.RuleRaggedRow, Column: mapping.NoColumn, Message: "ragged"}
	beyond := mapping.Problem{Rule: mapping.RuleRaggedRow, Column: 3, Message: "beyond"}
	number := []mapping.Cell{{Text: "1234567890123456", Kind: mapping.NumberCell}, {Text: "#N/A", Kind: mapping.ErrorCell}, {Text: "x"}}
	was := func(column, old string) string {
		if old == "" {
			return " !" + column + " The cell was corrected on the page: it was blank."
		}
		return " !" + column + ` The cell was corrected on the page: it was "` + old + `".`
	}
	const leftOut = " ! The row was left out on the page."
	for _, tc := range []struct {
		name        string
		row         Row
		corrections []Correction
		want        string
		void        []Correction
	}{
		{"none", Row{Cells: textCells("a|b|c")}, nil, "a|b|c", nil},
		{"one cell", Row{Cells: textCells("a|b|c")}, []Correction{{2, 1, "b", "B", ""}}, "a|B|c" + was("B", "b"), nil},
		{"cleared", Row{Cells: textCells("a|b|c")}, []Correction{{2, 1, "b", "", ""}}, "a||c" + was("B", "b"), nil},
		{"two after each other", Row{Cells: textCells("a|b|c")}, []Correction{{2, 1, "b", "B", ""}, {2, 0, "a", "A", ""}, {2, 1, "B", "D", ""}}, "A|D|c" + was("A", "a") + was("B", "b"), nil},
		{"two of which the first is void", Row{Cells: textCells("a|b|c")}, []Correction{{2, 1, "x", "B", ""}, {2, 1, "B", "D", ""}}, "a|b|c", []Correction{{2, 1, "x", "B", ""}, {2, 1, "B", "D", ""}}},
		{"a short row", Row{Cells: textCells("a")}, []Correction{{2, 2, "", "C", ""}}, "a||C" + was("C", ""), nil},
		{"the same row", Row{Cells: textCells("a||c")}, []Correction{{2, 1, "", "B", LineSum("a\t\tc")}, {2, 2, "c", "C", LineSum("a\t\tc")}}, "a|B|C" + was("B", "") + was("C", "c"), nil},
		{"a blank cell of another row", Row{Cells: textCells("x||c")}, []Correction{{2, 1, "", "B", LineSum("a\t\tc")}}, "x||c", []Correction{{2, 1, "", "B", LineSum("a\t\tc")}}},
		{"no such column", Row{Cells: textCells("a|b|c")}, []Correction{{2, 3, "", "D", ""}}, "a|b|c", []Correction{{2, 3, "", "D", ""}}},
		{"no such row", Row{Cells: textCells("a|b|c")}, []Correction{{3, 0, "a", "A", ""}, {1, 0, "a", "A", ""}}, "a|b|c", []Correction{{1, 0, "a", "A", ""}, {3, 0, "a", "A", ""}}},
		{"no such row before", Row{Cells: textCells("a|b|c")}, []Correction{{2, 1, "b", "B", ""}, {1, 0, "a", "A", ""}}, "a|B|c" + was("B", "b"), []Correction{{1, 0, "a", "A", ""}}},
		{"kinds", Row{Cells: number}, []Correction{{2, 0, "1234567890123456", "1234567890123456", ""}, {2, 1, "#N/A", "Ann", ""}}, "1234567890123456|Ann|x" + was("A", "1234567890123456") + was("B", "#N/A"), nil},
		{"the shape stays", Row{Cells: textCells("a|b"), Problems: []mapping.Problem{ragged}}, []Correction{{2, 1, "b", "B", ""}}, "a|B ! ragged" + was("B", "b"), nil},
		{"the shape is right", Row{Cells: textCells("a|b|c|d"), Problems: []mapping.Problem{ragged}}, []Correction{{2, AsItStands, "a\tb\tc\td", "", ""}, {2, 1, "b", "B", ""}}, "a|B|c" + was("B", "b"), nil},
		{"the shape of another row", Row{Cells: textCells("a|x"), Problems: []mapping.Problem{ragged}}, []Correction{{2, AsItStands, "a\tb", "", ""}}, "a|x ! ragged", []Correction{{2, AsItStands, "a\tb", "", ""}}},
		{"beyond the header, gone", Row{Cells: textCells("a|b|c|d"), Problems: []mapping.Problem{beyond}}, []Correction{{2, 3, "d", " ", ""}}, "a|b|c| " + was("D", "d"), nil},
		{"beyond the header, still there", Row{Cells: textCells("a|b|c|d"), Problems: []mapping.Problem{beyond}}, []Correction{{2, 3, "d", "e", ""}}, "a|b|c|e !D beyond" + was("D", "d"), nil},
		{"left out", Row{Cells: textCells("a|b|"), Problems: []mapping.Problem{ragged}}, []Correction{{2, 1, "b", "B", ""}, {2, LeaveOut, "a\tb", "", ""}}, "out: a|B|" + leftOut, nil},
		{"another row left out", Row{Cells: textCells("a|b|c")}, []Correction{{2, LeaveOut, "a\tx\tc", "", ""}}, "a|b|c", []Correction{{2, LeaveOut, "a\tx\tc", "", ""}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.row.Number = 2
			s := NewCorrectedSource(&cellsSource{[]string{"A", "B", "C"}, []Row{tc.row}}, tc.corrections)
			if diff := cmp.Diff([]string{tc.want}, readAll(t, s)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.void, s.Void()); diff != "" {
				t.Errorf("void (-want +got):\n%s", diff)
			}
		})
	}
}

// Corrections that were made one after the other on what the page showed all apply, give
// the cells that were seen last, and each prefix of them gives what was seen then.
func TestCorrectionsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const width = 3
		text := rapid.SampledFrom([]string{"", "a", "b", "c"})
		var rows []Row
		seen := map[int][]string{}
		for number := range rapid.IntRange(1, 5).Draw(t, "rows") {
			texts := rapid.SliceOfN(text, 1, width).Draw(t, "cells")
			row := Row{Number: 2 * (number + 1)}
			for _, c := range texts {
				row.Cells = append(row.Cells, mapping.Cell{Text: c, Kind: mapping.NumberCell})
			}
			rows = append(rows, row)
			seen[row.Number] = append(texts, make([]string, width-len(texts))...)
		}
		var corrections []Correction
		for range rapid.IntRange(0, 12).Draw(t, "corrections") {
			c := Correction{Row: rapid.SampledFrom(rows).Draw(t, "row").Number, Column: rapid.IntRange(0, width-1).Draw(t, "column"), New: text.Draw(t, "new")}
			c.Old = seen[c.Row][c.Column]
			seen[c.Row][c.Column] = c.New
			corrections = append(corrections, c)
		}
		s := NewCorrectedSource(&cellsSource{make([]string, width), slices.Clone(rows)}, corrections)
		var row Row
		for s.Next(&row) == nil {
			texts := make([]string, width)
			for i, c := range row.Cells {
				texts[i] = c.Text
			}
			if diff := cmp.Diff(seen[row.Number], texts); diff != "" {
				t.Fatalf("row %d (-want +got):\n%s", row.Number, diff)
			}
			for _, p := range row.Problems {
				if row.Cells[p.Column].Kind != mapping.TextCell {
					t.Fatalf("row %d: a corrected cell is of kind %d", row.Number, row.Cells[p.Column].Kind)
				}
			}
		}
		if len(s.Void()) > 0 {
			t.Fatalf("void: %v", s.Void())
		}
	})
}

func TestPlanOfCorrectedRows(t *testing.T) {
	source := &rowsSource{names: planNames, rows: []string{"1|none at example.ca|u1|Ann|2000-01-01|", "2|b@example.ca|u2|Bo|2000-01-01|", "1|c@example.ca|u3|Cy|2000-01-01|"}}
	corrected := NewCorrectedSource(source, []Correction{{2, 1, "none at example.ca", "n@example.ca", ""}, {4, LeaveOut, "1\tc@example.ca\tu3\tCy\t2000-01-01", "", ""}})
	plan, store := makePlan(t, &Planner{Source: corrected, Mapper: mapper(t, "", planNames)})
	if diff := cmp.Diff(Counts{StatusPending: 2, StatusSkipped: 1}, plan.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	for row, want := range map[int]string{2: `email (column B): The cell was corrected on the page: it was "none at example.ca".`, 3: "", 4: "The row was left out on the page."} {
		planned := store.rows[row]
		if got := planned.Result().Warnings; got != want {
			t.Errorf("warnings of row %d: %q, want %q", row, got, want)
		}
	}
}
