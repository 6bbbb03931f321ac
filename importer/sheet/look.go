package sheet

import (
	"strings"
	"unicode"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
)

// look says what a cell looks like, as far as it tells the names of columns from
// what stands below them.
type look uint8

const (
	blankLook look = iota
	labelLook      // words, as a column's name or a person's
	valueLook      // a number, a date, an e-mail address, an id: never the name of a column by itself
)

// mostLabel is how many characters a column's name may have.
const mostLabel = 250

// lookOf looks at a cell.
func lookOf(c mapping.Cell) look {
	switch c.Kind {
	case mapping.NoValueCell, mapping.NumberCell, mapping.DateCell, mapping.BoolCell, mapping.ErrorCell:
		return valueLook
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
		if letters+digits+others > mostLabel {
			return valueLook
		}
	}
	switch {
	case letters+digits+others == 0:
		return blankLook
	case at && letters > 0 && spaces == 0 && others > 1, strings.Contains(c.Text, "://"):
		return valueLook
	case digits > letters, digits >= 3 && digits >= letters:
		return valueLook
	}
	return labelLook
}

// lookedAt is how many columns of a row are looked at.
const lookedAt = 512

// rowLook is what a row looks like.
type rowLook struct {
	cells  []look
	filled int // cells that are not blank
	values int
}

func lookAt(row *importer.Row) rowLook {
	l := rowLook{cells: make([]look, min(len(row.Cells), lookedAt))}
	for i := range l.cells {
		l.cells[i] = lookOf(row.Cells[i])
		switch l.cells[i] {
		case valueLook:
			l.values++
			l.filled++
		case labelLook:
			l.filled++
		}
	}
	return l
}

// at returns the look of a column.
func (l rowLook) at(column int) look {
	if column < len(l.cells) {
		return l.cells[column]
	}
	return blankLook
}

// columnLooks counts, by column, what some rows hold.
type columnLooks []struct{ filled, values int }

func lookDown(rows []rowLook) columnLooks {
	var columns columnLooks
	for _, row := range rows {
		for len(columns) < len(row.cells) {
			columns = append(columns, struct{ filled, values int }{})
		}
		for i, cell := range row.cells {
			if cell != blankLook {
				columns[i].filled++
			}
			if cell == valueLook {
				columns[i].values++
			}
		}
	}
	return columns
}

// holdValues reports whether most cells of a column hold values.
func (c columnLooks) holdValues(column int) bool {
	return column < len(c) && c[column].values*2 > c[column].filled
}

// haveValues reports whether any column holds values.
func (c columnLooks) haveValues() bool {
	for i := range c {
		if c.holdValues(i) {
			return true
		}
	}
	return false
}

// contrast compares a row with the columns below it: in how many it has a label
// above values, as a header has, and in how many a value above values, as one
// more row of the table has.
func (c columnLooks) contrast(row rowLook) (unlike, alike int) {
	for i, cell := range row.cells {
		switch {
		case !c.holdValues(i):
		case cell == labelLook:
			unlike++
		case cell == valueLook:
			alike++
		}
	}
	return unlike, alike
}

// knownNames returns how many of the row's texts mean an attribute of a profile.
func knownNames(row *importer.Row) int {
	names := make([]string, min(len(row.Cells), lookedAt))
	for i := range names {
		if lookOf(row.Cells[i]) == labelLook {
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
