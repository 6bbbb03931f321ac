package rows

import (
	"errors"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// The size of a worksheet, as Excel has it since 2007, and limits on what a row and a
// sheet may make of a few bytes.
const (
	MaxRows    = 1 << 20
	MaxColumns = 1 << 14
	MaxRowText = 4 << 20 // bytes

	// Each row may have freeBlanks blank cells before its values. More of them are
	// tolerated up to maxBlanks in all: a value in the last column of every row would
	// make gigabytes of a small file.
	maxBlanks  = 32 << 20
	freeBlanks = 200
)

// What can be wrong with a sheet, as the end of a sentence.
var (
	ErrRowOrder  = errors.New("its rows are out of order")
	ErrCellOrder = errors.New("its cells are out of order")
	ErrRowBeyond = errors.New("it has more rows than a sheet can have")
	ErrCellRef   = errors.New("a cell has an address that no sheet has")
	ErrNoData    = errors.New("it has no data")
	ErrRowText   = errors.New("a text, or a whole row, is longer than any person's can be")
	ErrBlanks    = errors.New("its values are in more columns than a table of people can have")
)

// Builder makes the rows of a sheet, within its limits, and collects what there is to
// note about them. A reader embeds it.
type Builder struct {
	Row    int // number of the last row
	Merged Merged

	blanks int // cells that only precede others, those left out that are free
	hidden int // rows with values that a person does not see
}

// SetNumber gives the row its number, which must be higher than that of the last one.
func (b *Builder) SetNumber(row *importer.Row, number int) error {
	if number <= b.Row {
		return ErrRowOrder
	}
	if number > MaxRows {
		return ErrRowBeyond
	}
	b.Row, row.Number = number, number
	return nil
}

// Pad appends blank cells up to the column.
func (b *Builder) Pad(row *importer.Row, column int) error {
	if b.blanks += max(0, column-len(row.Cells)); b.blanks > maxBlanks {
		return ErrBlanks
	}
	for len(row.Cells) < column {
		row.Cells = append(row.Cells, mapping.Cell{})
	}
	return nil
}

// End is called once the row has all its cells.
func (b *Builder) End(row *importer.Row, hidden bool) {
	b.blanks = max(0, b.blanks-freeBlanks)
	if hidden && !IsBlank(row) {
		b.hidden++
	}
}

// Notes says which rows are hidden and which cells are merged.
func (b *Builder) Notes() []string {
	var notes []string
	if b.hidden > 0 {
		notes = append(notes, english.Plural(b.hidden, "row that is hidden or filtered out was read too.", "rows that are hidden or filtered out were read too."))
	}
	return append(notes, b.Merged.notes()...)
}
