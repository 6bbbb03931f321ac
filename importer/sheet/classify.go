package sheet

import (
	"slices"
	"strings"
	"unicode"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
)

// cellClass is what a cell looks like, as far as that tells the names of columns from the
// cells below them.
type cellClass uint8

const (
	blankCell cellClass = iota
	labelCell           // words, as a column's name or a person's
	valueCell           // a number, a date, an e-mail address, an id: never the name of a column by itself
)

// maxLabel is how many characters the name of a column may have.
const maxLabel = 250

// classOf classifies a cell.
func classOf(c mapping.Cell) cellClass {
	switch c.Kind {
	case mapping.NoValueCell, mapping.NumberCell, mapping.UnclearCell, mapping.DateCell, mapping.BoolCell, mapping.ErrorCell:
		return valueCell
	}
	if isDigits(c.Text) { // as ids are
		return valueCell
	}
	letters, digits, others, spaces := 0, 0, 0, 0
	at := false
	for _, r := range c.Text {
		switch {
		case unicode.IsSpace(r):
			spaces++
			continue
		case '0' <= r && r <= '9':
			digits++
		case unicode.IsLetter(r):
			letters++
		default:
			others++
			at = at || r == '@'
		}
		if letters+digits+others > maxLabel {
			return valueCell
		}
	}
	switch {
	case letters+digits+others == 0:
		return blankCell
	case at && letters > 0 && spaces == 0 && others > 1, strings.Contains(c.Text, "://"):
		return valueCell
	case digits > letters, digits >= 3 && digits >= letters:
		return valueCell
	}
	return labelCell
}

// isDigits reports whether a text is nothing but the digits 0 to 9.
func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// maxClassified is how many columns of a row are classified.
const maxClassified = 512

// rowShape is what a row looks like.
type rowShape struct {
	cells  []cellClass
	filled int // cells that are not blank
	values int
}

func shapeOf(row *importer.Row) rowShape {
	l := rowShape{cells: make([]cellClass, min(len(row.Cells), maxClassified))}
	for i := range l.cells {
		l.cells[i] = classOf(row.Cells[i])
		switch l.cells[i] {
		case valueCell:
			l.values++
			l.filled++
		case labelCell:
			l.filled++
		}
	}
	return l
}

// at returns the class of the cell in a column.
func (s rowShape) at(column int) cellClass {
	if column < len(s.cells) {
		return s.cells[column]
	}
	return blankCell
}

// columnCounts counts, by column, the cells of some rows.
type columnCounts []cellCounts

type cellCounts struct{ filled, values int }

func countColumns(rows []rowShape) columnCounts {
	var columns columnCounts
	for _, row := range rows {
		columns = append(columns, make(columnCounts, max(0, len(row.cells)-len(columns)))...)
		for i, cell := range row.cells {
			if cell != blankCell {
				columns[i].filled++
			}
			if cell == valueCell {
				columns[i].values++
			}
		}
	}
	return columns
}

// areValues reports whether most cells of a column are values.
func (c columnCounts) areValues(column int) bool {
	return column < len(c) && c[column].values*2 > c[column].filled
}

// haveValues reports whether most cells of any column are values.
func (c columnCounts) haveValues() bool {
	return slices.ContainsFunc(c, func(n cellCounts) bool { return n.values*2 > n.filled })
}

// contrast compares a row with the columns below it. It returns in how many of them the row
// has a label above values, as a header has, and in how many a value above values, as one
// more row of the table has.
func (c columnCounts) contrast(row rowShape) (unlike, alike int) {
	for i, cell := range row.cells {
		switch {
		case !c.areValues(i):
		case cell == labelCell:
			unlike++
		case cell == valueCell:
			alike++
		}
	}
	return unlike, alike
}

// knownNames returns how many of the row's texts are known names of an attribute.
func knownNames(row *importer.Row) int {
	names := make([]string, min(len(row.Cells), maxClassified))
	for i := range names {
		if classOf(row.Cells[i]) == labelCell {
			names[i] = row.Cells[i].Text
		}
	}
	known, last := 0, -1
	for _, s := range suggest.Columns(names, nil) {
		if s.Attribute != mapping.NoAttribute && s.Column != last {
			known++
			last = s.Column
		}
	}
	return known
}
