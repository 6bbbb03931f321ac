package sheet

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// Options overrides what is otherwise found in the file. The zero value finds
// everything.
type Options struct {
	Format    Format // Auto tells it by the file's content
	Sheet     string // name of the sheet, whatever its case; "" for the visible one that looks most like a list of people
	HeaderRow int    // number of the header's row in the spreadsheet; 0 for the one that is found
	Delimiter rune   // of a CSV file; 0 for the one that is found
	Encoding  string // of a CSV file, by any name in the WHATWG Encoding Standard; "" for the one that is found
	Password  string // of a workbook that is protected by one; "" for none
}

// Table is one table of a file: a header and the rows below it. It belongs to
// one goroutine.
type Table struct {
	path   string
	file   *os.File
	plain  *tempFile // what a workbook with a password holds; nil for other files
	book   *workbook // nil for other files
	rows   rowSource
	sheet  string
	header importer.Header
	notes  []string // about the file as it was opened

	counted  bool  // cells are told apart by counting them, as in CSV, so that a missing one shifts the others
	widths   []int // how many cells a row may then have
	body     body  // sorts the rows below the header
	last     int   // number of the last row that was returned or left out by name, or of the header
	returned int   // rows
	blank    int   // rows that were left out
	err      error // what Next returns from now on
}

// rowSource gives the rows of one sheet as they stand, from the first one, the
// header and blank rows included (it may leave blank ones out).
type rowSource interface {
	next(row *importer.Row) error // io.EOF after the last row, which proves that the sheet was read whole
	notes() []string              // complete once next has returned io.EOF
	close() error
}

// Open opens the file at path and reads up to its header. Every error is a
// [*FileError].
func Open(path string, o Options) (*Table, error) {
	t := &Table{path: path}
	if err := t.open(o); err != nil {
		err = located(err, path, t.sheet)
		if closeErr := t.Close(); closeErr != nil {
			return nil, errors.Join(err, closeErr)
		}
		return nil, err
	}
	return t, nil
}

func (t *Table) open(o Options) error {
	file, size, err := openFile(t.path)
	if err != nil {
		return err
	}
	t.file = file
	format, err := detectFormat(file, size, o.Format)
	if err != nil {
		return err
	}
	switch format {
	case XLSX:
		return t.openWorkbook(file, size, o)
	case lockedBook:
		return t.openLocked(size, o)
	case xmlSpreadsheet:
		book, err := openXMLBook(file, size)
		if err != nil {
			return err
		}
		return t.openBook(book, o)
	case webPage:
		return t.openPage(size, o)
	}
	return t.openText(size, format, o)
}

func (t *Table) openText(size int64, format Format, o Options) error {
	if o.Sheet != "" {
		return fault(0, "A CSV file has no sheets. Leave the sheet's name out.", nil)
	}
	rows, err := openCSV(t.file, size, format, o)
	if err != nil {
		return err
	}
	if hasExcelName(t.path) {
		t.notes = append(t.notes, "The file's name is that of an Excel workbook, but it holds text (CSV), and was read as such.")
	}
	t.rows, t.counted, t.widths = rows, true, []int{rows.usualWidth}
	err = t.findHeader(o.HeaderRow)
	if errors.Is(err, errNoRows) {
		return fault(0, "The file is empty: it has no header and no rows. Export it again.", nil)
	}
	if err != nil {
		return err
	}
	return t.judgeHeader(rows.usualWidth)
}

// judgeHeader asks when a delimiter too many seems to stand in the header of a
// file whose cells are told apart by counting them: all its names below that place
// would belong to the wrong values.
func (t *Table) judgeHeader(usualWidth int) error {
	unnamed := slices.Index(t.header.Names, "")
	if usualWidth == 0 || len(t.header.Names) <= usualWidth || unnamed < 0 {
		return nil
	}
	return fault(t.header.Row, fmt.Sprintf("The header has %d cells and most rows have %d, and column %s has no name: a delimiter too many seems to stand there. Correct the header, or say with --header-row which row it is.", len(t.header.Names), usualWidth, mapping.ColumnLetter(unnamed)), nil)
}

func (t *Table) openWorkbook(file io.ReaderAt, size int64, o Options) error {
	book, err := openWorkbook(file, size)
	if err != nil {
		return err
	}
	t.book = book
	return t.openBook(book, o)
}

func (t *Table) openLocked(size int64, o Options) (err error) {
	if t.plain, size, err = unlock(t.file, size, o.Password); err != nil {
		return err
	}
	if _, err := detectFormat(t.plain, size, XLSX); err != nil {
		return err
	}
	return t.openWorkbook(t.plain, size, o)
}

func (t *Table) openPage(size int64, o Options) error {
	if o.Sheet != "" {
		return fault(0, "A web page has no sheets. Leave the sheet's name out.", nil)
	}
	rows, err := openPage(t.file, size)
	if err != nil {
		return err
	}
	t.rows = rows
	err = t.findHeader(o.HeaderRow)
	if errors.Is(err, errNoRows) {
		return fault(0, "This is a web page (HTML) whose table is empty. Export it again.", nil)
	}
	return err
}

// Header returns the names of the columns. Blank ones at the end are cut.
func (t *Table) Header() importer.Header { return t.header }

// Sheet returns the name of the sheet that is read, "" for a CSV file.
func (t *Table) Sheet() string { return t.sheet }

// Next fills row with the next row below the header that is not wholly blank.
// Row.Cells is used again by the next call, while the texts in it stay valid.
// The error is io.EOF after the last row, and a [*FileError] when the rest of
// the file cannot be trusted; it comes again at every further call.
func (t *Table) Next(row *importer.Row) error {
	if t.err != nil {
		return t.err
	}
	for {
		if err := t.body.next(row); err != nil {
			t.err = err
			if err != io.EOF {
				t.err = located(err, t.path, t.sheet)
			}
			return t.err
		}
		t.blank += row.Number - t.last - 1
		t.last = row.Number
		if t.body.isHeaderAgain(row) {
			t.body.repeated = append(t.body.repeated, row.Number)
			continue
		}
		t.returned++
		t.judgeWidth(row)
		t.body.judgeTable(row)
		return nil
	}
}

// isBlank reports whether no cell of the row holds anything but space.
func isBlank(row *importer.Row) bool {
	return len(row.Problems) == 0 && !slices.ContainsFunc(row.Cells, holdsSomething)
}

func holdsSomething(c mapping.Cell) bool {
	return c.Kind == mapping.NoValueCell || strings.TrimSpace(c.Text) != ""
}

// judgeWidth compares the row with the header. Blank cells beyond the header are
// cut. A value beyond it is a fault of the row. Where cells are told apart by
// counting them, so is any other number of cells than the header has, or than
// rows of the file usually have: nobody knows which cell is missing or too many.
func (t *Table) judgeWidth(row *importer.Row) {
	if len(row.Problems) > 0 {
		return
	}
	want, have := len(t.header.Names), len(row.Cells)
	extra := -1
	if have > want {
		extra = slices.IndexFunc(row.Cells[want:], holdsSomething)
	}
	if t.counted && (extra >= 0 || have < want || !slices.Contains(t.widths, have)) {
		row.Problems = append(row.Problems, mapping.Problem{
			Rule: mapping.RaggedRow, Column: mapping.NoColumn,
			Message: fmt.Sprintf("The row has %s, but the header has %d, so values may stand in the wrong columns. A value that holds the delimiter needs quotes round it: compare the row with the header.", count(have, "cell", "cells"), want),
		})
		return
	}
	if extra >= 0 {
		column := want + extra
		row.Problems = append(row.Problems, mapping.Problem{
			Rule: mapping.RaggedRow, Column: column, Value: row.Cells[column].Text,
			Message: fmt.Sprintf("The row has a value in column %s, where the header has no name. Either cells have moved to the right, or the header lacks a name: compare the row with the header.", mapping.ColumnLetter(column)),
		})
		return
	}
	row.Cells = row.Cells[:min(have, want)]
}

// Notes returns what a person should know of the file, a sentence each: which
// sheet was read and which were not, hidden and blank rows, merged cells. It is
// complete once Next has returned io.EOF.
func (t *Table) Notes() []string {
	notes := slices.Clone(t.notes)
	if t.err == io.EOF && t.returned == 0 {
		notes = append(notes, fmt.Sprintf("There are no rows below the header in row %d.", t.header.Row))
	}
	if t.blank > 0 {
		notes = append(notes, count(t.blank, "blank row between the others was left out.", "blank rows between the others were left out."))
	}
	return slices.Concat(notes, t.body.notes(), t.rows.notes())
}

// count puts n before the words that agree with it.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Close closes the file. The texts of its cells stay valid.
func (t *Table) Close() error {
	var errs []error
	if t.rows != nil {
		errs = append(errs, t.rows.close())
	}
	if t.book != nil {
		errs = append(errs, t.book.close())
		t.book = nil
	}
	if t.plain != nil {
		errs = append(errs, t.plain.Close())
		t.plain = nil
	}
	if t.file != nil {
		errs = append(errs, t.file.Close())
		t.file = nil
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close %s: %w", t.path, err)
	}
	return nil
}
