// Package excel reads workbooks: .xlsx and .xlsm, those with a password, and XML
// Spreadsheet 2003.
//
// A workbook is a zip archive of parts (package.go, workbook.go, sharedstrings.go). The
// part of a worksheet is scanned once, as a stream (worksheet.go on top of xml.go), and
// each cell is made of its type, number format and raw value together (cell.go,
// numberformat.go). In goes
//
//	<row r="2"><c r="A2" s="2"><v>123456</v></c><c r="B2" s="1"><v>38046</v></c></row>
//
// where style 2 is the number format 000000000 and style 1 a date, and out comes
//
//	Row{Number: 2, Cells: [{Number "000123456"} {Date "2004-02-29"}]}
package excel

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"path"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"

	"github.com/xuri/excelize/v2"
)

// workbook is an open Excel file, its sheets not yet read.
//
// excelize reads what is small and intricate: the list of sheets and their
// state, the styles and number formats, the date system. It never sees the
// sheets: it would unpack every one of them, gives no style with a cell, and
// takes a sheet that is cut short for a whole one.
type Workbook struct {
	pkg    *officePackage
	sheets []Sheet
	values cellReader // how the cells of every sheet are read
}

const spreadsheetDir = "xl/"

func OpenWorkbook(r io.ReaderAt, size int64) (*Workbook, error) {
	pkg, err := openPackage(r, size)
	if err != nil {
		return nil, err
	}
	main, err := pkg.mainPart()
	if err != nil {
		return nil, err
	}
	links, err := pkg.relationships(main)
	if err != nil {
		return nil, err
	}
	targets := map[string]relationship{}
	styles, stringsPart := spreadsheetDir+"styles.xml", spreadsheetDir+"sharedstrings.xml"
	for _, l := range links {
		targets[l.ID] = l
		switch {
		case l.is("styles"):
			styles = l.Target
		case l.is("sharedStrings"):
			stringsPart = l.Target
		}
	}
	book := &Workbook{pkg: pkg}
	if err := book.describe(main, styles, targets); err != nil {
		return nil, err
	}
	if book.values.strings, err = readSharedStrings(pkg, stringsPart); err != nil {
		return nil, err
	}
	return book, nil
}

// mainPart returns the part that lists the sheets.
func (p *officePackage) mainPart() (string, error) {
	links, err := p.relationships("")
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if l.is("officeDocument") && p.parts[l.Target] != nil {
			return l.Target, nil
		}
	}
	return "", rows.NewError(0, rows.DamagedBook, nil)
}

// describe lets excelize read the workbook without its sheets.
func (b *Workbook) describe(main, styles string, targets map[string]relationship) (err error) {
	small, err := b.pkg.withoutSheets(main, styles)
	if err != nil {
		return err
	}
	f, err := excelize.OpenReader(small, excelize.Options{
		UnzipSizeLimit: 3 * maxSmallPart, UnzipXMLSizeLimit: maxSmallPart,
	})
	if err != nil {
		return rows.NewError(0, rows.DamagedBook, fmt.Errorf("read the workbook's description: %w", err))
	}
	defer func() {
		if closeErr := f.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("close the workbook's description: %w", closeErr)
		}
	}()
	if f.WorkBook == nil || len(f.WorkBook.Sheets.Sheet) == 0 {
		return rows.NewError(0, rows.DamagedBook, nil)
	}
	for _, s := range f.WorkBook.Sheets.Sheet {
		sheet := Sheet{Name: s.Name, Hidden: s.State == "hidden" || s.State == "veryHidden"}
		if l, ok := targets[s.ID]; ok && l.is("worksheet") {
			sheet.Part = l.Target
		}
		b.sheets = append(b.sheets, sheet)
	}
	b.values.date1904 = f.WorkBook.WorkbookPr != nil && f.WorkBook.WorkbookPr.Date1904
	b.values.formats = cellFormats(f)
	return nil
}

// cellFormats returns the number format of each cell style.
func cellFormats(f *excelize.File) []numberFormat {
	if f.Styles == nil || f.Styles.CellXfs == nil {
		return nil
	}
	codes := map[int]string{}
	if f.Styles.NumFmts != nil {
		for _, n := range f.Styles.NumFmts.NumFmt {
			codes[n.NumFmtID] = n.FormatCode
		}
	}
	known := map[int]numberFormat{}
	formats := make([]numberFormat, len(f.Styles.CellXfs.Xf))
	for i, xf := range f.Styles.CellXfs.Xf {
		if xf.NumFmtID == nil {
			continue
		}
		id := *xf.NumFmtID
		format, ok := known[id]
		if !ok {
			if code, custom := codes[id]; custom {
				format = parseNumberFormat(code)
			} else {
				format = builtInNumberFormat(id)
			}
			known[id] = format
		}
		formats[i] = format
	}
	return formats
}

// withoutSheets returns a workbook that has nothing but the description of the
// one in the package, under the names by which excelize looks for it.
func (p *officePackage) withoutSheets(main, styles string) (io.Reader, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	put := func(name string, content []byte) error {
		part, err := w.Create(name)
		if err == nil {
			_, err = part.Write(content)
		}
		if err != nil {
			return fmt.Errorf("copy part %s: %w", name, err)
		}
		return nil
	}
	const links = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="` + excelize.SourceRelationshipOfficeDocument + `" Target="xl/workbook.xml"/></Relationships>`
	if err := put("_rels/.rels", []byte(links)); err != nil {
		return nil, err
	}
	for name, source := range map[string]string{
		"xl/workbook.xml":            main,
		"xl/_rels/workbook.xml.rels": path.Dir(main) + "/_rels/" + path.Base(main) + ".rels",
		"xl/styles.xml":              styles,
	} {
		content, err := p.read(source)
		if err != nil {
			return nil, err
		}
		if content == nil {
			continue
		}
		if err := put(name, content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("copy the workbook's description: %w", err)
	}
	return &buf, nil
}

// open starts reading a sheet.
func (b *Workbook) Open(sheet Sheet) (rows.Source, error) {
	reopen := func() (io.ReadCloser, error) {
		part, err := b.pkg.open(sheet.Part, archive.MaxSheetBytes)
		if err == nil && part == nil {
			err = rows.NewError(0, rows.DamagedBook, nil)
		}
		return part, err
	}
	part, err := reopen()
	if err != nil {
		return nil, err
	}
	w := newWorksheet(part, b.values)
	w.reopen = reopen
	return w, nil
}

// close removes what the workbook keeps on the disk.
func (b *Workbook) Close() error { return b.values.strings.close() }

func (b *Workbook) Sheets() []Sheet { return b.sheets }

// sheetPart is one sheet of a book.
type Sheet struct {
	Name   string
	Part   string // by which the book finds it; "" when it is not a worksheet, but a chart or a dialog
	Hidden bool
}
