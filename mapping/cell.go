package mapping

import (
	"strings"

	"opscom-import/mapping/internal/chars"
)

// CellKind says what a cell holds.
type CellKind uint8

// The kinds of cells. A blank cell is a TextCell with no text.
const (
	TextCell    CellKind = iota
	NumberCell           // Text is the whole number, with the leading zeros that its format shows; never 1.2E+08
	DateCell             // Text is 2006-01-02, or 2006-01-02T15:04:05 where there is a time of day
	BoolCell             // Text is TRUE or FALSE
	ErrorCell            // Text is the error that the spreadsheet shows, such as #N/A
	NoValueCell          // a formula that was saved without its result; Text is empty
	UnclearCell          // a number whose format shows more than the number, not known what; Text is the number
)

// Cell is one cell of a row: the text that a person sees where that is what was
// meant, and the real value where it is not (dates, long numbers). Text is valid
// UTF-8, with all its spaces.
type Cell struct {
	Text string
	Kind CellKind
}

// ColumnLetter returns the spreadsheet's name for the column at index: A for 0,
// Z for 25, AA for 26; "" for NoColumn.
func ColumnLetter(index int) string {
	letters := ""
	for n := index + 1; n > 0; n = (n - 1) / 26 {
		letters = string(rune('A'+(n-1)%26)) + letters
	}
	return letters
}

// isBroken reports whether the cell has no value.
func (c Cell) isBroken() bool { return c.Kind == ErrorCell || c.Kind == NoValueCell }

// cellAt returns the cell of a column, a blank one where the row has none. An
// error that was saved as text, as in a CSV file, is an error too.
func cellAt(cells []Cell, column int) Cell {
	if column < 0 || column >= len(cells) {
		return Cell{}
	}
	cell := cells[column]
	if cell.Text != "" && mayBeError(cell.Text) && isErrorText(chars.Trim(cell.Text)) {
		cell.Kind = ErrorCell
	}
	return cell
}

// TextFormula returns the text of a formula that is only a text, ="0123".
func TextFormula(text string) (inner string, ok bool) {
	inner, ok = strings.CutPrefix(text, `="`)
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, `"`)
	return inner, ok && !strings.Contains(inner, `"`)
}

// firstBroken returns the first of the columns whose cell an expression cannot read,
// or NoColumn.
func firstBroken(cells []Cell, columns []int) int {
	for _, column := range columns {
		if cell := cellAt(cells, column); cell.isBroken() || cell.Kind == UnclearCell {
			return column
		}
	}
	return NoColumn
}

const unclearAdvice = "Write what the cell shows, in a cell that is formatted as Text."

// brokenCell says what is wrong with a cell that has no value; purpose is what
// needs it.
func brokenCell(purpose string, cell Cell) *Problem {
	switch cell.Kind {
	case UnclearCell:
		return refuse(RuleDamagedNumber, "The cell for "+purpose+" shows more than its number "+chars.Quote(cell.Text)+", in a way that is not known here.", unclearAdvice)
	case NoValueCell:
		return refuse(RuleNoCachedValue, "The cell for "+purpose+" holds a formula that was saved without its result.", "Open the file in a spreadsheet program, let it calculate, and save it again.")
	}
	return refuse(RuleCellError, "The cell for "+purpose+" shows the error "+chars.Quote(cell.Text)+".", "Fix its formula, or replace it with the value.")
}
