package rows

import (
	"fmt"

	"github.com/dustin/go-humanize/english"

	"opscom-import/mapping"
)

// Range is a range of merged cells: the first of them holds the value of all. Rows are
// those that the spreadsheet shows; columns begin with 0.
type Range struct{ FirstRow, LastRow, FirstColumn, LastColumn int }

// Merged is the merged cells of a sheet.
type Merged struct {
	count    int
	examples []string // the first ranges of several rows
	first    []Range
}

// Add adds a range.
func (m *Merged) Add(r Range) {
	m.count++
	if r.LastRow > r.FirstRow && len(m.examples) < 5 {
		m.examples = append(m.examples, fmt.Sprintf("%d to %d in column %s", r.FirstRow, r.LastRow, mapping.ColumnLetter(r.FirstColumn)))
	}
	if len(m.first) < MaxColumns {
		m.first = append(m.first, r)
	}
}

// Between returns the ranges in the rows from first to last, which are among the first
// ones of the sheet.
func (m *Merged) Between(first, last int) ([]Range, error) {
	var found []Range
	for _, r := range m.first {
		if r.LastRow >= first && r.FirstRow <= last {
			found = append(found, r)
		}
	}
	return found, nil
}

func (m *Merged) notes() []string {
	if m.count == 0 {
		return nil
	}
	note := "The sheet has merged cells (" + english.Plural(m.count, "range", "") + "). A value counts only for the first cell of its range: check the rows that share one"
	if len(m.examples) > 0 {
		note += ", such as " + english.WordSeries(m.examples, "and")
	}
	return []string{note + "."}
}
