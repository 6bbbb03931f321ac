package sheet

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// Options overrides what is otherwise found in the file. The zero value finds
// everything.
type Options struct {
	Format    Format // Auto finds it in the file's content
	Sheet     string // name of the sheet, whatever its case; "" for the visible one that looks most like a list of people
	HeaderRow int    // number of the header's row in the spreadsheet; 0 for the one that is found
	NoHeader  bool   // no row names the columns: they are called "Column A", "Column B" …; wins over HeaderRow
	Delimiter rune   // of a CSV file; 0 for the one that is found
	Encoding  string // of a CSV file, by a name in the WHATWG Encoding Standard or of IANA; "" for the one that is found
	Password  string // of a workbook that is protected by one; "" for none

	// FitsHeader reports whether a row has the names of all columns that are needed, by which
	// the header and the sheet are found; nil when they are not known.
	FitsHeader func(row []string) bool
}

// Table is one table of a file: a header and the rows below it. It belongs to
// one goroutine.
type Table struct {
	path   string
	budget *rows.WorkBudget
	open   []io.Closer // files: the one at path, and what was unpacked or unlocked of it
	rows   rows.Source
	sheet  string
	header importer.Header
	sure   bool     // of the header
	alike  []string // other sheets that look like lists of people
	notes  []string // about the file as it was opened
	joined []int    // numbers of rows above the header's that belong to it

	counted     bool    // cells are told apart by counting them, as in CSV, so that a missing one shifts the others
	widths      []int   // how many cells a row may then have
	headerCells int     // how many the header's row has, blank ones too
	ending      *ending // of a text; nil for other files
	body        body    // sorts the rows below the header
	last        int     // number of the last row that was returned or left out by name, or of the header
	returned    int     // rows
	blank       int     // rows that were left out
	err         error   // what Next returns from now on

	preview *Preview // what else is to be found out; nil for nothing

	cut   cutValues
	short shortBlock
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
				t.err = t.located(err)
			}
			return t.err
		}
		t.budget.RowReturned()
		t.blank += row.Number - t.last - 1
		t.last = row.Number
		if t.body.isHeaderAgain(row) {
			t.body.repeated = append(t.body.repeated, row.Number)
			continue
		}
		t.returned++
		cells := len(row.Cells)
		t.checkWidth(row)
		if t.ending != nil {
			t.ending.observe(row, cells)
		}
		t.cut.observe(row)
		t.body.checkTable(row)
		return nil
	}
}

// checkWidth compares the row with the header. Blank cells beyond the header are cut; a
// value beyond it is a problem. Where cells are told apart by counting them, so is any
// other number of cells than the header has, or than rows of the file usually have: nobody
// knows which cell is missing or extra, unless Excel left out blank ones.
func (t *Table) checkWidth(row *importer.Row) {
	if len(row.Problems) > 0 {
		return
	}
	want, have := len(t.header.Names), len(row.Cells)
	extra := -1
	if have > want {
		extra = slices.IndexFunc(row.Cells[want:], rows.HasValue)
	}
	isOff := extra >= 0 || have < want || !slices.Contains(t.widths, have)
	if t.counted && isOff && !(have < want && t.endsInBlanks(row)) {
		rows.AddProblem(row, mapping.RuleRaggedRow, fmt.Sprintf("The row has %s, but the header has %d, so values may be in the wrong columns.", english.Plural(have, "cell", ""), want),
			"A value that contains the delimiter needs quotes around it: compare the row with the header.")
		return
	}
	if extra >= 0 {
		column := want + extra
		row.Problems = append(row.Problems, mapping.Problem{
			Rule: mapping.RuleRaggedRow, Column: column, Value: row.Cells[column].Text,
			Message: fmt.Sprintf("The row has a value in column %s, where the header has no name.", mapping.ColumnLetter(column)),
			Advice:  "Either cells have moved to the right, or a name is missing in the header: compare the row with the header.",
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
		note := "There are no rows."
		if t.header.Row > 0 {
			note = fmt.Sprintf("There are no rows below the header in row %d.", t.header.Row)
		}
		notes = append(notes, note)
	}
	blank := t.blank
	for _, number := range t.body.separators {
		if number < t.last {
			blank--
		}
	}
	if blank > 0 {
		notes = append(notes, english.Plural(blank, "blank row between the others was left out.", "blank rows between the others were left out."))
	}
	if t.ending != nil && t.ending.note() != "" {
		notes = append(notes, t.ending.note())
	}
	if note := t.cut.note(); note != "" {
		notes = append(notes, note)
	}
	return slices.Concat(notes, t.body.notes(), t.rows.Notes())
}

// Close closes the file. The texts of its cells stay valid.
func (t *Table) Close() error {
	var errs []error
	if t.rows != nil {
		errs = append(errs, t.rows.Close())
	}
	for _, file := range t.open {
		errs = append(errs, file.Close())
	}
	t.open = nil
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close %s: %w", t.path, err)
	}
	return nil
}

// FileError says why a file cannot be read, or not be trusted any further.
type FileError = rows.FileError

// Question is what a person has to say of a file before it can be read, in [FileError].
type Question = rows.Question

// The questions.
const (
	NoQuestion    = rows.NoQuestion
	AskHeader     = rows.AskHeader
	AskDelimiter  = rows.AskDelimiter
	AskEncoding   = rows.AskEncoding
	AskPassword   = rows.AskPassword
	WrongPassword = rows.WrongPassword
	AskSheet      = rows.AskSheet
)
