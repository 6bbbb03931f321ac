package rows

import (
	"fmt"

	"opscom-import/mapping"
)

// cellRange is a range of merged cells: the first of them holds the value of all.
type Range struct{ FirstRow, LastRow, FirstColumn, LastColumn int } // rows as the spreadsheet shows them, columns from 0

// groupReader returns the merged cells of the rows from first to last; nil stands
// for a file that has none.
type GroupReader func(first, last int) ([]Range, error)

// merger is a rowSource that knows which cells are merged.
type Merger interface {
	Merges(first, last int) ([]Range, error) // those in the rows from first to last
}

func MergedCells(rows Source) GroupReader {
	if m, ok := rows.(Merger); ok {
		return m.Merges
	}
	return nil
}

// sharedShown is how many ranges over several rows a note names.
const SharedShown = 5

// mergedNote says that there are merged cells; shared are those that go over several
// rows.
func MergedNote(ranges int, shared []Range) string {
	note := "The sheet has merged cells (" + Count(ranges, "range", "ranges") + "). A value counts for the first cell of a range only: check the rows that share one"
	for i, m := range shared[:min(len(shared), SharedShown)] {
		note += [...]string{", such as ", ", "}[min(i, 1)] + fmt.Sprintf("%d to %d in column %s", m.FirstRow, m.LastRow, mapping.ColumnLetter(m.FirstColumn))
	}
	return note + "."
}
