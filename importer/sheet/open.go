package sheet

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/excel"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/importer/sheet/internal/text"
	"opscom-import/importer/sheet/internal/webpage"
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
			err = errors.Join(err, closeErr)
		}
		return nil, err
	}
	t.budget.RowReturned()
	return t, nil
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

// located returns the error with its place, or says that the file was given up.
func (t *Table) located(err error) error {
	return rows.Locate(t.budget.Explain(err, t.last), t.path, t.sheet)
}

// openContent opens what a file contains, which may have been packed into another one.
func (t *Table) openContent(file io.ReaderAt, size int64, o Options, packed bool) error {
	file = t.budget.File(file)
	before, err := bytesBefore(file, size)
	if err != nil {
		return err
	}
	if before > 0 {
		t.notes = append(t.notes, fmt.Sprintf("The file begins with %s that do not belong to the workbook or archive in it. They were skipped.", english.Plural(int(before), "byte", "")))
		size -= before
		file = io.NewSectionReader(file, before, size)
	}
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
		book, err := excel.OpenWorkbook(file, size)
		if err != nil {
			return err
		}
		t.open = append(t.open, book)
		return t.openBook(book, o)
	case lockedBook:
		unlocked, size, err := excel.Unlock(file, size, o.Password)
		if err != nil {
			return err
		}
		t.open = append(t.open, unlocked)
		o.Format = XLSX
		return t.openContent(unlocked, size, o, true)
	case xmlSpreadsheet:
		book, err := excel.OpenXML(file, size)
		if err != nil {
			return err
		}
		return t.openBook(book, o)
	case webPage:
		page, err := webpage.Open(file, size)
		if err != nil {
			return err
		}
		return t.openSingle(page, "A web page (HTML)", o)
	}
	return t.openText(archive.Plain(file, size), o)
}

// openPacked opens the one file that is packed into another. Text is read as it is
// unpacked; a workbook, which is read here and there, is unpacked to a temporary file.
func (t *Table) openPacked(file io.ReaderAt, size int64, format Format, o Options) error {
	unpack := archive.Gzip
	if format == zipped {
		unpack = archive.Zip
	}
	content, err := unpack(file, size)
	if err != nil {
		return err
	}
	head, err := content.Head()
	if err != nil {
		return err
	}
	found, err := packedFormat(head, o.Format)
	if err != nil {
		return err
	}
	t.notes = append(t.notes, content.Note)
	if found == CSV {
		return t.openText(content, o)
	}
	unpacked, size, err := content.ToDisk(archive.MaxOnDisk)
	if err != nil {
		return err
	}
	t.open = append(t.open, unpacked)
	return t.openContent(unpacked, size, o, true)
}

// openSingle reads a file of the kind, which has one table and no names of sheets.
func (t *Table) openSingle(source rows.Source, kind string, o Options) error {
	t.rows, _ = t.recorded(source, nil)
	if o.Sheet != "" {
		return rows.Errorf("%s has no sheets. Leave the sheet's name out.", kind).Asking(rows.AskSheet)
	}
	err := t.findHeader(o)
	if errors.Is(err, errNoRows) {
		return rows.Errorf("The file is empty: it has no header and no rows. Export it again.")
	}
	return err
}

func (t *Table) openText(content archive.Content, o Options) error {
	if t.preview != nil {
		if err := t.preview.previewText(content, o); err != nil {
			return err
		}
	}
	source, err := text.Open(content.Open, text.Options{Delimiter: o.Delimiter, Encoding: o.Encoding})
	if err != nil {
		return err
	}
	if hasExcelName(t.path) {
		t.notes = append(t.notes, "The file's name is that of an Excel workbook, but it contains text (CSV) and was read as such.")
	}
	if t.preview != nil {
		t.preview.Delimiter = source.Delimiter()
	}
	t.counted, t.widths = true, []int{source.UsualWidth}
	if err := t.openSingle(source, "A CSV file", o); err != nil {
		return err
	}
	names := len(t.header.Names)
	t.ending = &ending{source: source, column: names - 1, width: max(names, source.UsualWidth)}
	if t.header.Row == 0 {
		return nil
	}
	return t.checkHeader(source.UsualWidth)
}

// checkHeader asks when the header of a file whose cells are told apart by counting
// them has other cells than its rows: all names after the one that is missing or extra
// would belong to the wrong values.
func (t *Table) checkHeader(usualWidth int) error {
	names := len(t.header.Names)
	unnamed := slices.Index(t.header.Names, "")
	if width := t.body.onlyWidth(); width > 0 {
		usualWidth = width
		t.widths = append(t.widths, width)
	}
	const advice = "Correct the header, or say with --header-row which row it is."
	switch {
	case usualWidth == 0:
		return nil
	case names > usualWidth && unnamed >= 0:
		return rows.ErrorAt(t.header.Row, nil, "The header has %d cells and most rows have %d, and column %s has no name: there seems to be an extra delimiter. "+advice, names, usualWidth, mapping.ColumnLetter(unnamed)).Asking(rows.AskHeader)
	case names > usualWidth && t.body.isNarrower():
		return rows.ErrorAt(t.header.Row, nil, "The header has %d cells and the rows have %d, so values may be in the wrong columns. "+advice, names, usualWidth).Asking(rows.AskHeader)
	case t.headerCells < usualWidth && t.body.hasValuesBeyondNames():
		return rows.ErrorAt(t.header.Row, nil, "The header has %d names and most rows have more values, so values may be in the wrong columns: a name is missing, or delimiters inside values lack quotes. "+advice, t.body.named).Asking(rows.AskHeader)
	}
	return nil
}
