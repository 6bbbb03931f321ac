package sheet

import "opscom-import/importer"

// Excel saves a sheet as CSV in blocks of 16 rows. Where the last cells of all rows of a
// block are blank, it leaves them out, so that the rows of a block are alike.
const (
	excelBlock = 16 // rows
	leastBlock = 4  // at the end of the file, where a block has fewer
)

// shortBlock is the block of short rows that is being read.
type shortBlock struct {
	end   int  // number of its last row
	width int  // of its rows
	never bool // other rows lack cells as well, which is not Excel's doing
}

// endsInBlanks reports whether the row, which has fewer cells than the header, belongs to
// a block that Excel made short, and looks like the other rows as far as it goes.
func (t *Table) endsInBlanks(row *importer.Row) bool {
	if row.Number > t.short.end && !t.short.never {
		t.short.never = !t.beginsBlock(row)
	}
	return !t.short.never && len(row.Cells) == t.short.width
}

func (t *Table) beginsBlock(row *importer.Row) bool {
	if row.Number%excelBlock != 1 {
		return false
	}
	end := row.Number + excelBlock - 1
	others := t.body.rows.upcoming(excelBlock - 1)
	if len(others) < leastBlock-1 {
		return false
	}
	for i := range others {
		other := &others[i]
		if other.Number > end {
			break
		}
		if len(other.Cells) != len(row.Cells) || len(other.Problems) > 0 {
			return false
		}
	}
	if unlike, _ := t.body.first.contrast(shapeOf(row)); unlike > 0 {
		return false
	}
	t.short = shortBlock{end: end, width: len(row.Cells)}
	return true
}
