package sheet

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"opscom-import/importer/sheet/internal/rows"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// body gives the rows below a header that may be people. What is recognised as
// something else is kept for the notes: footers and totals at the end, the header
// printed again. A second table is given too, but at fault, so that nobody in it
// is lost without a word.
type body struct {
	rows    rowQueue
	header  *importer.Header
	columns columnLooks // of the first rows
	always  []int       // columns that had a value in all of the first rows
	guard   int         // the first of them; -1 for none
	named   int         // columns that have a name
	words   bool        // most names are words
	unnamed []bool      // by column: it has no name; nil when all have one

	held []importer.Row // may be footers: it depends on whether a person follows
	free int            // rows at the front of rows.ahead that are known not to be

	last     int   // number of the last row that was judged
	footers  []int // numbers of rows that were left out
	repeated []int
	ruled    []int // numbers of rows that are mere lines
	second   int   // number of the row that begins a second table; 0 for none
	spilled  []int // columns without a name that hold values
	lookups  int   // how often names may still be looked up
}

const (
	mostHeld    = 20  // more rows than this are not a footer
	mostLookups = 200 // looking up a row's names takes as long as reading hundreds of rows
)

func newBody(rows rowQueue, header *importer.Header, below []rowLook) body {
	for i := 2; i < len(rows.ahead); i++ {
		if rows.ahead[i].Number > rows.ahead[i-1].Number+1 {
			below = below[:i] // what comes after a blank row may be something else
			break
		}
	}
	b := body{rows: rows, header: header, columns: lookDown(below), guard: -1, last: header.Row, lookups: mostLookups}
	labels := 0
	for c, name := range header.Names {
		if lookOf(mapping.Cell{Text: name}) == labelLook {
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
			b.always = append(b.always, c)
		}
	}
	if len(b.always) > 0 {
		b.guard = b.always[0]
	}
	b.words = labels*2 > b.named
	return b
}

// next returns the next row that is not blank and may be a person.
func (b *body) next(row *importer.Row) error {
	for {
		if err := b.rows.Next(row); err != nil {
			if err == io.EOF {
				b.leaveOut()
			}
			return err
		}
		if rows.IsBlank(row) {
			continue
		}
		if isRuled(row) {
			b.ruled = append(b.ruled, row.Number)
			continue
		}
		if b.free > 0 {
			b.free--
			return nil
		}
		if len(b.held) < mostHeld && b.mayBeFooter(row) {
			b.held = append(b.held, cloneRow(row))
			continue
		}
		if len(b.held) == 0 {
			return nil
		}
		if b.startsTable(row, true) {
			b.leaveOut()
			return nil
		}
		b.rows.ahead = slices.Concat(b.held, []importer.Row{cloneRow(row)}, b.rows.ahead)
		b.free, b.held = len(b.held)+1, nil
	}
}

// leaveOut takes the rows that are held for footers.
func (b *body) leaveOut() {
	for _, row := range b.held {
		b.footers = append(b.footers, row.Number)
	}
	b.held = nil
}

// isHeaderAgain reports whether the row is the header once more, as it is printed
// at the top of every page. A header of values, which only a person can have asked
// for, is never printed again: who has its values is someone else.
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

// judgeTable gives the row a problem when it belongs to a second table, and
// notices values in columns without a name.
func (b *body) judgeTable(row *importer.Row) {
	gap := row.Number > b.last+1
	b.last = row.Number
	if b.second == 0 && b.startsTable(row, gap) {
		b.second = row.Number
	}
	if b.second > 0 {
		row.Problems = append(row.Problems, mapping.Problem{
			Rule: mapping.RuleSecondTable, Column: mapping.NoColumn,
			Message: fmt.Sprintf("The row belongs to a second table, which begins in row %d. Its columns may mean something else: put each table into a file, or a sheet, of its own.", b.second),
		})
	}
	if b.unnamed != nil && len(row.Problems) == 0 {
		for c := range min(len(row.Cells), len(b.unnamed)) {
			if b.unnamed[c] && rows.HasValue(row.Cells[c]) {
				b.unnamed[c] = false
				b.spilled = append(b.spilled, c)
			}
		}
	}
}

// startsTable reports whether the row is the header of another table: all of it
// are names, and they are those of the header in other places, or known, or stand
// in columns that hold values further up. After a blank row less will do.
func (b *body) startsTable(row *importer.Row, gap bool) bool {
	if b.guard >= 0 && b.guard < len(row.Cells) && lookOf(row.Cells[b.guard]) == valueLook {
		return false
	}
	if b.guard < 0 && !gap && !b.isName(b.firstText(row)) {
		return false
	}
	l := lookAt(row)
	if l.values > 0 || l.filled < 2 {
		return false
	}
	same := 0
	for c := range l.cells {
		if l.cells[c] == labelLook && b.isName(rows.TextAt(row, c)) {
			same++
		}
	}
	unlike, _ := b.columns.contrast(l)
	switch {
	case (same >= 3 || gap && same == 2) && same*2 >= l.filled:
		return true
	case gap && unlike >= 2 && l.filled >= 3, gap && unlike > 0 && b.nextIsOther():
		return true
	case b.lookups == 0 || (!gap && unlike == 0):
		return false
	}
	b.lookups--
	known := knownNames(row)
	return known*2 >= l.filled && (known >= 3 || gap && known == 2)
}

// nextIsOther reports whether the next row has no values in most of the columns in
// which all the first rows had some.
func (b *body) nextIsOther() bool {
	next := b.rows.peek()
	if next == nil || rows.IsBlank(next) || len(b.always) < 2 {
		return false
	}
	l, lacking := lookAt(next), 0
	for _, c := range b.always {
		if l.at(c) != valueLook {
			lacking++
		}
	}
	return lacking*2 > len(b.always)
}

// isName reports whether a text is the name of a column.
func (b *body) isName(text string) bool {
	return text != "" && slices.ContainsFunc(b.header.Names[:min(len(b.header.Names), lookedAt)], func(name string) bool {
		return strings.EqualFold(strings.TrimSpace(name), text)
	})
}

// firstText returns the first text of the row that is not blank.
func (b *body) firstText(row *importer.Row) string {
	return rows.TextAt(row, slices.IndexFunc(row.Cells, rows.HasValue))
}

// notes is complete once next has returned io.EOF.
func (b *body) notes() []string {
	var notes []string
	if len(b.repeated) > 0 {
		notes = append(notes, fmt.Sprintf("The header is repeated in %s, and was left out there.", rows.Numbers(b.repeated)))
	}
	if len(b.ruled) > 0 {
		notes = append(notes, fmt.Sprintf("A line is drawn in %s, which is not a row.", rows.Numbers(b.ruled)))
	}
	if b.second > 0 {
		notes = append(notes, fmt.Sprintf("A second table begins in row %d. None of its rows is sent: put it into a file, or a sheet, of its own.", b.second))
	}
	if len(b.footers) > 0 {
		notes = append(notes, fmt.Sprintf("What stands below the table in %s was taken for totals or notes, and left out.", rows.Numbers(b.footers)))
	}
	if len(b.spilled) > 0 {
		slices.Sort(b.spilled)
		notes = append(notes, fmt.Sprintf("%s values, but no name in the header. A mapping finds columns by name, so give it one if it is needed.", rows.Columns(b.spilled, "holds", "hold")))
	}
	return notes
}
