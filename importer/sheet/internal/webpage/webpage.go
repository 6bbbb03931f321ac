// Package webpage reads the largest table of a web page, which student systems write
// under the name .xls. All its cells are text, as a browser shows it.
//
// In goes
//
//	<table><tr><th>ID<th>Name<tr><td>1<td>Zo&euml;<br>Roy</table>
//
// and out come its rows, numbered from the table's first:
//
//	Row{Number: 1, Cells: ["ID" "Name"]}
//	Row{Number: 2, Cells: ["1" "Zoë\nRoy"]}
package webpage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
)

// Table reads the largest table of a web page.
type Table struct {
	rows.Builder
	page   pageTokens
	tables int // with cells
	target int // index of the one that is read among all tables of the page

	inRow  bool
	inCell bool
	done   bool
	width  int   // columns that the cells of the current row take
	reach  []int // by column: the last row that the cell above reaches down to
	text   []byte
	span   cellSpan
	spans  rows.Merged // all cells that take several columns or rows; Merged has those of several rows
	hidden bool        // the current row
}

// cellSpan is how many columns and rows a cell takes.
type cellSpan struct{ columns, rows int }

var errManyColumns = errors.New("it has more columns than a sheet can have")

// Open finds the largest table of a page and starts reading it.
func Open(file io.ReaderAt, size int64) (*Table, error) {
	open := func() io.Reader { return io.NewSectionReader(file, 0, size) }
	decode, err := pageEncoding(open())
	if err != nil {
		return nil, err
	}
	largest, tables, err := surveyPage(decode(open()))
	if err != nil {
		return nil, err
	}
	return &Table{page: newPageTokens(decode(open())), tables: tables, target: largest}, nil
}

func pageError(row int, err error) error {
	return rows.ErrorAt(row, err, "The web page (HTML) cannot be read at or after this place: %v. %s", err, rows.SaveAsXLSX)
}

// Next returns the next row of the table.
func (w *Table) Next(row *importer.Row) error {
	row.Cells, row.Problems = row.Cells[:0], nil
	for !w.done {
		kind, tag, err := w.page.next()
		if err == nil {
			var whole bool
			if whole, err = w.take(row, kind, tag); whole && err == nil {
				return nil
			}
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the survey has seen the end of the table
		}
		if err != nil {
			return pageError(max(w.Row, 1), err)
		}
	}
	return io.EOF
}

// take reads one token, and reports whether it ends a row.
func (w *Table) take(row *importer.Row, kind html.TokenType, tag atom.Atom) (whole bool, err error) {
	if kind == html.TextToken {
		if w.inCell {
			w.text = appendPageText(w.text, w.page.Text())
			if len(w.text) > rows.MaxRowText {
				return false, rows.ErrRowText
			}
		}
		return false, nil
	}
	starts := kind != html.EndTagToken
	if !starts && tag == atom.Table && w.page.tables > w.target && !w.page.isOpen(w.target) {
		w.done = true
		return w.endRow(row)
	}
	if w.page.innermost() != w.target {
		if w.inCell {
			w.text = appendPageText(w.text, []byte{' '})
		}
		return false, nil
	}
	switch tag {
	case atom.Tr:
		if whole, err = w.endRow(row); starts {
			w.inRow = true
			w.hidden = w.isHidden()
		}
	case atom.Td, atom.Th:
		err = w.endCell(row)
		if starts {
			if whole = false; !w.inRow { // a row without its tag
				w.inRow, w.hidden = true, false
			}
			w.inCell, w.span = true, w.readSpan()
		}
	case atom.Br:
		w.text = append(w.text, '\n')
	case atom.P, atom.Div, atom.Li:
		w.text = appendPageText(w.text, []byte{' '})
	}
	return whole, err
}

// endRow ends the row that is open, if there is one.
func (w *Table) endRow(row *importer.Row) (whole bool, err error) {
	if err := w.endCell(row); err != nil || !w.inRow {
		return false, err
	}
	w.inRow, w.width = false, 0
	w.End(row, w.hidden)
	return true, w.SetNumber(row, w.Row+1)
}

// endCell puts the cell that is open into the row, to the right of those that reach down
// from above.
func (w *Table) endCell(row *importer.Row) error {
	if !w.inCell {
		w.text = w.text[:0]
		return nil
	}
	w.inCell = false
	for w.width < len(w.reach) && w.reach[w.width] > w.Row {
		w.width++
	}
	column, end := w.width, w.width+w.span.columns
	if end > rows.MaxColumns {
		return errManyColumns
	}
	if err := w.Pad(row, end); err != nil {
		return err
	}
	row.Cells[column].Text = string(bytes.Trim(w.text, pageSpace))
	w.text, w.width = w.text[:0], end
	w.reach = append(w.reach, make([]int, max(0, end-len(w.reach)))...)
	for c := column; c < end; c++ {
		w.reach[c] = w.Row + w.span.rows
	}
	span := rows.Range{FirstRow: w.Row + 1, LastRow: w.Row + w.span.rows, FirstColumn: column, LastColumn: end - 1}
	if w.span.rows > 1 {
		w.Merged.Add(span)
	}
	if w.span.rows > 1 || w.span.columns > 1 {
		w.spans.Add(span)
	}
	return nil
}

// readSpan reads how many columns and rows the cell takes whose tag was read last.
func (w *Table) readSpan() cellSpan {
	span := cellSpan{1, 1}
	for more := true; more; {
		var key, value []byte
		key, value, more = w.page.TagAttr()
		n, err := strconv.Atoi(string(value))
		if err != nil || n < 1 {
			continue
		}
		const most = 1000 // as browsers have it
		switch string(key) {
		case "colspan":
			span.columns = min(n, most)
		case "rowspan":
			span.rows = min(n, rows.MaxRows)
		}
	}
	return span
}

// isHidden reports whether the row whose tag was read last is hidden.
func (w *Table) isHidden() bool {
	for more := true; more; {
		var key, value []byte
		key, value, more = w.page.TagAttr()
		if string(key) == "hidden" || string(key) == "style" && strings.Contains(strings.ReplaceAll(strings.ToLower(string(value)), " ", ""), "display:none") {
			return true
		}
	}
	return false
}

// pageSpace is what counts as space in a page.
const pageSpace = " \t\r\n\f"

// appendPageText appends a text, whose references are resolved, as a browser shows it:
// with each run of space as one.
func appendPageText(dst, text []byte) []byte {
	for _, c := range text {
		if strings.IndexByte(pageSpace, c) < 0 {
			dst = append(dst, c)
		} else if len(dst) > 0 && strings.IndexByte(pageSpace, dst[len(dst)-1]) < 0 {
			dst = append(dst, ' ')
		}
	}
	return dst
}

// Notes says which table was read.
func (w *Table) Notes() []string {
	note := "The file is a web page (HTML), whatever its name says. Its table was read, with rows numbered from the table's first."
	if w.tables > 1 {
		note = fmt.Sprintf("The file is a web page (HTML), whatever its name says. The largest of its %d tables was read, with rows numbered from that table's first.", w.tables)
	}
	return append([]string{note}, w.Builder.Notes()...)
}

// Merges returns the cells that take several columns or rows.
func (w *Table) Merges(first, last int) ([]rows.Range, error) { return w.spans.Between(first, last) }

// Close does nothing: the file belongs to the caller.
func (w *Table) Close() error { return nil }
