package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// maxRecord is the most bytes that one row of a text file may have. A quote that
// is never closed is given up there.
const maxRecord = 1 << 20

const csvBuffer = 64 << 10

// csvReader cuts text into records by RFC 4180. encoding/csv, and every library
// built on it, gives up the file at the first bad quote, or swallows the rows
// below a quote that is never closed, and counts lines where a spreadsheet counts
// rows. This reader makes a bad record a problem of that row alone: only its
// first line is given up, and reading goes on with the next line.
type csvReader struct {
	r        io.Reader
	readErr  error  // of r, once it has given one; io.EOF at the end
	buf      []byte // buf[pos:end] is unread
	pos, end int
	offset   int64 // of buf[0] in the file

	dialect
	row        int // number of the last row
	width      int // cells of the first record
	usualWidth int // cells that most records at the beginning of the file have; 0 when they differ
	fields     []field

	rereadUntil int64 // up to here lines were once taken for the inside of a quoted value
	rereadRow   int   // the row whose quote it was
}

// field is where a cell stands in its record, without its quotes.
type field struct {
	start, end int
	escaped    bool // holds doubled quotes
}

// What can be wrong with a record's quotes.
var (
	errBareQuote  = errors.New("a quote stands inside a value that does not begin with one")
	errAfterQuote = errors.New("there is text after a closing quote")
	errUnclosed   = errors.New("a quote is opened and never closed")
)

func newCSV(r io.Reader, o Options) (*csvReader, error) {
	c := &csvReader{r: r, buf: make([]byte, csvBuffer)}
	for c.end < len(c.buf) && c.readErr == nil {
		c.fill()
	}
	if c.readErr != nil && c.readErr != io.EOF {
		return nil, c.readErr
	}
	var err error
	if c.dialect, err = detectDialect(c.buf[:c.end], o); err != nil {
		return nil, err
	}
	c.pos = c.skip
	c.usualWidth = usualWidth(c.buf[c.pos:c.end], c.dialect)
	return c, nil
}

// usualWidth returns how many cells more than half of the sample's records have,
// 0 when they differ or there are too few to tell. The first one, which may be
// the header, does not count, nor does one that is cut where the sample ends.
func usualWidth(sample []byte, d dialect) int {
	c := &csvReader{r: bytes.NewReader(sample), buf: make([]byte, len(sample)+1), dialect: d}
	var row importer.Row
	records, byWidth := 0, map[int]int{}
	for c.next(&row) == nil {
		cut := c.pos == c.end && sample[len(sample)-1] != d.lineEnd
		if len(row.Cells) == 0 || len(row.Problems) > 0 || c.row == 1 || cut {
			continue
		}
		records++
		byWidth[len(row.Cells)]++
	}
	for width, n := range byWidth {
		if n > 1 && n > records/2 {
			return width
		}
	}
	return 0
}

// next reads one record. A blank line is a row without cells.
func (c *csvReader) next(row *importer.Row) error {
	line, err := c.line(0)
	if err == io.EOF {
		return io.EOF
	}
	c.row++
	if err != nil {
		return c.located(err)
	}
	row.Number, row.Cells, row.Problems = c.row, row.Cells[:0], nil
	begin := c.offset + int64(c.pos)

	content := c.content(0, line)
	if bytes.IndexByte(content, '"') < 0 {
		record := string(content)
		c.pos += line
		if err := c.check(record); err != nil {
			return err
		}
		row.Cells = c.appendCells(row.Cells, record)
		c.doubt(row, record, begin, false)
	} else if err := c.quoted(row, line, begin); err != nil {
		return err
	}
	if c.width == 0 {
		c.width = len(row.Cells)
	}
	return nil
}

// appendCells cuts a line without quotes, or one whose quotes mean nothing. The
// cells share the line's memory.
func (c *csvReader) appendCells(cells []mapping.Cell, line string) []mapping.Cell {
	for line != "" {
		i := strings.IndexByte(line, c.delimiter)
		if i < 0 {
			return append(cells, mapping.Cell{Text: line})
		}
		cells = append(cells, mapping.Cell{Text: line[:i]})
		if line = line[i+1:]; line == "" {
			cells = append(cells, mapping.Cell{})
		}
	}
	return cells
}

// quoted reads a record that has quotes, whose first line is line bytes long.
func (c *csvReader) quoted(row *importer.Row, line int, begin int64) error {
	c.fields = c.fields[:0]
	size, quoteErr, err := c.splitQuoted(line)
	if err != nil {
		return c.located(err)
	}
	if quoteErr != nil {
		return c.giveUp(row, line, size, quoteErr)
	}
	record := string(c.buf[c.pos : c.pos+size])
	c.pos += size
	if err := c.check(record); err != nil {
		return err
	}
	for _, f := range c.fields {
		text := record[f.start:f.end]
		if f.escaped {
			text = strings.ReplaceAll(text, `""`, `"`)
		}
		row.Cells = append(row.Cells, mapping.Cell{Text: text})
	}
	c.doubt(row, record, begin, size > line)
	return nil
}

// splitQuoted cuts a record that has quotes, whose first line is line bytes
// long. It returns how many bytes it looked at: the record's size, or with a
// quoteErr the end of the line on which the fault showed. Nothing is consumed.
func (c *csvReader) splitQuoted(line int) (size int, quoteErr, err error) {
	limit, at := line, 0
	for {
		var last bool
		if content := c.content(0, limit); at == len(content) || content[at] != '"' {
			last, at, quoteErr = c.bareField(content, at)
		} else {
			last, at, limit, quoteErr, err = c.quotedField(at, limit)
		}
		if last || quoteErr != nil || err != nil {
			return limit, quoteErr, err
		}
	}
}

// bareField takes the field that begins at at and has no quotes round it. It
// returns where the next one begins.
func (c *csvReader) bareField(content []byte, at int) (last bool, next int, err error) {
	size := bytes.IndexByte(content[at:], c.delimiter)
	if size < 0 {
		last, size = true, len(content)-at
	}
	if bytes.IndexByte(content[at:at+size], '"') >= 0 {
		return last, at, errBareQuote
	}
	c.fields = append(c.fields, field{start: at, end: at + size})
	return last, at + size + 1, nil
}

// quotedField takes the field whose opening quote is at at. limit is the end of
// the line it begins on, and then of the line it ends on.
func (c *csvReader) quotedField(at, limit int) (last bool, next, end int, quoteErr, err error) {
	f := field{start: at + 1}
	for i := f.start; ; {
		q := bytes.IndexByte(c.buf[c.pos+i:c.pos+limit], '"')
		if q < 0 {
			i = limit
			grown, err := c.line(limit)
			if err == io.EOF || errors.Is(err, errTooLong) {
				return false, at, limit, errUnclosed, nil
			}
			if err != nil {
				return false, at, limit, nil, err
			}
			limit += grown
			continue
		}
		i += q + 1
		content := c.content(0, limit)
		switch {
		case i < len(content) && content[i] == '"':
			f.escaped = true
			i++
			continue
		case i < len(content) && content[i] != c.delimiter:
			return false, at, limit, errAfterQuote, nil
		}
		f.end = i - 1
		c.fields = append(c.fields, f)
		return i >= len(content), i + 1, limit, nil, nil
	}
}

// giveUp makes the record's first line a row at fault, cut at the delimiters as
// it stands. The lines below, up to where the fault showed, are read anew.
func (c *csvReader) giveUp(row *importer.Row, line, size int, quoteErr error) error {
	if size > line && !errors.Is(quoteErr, errUnclosed) {
		c.rereadUntil, c.rereadRow = c.offset+int64(c.pos+size), c.row
	}
	record := string(c.content(0, line))
	c.pos += line
	row.Cells = c.appendCells(row.Cells, record)
	row.Problems = append(row.Problems, mapping.Problem{
		Rule: mapping.BadQuotes, Column: mapping.NoColumn,
		Message: fmt.Sprintf("The quotes of the row do not pair up: %v. Put quotes round the whole value, and double each quote in it.", quoteErr),
	})
	return c.check(record)
}

// check refuses bytes that are no text.
func (c *csvReader) check(record string) error {
	if !utf8.ValidString(record) {
		return fault(c.row, "The row holds letters that are not UTF-8, so names with accents would be read wrong. "+saveAsUTF8, nil)
	}
	if strings.IndexByte(record, 0) >= 0 {
		return fault(c.row, "The row holds bytes that are no text (NUL), so the file is damaged, or no CSV at all. "+exportXLSX, nil)
	}
	return nil
}

// doubt looks for rows that hang together only by a stray quote: one of several
// lines that each have as many cells as the header, and one that was read anew.
func (c *csvReader) doubt(row *importer.Row, record string, begin int64, severalLines bool) {
	if severalLines && c.width > 1 && c.linesLookLikeRows(record) {
		row.Problems = append(row.Problems, mapping.Problem{
			Rule: mapping.BadQuotes, Column: mapping.NoColumn,
			Message: "A quoted value of the row goes on over several lines, each of which looks like a row of its own. Look for a quote too many: two people may have run together.",
		})
		return
	}
	if begin < c.rereadUntil && len(row.Cells) > 0 {
		row.Problems = append(row.Problems, mapping.Problem{
			Rule: mapping.BadQuotes, Severity: mapping.Warning, Column: mapping.NoColumn,
			Message: fmt.Sprintf("The row stands below a quote of row %d that does not pair up. Check that it is a row of its own.", c.rereadRow),
		})
	}
}

func (c *csvReader) linesLookLikeRows(record string) bool {
	for line := range strings.SplitSeq(strings.TrimRight(record, "\r\n"), string(c.lineEnd)) {
		if strings.Count(line, string(c.delimiter))+1 != c.width {
			return false
		}
	}
	return true
}

// content returns the unread bytes from start to the end of a line, without its
// line end.
func (c *csvReader) content(start, end int) []byte {
	line := c.buf[c.pos+start : c.pos+end]
	if n := len(line); n > 0 && line[n-1] == c.lineEnd {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && c.lineEnd == '\n' && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

var errTooLong = errors.New("too long")

// line returns the size of the line that begins at from, counted from pos, its
// line end included. It reads as much as it must. The error is io.EOF when
// nothing is left, and errTooLong when the record would grow too large.
func (c *csvReader) line(from int) (int, error) {
	for searched := from; ; {
		unread := c.buf[c.pos:c.end]
		if i := bytes.IndexByte(unread[searched:], c.lineEnd); i >= 0 {
			return searched + i + 1 - from, nil
		}
		searched = len(unread)
		switch {
		case len(unread) > maxRecord:
			return 0, errTooLong
		case c.readErr == io.EOF && searched == from:
			return 0, io.EOF
		case c.readErr == io.EOF:
			return searched - from, nil
		case c.readErr != nil:
			return 0, c.readErr
		}
		c.fill()
	}
}

// fill reads more, moving what is unread to the front of the buffer, and
// growing it when it is full.
func (c *csvReader) fill() {
	if c.pos > 0 {
		copy(c.buf, c.buf[c.pos:c.end])
		c.offset += int64(c.pos)
		c.pos, c.end = 0, c.end-c.pos
	}
	if c.end == len(c.buf) {
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	var n int
	n, c.readErr = c.r.Read(c.buf[c.end:])
	c.end += n
}

func (c *csvReader) located(err error) error {
	if errors.Is(err, errTooLong) {
		return fault(c.row, "The row is longer than 1 MiB, so this is hardly a table of people. Check the file. "+exportXLSX, nil)
	}
	return fault(c.row, fmt.Sprintf("Reading stopped here (%v). Copy the file to this computer and read the copy.", err), err)
}

func (c *csvReader) notes() []string { return nil }

func (c *csvReader) close() error { return nil }
