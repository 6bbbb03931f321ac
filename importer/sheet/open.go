package sheet

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/excel"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/importer/sheet/internal/text"
	"opscom-import/importer/sheet/internal/webpage"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// Open opens the file at path and reads up to its header. Every error is a
// [*FileError].
func Open(path string, o Options) (*Table, error) { return openTable(path, o, time.Now) }

func openTable(path string, o Options, now func() time.Time) (*Table, error) {
	t := &Table{path: path}
	if err := t.openPath(o, now); err != nil {
		err = t.located(err)
		if closeErr := t.Close(); closeErr != nil {
			return nil, errors.Join(err, closeErr)
		}
		return nil, err
	}
	t.budget.RowReturned()
	return t, nil
}

// located fills in where a fault happened, or says that the file was given up.
func (t *Table) located(err error) error {
	return rows.Locate(t.budget.Explain(err, t.last), t.path, t.sheet)
}

func (t *Table) openPath(o Options, now func() time.Time) error {
	file, size, err := openFile(t.path)
	if err != nil {
		return err
	}
	t.open = append(t.open, file)
	t.budget = rows.NewWorkBudget(size, now)
	return t.openContent(file, size, o, false)
}

// openContent opens what a file holds, which may have been packed into another one.
func (t *Table) openContent(file io.ReaderAt, size int64, o Options, packed bool) error {
	file = t.budget.File(file)
	format, err := detectFormat(file, size, o.Format)
	if err != nil {
		return err
	}
	switch format {
	case gzipped, zipped:
		if packed {
			return archive.PackedTwice()
		}
		return t.openPacked(file, size, format, o)
	case XLSX:
		return t.openWorkbook(file, size, o)
	case lockedBook:
		return t.openLocked(file, size, o)
	case xmlSpreadsheet:
		book, err := excel.OpenXML(file, size)
		if err != nil {
			return err
		}
		return t.openBook(book, o)
	case webPage:
		return t.openPage(file, size, o)
	}
	return t.openText(archive.Plain(file, size), o)
}

// openPacked opens the one file that is packed into another. Text is read as it is
// unpacked; a workbook, which is read here and there, is unpacked to a temporary file.
func (t *Table) openPacked(file io.ReaderAt, size int64, format Format, o Options) error {
	c := archive.Gzip(file, size)
	if format == zipped {
		var err error
		if c, err = archive.Zip(file, size); err != nil {
			return err
		}
	}
	head, err := c.Head()
	if err != nil {
		return err
	}
	found, err := packedFormat(head, o.Format)
	if err != nil {
		return err
	}
	t.notes = append(t.notes, c.Note)
	if found == CSV {
		return t.openText(c, o)
	}
	unpacked, size, err := c.ToDisk(archive.MaxOnDisk)
	if err != nil {
		return err
	}
	t.open = append(t.open, unpacked)
	return t.openContent(unpacked, size, o, true)
}

func (t *Table) openText(content archive.Content, o Options) error {
	if o.Sheet != "" {
		return rows.NewError(0, "A CSV file has no sheets. Leave the sheet's name out.", nil)
	}
	source, err := text.Open(content.Open, text.Options{Delimiter: o.Delimiter, Encoding: o.Encoding})
	if err != nil {
		return err
	}
	if hasExcelName(t.path) {
		t.notes = append(t.notes, "The file's name is that of an Excel workbook, but it holds text (CSV), and was read as such.")
	}
	t.rows, t.counted, t.widths = source, true, []int{source.UsualWidth}
	err = t.findHeader(o.HeaderRow)
	if errors.Is(err, errNoRows) {
		return rows.NewError(0, "The file is empty: it has no header and no rows. Export it again.", nil)
	}
	if err != nil {
		return err
	}
	t.judgeLines()
	return t.judgeHeader(source.UsualWidth)
}

// judgeLines says when each row is one cell that holds as many commas as the header:
// quotes stand round whole lines then.
func (t *Table) judgeLines() {
	if len(t.header.Names) != 1 || len(t.body.rows.ahead) == 0 {
		return
	}
	for _, delimiter := range text.Delimiters {
		want := strings.Count(t.header.Names[0], string(delimiter))
		unlike := func(row importer.Row) bool { return strings.Count(rows.TextAt(&row, 0), string(delimiter)) != want }
		if want > 0 && !slices.ContainsFunc(t.body.rows.ahead, unlike) {
			_, many := text.DelimiterName(byte(delimiter))
			t.notes = append(t.notes, fmt.Sprintf("Each row is a single cell with %s in it: quotes seem to stand round whole lines. If so, export the file again, or take those quotes off.", many))
		}
	}
}

// judgeHeader asks when a delimiter too many seems to stand in the header of a
// file whose cells are told apart by counting them: all its names below that place
// would belong to the wrong values.
func (t *Table) judgeHeader(usualWidth int) error {
	unnamed := slices.Index(t.header.Names, "")
	if usualWidth == 0 || len(t.header.Names) <= usualWidth || unnamed < 0 {
		return nil
	}
	return rows.NewError(t.header.Row, fmt.Sprintf("The header has %d cells and most rows have %d, and column %s has no name: a delimiter too many seems to stand there. Correct the header, or say with --header-row which row it is.", len(t.header.Names), usualWidth, mapping.ColumnLetter(unnamed)), nil)
}

func (t *Table) openWorkbook(file io.ReaderAt, size int64, o Options) error {
	book, err := excel.OpenWorkbook(file, size)
	if err != nil {
		return err
	}
	t.book = book
	return t.openBook(book, o)
}

func (t *Table) openLocked(file io.ReaderAt, size int64, o Options) error {
	plain, size, err := excel.Unlock(file, size, o.Password)
	if err != nil {
		return err
	}
	t.open = append(t.open, plain)
	unlocked := t.budget.File(plain)
	if _, err := detectFormat(unlocked, size, XLSX); err != nil {
		return err
	}
	return t.openWorkbook(unlocked, size, o)
}

func (t *Table) openPage(file io.ReaderAt, size int64, o Options) error {
	if o.Sheet != "" {
		return rows.NewError(0, "A web page has no sheets. Leave the sheet's name out.", nil)
	}
	source, err := webpage.Open(file, size)
	if err != nil {
		return err
	}
	t.rows = source
	err = t.findHeader(o.HeaderRow)
	if errors.Is(err, errNoRows) {
		return rows.NewError(0, "This is a web page (HTML) whose table is empty. Export it again.", nil)
	}
	return err
}
