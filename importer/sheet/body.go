package sheet

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// body returns the rows below a header that may be people. What is recognized as
// something else is kept for the notes: footers and totals at the end, the header again.
// The rows of a second table are returned with a problem, so that nobody in it is lost
// silently.
type body struct {
	rows    rowQueue
	header  *importer.Header
	columns columnCounts // of the first rows
	first   columnCounts // of the very first
	filled  []int        // columns that had a value in all of the first rows
	named   int          // columns that have a name
	words   bool         // most names are words
	unnamed []bool       // by column: it has no name; nil when all have one

	pending []importer.Row // may be footers: it depends on whether a person follows
	cleared int            // rows at the front of rows.ahead that are known not to be

	last          int   // number of the last row that was checked
	footers       []int // numbers of rows that were left out
	repeated      []int // numbers of rows that are the header again
	separators    []int // numbers of rows of dashes
	secondTable   int   // number of the row that begins a second table; 0 for none
	unnamedValues []int // columns without a name that have values
	lookups       int   // how often names may still be looked up
}

const (
	maxFooter  = 20  // rows; more are not a footer
	maxLookups = 200 // looking up a row's names takes as long as reading hundreds of rows
)

func newBody(queue rowQueue, header *importer.Header, below []rowShape) body {
	for i := 2; i < len(queue.ahead); i++ {
		if queue.ahead[i].Number > queue.ahead[i-1].Number+1 {
			below = below[:i] // what follows a blank row may be something else
			break
		}
	}
	b := body{rows: queue, header: header, columns: countColumns(below), first: countColumns(below[:min(1, len(below))]), last: header.Row, lookups: maxLookups}
	labels := 0
	for c, name := range header.Names {
		if classOf(mapping.Cell{Text: name}) == labelCell {
			labels++
		}
		if name != "" {
			b.named++
		} else if b.unnamed == nil {
			b.unnamed = make([]bool, len(header.Names))
		}
		if name == "" {
			b.unnamed[c] = true
		}
		if c < len(b.columns) && b.columns[c].values == len(below) {
			b.filled = append(b.filled, c)
		}
	}
	b.words = labels*2 > b.named
	return b
}

// onlyWidth returns how many cells all of the first rows have, 0 where they differ or
// cannot be told apart.
func (b *body) onlyWidth() int {
	width := 0
	for i := range b.rows.ahead {
		row := &b.rows.ahead[i]
		if len(row.Problems) > 0 || i > 0 && len(row.Cells) != width {
			return 0
		}
		width = len(row.Cells)
	}
	return width
}

// isNarrower reports whether none of the first rows is as wide as the header.
func (b *body) isNarrower() bool {
	return len(b.rows.ahead) > 0 && !slices.ContainsFunc(b.rows.ahead, func(row importer.Row) bool { return len(row.Cells) >= len(b.header.Names) })
}

// hasValuesBeyondNames reports whether most of the first rows have a value right of the
// last column with a name.
func (b *body) hasValuesBeyondNames() bool {
	last := len(b.header.Names)
	for last > 0 && b.header.Names[last-1] == "" {
		last--
	}
	beyond := 0
	for _, row := range b.rows.ahead {
		if len(row.Cells) > last && slices.ContainsFunc(row.Cells[last:], rows.HasValue) {
			beyond++
		}
	}
	return 2*beyond > len(b.rows.ahead)
}

// next returns the next row that is not blank and may be a person.
func (b *body) next(row *importer.Row) error {
	for {
		if err := b.rows.Next(row); err != nil {
			if err == io.EOF {
				b.dropPending()
			}
			return err
		}
		switch {
		case rows.IsBlank(row):
		case isSeparator(row):
			b.separators = append(b.separators, row.Number)
		case b.cleared > 0:
			b.cleared--
			return nil
		case len(b.pending) < maxFooter && b.mayBeFooter(row):
			b.pending = append(b.pending, cloneRow(row))
		case len(b.pending) == 0:
			return nil
		case b.startsTable(row, true):
			b.dropPending()
			return nil
		default:
			b.rows.ahead = slices.Concat(b.pending, []importer.Row{cloneRow(row)}, b.rows.ahead)
			b.cleared, b.pending = len(b.pending)+1, nil
		}
	}
}

// dropPending takes the pending rows for footers.
func (b *body) dropPending() {
	for _, row := range b.pending {
		b.footers = append(b.footers, row.Number)
	}
	b.pending = nil
}

// isHeaderAgain reports whether the row is the header once more, as it is printed at the
// top of every page. A header of values, which only a person can have asked for, is never
// printed again: a row with the same values is someone else.
func (b *body) isHeaderAgain(row *importer.Row) bool {
	if !b.words {
		return false
	}
	for c, name := range b.header.Names {
		if !strings.EqualFold(rows.TextAt(row, c), strings.TrimSpace(name)) {
			return false
		}
	}
	return len(row.Cells) <= len(b.header.Names) || !slices.ContainsFunc(row.Cells[len(b.header.Names):], rows.HasValue)
}

// checkTable adds a problem to the row when it belongs to a second table, and remembers
// values in columns without a name.
func (b *body) checkTable(row *importer.Row) {
	gap := row.Number > b.last+1
	b.last = row.Number
	if b.secondTable == 0 && b.startsTable(row, gap) {
		b.secondTable = row.Number
	}
	if b.secondTable > 0 {
		rows.AddProblem(row, mapping.RuleSecondTable, fmt.Sprintf("The row belongs to a second table, which begins in row %d.", b.secondTable),
			"Its columns may have another meaning: put each table into its own file or sheet.")
	}
	if b.unnamed != nil && len(row.Problems) == 0 {
		for c := range min(len(row.Cells), len(b.unnamed)) {
			if b.unnamed[c] && rows.HasValue(row.Cells[c]) {
				b.unnamed[c] = false
				b.unnamedValues = append(b.unnamedValues, c)
			}
		}
	}
}

// startsTable reports whether the row is the header of another table: all its cells are
// names, which are those of the header in other places, or known, or in columns that have
// values further up. After a blank row less is enough.
func (b *body) startsTable(row *importer.Row, gap bool) bool {
	if len(b.filled) > 0 && b.filled[0] < len(row.Cells) && classOf(row.Cells[b.filled[0]]) == valueCell {
		return false
	}
	if len(b.filled) == 0 && !gap && !b.isName(rows.TextAt(row, slices.IndexFunc(row.Cells, rows.HasValue))) {
		return false
	}
	shape := shapeOf(row)
	if shape.values > 0 || shape.filled < 2 {
		return false
	}
	same := 0
	for c := range shape.cells {
		if shape.cells[c] == labelCell && b.isName(rows.TextAt(row, c)) {
			same++
		}
	}
	unlike, _ := b.columns.contrast(shape)
	switch {
	case (same >= 3 || gap && same == 2) && same*2 >= shape.filled:
		return true
	case gap && unlike >= 2 && shape.filled >= 3, gap && unlike > 0 && b.nextIsOther():
		return true
	case b.lookups == 0 || (!gap && unlike == 0):
		return false
	}
	b.lookups--
	known := knownNames(row)
	return known*2 >= shape.filled && (known >= 3 || gap && known == 2)
}

// nextIsOther reports whether the next row has no values in most of the columns in which
// all the first rows had some.
func (b *body) nextIsOther() bool {
	next := b.rows.peek()
	if next == nil || rows.IsBlank(next) || len(b.filled) < 2 {
		return false
	}
	shape, lacking := shapeOf(next), 0
	for _, c := range b.filled {
		if shape.at(c) != valueCell {
			lacking++
		}
	}
	return lacking*2 > len(b.filled)
}

// isName reports whether a text is the name of a column.
func (b *body) isName(text string) bool {
	return text != "" && slices.ContainsFunc(b.header.Names[:min(len(b.header.Names), maxClassified)], func(name string) bool {
		return strings.EqualFold(strings.TrimSpace(name), text)
	})
}

// notes is complete once next has returned io.EOF.
func (b *body) notes() []string {
	var notes []string
	if len(b.repeated) > 0 {
		notes = append(notes, fmt.Sprintf("The header is repeated in %s, and was left out there.", rows.Numbers(b.repeated)))
	}
	if len(b.separators) > 0 {
		notes = append(notes, fmt.Sprintf("Dashes in %s were left out as a separator line.", rows.Numbers(b.separators)))
	}
	if b.secondTable > 0 {
		notes = append(notes, fmt.Sprintf("A second table begins in row %d. None of its rows is sent: put it into its own file or sheet.", b.secondTable))
	}
	if len(b.footers) > 0 {
		notes = append(notes, fmt.Sprintf("The text below the table in %s was treated as totals or notes and skipped.", rows.Numbers(b.footers)))
	}
	if len(b.unnamedValues) > 0 {
		slices.Sort(b.unnamedValues)
		notes = append(notes, rows.Columns(b.unnamedValues, "has", "have")+" values, but no name in the header. A mapping can name it by its letter, as in \"(column C)\".")
	}
	return notes
}
