package excel

import (
	"bytes"
	"io"
	"slices"
	"unicode/utf8"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// worksheet reads the rows of one worksheet part in a single pass: reference, type, style
// and raw value of each cell together. A sheet that is cut short, damaged or out of order
// ends in an error and never in io.EOF. Rows without a value, such as thousands of formatted
// ones at the end, are left out.
type worksheet struct {
	rows.Builder
	xml     *xmlScanner
	part    io.Closer
	cells   cellReader
	reopen  func() (io.ReadCloser, error) // the part again
	started bool                          // sheetData has begun

	text          []byte // of the current row's cells, as far as it is their own
	spans         []span // one a cell: where its text is in text
	hiddenColumns []int  // whether they have values or not
	width         int    // columns up to the last with a value
}

// span is a piece of a row's text. It is empty for a cell whose text is elsewhere.
type span struct{ start, end int }

func newWorksheet(part io.ReadCloser, cells cellReader) *worksheet {
	return &worksheet{xml: newXMLScanner(part), part: part, cells: cells}
}

// Next returns the next row that has a value.
func (w *worksheet) Next(row *importer.Row) error {
	err := w.start()
	for err == nil {
		var kind xmlKind
		if kind, err = w.xml.next(); err != nil {
			break
		}
		if kind == xmlEnd { // of sheetData
			err = w.finish()
			break
		}
		if kind == xmlText {
			continue
		}
		if string(w.xml.name) != "row" {
			err = w.xml.skipUnknown()
			continue
		}
		if err = w.readRow(row); err == nil && len(row.Cells) > 0 {
			return nil
		}
	}
	return w.located(err)
}

// located adds the row at which reading stopped.
func (w *worksheet) located(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return rows.ErrorAt(max(w.Row, 1), err, "The sheet cannot be read at or after this row: %v. "+rows.SaveAgain, err)
}

// start reads up to the rows, once.
func (w *worksheet) start() error {
	if w.started {
		return nil
	}
	w.started = true
	if err := w.xml.root("worksheet"); err != nil {
		return err
	}
	for {
		kind, err := w.xml.next()
		switch {
		case err != nil:
			return err
		case kind == xmlEnd:
			return rows.ErrNoData
		case kind != xmlStart:
			continue
		case string(w.xml.name) == "sheetData":
			return nil
		case string(w.xml.name) == "cols":
			err = w.readColumns()
		default:
			err = w.xml.skip()
		}
		if err != nil {
			return err
		}
	}
}

// readColumns reads which columns are hidden.
func (w *worksheet) readColumns() error {
	for outer := w.xml.depth() - 1; ; {
		kind, err := w.xml.next()
		switch {
		case err != nil:
			return err
		case kind == xmlEnd && w.xml.depth() == outer:
			return nil
		case kind == xmlStart && string(w.xml.name) == "col" && isTrue(w.xml.attr("hidden")):
			first, last := atoi(w.xml.attr("min")), atoi(w.xml.attr("max"))
			for c := max(0, first-1); c < last && len(w.hiddenColumns) < rows.MaxColumns; c++ {
				w.hiddenColumns = append(w.hiddenColumns, c)
			}
		}
	}
}

// isTrue reads a boolean attribute.
func isTrue(value []byte) bool { return string(value) == "1" || string(value) == "true" }

// finish reads what follows the rows, up to the end of the part: only then is the sheet
// known to be complete, its checksum included.
func (w *worksheet) finish() error {
	for {
		kind, err := w.xml.next()
		switch {
		case err != nil:
			return err
		case kind == xmlEOF:
			return io.EOF
		case kind == xmlStart && string(w.xml.name) == "mergeCell":
			w.Merged.Add(parseRange(w.xml.attr("ref")))
		case kind == xmlStart && string(w.xml.name) == "sheetData" && w.xml.depth() == 2: // rows again
			return errXMLUnknown(w.xml.name)
		}
	}
}

// readRow reads the row whose start was read last. A row without values has no cells.
func (w *worksheet) readRow(row *importer.Row) error {
	number := w.Row + 1
	if r := w.xml.attr("r"); r != nil {
		number = atoi(r)
	}
	if err := w.SetNumber(row, number); err != nil {
		return err
	}
	hidden := isTrue(w.xml.attr("hidden"))
	row.Cells, row.Problems = row.Cells[:0], nil
	w.text, w.spans = w.text[:0], w.spans[:0]
	column := -1
	for {
		if next, ok, err := w.plainCell(row, column); err != nil {
			return err
		} else if ok {
			column = next
			continue
		}
		kind, err := w.xml.next()
		switch {
		case err != nil:
			return err
		case kind == xmlEnd:
			err = w.setTexts(row)
			w.End(row, hidden)
			return err
		case kind == xmlText:
			continue
		case string(w.xml.name) == "c":
			column, err = w.readCell(row, column)
		default:
			err = w.xml.skipUnknown()
		}
		if err != nil {
			return err
		}
	}
}

// readCell reads the cell whose start was read last, and returns its column.
func (w *worksheet) readCell(row *importer.Row, previous int) (column int, err error) {
	column = previous + 1
	if r := w.xml.attr("r"); r != nil {
		var number int
		if column, number = parseRef(r); column < 0 || number != w.Row {
			return 0, rows.ErrCellRef
		}
	}
	if column <= previous {
		return 0, rows.ErrCellOrder
	}
	if column >= rows.MaxColumns {
		return 0, rows.ErrCellRef
	}
	start := len(w.text)
	var cell mapping.Cell
	if cell, w.text, err = w.cells.read(w.xml, w.text); err != nil {
		return 0, err
	}
	return column, w.put(row, column, cell, start)
}

// put puts a cell into the row, unless it has no value. Its own text begins at start in
// w.text.
func (w *worksheet) put(row *importer.Row, column int, cell mapping.Cell, start int) error {
	if cell.Text == "" && len(w.text) == start && cell.Kind != mapping.NoValueCell {
		return nil
	}
	if len(w.text) > rows.MaxRowText {
		return rows.ErrRowText
	}
	if column > len(row.Cells) {
		if err := w.Pad(row, column); err != nil {
			return err
		}
		w.spans = append(w.spans, make([]span, column-len(w.spans))...)
	}
	row.Cells = append(row.Cells, cell)
	w.spans = append(w.spans, span{start, len(w.text)})
	return nil
}

// setTexts gives the cells their texts: one string a row, which they share.
func (w *worksheet) setTexts(row *importer.Row) error {
	if !utf8.Valid(w.text) {
		return errNotUTF8
	}
	w.width = max(w.width, len(row.Cells))
	text := string(w.text)
	for i, s := range w.spans {
		if s.start < s.end {
			row.Cells[i].Text = text[s.start:s.end]
		}
	}
	return nil
}

// atoi returns the number that b is written as, -1 for anything else. No number in a sheet is
// longer than nine digits.
func atoi(b []byte) int {
	if len(b) == 0 || len(b) > 9 {
		return -1
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// parseRef parses a reference such as "AB12": its column, A being 0, and its row. The column
// is -1 for anything else.
func parseRef(ref []byte) (column, row int) {
	n := 0
	for n < len(ref) && n < 4 && 'A' <= ref[n]&^0x20 && ref[n]&^0x20 <= 'Z' {
		column = column*26 + int(ref[n]&^0x20-'A') + 1
		n++
	}
	row = atoi(ref[n:])
	if n == 0 || row < 1 {
		return -1, 0
	}
	return column - 1, row
}

// parseRange parses a reference such as "B2:C5". Anything else is a range without rows.
func parseRange(ref []byte) (m rows.Range) {
	from, to, _ := bytes.Cut(ref, []byte(":"))
	m.FirstColumn, m.FirstRow = parseRef(from)
	m.LastColumn, m.LastRow = parseRef(to)
	if m.FirstColumn < 0 || m.LastColumn < m.FirstColumn {
		return rows.Range{}
	}
	return m
}

// Notes says what is hidden or merged.
func (w *worksheet) Notes() []string {
	hidden := slices.DeleteFunc(slices.Clone(w.hiddenColumns), func(c int) bool { return c >= w.width })
	notes := w.Builder.Notes()
	if len(hidden) > 0 {
		notes = append(notes, rows.Columns(hidden, "is hidden, and was read too.", "are hidden, and were read too."))
	}
	return notes
}

// Merges reads the sheet again, as merged cells are listed below the rows. It is called only
// for what may be a header of two rows.
func (w *worksheet) Merges(first, last int) (ranges []rows.Range, err error) {
	part, err := w.reopen()
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := part.Close(); err == nil && closeErr != nil {
			ranges, err = nil, rows.ErrorAt(0, closeErr, rows.DamagedBook)
		}
	}()
	x := newXMLScanner(part)
	for {
		kind, err := x.next()
		switch {
		case err != nil:
			return nil, w.located(err)
		case kind == xmlEOF:
			return ranges, nil
		case kind == xmlStart && string(x.name) == "mergeCell" && len(ranges) < rows.MaxColumns:
			if m := parseRange(x.attr("ref")); m.FirstRow <= last && m.LastRow >= first {
				ranges = append(ranges, m)
			}
		}
	}
}

// Close ignores the error of closing the part: it was only read, and Next has returned what
// was wrong with that.
func (w *worksheet) Close() error {
	w.part.Close()
	return nil
}
