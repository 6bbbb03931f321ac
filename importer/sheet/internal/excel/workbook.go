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
	"io"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"
)

// Sheet is one sheet of a workbook.
type Sheet struct {
	Name   string
	Part   string // by which the workbook finds it; "" when it is not a worksheet, but a chart or a dialog
	Hidden bool
	Lost   bool // the workbook lists it, but its part is not in the file
}

// Workbook is an open Excel file, its sheets not yet read.
type Workbook struct {
	pkg    *officePackage
	sheets []Sheet
	values cellReader // how the cells of every sheet are read
}

// OpenWorkbook reads what is small, or what all sheets refer to: the list of sheets, the
// number formats and the shared strings.
func OpenWorkbook(file io.ReaderAt, size int64) (*Workbook, error) {
	pkg, err := openPackage(file, size)
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
	byID := map[string]relationship{} // which the list of sheets refers to
	styles, stringsPart := "xl/styles.xml", "xl/sharedstrings.xml"
	for _, l := range links {
		byID[l.ID] = l
		switch {
		case l.is("styles"):
			styles = l.Target
		case l.is("sharedStrings"):
			stringsPart = l.Target
		}
	}
	book := &Workbook{pkg: pkg}
	if err := book.readSheets(main, byID); err != nil {
		return nil, err
	}
	if err := book.readStyles(styles); err != nil {
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
	return "", rows.Errorf(rows.DamagedBook)
}

// readSheets reads the list of sheets and from which year dates count.
func (b *Workbook) readSheets(main string, links map[string]relationship) error {
	var workbook struct {
		Properties struct {
			Date1904 bool `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name  string `xml:"name,attr"`
			ID    string `xml:"id,attr"` // r:id
			State string `xml:"state,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := b.pkg.decode(main, &workbook); err != nil {
		return err
	}
	if len(workbook.Sheets) == 0 {
		return rows.Errorf(rows.DamagedBook)
	}
	for _, s := range workbook.Sheets {
		sheet := Sheet{Name: s.Name, Hidden: s.State == "hidden" || s.State == "veryHidden"}
		link, found := links[s.ID]
		switch isWorksheet := link.is("worksheet"); {
		case !found, isWorksheet && b.pkg.parts[link.Target] == nil:
			sheet.Lost = true
		case isWorksheet:
			sheet.Part = link.Target
		}
		b.sheets = append(b.sheets, sheet)
	}
	b.values.date1904 = workbook.Properties.Date1904
	return nil
}

// readStyles reads the number format of each cell style. The part may be missing.
func (b *Workbook) readStyles(part string) error {
	var styles struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	const maxStyles = 1 << 16 // a few more than Excel can have
	if err := b.pkg.decode(part, &styles); err != nil {
		return err
	} else if len(styles.Cells) > maxStyles {
		return rows.Errorf(rows.DamagedBook)
	}
	formats := map[int]numberFormat{}
	for _, f := range styles.Formats {
		formats[f.ID] = parseNumberFormat(f.Code)
	}
	for _, cell := range styles.Cells {
		format, ok := formats[cell.Format]
		if !ok {
			format = builtInNumberFormat(cell.Format)
		}
		b.values.formats = append(b.values.formats, format)
	}
	return nil
}

// Open starts reading a sheet.
func (b *Workbook) Open(sheet Sheet) (rows.Source, error) {
	reopen := func() (io.ReadCloser, error) {
		part, err := b.pkg.open(sheet.Part, archive.MaxSheetBytes)
		if err == nil && part == nil {
			err = rows.Errorf(rows.DamagedBook)
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

// Close removes what the workbook keeps on the disk.
func (b *Workbook) Close() error { return b.values.strings.close() }

// Sheets returns the sheets in their order.
func (b *Workbook) Sheets() []Sheet { return b.sheets }
