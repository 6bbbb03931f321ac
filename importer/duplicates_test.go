package importer

import (
	"context"
	"io"
	"slices"
	"strconv"
	"testing"

	"opscom-import/mapping"
)

// A group may be the whole file, and every row of it names the others.
func TestOthersLooksAtFewRows(t *testing.T) {
	const size = 1_000_000
	for row, want := range map[int]string{
		2:        "rows 3, 4, 5, 6, 7 and 999994 more",
		4:        "rows 2, 3, 5, 6, 7 and 999994 more",
		size + 1: "rows 2, 3, 4, 5, 6 and 999994 more",
	} {
		looked := 0
		got := others(func(yield func(int) bool) {
			for other := 2; other < size+2 && yield(other); other++ {
				looked++
			}
		}, size, row)
		if got != want {
			t.Errorf("the others of row %d are %q, want %q", row, got, want)
		}
		if looked > 6 {
			t.Errorf("looked at %d rows to name the others of row %d", looked, row)
		}
	}
}

// amendmentLog is a store that remembers which rows were amended, in that order.
type amendmentLog struct {
	discard
	byRule map[mapping.Rule][]int
}

func (s *amendmentLog) Amend(_ context.Context, amendments []Amendment) error {
	for _, a := range amendments {
		rule := mapping.Rule("duplicate")
		if a.Problem != nil {
			rule = a.Problem.Rule
		}
		s.byRule[rule] = append(s.byRule[rule], a.Row)
	}
	return nil
}

// A store keeps neighbouring rows together: amendments in any other order cost it a
// record each.
func TestAmendmentsComeInFileOrder(t *testing.T) {
	const rows = 3000
	id := func(i int) string { return strconv.Itoa(1_000_000 + i/3*7919%(rows/3)/2) } // every one twice, anywhere
	source := &groupedRows{rows: rows, cell: func(i int) [3]string {
		switch i % 3 {
		case 0:
			return [3]string{id(i), "", ""} // duplicates
		case 1:
			return [3]string{id(i) + strconv.Itoa(i), id(i) + "@x.ca", ""}
		}
		return [3]string{"9" + id(i), "", "u" + strconv.Itoa(i)} // one person with two user names
	}}
	log := &amendmentLog{byRule: map[mapping.Rule][]int{}}
	p := &Planner{Source: source, Mapper: mapper(t, "", source.Header().Names), Store: log}
	if _, err := p.Make(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, rule := range []mapping.Rule{"duplicate", mapping.RuleDuplicateKey, mapping.RuleDuplicateEmail} {
		if len(log.byRule[rule]) < rows/10 || !slices.IsSorted(log.byRule[rule]) {
			t.Errorf("%d rows are amended for %s, in this order: %v ...", len(log.byRule[rule]), rule, log.byRule[rule][:min(20, len(log.byRule[rule]))])
		}
	}
}

// groupedRows is a source of many rows, which share e-mail addresses, user names and keys.
type groupedRows struct {
	rows int
	cell func(i int) [3]string // unique id, e-mail address and user name of row i
	next int
}

func (s *groupedRows) Header() Header {
	return Header{Row: 1, Names: []string{"unique_id", "email", "user_name"}}
}

func (s *groupedRows) Next(row *Row) error {
	if s.next == s.rows {
		return io.EOF
	}
	row.Number, row.Cells = s.next+2, row.Cells[:0]
	for _, text := range s.cell(s.next) {
		row.Cells = append(row.Cells, mapping.Cell{Text: text})
	}
	s.next++
	return nil
}

// discard is a store that keeps nothing.
type discard struct{}

func (discard) Append(context.Context, []PlannedRow) error { return nil }
func (discard) Amend(context.Context, []Amendment) error   { return nil }

// BenchmarkDuplicates plans files whose rows share something. Read ns/row: it must not
// grow with the rows.
func BenchmarkDuplicates(b *testing.B) {
	id := func(i int) string { return "9" + strconv.Itoa(10_000_000+i) }
	for _, grouping := range []struct {
		name string
		cell func(i int) [3]string
	}{
		{"none", func(i int) [3]string { return [3]string{id(i), id(i) + "@x.ca", "u" + id(i)} }},
		{"pairs", func(i int) [3]string { return [3]string{id(i), id(i/2) + "@x.ca", "u" + id(i)} }},
		{"one-email", func(i int) [3]string { return [3]string{id(i), "office@x.ca", "u" + id(i)} }},
		{"one-email-and-user-name", func(i int) [3]string { return [3]string{id(i), "office@x.ca", "guest"} }},
		{"one-person", func(i int) [3]string { return [3]string{"1", id(i) + "@x.ca", ""} }},
		{"one-row-repeated", func(int) [3]string { return [3]string{"1", "a@x.ca", "a"} }},
	} {
		for _, rows := range []int{10_000, 100_000} {
			b.Run(grouping.name+"/"+strconv.Itoa(rows), func(b *testing.B) {
				for range b.N {
					source := &groupedRows{rows: rows, cell: grouping.cell}
					p := &Planner{Source: source, Mapper: mapper(b, "", source.Header().Names), Store: discard{}}
					if plan, err := p.Make(context.Background()); err != nil || plan.Rows != rows {
						b.Fatal(plan.Rows, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
