package excel

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// XMLWorkbook is an XML Spreadsheet 2003: one XML document with all sheets, which Excel
// reads and reporting systems write under the name .xls.
type XMLWorkbook struct {
	start  func() (*xmlScanner, error) // the document from its beginning
	sheets []Sheet
	styles map[string]int // by id, index in cells.formats
	cells  cellReader
}

// OpenXML reads the whole document once: the styles, the names of the sheets, and whether
// it is complete.
func OpenXML(file io.ReaderAt, size int64) (*XMLWorkbook, error) {
	b := &XMLWorkbook{styles: map[string]int{}, cells: cellReader{formats: []numberFormat{{}}}}
	b.start = func() (*xmlScanner, error) {
		r, err := decodeXML(io.NewSectionReader(file, 0, size))
		if err != nil {
			return nil, err
		}
		x := newXMLScanner(r)
		x.anyCharset = true
		return x, x.root("Workbook")
	}
	x, err := b.start()
	if err == nil {
		err = b.survey(x)
	}
	if err != nil {
		return nil, xmlError(0, err)
	}
	return b, nil
}

func xmlError(row int, err error) error {
	place := ""
	if row > 0 {
		place = " at or after this row"
	}
	return rows.ErrorAt(row, err, "The XML Spreadsheet 2003 cannot be read%s: %v. Open it in Excel, save it as .xlsx, and use that file.", place, err)
}

// decodeXML turns a document into UTF-8, by its byte order mark or its declaration.
func decodeXML(r io.Reader) (io.Reader, error) {
	whole := bufio.NewReader(r)
	head, err := whole.Peek(256)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if encoding, name, certain := charset.DetermineEncoding(head, ""); certain && strings.HasPrefix(name, "utf-16") {
		return encoding.NewDecoder().Reader(whole), nil
	}
	declaration, _, _ := bytes.Cut(head, []byte("?>"))
	_, label, ok := bytes.Cut(declaration, []byte("encoding="))
	if !ok || len(label) < 2 {
		return whole, nil
	}
	label, _, _ = bytes.Cut(label[1:], label[:1])
	if strings.EqualFold(string(label), "utf-8") {
		return whole, nil
	}
	return charset.NewReaderLabel(string(label), whole)
}

// survey reads the whole document.
func (b *XMLWorkbook) survey(x *xmlScanner) error {
	for {
		kind, err := x.next()
		switch {
		case err != nil || kind == xmlEOF:
			return err
		case kind != xmlStart:
			continue
		}
		switch name := string(x.name); {
		case name == "Style" && x.depth() == 3:
			err = b.readStyle(x)
		case name == "Worksheet" && x.depth() == 2:
			b.sheets = append(b.sheets, Sheet{Name: x.attrText("Name"), Part: strconv.Itoa(len(b.sheets))})
		case name == "Visible" && x.depth() == 4 && len(b.sheets) > 0:
			var state []byte
			state, err = x.appendText(nil, false)
			b.sheets[len(b.sheets)-1].Hidden = strings.HasPrefix(string(state), "SheetHidden") || strings.HasPrefix(string(state), "SheetVeryHidden")
		case name == "Date1904" && x.depth() == 3:
			b.cells.date1904 = true
		}
		if err != nil {
			return err
		}
	}
}

// readStyle reads the number format of the style whose start was read last.
func (b *XMLWorkbook) readStyle(x *xmlScanner) error {
	id := x.attrText("ID")
	for outer := x.depth() - 1; x.depth() > outer; {
		kind, err := x.next()
		if err != nil {
			return err
		}
		if kind != xmlStart || string(x.name) != "NumberFormat" {
			continue
		}
		if format := namedNumberFormat(x.attrText("Format")); !format.isPlain() {
			b.styles[id] = len(b.cells.formats)
			b.cells.formats = append(b.cells.formats, format)
		}
	}
	return nil
}

// namedNumberFormat reads a format code, which in an XML Spreadsheet may be a name.
func namedNumberFormat(code string) numberFormat {
	switch strings.ToLower(code) {
	case "general date", "short date", "medium date", "long date":
		return numberFormat{sections: datesOnly}
	case "short time", "medium time", "long time", "yes/no", "true/false", "on/off", "currency", "euro currency", "fixed", "standard", "percent", "scientific":
		return numberFormat{}
	}
	return parseNumberFormat(code)
}

// Sheets returns the sheets in their order.
func (b *XMLWorkbook) Sheets() []Sheet { return b.sheets }

// Open reads up to the sheet.
func (b *XMLWorkbook) Open(sheet Sheet) (rows.Source, error) {
	x, err := b.start()
	for skipped := 0; err == nil; {
		var kind xmlKind
		kind, err = x.next()
		switch {
		case err != nil:
		case kind == xmlEOF:
			err = rows.ErrNoData
		case kind == xmlStart && string(x.name) == "Worksheet" && x.depth() == 2:
			if strconv.Itoa(skipped) == sheet.Part {
				return &xmlSheet{xml: x, book: b}, nil
			}
			skipped++
		}
	}
	return nil, xmlError(0, err)
}

// xmlSheet reads the rows of one sheet.
type xmlSheet struct {
	rows.Builder
	xml  *xmlScanner
	book *XMLWorkbook
	last int // number of the last row that the current element represents
	text []byte
}

// The depths of the elements of a sheet.
const (
	tableDepth = 3
	rowDepth   = 4
)

// Next returns the next row that has a value.
func (s *xmlSheet) Next(row *importer.Row) error {
	for {
		kind, err := s.xml.next()
		switch {
		case err != nil:
		case kind == xmlEOF, kind == xmlEnd && s.xml.depth() < tableDepth-1, kind == xmlEnd && string(s.xml.name) == "Table" && s.xml.depth() == tableDepth-1:
			return io.EOF
		case kind != xmlStart:
		case string(s.xml.name) == "Table" && s.xml.depth() == tableDepth:
		case string(s.xml.name) == "Row" && s.xml.depth() == rowDepth:
			if err = s.readRow(row); err == nil && len(row.Cells) > 0 {
				return nil
			}
		default:
			err = s.xml.skip()
		}
		if err != nil {
			return xmlError(max(s.Row, 1), err)
		}
	}
}

// readRow reads the row whose start was read last. A row without values has no cells.
func (s *xmlSheet) readRow(row *importer.Row) error {
	number := s.index(s.last + 1)
	if number <= s.last {
		return rows.ErrRowOrder
	}
	if err := s.SetNumber(row, number); err != nil {
		return err
	}
	s.last = number + max(0, atoi([]byte(s.xml.attrText("Span"))))
	hidden := s.xml.attrText("Hidden") == "1"
	row.Cells, row.Problems = row.Cells[:0], nil
	for next := 0; ; {
		kind, err := s.xml.next()
		switch {
		case err != nil:
		case kind == xmlEnd:
			s.End(row, hidden)
			return nil
		case kind == xmlStart && string(s.xml.name) == "Cell":
			next, err = s.readCell(row, next)
		case kind == xmlStart:
			err = errXMLUnknown(s.xml.name)
		}
		if err != nil {
			return err
		}
	}
}

// index returns the place that the element has as an attribute, else the expected one.
func (s *xmlSheet) index(expected int) int {
	if text := s.xml.attrText("Index"); text != "" {
		return atoi([]byte(text))
	}
	return expected
}

// readCell reads the cell whose start was read last, and returns the place of the next
// one.
func (s *xmlSheet) readCell(row *importer.Row, column int) (next int, err error) {
	place := s.index(column + 1)
	if place <= column {
		return 0, rows.ErrCellOrder
	}
	column = place - 1
	across, down := s.mergeCount("MergeAcross"), s.mergeCount("MergeDown")
	if next = column + 1 + across; next > rows.MaxColumns || across < 0 || down < 0 || down > rows.MaxRows {
		return 0, rows.ErrCellRef
	}
	if across > 0 || down > 0 {
		s.Merged.Add(rows.Range{FirstRow: s.Row, LastRow: s.Row + down, FirstColumn: column, LastColumn: column + across})
	}
	formula := s.xml.attrText("Formula") != ""
	cell, err := s.readData(s.book.styles[s.xml.attrText("StyleID")])
	if err != nil {
		return 0, err
	}
	if cell.Text == "" && cell.Kind == mapping.TextCell {
		if !formula {
			return next, nil
		}
		cell.Kind = mapping.NoValueCell
	}
	if err := s.Pad(row, column); err != nil {
		return 0, err
	}
	row.Cells = append(row.Cells, cell)
	return next, nil
}

// mergeCount returns over how many more columns or rows the cell is merged, -1 for what
// is not a number.
func (s *xmlSheet) mergeCount(attr string) int {
	if text := s.xml.attrText(attr); text != "" {
		return atoi([]byte(text))
	}
	return 0
}

// readData reads the value in the cell whose start was read last, without comments and
// the like.
func (s *xmlSheet) readData(style int) (mapping.Cell, error) {
	var cell mapping.Cell
	for outer := s.xml.depth() - 1; ; {
		kind, err := s.xml.next()
		switch {
		case err != nil:
		case kind == xmlEnd && s.xml.depth() == outer:
			return cell, nil
		case kind == xmlStart && string(s.xml.name) == "Data":
			cell, err = s.interpret(style)
		case kind == xmlStart:
			err = s.xml.skip()
		}
		if err != nil {
			return cell, err
		}
	}
}

// dataTypes are the types of a Data element, with the types of cells (ECMA-376) that have
// the same values. A text is taken as it is.
var dataTypes = map[string]string{"Number": typeNumber, "DateTime": typeISODate, "Boolean": typeBool, "Error": typeError}

// interpret makes a cell of the Data element whose start was read last.
func (s *xmlSheet) interpret(style int) (cell mapping.Cell, err error) {
	kind, ok := dataTypes[s.xml.attrText("Type")]
	if s.text, err = s.xml.appendText(s.text[:0], true); err != nil {
		return cell, err
	}
	if !utf8.Valid(s.text) {
		return cell, errNotUTF8
	}
	if !ok {
		return mapping.Cell{Text: string(s.text)}, nil
	}
	cell, text, err := s.book.cells.interpret(rawCell{kind: kind, style: style, value: s.text}, nil)
	cell.Text += string(text)
	return cell, err
}

// Notes says what the file is, and what is hidden or merged in it.
func (s *xmlSheet) Notes() []string {
	return append([]string{"The file is an XML Spreadsheet 2003, whatever its name says, and was read as such."}, s.Builder.Notes()...)
}

// Merges returns the merged cells in the rows from first to last.
func (s *xmlSheet) Merges(first, last int) ([]rows.Range, error) {
	return s.Merged.Between(first, last)
}

// Close does nothing: the file belongs to the caller.
func (s *xmlSheet) Close() error { return nil }
