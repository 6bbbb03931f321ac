package text

import (
	"strings"
	"unicode/utf8"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// leastWrapped is how many cells a line in quotes has at least, in doubt: two could be a
// name, "Roy, Ann", in a row that lacks the rest.
const leastWrapped = 3

// unwrap reads the cells of a line that as a whole was put into quotes, as programs do that
// take it for a single value:
//
//	"900123403,Cy,""Low, Jr."",cy@example.ca"
//
// Where not most lines are like this, the cells must be as many as other rows have.
func (c *Reader) unwrap(row *importer.Row) {
	if !c.isWrapped(row) {
		return
	}
	c.wrappedLines++
	cells := c.cellsIn(row.Cells[0].Text)
	isName := len(cells) < leastWrapped && (!c.wrapped || beginWithSpace(cells))
	isOther := !c.wrapped && (len(cells) != c.width && len(cells) != c.UsualWidth || beginWithSpace(cells))
	if isName || isOther || len(cells) < 2 {
		return
	}
	row.Cells = cells
	if c.unwrapped++; c.firstWrapped == 0 {
		c.firstWrapped = c.row
	}
}

// isWrapped reports whether the only value of the row is in quotes and holds delimiters.
func (c *Reader) isWrapped(row *importer.Row) bool {
	if !c.fields[0].quoted || len(row.Problems) > 0 || strings.IndexByte(row.Cells[0].Text, c.delimiter) < 0 {
		return false
	}
	for _, cell := range row.Cells[1:] {
		if rows.HasValue(cell) {
			return false
		}
	}
	return true
}

// cellsIn reads a text that is one record; nil when it is not.
func (c *Reader) cellsIn(text string) []mapping.Cell {
	inner := &Reader{r: strings.NewReader(text), buf: make([]byte, len(text)+utf8.UTFMax), dialect: c.dialect}
	inner.wrapped, inner.comments, inner.skip = false, false, 0
	var row, second importer.Row
	if inner.Next(&row) != nil || len(row.Problems) > 0 || inner.Next(&second) == nil {
		return nil
	}
	return row.Cells
}

func beginWithSpace(cells []mapping.Cell) bool {
	for _, cell := range cells {
		if strings.HasPrefix(cell.Text, " ") {
			return true
		}
	}
	return false
}
