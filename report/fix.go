package report

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/xuri/excelize/v2"

	"opscom-import/mapping"
)

// FixSheet describes the table that the rows come from.
type FixSheet struct {
	Sheet     string           // name of the sheet that was read, "" for a file without sheets
	HeaderRow int              // number of the header's row in the file; 0 for 1
	Header    []string         // from column A on; "" for a column without a name
	Choices   map[int][]string // by column: values to choose from, for a drop-down
	ToFix     int              // rows of the table to fix, of which WriteFix gets no more than the first MaxFixRows; 0 for those that it gets
}

// MaxFixRows is the number of rows to fix that a workbook is to have at most. Who has more
// needs another export or mapping, and the workbook would take longer than the check.
const MaxFixRows = 10_000

// isPart reports whether the workbook has only the first rows to fix.
func (s *FixSheet) isPart() bool { return s.ToFix > MaxFixRows }

// FixRow is one row to fix.
type FixRow struct {
	Row      int      // its number in the file
	Cells    []string // from column A on, as read
	Problems []mapping.Problem
	Note     string // what the Controller said about the row, "" for nothing
}

// ErrTooLarge is returned when the rows to fix do not fit into a workbook.
var ErrTooLarge = errors.New("too much for a workbook; fix the rows in the file itself")

// WriteFix writes the rows to a workbook, and returns their number. The
// workbook has the layout of the file that they come from, so that it can be
// fixed, saved, and pushed with the same mapping: the sheet's name, the header in
// its row, each cell in its column, as text. A cell with a problem is coloured
// and has the message as a note, and a column at the right says what to do.
//
// So that nothing is sent by mistake, a value that does not fit into a cell, or
// that is an error such as #N/A, is left out, and the values of a row that may have
// moved into the wrong columns are put to the right of the advice.
//
// A workbook that has only the first of the rows to fix opens with a sheet that says so.
//
// A file is written whole, or on any error stays as it was; without any row a file
// of an earlier run is removed, and standard output gets the header alone. The error
// is [ErrTooLarge] when there are more rows or columns than a workbook can have.
func WriteFix(to Destination, sheet FixSheet, rows iter.Seq2[FixRow, error]) (n int, err error) {
	return to.writeCounted(KindFix, func(w io.Writer) (int, error) { return writeFix(w, sheet, rows) })
}

func writeFix(w io.Writer, sheet FixSheet, rows iter.Seq2[FixRow, error]) (n int, err error) {
	layout := newFixLayout(sheet)
	if len(layout.Header) > excelize.MaxColumns {
		return 0, fmt.Errorf("%d columns: %w", len(sheet.Header), ErrTooLarge)
	}
	book, err := newFixBook(layout)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, book.close()) }()
	for row, err := range rows {
		if err != nil {
			return n, err
		}
		if n++; layout.HeaderRow+n > excelize.TotalRows {
			return n, fmt.Errorf("more than %s rows: %w", thousands(n-1), ErrTooLarge)
		}
		if err := book.add(layout.lay(&row)); err != nil {
			return n, fmt.Errorf("row %d: %w", row.Row, err)
		}
	}
	return n, book.finish(w)
}
