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
	"slices"
	"strconv"
	"strings"

	"opscom-import/importer/sheet/internal/rows"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
	xencoding "golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"opscom-import/importer"
)

// webTable reads the largest table of a web page, as student systems write it
// under the name .xls. All its cells are text, just as a person sees them. Rows
// are numbered as they stand in the table.
type Table struct {
	page   pageTokens
	target int // index of the table among those of the page
	survey pageSurvey

	rows.Builder
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

var (
	errManyColumns = errors.New("it has more columns than a sheet can have")
	errPageLarge   = errors.New("a cell or a tag is too long")
)

// openPage finds the largest table of a page and starts reading it.
func Open(file io.ReaderAt, size int64) (*Table, error) {
	open := func() io.Reader { return io.NewSectionReader(file, 0, size) }
	decode, err := pageEncoding(open())
	if err != nil {
		return nil, err
	}
	survey, err := surveyPage(decode(open()))
	if err != nil {
		return nil, err
	}
	return &Table{page: newPageTokens(decode(open())), target: survey.largest, survey: survey}, nil
}

// pageEncoding returns what decodes a page: nothing where all of it is UTF-8, else
// the encoding that it names, or else what Windows writes in the west.
func pageEncoding(r io.Reader) (decode func(io.Reader) io.Reader, err error) {
	head := make([]byte, 4096)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	encoding, name, _ := charset.DetermineEncoding(head[:n], "")
	isUTF8, err := validUTF8(io.MultiReader(bytes.NewReader(head[:n]), r))
	switch {
	case err != nil:
		return nil, err
	case isUTF8 && !strings.HasPrefix(name, "utf-16"):
		return func(r io.Reader) io.Reader { return r }, nil
	case name == "utf-8":
		return nil, rows.Errorf("The web page says that it is written in UTF-8, but it holds other letters, so names with accents would be read wrong. " + rows.SaveAsXLSX)
	}
	return func(r io.Reader) io.Reader { return encoding.NewDecoder().Reader(r) }, nil
}

// validUTF8 reads to the end and reports whether all of it is UTF-8.
func validUTF8(r io.Reader) (bool, error) {
	_, err := io.Copy(io.Discard, transform.NewReader(r, xencoding.UTF8Validator))
	if errors.Is(err, xencoding.ErrInvalidUTF8) {
		return false, nil
	}
	return err == nil, err
}

// pageTokens walks through the tags of a page and tells in which table they stand.
type pageTokens struct {
	*html.Tokenizer
	tables int   // begun so far
	open   []int // indexes of the tables that are open
	mute   atom.Atom
}

func newPageTokens(r io.Reader) pageTokens {
	z := html.NewTokenizer(r)
	z.SetMaxBuf(maxTag)
	return pageTokens{Tokenizer: z}
}

// next returns the next token that counts: a text, or a tag with its name. What
// stands in a script or a style is passed over.
func (p *pageTokens) next() (html.TokenType, atom.Atom, error) {
	for {
		kind := p.Next()
		switch kind {
		case html.ErrorToken:
			if errors.Is(p.Err(), html.ErrBufferExceeded) {
				return kind, 0, errPageLarge
			}
			return kind, 0, p.Err()
		case html.TextToken:
			if p.mute == 0 {
				return kind, 0, nil
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := p.TagName()
			tag := atom.Lookup(name)
			if tag == atom.Script || tag == atom.Style || tag == atom.Title {
				if p.mute = 0; kind == html.StartTagToken {
					p.mute = tag
				}
				continue
			}
			if p.mute != 0 {
				continue
			}
			if tag == atom.Table {
				p.count(kind)
			}
			return kind, tag, nil
		}
	}
}

// count keeps account of the tables that are open.
func (p *pageTokens) count(kind html.TokenType) {
	switch {
	case kind == html.StartTagToken:
		p.open = append(p.open, p.tables)
		p.tables++
	case kind == html.EndTagToken && len(p.open) > 0:
		p.open = p.open[:len(p.open)-1]
	}
}

// innermost returns the index of the table that the token stands in, -1 for none.
func (p *pageTokens) innermost() int {
	if len(p.open) == 0 {
		return -1
	}
	return p.open[len(p.open)-1]
}

// isOpen reports whether a table is open. Their indexes grow.
func (p *pageTokens) isOpen(table int) bool {
	_, open := slices.BinarySearch(p.open, table)
	return open
}

// pageSurvey says which table of a page is the largest.
type pageSurvey struct {
	tables  int // with cells
	largest int
}

// surveyPage reads the whole page. A page whose largest table is never closed was
// cut short.
func surveyPage(r io.Reader) (pageSurvey, error) {
	page := newPageTokens(r)
	var cells []int
	for {
		kind, tag, err := page.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return pageSurvey{}, pageFault(0, err)
		}
		if i := page.innermost(); i >= 0 && kind == html.StartTagToken && (tag == atom.Td || tag == atom.Th) {
			cells = append(cells, make([]int, max(0, i+1-len(cells)))...)
			cells[i]++
		}
	}
	if len(cells) == 0 {
		return pageSurvey{}, rows.Errorf("This is a web page (HTML) without a table, whatever its name says. " + rows.ExportXLSX)
	}
	s := pageSurvey{largest: slices.Index(cells, slices.Max(cells))}
	for _, n := range cells {
		if n > 0 {
			s.tables++
		}
	}
	if page.isOpen(s.largest) {
		return pageSurvey{}, rows.Errorf("This is a web page (HTML) that ends in the middle of its table, so it was cut short. Export it again.")
	}
	return s, nil
}

func pageFault(row int, err error) error {
	return rows.ErrorAt(row, err, "The web page (HTML) cannot be read at or after this place: %v. %s", err, rows.SaveAsXLSX)
}

// next returns the next row of the table.
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
			err = io.ErrUnexpectedEOF // the survey has seen the table's end
		}
		if err != nil {
			return pageFault(max(w.Row, 1), err)
		}
	}
	return io.EOF
}

// take takes one token, and reports whether it ends a row.
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
	if !starts && tag == atom.Table && w.inTable() {
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

// inTable reports whether an end of a table was that of the one that is read.
func (w *Table) inTable() bool {
	return w.page.tables > w.target && !w.page.isOpen(w.target)
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

// endCell puts the cell that is open into the row, right of those that reach down
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
	for len(w.reach) < end {
		w.reach = append(w.reach, 0)
	}
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

// isHidden reports whether the style of the row whose tag was read last hides it.
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

const maxTag = 1 << 20 // bytes of a tag or a text

// pageSpace is what counts as space in a page.
const pageSpace = " \t\r\n\f"

// appendPageText appends a text with its references resolved, and with each run of
// space in it as one, as a browser shows it.
func appendPageText(dst, raw []byte) []byte {
	text := raw
	if bytes.IndexByte(raw, '&') >= 0 {
		text = []byte(html.UnescapeString(string(raw)))
	}
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
	if w.survey.tables > 1 {
		note = fmt.Sprintf("The file is a web page (HTML), whatever its name says. The largest of its %d tables was read, with rows numbered from that table's first.", w.survey.tables)
	}
	return append([]string{note}, w.Builder.Notes()...)
}

// Merges returns the cells that take several columns or rows.
func (w *Table) Merges(first, last int) ([]rows.Range, error) { return w.spans.Between(first, last) }

// Close does nothing: the file belongs to the caller.
func (w *Table) Close() error { return nil }
