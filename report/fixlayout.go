package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"opscom-import/mapping"
)

const (
	// AdviceHeader is the header of the column that says in words what is wrong. No
	// mapping uses it, so the workbook can be pushed with the column in it.
	AdviceHeader = "What to do (opscom-import)"

	// moved is the advice for a row whose values may be in the wrong columns.
	moved = "The row's values are to the right of this text. Move each into its column."

	// tooLongForCell is the message for a value that is not in the workbook.
	tooLongForCell = "The value is too long for a cell of a workbook and was left out. Copy it from the file."
)

// fixLayout is the layout of the workbook.
type fixLayout struct {
	FixSheet
	advice  int  // column of the advice
	isAgain bool // the file is itself such a workbook
}

// newFixLayout puts the advice right of the header, or where it is already when
// the file is itself such a workbook.
func newFixLayout(sheet FixSheet) fixLayout {
	sheet.HeaderRow = max(sheet.HeaderRow, 1)
	if advice := slices.Index(sheet.Header, AdviceHeader); advice >= 0 {
		return fixLayout{FixSheet: sheet, advice: advice, isAgain: true}
	}
	advice := len(sheet.Header)
	sheet.Header = append(slices.Clone(sheet.Header), AdviceHeader)
	return fixLayout{FixSheet: sheet, advice: advice}
}

// FixCells returns the texts that WriteFix puts into the columns of the header for a row,
// and whether it moves the row's values to the right of the advice instead.
func FixCells(sheet FixSheet, row FixRow) (texts []string, moved bool) {
	layout := newFixLayout(sheet)
	texts = make([]string, len(layout.Header))
	for column, cell := range layout.lay(&row)[:len(texts)] {
		texts[column] = cell.text
	}
	return texts, layout.shift(&row) > 0
}

// AdvisedRow returns the number of the file's row that a text of the column AdviceHeader is
// about, and false for a text of somebody else.
func AdvisedRow(advice string) (number int, ok bool) {
	digits, _, found := strings.Cut(strings.TrimPrefix(strings.TrimSpace(advice), "Row "), ":")
	number, err := strconv.Atoi(digits)
	return number, found && err == nil && number > 0
}

// shift returns by how many columns the row's cells are moved to the right: beyond
// the header when they may be in the wrong columns. There they cannot be sent; in
// place, they could pass every rule and be sent unseen. Cells that an earlier
// workbook has moved are not moved again.
func (l *fixLayout) shift(row *FixRow) int {
	isBeyond := len(row.Cells) > l.advice && slices.ContainsFunc(row.Cells[l.advice:], func(text string) bool { return strings.TrimSpace(text) != "" })
	if !l.isAgain && (isBeyond || mayHaveMoved(row.Problems)) {
		return len(l.Header)
	}
	return 0
}

// fixCell is one cell of the workbook.
type fixCell struct {
	text  string
	look  look
	notes []string
}

// look is how a cell looks.
type look uint8

// The looks, the more urgent the higher.
const (
	plainLook  look = iota
	doubtLook       // there is a warning
	faultyLook      // there is an error
	adviceLook      // says what to do
	headerLook
)

// lay returns the cells of a row.
func (l *fixLayout) lay(row *FixRow) []fixCell {
	shift := l.shift(row)
	cells := make([]fixCell, min(max(len(l.Header), shift+len(row.Cells)), excelize.MaxColumns))
	problems := slices.Clip(row.Problems)
	for column, text := range row.Cells[:min(len(row.Cells), len(cells)-shift)] {
		if !fitsCell(text) {
			problems = append(problems, mapping.Problem{Column: column, Message: tooLongForCell})
			text = ""
		}
		cells[shift+column].text = text
		if shift > 0 && text != "" {
			cells[shift+column].look = faultyLook
		}
	}
	var advice []string
	for _, p := range problems {
		at := shift + p.Column
		if p.Column < 0 || at >= len(cells) {
			advice = append(advice, p.Text())
			continue
		}
		cells[at].mark(p)
		advice = append(advice, l.name(at)+": "+p.Text())
	}
	if row.Note != "" {
		advice = append(advice, row.Note)
	}
	if shift > 0 {
		advice = append(advice, moved)
	}
	cells[l.advice] = fixCell{text: cutToCell(fmt.Sprintf("Row %d: %s", row.Row, strings.Join(advice, "\n"))), look: adviceLook}
	return cells
}

// name returns the name of a column of the workbook for a person.
func (l *fixLayout) name(column int) string {
	letter := "column " + mapping.ColumnLetter(column)
	if column < len(l.Header) && strings.TrimSpace(l.Header[column]) != "" {
		return l.Header[column] + " (" + letter + ")"
	}
	return letter
}

// mark colours the cell for the problem, and adds a note. Some values are removed,
// because they would pass as text: an error such as #N/A, and an id that lost its
// zeros, which only the other rows of its column show.
func (c *fixCell) mark(p mapping.Problem) {
	seen := faultyLook
	if p.Severity == mapping.SeverityWarning {
		seen = doubtLook
	}
	c.look = max(c.look, seen)
	c.notes = append(c.notes, p.Text())
	switch p.Rule {
	case mapping.RuleCellError, mapping.RuleLostZeros, mapping.RuleDamagedNumber:
		if p.Severity == mapping.SeverityError {
			c.text = ""
		}
	}
}

// mayHaveMoved reports whether the row's values may be in the wrong columns. Then
// even values that pass every rule may be wrong.
func mayHaveMoved(problems []mapping.Problem) bool {
	return slices.ContainsFunc(problems, func(p mapping.Problem) bool {
		return p.IsOfShape()
	})
}

// fitsCell reports whether a cell of a workbook can hold the text: Excel counts
// units of UTF-16.
func fitsCell(text string) bool {
	return len(text) <= excelize.TotalCellChars || len(utf16.Encode([]rune(text))) <= excelize.TotalCellChars
}

// cutToCell shortens a text that is not sent to what a cell can hold.
func cutToCell(text string) string {
	if fitsCell(text) {
		return text
	}
	return string([]rune(text)[:excelize.TotalCellChars/2-1]) + "…"
}
