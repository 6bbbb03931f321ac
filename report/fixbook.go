package report

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"opscom-import/mapping"
)

const (
	programName = "opscom-import"

	// fixApplication is the application that excelize names in a workbook. Every other
	// program that saves the workbook puts its own name there.
	fixApplication = "Go Excelize"

	plainSheet   = "Rows to fix"           // for a file without sheets
	choicesSheet = "opscom-import choices" // hidden; holds the lists of the drop-downs

	// widthRows is the number of rows by which the columns' widths are judged.
	widthRows = 200

	adviceWidth = 80 // of the advice's column, in characters

	// styledColumns is the number of columns that get their own width and are text
	// where they are blank: each one makes every cell slower in excelize.
	styledColumns = 256

	// maxNotes is the number of cells that get a note. excelize searches all notes for
	// each new one, and nobody reads more; the advice is in every row. 5,000 took a third
	// of the time of a workbook of 10,000 rows.
	maxNotes = 2000
)

// fixBook writes the workbook row by row. It keeps only the first rows in memory.
type fixBook struct {
	layout fixLayout
	file   *excelize.File
	stream *excelize.StreamWriter
	sheet  string
	styles [headerLook + 1]int
	first  [][]fixCell // rows that wait until the columns' widths are known
	row    int         // number of the last row written
	notes  int
	values []any // memory of a row
}

func newFixBook(layout fixLayout) (_ *fixBook, err error) {
	b := &fixBook{layout: layout, file: excelize.NewFile(), sheet: plainSheet}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("prepare the workbook: %w", err), b.close())
		}
	}()
	if err := b.file.SetSheetName(b.file.GetSheetName(0), plainSheet); err != nil {
		return nil, err
	}
	// A name that Excel does not allow, as other programs may give, is left alone.
	if name := layout.Sheet; !strings.EqualFold(name, choicesSheet) && b.file.SetSheetName(plainSheet, name) == nil {
		b.sheet = name
	}
	if err := b.file.SetDocProps(&excelize.DocProperties{Creator: programName, LastModifiedBy: programName}); err != nil {
		return nil, err
	}
	if err := b.makeStyles(); err != nil {
		return nil, err
	}
	if layout.isPart() {
		if err := b.openNotice(); err != nil {
			return nil, err
		}
	}
	b.stream, err = b.file.NewStreamWriter(b.sheet)
	return b, err
}

// makeStyles makes the styles of the cells, all of them text.
func (b *fixBook) makeStyles() error {
	const fontSize = 11
	font, err := b.file.GetDefaultFont()
	if err != nil {
		return err
	}
	fill := func(colour string) excelize.Fill {
		return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
	}
	top := &excelize.Alignment{Vertical: "top"}
	for l, style := range [...]excelize.Style{
		plainLook:  {Alignment: top},
		doubtLook:  {Alignment: top, Fill: fill("FFF0C2")},
		faultyLook: {Alignment: top, Fill: fill("FFD2CC")},
		adviceLook: {Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}, Font: &excelize.Font{Family: font, Size: fontSize, Color: "5B3A00"}},
		headerLook: *headerStyle(font),
	} {
		style.NumFmt = textFormat
		if b.styles[l], err = b.file.NewStyle(&style); err != nil {
			return err
		}
	}
	return nil
}

// add writes a row, or keeps it while the columns' widths are not known.
func (b *fixBook) add(cells []fixCell) error {
	if b.row == 0 && len(b.first) < widthRows {
		b.first = append(b.first, cells)
		return nil
	}
	if err := b.begin(); err != nil {
		return err
	}
	return b.write(cells)
}

// begin writes the header, and the rows that waited for it.
func (b *fixBook) begin() error {
	if b.row > 0 {
		return nil
	}
	if err := b.setColumns(); err != nil {
		return err
	}
	below := b.layout.HeaderRow
	if err := b.stream.SetPanes(&excelize.Panes{
		Freeze: true, YSplit: below, TopLeftCell: fmt.Sprintf("A%d", below+1), ActivePane: "bottomLeft",
	}); err != nil {
		return err
	}
	for b.row = 1; b.row < below; b.row++ { // blank, where the file has a title
		if err := b.stream.SetRow(fmt.Sprintf("A%d", b.row), nil, excelize.RowOpts{Hidden: true}); err != nil {
			return err
		}
	}
	names := make([]any, len(b.layout.Header))
	for i, name := range b.layout.Header {
		names[i] = excelize.Cell{StyleID: b.styles[headerLook], Value: cutToCell(name)}
	}
	if err := b.stream.SetRow(fmt.Sprintf("A%d", b.row), names); err != nil {
		return err
	}
	for _, cells := range b.first {
		if err := b.write(cells); err != nil {
			return err
		}
	}
	b.first = nil
	return nil
}

// setColumns makes the columns text, each wide enough for its header and its first
// values.
func (b *fixBook) setColumns() error {
	styled := min(len(b.layout.Header), styledColumns)
	if err := b.stream.SetColStyle(1, styled, b.styles[plainLook]); err != nil {
		return err
	}
	for column := range styled {
		if err := b.stream.SetColWidth(column+1, column+1, b.width(column)); err != nil {
			return err
		}
	}
	return b.stream.SetColWidth(b.layout.advice+1, b.layout.advice+1, adviceWidth)
}

// width returns the width of a column in characters.
func (b *fixBook) width(column int) float64 {
	const narrow, wide, filterButton = 9, 40, 4
	width := min(utf8.RuneCountInString(b.layout.Header[column])+filterButton, wide/2)
	for _, cells := range b.first {
		width = max(width, utf8.RuneCountInString(cells[column].text)+2)
	}
	return float64(min(max(width, narrow), wide))
}

// write writes one row below the last one. Notes have to be added before the
// stream is flushed: later they would be lost without an error.
func (b *fixBook) write(cells []fixCell) error {
	b.row++
	b.values = b.values[:0]
	for column, cell := range cells {
		if cell.text == "" && cell.look == plainLook {
			b.values = append(b.values, nil)
			continue
		}
		value := excelize.Cell{StyleID: b.styles[cell.look]}
		if cell.text != "" {
			value.Value = cell.text
		}
		b.values = append(b.values, value)
		if err := b.note(column, cell.notes); err != nil {
			return err
		}
	}
	height := rowHeight(cells[b.layout.advice].text)
	return b.stream.SetRow(fmt.Sprintf("A%d", b.row), b.values, excelize.RowOpts{Height: height})
}

// rowHeight returns the height in points that the advice needs: not every program
// computes it when it opens the workbook.
func rowHeight(advice string) float64 {
	const lineHeight, lineChars = 15, adviceWidth - 4
	lines := 0
	for line := range strings.Lines(advice) {
		lines += 1 + utf8.RuneCountInString(line)/lineChars
	}
	return min(float64(lines*lineHeight), excelize.MaxRowHeight)
}

// note puts the messages as a note on the cell of the last row.
func (b *fixBook) note(column int, messages []string) error {
	if len(messages) == 0 || b.notes == maxNotes {
		return nil
	}
	b.notes++
	const width, lineHeight, lineChars = 320, 18, 46 // pixels, pixels, and what fits into a line
	text := cutToCell(strings.Join(messages, "\n"))
	lines := 1 + len(messages) + utf8.RuneCountInString(text)/lineChars
	return b.file.AddComment(b.sheet, excelize.Comment{
		Author: programName, Cell: b.cellName(column), Width: width, Height: uint(min(lines, 20) * lineHeight),
		Paragraph: []excelize.RichTextRun{{Text: text}},
	})
}

func (b *fixBook) cellName(column int) string {
	return fmt.Sprintf("%s%d", mapping.ColumnLetter(column), b.row)
}

// finish adds drop-downs and filter, and streams the workbook to w.
func (b *fixBook) finish(w io.Writer) error {
	for _, step := range []func() error{b.begin, b.addChoices, b.addFilter, b.addNotice, b.ignoreNumbers, b.stream.Flush} {
		if err := step(); err != nil {
			return fmt.Errorf("complete the workbook: %w", err)
		}
	}
	return packWorkbook(b.file, w)
}

// ignoreNumbers keeps Excel from marking every id as a number stored as text.
func (b *fixBook) ignoreNumbers() error {
	return b.file.AddIgnoredErrors(b.sheet, "A1:"+b.cellName(len(b.layout.Header)-1), excelize.IgnoredErrorsNumberStoredAsText)
}

// addFilter puts a filter on the header.
func (b *fixBook) addFilter() error {
	last := mapping.ColumnLetter(len(b.layout.Header) - 1)
	if err := b.file.AutoFilter(b.sheet, fmt.Sprintf("A%d:%s%d", b.layout.HeaderRow, last, b.row), nil); err != nil {
		return err
	}
	// excelize writes the sheet's name into a formula without doubling its apostrophes.
	names := b.file.WorkBook.DefinedNames.DefinedName
	for i := range names {
		names[i].Data = fmt.Sprintf("'%s'!$A$%d:$%s$%d", strings.ReplaceAll(b.sheet, "'", "''"), b.layout.HeaderRow, last, b.row)
	}
	return nil
}

// addChoices gives the columns with a list of values their drop-downs. Other values
// can still be typed: a type's number is as good as its name.
func (b *fixBook) addChoices() error {
	if len(b.layout.Choices) == 0 || b.row == b.layout.HeaderRow {
		return nil
	}
	if _, err := b.file.NewSheet(choicesSheet); err != nil {
		return err
	}
	if err := b.file.SetSheetVisible(choicesSheet, false); err != nil {
		return err
	}
	lists := 0
	for _, column := range slices.Sorted(maps.Keys(b.layout.Choices)) {
		list := b.layout.Choices[column]
		if len(list) == 0 || column < 0 || column >= len(b.layout.Header) {
			continue
		}
		letter := mapping.ColumnLetter(lists)
		lists++
		if err := b.file.SetSheetCol(choicesSheet, letter+"1", &list); err != nil {
			return err
		}
		at := mapping.ColumnLetter(column)
		validation := excelize.NewDataValidation(true)
		validation.SetSqref(fmt.Sprintf("%s%d:%s%d", at, b.layout.HeaderRow+1, at, b.row))
		validation.SetSqrefDropList(fmt.Sprintf("'%s'!$%s$1:$%s$%d", choicesSheet, letter, letter, len(list)))
		if err := b.file.AddDataValidation(b.sheet, validation); err != nil {
			return err
		}
	}
	return nil
}

func (b *fixBook) close() error {
	if err := b.file.Close(); err != nil {
		return fmt.Errorf("close the workbook: %w", err)
	}
	return nil
}
