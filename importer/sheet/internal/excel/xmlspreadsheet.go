package excel

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"opscom-import/importer/sheet/internal/rows"

	"golang.org/x/net/html/charset"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// xmlBook is an XML Spreadsheet 2003: one XML document with all sheets, which
// Excel reads and reporting systems write under the name .xls.
type XMLWorkbook struct {
	open2003 func() (*xmlScanner, error) // the document from its beginning
	sheets   []Sheet
	styles   map[string]int // by id, index in cells.formats
	cells    cellReader
}

const saveXMLAgain = "Open it in Excel, save it as .xlsx, and use that file."

// openXMLBook reads the whole document once: the styles, the names of the sheets,
// and that nothing of it is missing.
func OpenXML(file io.ReaderAt, size int64) (*XMLWorkbook, error) {
	b := &XMLWorkbook{styles: map[string]int{}, cells: cellReader{formats: []numberFormat{{}}}}
	b.open2003 = func() (*xmlScanner, error) {
		r, err := xmlDecoder(io.NewSectionReader(file, 0, size))
		if err != nil {
			return nil, err
		}
		x := newXMLScanner(r)
		x.anyCharset = true
		return x, x.root("Workbook")
	}
	x, err := b.open2003()
	if err == nil {
		err = b.survey(x)
	}
	if err != nil {
		return nil, rows.ErrorAt(0, err, "The XML Spreadsheet 2003 cannot be read: %v. %s", err, saveXMLAgain)
	}
	return b, nil
}

// xmlDecoder turns a document into UTF-8, by its byte order mark or its
// declaration.
func xmlDecoder(r io.Reader) (io.Reader, error) {
	head := make([]byte, 256)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	head = head[:n]
	whole := io.MultiReader(bytes.NewReader(head), r)
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
		case err != nil:
			return err
		case kind == xmlEOF:
			return nil
		case kind != xmlStart:
			continue
		}
		switch name := string(x.name); {
		case name == "Style" && x.depth() == 3:
			err = b.readStyle(x)
		case name == "Worksheet" && x.depth() == 2:
			name, err := attrText(x, "Name")
			if err != nil {
				return err
			}
			b.sheets = append(b.sheets, Sheet{Name: name, Part: strconv.Itoa(len(b.sheets))})
		case name == "Visible" && x.depth() == 4 && len(b.sheets) > 0:
			var state []byte
			state, err = x.appendRaw(nil)
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
	id, err := attrText(x, "ID")
	for outer := x.depth() - 1; err == nil && x.depth() > outer; {
		var kind xmlKind
		if kind, err = x.next(); err != nil || kind != xmlStart || string(x.name) != "NumberFormat" {
			continue
		}
		var code string
		if code, err = attrText(x, "Format"); err == nil {
			if format := namedNumberFormat(code); format.kind != plainFormat {
				b.styles[id] = len(b.cells.formats)
				b.cells.formats = append(b.cells.formats, format)
			}
		}
	}
	return err
}

// namedNumberFormat reads a format code, which in an XML Spreadsheet may be a name.
func namedNumberFormat(code string) numberFormat {
	switch strings.ToLower(code) {
	case "general date", "short date", "medium date", "long date":
		return numberFormat{kind: dateFormat}
	case "short time", "medium time", "long time", "yes/no", "true/false", "on/off", "currency", "euro currency", "fixed", "standard", "percent", "scientific":
		return numberFormat{}
	}
	return parseNumberFormat(code)
}

// attrText returns an attribute by its name without a prefix, references resolved.
func attrText(x *xmlScanner, name string) (string, error) {
	for _, a := range x.attrs {
		if string(local(a.name)) == name {
			text, err := x.decoded(a.value, true)
			if err == nil && !utf8.Valid(text) {
				err = errNotUTF8
			}
			return string(text), err
		}
	}
	return "", nil
}

func (b *XMLWorkbook) Sheets() []Sheet { return b.sheets }

// open reads up to the sheet.
func (b *XMLWorkbook) Open(sheet Sheet) (rows.Source, error) {
	x, err := b.open2003()
	if err != nil {
		return nil, err
	}
	for skipped := 0; ; {
		kind, err := x.next()
		switch {
		case err == nil && kind == xmlEOF:
			err = rows.ErrNoData
		case err == nil && kind == xmlStart && string(x.name) == "Worksheet" && x.depth() == 2:
			if strconv.Itoa(skipped) == sheet.Part {
				return &xmlSheet{xml: x, book: b}, nil
			}
			skipped++
		}
		if err != nil {
			return nil, rows.ErrorAt(0, err, "The XML Spreadsheet 2003 cannot be read: %v. %s", err, saveXMLAgain)
		}
	}
}

// xmlSheet reads the rows of one sheet.
type xmlSheet struct {
	xml  *xmlScanner
	book *XMLWorkbook
	rows.Builder
	last int // number of the last row that the current element stands for
	text []byte
}

// The elements of a sheet stand at these depths.
const (
	tableDepth = 3
	rowDepth   = 4
	cellDepth  = 5
)

// next returns the next row that holds a value.
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
			return rows.ErrorAt(max(s.Row, 1), err, "The sheet cannot be read at or after this row: %v. %s", err, saveXMLAgain)
		}
	}
}

// readRow reads the row whose start was read last. A row without values has no
// cells.
func (s *xmlSheet) readRow(row *importer.Row) error {
	number, err := s.index(s.last + 1)
	if err != nil || number <= s.last {
		return errors.Join(err, rows.ErrRowOrder)
	}
	if err := s.SetNumber(row, number); err != nil {
		return err
	}
	s.last = number
	if span, err := attrText(s.xml, "Span"); err != nil {
		return err
	} else if span != "" {
		s.last += max(0, atoi([]byte(span)))
	}
	hidden, err := attrText(s.xml, "Hidden")
	row.Cells, row.Problems, s.text = row.Cells[:0], nil, s.text[:0]
	for next := 0; err == nil; {
		var kind xmlKind
		kind, err = s.xml.next()
		switch {
		case err != nil:
		case kind == xmlEnd:
			s.End(row, hidden == "1")
			return nil
		case kind == xmlStart && string(s.xml.name) == "Cell":
			next, err = s.readCell(row, next)
		case kind == xmlStart:
			err = errXMLUnknown(s.xml.name)
		}
	}
	return err
}

// index returns the place that the element names, else the one that is expected.
func (s *xmlSheet) index(expected int) (int, error) {
	text, err := attrText(s.xml, "Index")
	if text == "" || err != nil {
		return expected, err
	}
	return atoi([]byte(text)), nil
}

// readCell reads the cell whose start was read last, and returns where the next
// one stands.
func (s *xmlSheet) readCell(row *importer.Row, column int) (next int, err error) {
	place, err := s.index(column + 1)
	if err != nil {
		return 0, err
	}
	if place <= column {
		return 0, rows.ErrCellOrder
	}
	column = place - 1
	across, down, err := s.readMerge()
	if err != nil {
		return 0, err
	}
	if next = column + 1 + across; next > rows.MaxColumns {
		return 0, rows.ErrCellRef
	}
	if across > 0 || down > 0 {
		s.Merged.Add(rows.Range{FirstRow: s.Row, LastRow: s.Row + down, FirstColumn: column, LastColumn: column + across})
	}
	style, err := attrText(s.xml, "StyleID")
	if err != nil {
		return 0, err
	}
	formula, err := attrText(s.xml, "Formula")
	if err != nil {
		return 0, err
	}
	cell, err := s.readData(s.book.styles[style])
	if err != nil {
		return 0, err
	}
	if cell.Text == "" && cell.Kind == mapping.TextCell {
		if formula == "" {
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

// readMerge reads over how many more columns and rows the cell is merged.
func (s *xmlSheet) readMerge() (across, down int, err error) {
	for name, n := range map[string]*int{"MergeAcross": &across, "MergeDown": &down} {
		text, err := attrText(s.xml, name)
		if err != nil {
			return 0, 0, err
		}
		if text != "" {
			if *n = atoi([]byte(text)); *n < 0 || *n > rows.MaxRows {
				return 0, 0, rows.ErrCellRef
			}
		}
	}
	return across, down, nil
}

// readData reads the value in the cell whose start was read last; comments and the
// rest are passed over.
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

// dataTypes are the types of a Data element, and the types of cells (ECMA-376) that hold
// the same. A text is taken as it is.
var dataTypes = map[string]string{"Number": typeNumber, "DateTime": typeISODate, "Boolean": typeBool, "Error": typeError}

// interpret makes a cell of the Data element whose start was read last.
func (s *xmlSheet) interpret(style int) (mapping.Cell, error) {
	kind, err := attrText(s.xml, "Type")
	if err != nil {
		return mapping.Cell{}, err
	}
	if s.text, err = s.xml.appendAll(s.text[:0]); err != nil {
		return mapping.Cell{}, err
	}
	if !utf8.Valid(s.text) {
		return mapping.Cell{}, errNotUTF8
	}
	cellType, ok := dataTypes[kind]
	if !ok {
		return mapping.Cell{Text: string(s.text)}, nil
	}
	cell, text, err := s.book.cells.interpret(rawCell{kind: cellType, style: style, value: s.text}, nil)
	cell.Text += string(text)
	return cell, err
}

func (s *xmlSheet) Notes() []string {
	return append([]string{"The file is an XML Spreadsheet 2003, whatever its name says, and was read as such."}, s.Builder.Notes()...)
}

func (s *xmlSheet) Merges(first, last int) ([]rows.Range, error) {
	return s.Merged.Between(first, last)
}

func (s *xmlSheet) Close() error { return nil }
