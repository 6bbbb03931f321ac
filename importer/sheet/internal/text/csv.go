// Package text reads CSV in any encoding and dialect: bytes are turned into UTF-8
// (reader.go, encoding.go, accents.go, endmark.go), the dialect is found in the first rows
// (dialect.go, sniff.go), and the text is cut into records (csv.go, wrapped.go).
//
// In goes a file such as (é being the byte 0xE9)
//
//	id;name
//	1;"René; Jr."
//
// and out come its rows, and notes on what was assumed:
//
//	Row{Number: 1, Cells: ["id" "name"]}
//	Row{Number: 2, Cells: ["1" "René; Jr."]}
//	"The text is not UTF-8. It was read as Windows-1252 …", "… cells are separated by semicolons."
package text

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// maxRecord is the most bytes that one row of a text file may have: as far as the end of a
// quoted value is looked for.
const maxRecord = 1 << 20

// Reader cuts text into records by RFC 4180 and its relatives. encoding/csv, and every
// library built on it, gives up the file at the first bad quote, or swallows the rows below
// a quote that is never closed, and counts lines where a spreadsheet counts rows. This
// reader makes a bad record a problem of that row alone: only its first line is given up,
// and reading continues with the next line.
type Reader struct {
	r        io.Reader   // gives UTF-8
	text     *utf8Reader // what r reads; nil where r is known to be UTF-8
	readErr  error       // of r, once it has returned one; io.EOF at the end
	buf      []byte      // buf[pos:end] is unread
	pos, end int
	lf, cr   lineEnd // the next of either
	offset   int64   // of buf[0] in the text

	dialect
	partial    bool // the text is cut short, and a record that is not complete does not count
	row        int  // number of the last row
	width      int  // cells of the first record
	UsualWidth int  // cells that most records at the beginning of the file have; 0 when they differ
	fields     []field

	ending Ending // how a text ends that does not end with a line end
	marked bool   // it ends with the mark of old systems

	quotedValues int   // that were read
	commentLines int   // that were left out
	firstComment int   // row of the first of them
	wrappedLines int   // that are one value in quotes with delimiters in it
	unwrapped    int   // of these, those whose cells were read
	firstWrapped int   // the first of them
	fixed        int   // first row with C1 control characters that are letters; 0 for none
	rereadUntil  int64 // up to here lines were once read as the inside of a quoted value
	rereadRow    int   // the row whose quote it was
}

// lineEnd is where the next line feed, or carriage return, is in the buffer: at at, which is
// the end of the buffer when there is none. There is none between from and at.
type lineEnd struct {
	from, at int
}

// field is where a cell is in its record, without its quotes.
type field struct {
	start, end int
	quoted     bool
	escaped    bool // contains quotes that are doubled or have a backslash
}

// What can be wrong with a record's quotes.
var (
	errBareQuote  = errors.New("there is a quote inside a value that does not begin with one")
	errAfterQuote = errors.New("there is text after a closing quote")
	errUnclosed   = errors.New("a quote is never closed")
)

// Options overrides what is otherwise found in the text.
type Options struct {
	Delimiter rune   // 0 for the one that is found
	Encoding  string // by a name in the WHATWG Encoding Standard or of IANA; "" for the one that is found
}

// Open starts reading a text.
func Open(open func() (io.ReadCloser, error), o Options) (*Reader, error) {
	r, err := newUTF8Reader(open, o.Encoding)
	if err != nil {
		return nil, err
	}
	c, err := newCSV(r, o.Delimiter)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	c.text = r
	return c, nil
}

// newCSV starts reading UTF-8 text, whose dialect it finds in the first rows.
func newCSV(r io.Reader, delimiter rune) (*Reader, error) {
	c := &Reader{r: r, buf: make([]byte, sampleSize+utf8.UTFMax)}
	for c.end < sampleSize && c.readErr == nil {
		c.fill()
	}
	if c.readErr != nil && c.readErr != io.EOF {
		return nil, c.readErr
	}
	var found trial
	var err error
	c.dialect, found, err = detectDialect(c.buf[:c.end], c.readErr == nil, delimiter)
	c.UsualWidth, c.pos = found.usual, c.skip
	return c, err
}

// Delimiter returns what separates the cells.
func (c *Reader) Delimiter() rune { return rune(c.delimiter) }

// Next reads one record. A blank line, or a comment, is a row without cells.
func (c *Reader) Next(row *importer.Row) error {
	line, err := c.line(0)
	if err == io.EOF {
		return io.EOF
	}
	c.row++
	if err != nil {
		return c.located(err)
	}
	line -= c.skipMarks(line)
	row.Number, row.Cells, row.Problems = c.row, row.Cells[:0], nil
	begin := c.offset + int64(c.pos)

	content := c.content(line)
	switch {
	case c.comments && len(content) > 0 && content[0] == '#' && bytes.IndexByte(content, c.delimiter) < 0:
		if c.commentLines++; c.firstComment == 0 {
			c.firstComment = c.row
		}
		c.pos += line
		return nil
	case c.quote == 0 || bytes.IndexByte(content, c.quote) < 0:
		record := string(content)
		c.pos += line
		if record, err = c.check(row, record); err != nil {
			return err
		}
		row.Cells = c.appendCells(row.Cells, record)
		c.doubt(row, record, begin, false)
	default:
		if err := c.quoted(row, line, begin); err != nil {
			return err
		}
	}
	if c.width == 0 {
		c.width = len(row.Cells)
	}
	return nil
}

// appendCells cuts a line without quotes, or one whose quotes mean nothing. The cells share
// the line's memory. Most of the time of reading a file is spent here, so eight bytes at a
// time are compared with the delimiter.
func (c *Reader) appendCells(cells []mapping.Cell, line string) []mapping.Cell {
	if line == "" {
		return cells
	}
	const low, each = 0x7F7F7F7F7F7F7F7F, 0x0101010101010101
	first, start, at := len(cells), 0, 0
	for ; at+8 <= len(line); at += 8 {
		differ := eightBytes(line[at:]) ^ each*uint64(c.delimiter)
		// The highest bit of each byte that does not differ.
		for same := ^(differ&low + low | differ | low); same != 0; same &= same - 1 {
			end := at + bits.TrailingZeros64(same)/8
			cells = append(cells, mapping.Cell{Text: line[start:end]})
			start = end + 1
		}
	}
	for ; at < len(line); at++ {
		if line[at] == c.delimiter {
			cells = append(cells, mapping.Cell{Text: line[start:at]})
			start = at + 1
		}
	}
	cells = append(cells, mapping.Cell{Text: line[start:]})
	if c.padded {
		for i := range cells[first:] {
			cells[first+i].Text = strings.TrimLeft(cells[first+i].Text, " \t")
		}
	}
	return cells
}

// eightBytes returns the first eight bytes, the first of them lowest.
func eightBytes(s string) uint64 {
	s = s[:8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// isPadding reports whether b may separate a delimiter from a quote.
func (c *Reader) isPadding(b byte) bool {
	return c.padded && (b == ' ' || b == '\t') && b != c.delimiter
}

// quoted reads a record that has quotes, whose first line is line bytes long.
func (c *Reader) quoted(row *importer.Row, line int, begin int64) error {
	c.fields = c.fields[:0]
	size, quoteErr, err := c.splitQuoted(line)
	if err == io.EOF && c.partial {
		return err
	}
	if err != nil {
		return c.located(err)
	}
	if quoteErr != nil {
		return c.giveUp(row, line, size, quoteErr)
	}
	raw := string(c.buf[c.pos : c.pos+size])
	c.pos += size
	record, err := c.check(row, raw)
	if err != nil {
		return err
	}
	for _, f := range c.fields {
		text := raw[f.start:f.end]
		if record != raw {
			text = fixLetters(text)
		}
		if f.escaped {
			text = c.unescape(text)
		}
		row.Cells = append(row.Cells, mapping.Cell{Text: text})
	}
	c.unwrap(row)
	c.doubt(row, record, begin, size > line)
	return nil
}

// unescape resolves the quotes in a quoted value.
func (c *Reader) unescape(text string) string {
	quote := string(c.quote)
	if c.backslash {
		return strings.NewReplacer(`\\`, `\`, `\`+quote, quote, quote+quote, quote).Replace(text)
	}
	return strings.ReplaceAll(text, quote+quote, quote)
}

// splitQuoted cuts a record that has quotes, whose first line is line bytes
// long. It returns how many bytes it looked at: the size of the record, or with a quoteErr
// the end of the line on which the error showed. Nothing is consumed.
func (c *Reader) splitQuoted(line int) (size int, quoteErr, err error) {
	limit, at := line, 0
	for {
		content := c.content(limit)
		for at < len(content) && c.isPadding(content[at]) {
			at++
		}
		var last bool
		if at == len(content) || content[at] != c.quote {
			last, at, quoteErr = c.bareField(content, at)
		} else {
			last, at, limit, quoteErr, err = c.quotedField(at, limit)
		}
		if last || quoteErr != nil || err != nil {
			return limit, quoteErr, err
		}
	}
}

// bareField reads the field that begins at at and has no quotes around it. It returns where
// the next one begins. Where single quotes are used, one inside a value is an apostrophe.
func (c *Reader) bareField(content []byte, at int) (last bool, next int, err error) {
	size := bytes.IndexByte(content[at:], c.delimiter)
	if size < 0 {
		last, size = true, len(content)-at
	}
	if value := content[at : at+size]; c.quote == '"' && bytes.IndexByte(value, '"') >= 0 && !isTextFormula(string(value)) {
		return last, at, errBareQuote
	}
	c.fields = append(c.fields, field{start: at, end: at + size})
	return last, at + size + 1, nil
}

// isTextFormula reports whether a value is a formula that is only a text, as in ="00123":
// programs write that where a spreadsheet must not read a number.
func isTextFormula(value string) bool {
	_, ok := mapping.TextFormula(strings.TrimSpace(value))
	return ok
}

// quotedField reads the field whose opening quote is at at. limit is the end of the line it
// begins on, and then of the line it ends on. In single quotes, which apostrophes look like,
// a value ends on its line.
func (c *Reader) quotedField(at, limit int) (last bool, next, end int, quoteErr, err error) {
	f := field{start: at + 1, quoted: true}
	for i := f.start; ; {
		q := bytes.IndexByte(c.buf[c.pos+i:c.pos+limit], c.quote)
		if q < 0 && c.quote == '\'' {
			return false, at, limit, errUnclosed, nil
		}
		if q < 0 {
			i = limit
			grown, err := c.line(limit)
			if (err == io.EOF && !c.partial) || errors.Is(err, errTooLong) {
				return false, at, limit, errUnclosed, nil
			}
			if err != nil {
				return false, at, limit, nil, err
			}
			limit += grown
			continue
		}
		i += q + 1
		if c.backslash && c.isEscaped(f.start, i-1) {
			f.escaped = true
			continue
		}
		content := c.content(limit)
		if i < len(content) && content[i] == c.quote {
			f.escaped = true
			i++
			continue
		}
		f.end = i - 1
		for i < len(content) && c.isPadding(content[i]) {
			i++
		}
		switch {
		case i == len(content) || content[i] == c.delimiter:
		case c.quote == '\'': // an apostrophe
			i = f.end + 1
			continue
		default:
			return false, at, limit, errAfterQuote, nil
		}
		f.escaped = f.escaped || c.backslash
		c.fields = append(c.fields, f)
		c.quotedValues++
		return i >= len(content), i + 1, limit, nil, nil
	}
}

// isEscaped reports whether a backslash makes the quote at at part of the value
// that begins at start.
func (c *Reader) isEscaped(start, at int) bool {
	n := 0
	for at-n > start && c.buf[c.pos+at-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// giveUp makes a row with a problem of the record's first line, which is cut at all
// delimiters. The lines below, up to where the error showed, are read again.
func (c *Reader) giveUp(row *importer.Row, line, size int, quoteErr error) error {
	if size > line && !errors.Is(quoteErr, errUnclosed) {
		c.rereadUntil, c.rereadRow = c.offset+int64(c.pos+size), c.row
	}
	if errors.Is(quoteErr, errUnclosed) {
		c.ending.Unclosed = c.row
	}
	record := string(c.content(line))
	c.pos += line
	record, err := c.check(row, record)
	if err != nil {
		return err
	}
	row.Cells = c.appendCells(row.Cells, record)
	rows.AddProblem(row, mapping.RuleBadQuotes, fmt.Sprintf("The quotes in the row do not match: %v.", quoteErr), "Put quotes around the whole value, and double each quote in it.")
	return nil
}

// check refuses bytes that are not text, and makes those that have no letter in the file's
// encoding a problem of the row. It returns the record in UTF-8, with C1 control characters
// replaced by the letters that they are.
func (c *Reader) check(row *importer.Row, record string) (string, error) {
	if c.text != nil && c.text.clean {
		return record, nil
	}
	if strings.IndexByte(record, 0) >= 0 {
		return record, rows.ErrorAt(c.row, nil, "The row contains bytes that are not text (NUL), so the file is damaged or not CSV at all. "+rows.ExportXLSX)
	}
	valid := utf8.ValidString(record)
	if valid && !(c.text != nil && c.text.decoded && strings.ContainsRune(record, utf8.RuneError)) {
		fixed := fixLetters(record)
		if fixed != record && c.fixed == 0 {
			c.fixed = c.row
		}
		return fixed, nil
	}
	rows.AddProblem(row, mapping.RuleBadCharacter, "The row contains bytes that are not letters in the encoding of the file, shown as \uFFFD.", "Export the row again, or type those letters again.")
	return fixLetters(record), nil
}

// doubt looks for rows that only a stray quote holds together: one of several lines that
// each have as many cells as the header, and one that was read again.
func (c *Reader) doubt(row *importer.Row, record string, begin int64, severalLines bool) {
	if severalLines && c.width > 1 && c.linesLookLikeRows(record) {
		rows.AddProblem(row, mapping.RuleBadQuotes, "A quoted value of the row has several lines, each of which looks like a separate row.", "Look for an extra quote: two people may have been joined.")
		return
	}
	if begin < c.rereadUntil && len(row.Cells) > 0 {
		rows.AddProblem(row, mapping.RuleBadQuotes, fmt.Sprintf("A quote opened in row %d is never closed; this row follows it.", c.rereadRow), "Check that it is a separate row.")
		row.Problems[len(row.Problems)-1].Severity = mapping.SeverityWarning
	}
}

func (c *Reader) linesLookLikeRows(record string) bool {
	lines := strings.FieldsFunc(record, func(r rune) bool { return r == '\n' || r == '\r' })
	return !slices.ContainsFunc(lines, func(line string) bool { return strings.Count(line, string(c.delimiter))+1 != c.width })
}

// content returns the first unread bytes up to the end of a line, without its line end.
func (c *Reader) content(end int) []byte {
	line := bytes.TrimSuffix(c.buf[c.pos:c.pos+end], []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'})
}

var errTooLong = errors.New("too long")

// line returns the size of the line that begins at from, counted from pos, its line end
// included: LF, CR LF or CR. It reads as much as it needs. The error is io.EOF when nothing
// is left, and errTooLong when the record would become too large.
func (c *Reader) line(from int) (int, error) {
	for {
		begin := c.pos + from
		lf, cr := c.find(&c.lf, '\n', begin), c.find(&c.cr, '\r', begin)
		atEnd := c.readErr != nil
		switch {
		case lf < cr, lf == cr+1 && lf < c.end:
			return lf + 1 - begin, nil
		case cr < c.end-1, cr < c.end && atEnd:
			return cr + 1 - begin, nil
		case c.end-c.pos > maxRecord:
			return 0, errTooLong
		case atEnd && c.readErr != io.EOF:
			return 0, c.readErr
		case atEnd && (c.end == begin || c.partial):
			return 0, io.EOF
		case atEnd:
			c.ending.Unended, c.ending.Quoted = !c.marked, c.quote != 0 && c.buf[c.end-1] == c.quote
			return c.end - begin, nil
		}
		c.fill()
	}
}

// find returns where the next line end of a kind is, from begin on. It looks at the same
// bytes only once, so that a file without one costs nothing.
func (c *Reader) find(next *lineEnd, kind byte, begin int) int {
	if begin < next.from || begin > next.at {
		*next = lineEnd{from: begin, at: begin}
	}
	if next.at < c.end && c.buf[next.at] != kind {
		if i := bytes.IndexByte(c.buf[next.at:c.end], kind); i >= 0 {
			next.at += i
		} else {
			next.at = c.end
		}
	}
	return next.at
}

// skipMarks skips the byte order marks at the beginning of a line, where programs leave
// one that put texts together. It returns how many bytes they are.
func (c *Reader) skipMarks(line int) int {
	size := 0
	for bytes.HasPrefix(c.buf[c.pos+size:c.pos+line], []byte(utf8BOM)) {
		size += len(utf8BOM)
	}
	c.pos += size
	return size
}

// fill reads more, after it has moved what is unread to the front of the buffer, which grows
// when it is nearly full.
func (c *Reader) fill() {
	if c.pos > 0 {
		copy(c.buf, c.buf[c.pos:c.end])
		c.offset += int64(c.pos)
		for _, at := range []*int{&c.lf.from, &c.lf.at, &c.cr.from, &c.cr.at, &c.end} {
			*at -= c.pos
		}
		c.pos = 0
	}
	c.read()
	c.cutEndMark()
}

func (c *Reader) read() {
	if len(c.buf)-c.end < utf8.UTFMax {
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	var n int
	n, c.readErr = c.r.Read(c.buf[c.end:])
	c.end += n
}

// located makes an error of reading one of the row. A *FileError keeps its message.
func (c *Reader) located(err error) error {
	var fe *rows.FileError
	switch {
	case errors.As(err, &fe):
		fe.Row = c.row
		return fe
	case errors.Is(err, errTooLong):
		return rows.ErrorAt(c.row, nil, "The row is longer than 1 MiB, so this is probably not a table of people. Check the file. "+rows.ExportXLSX)
	}
	return rows.ErrorAt(c.row, err, "Reading stopped here (%v). Copy the file to this computer and read the copy.", err)
}

// Ending is how a text ends.
type Ending struct {
	Row      int  // number of the last row
	Unended  bool // its line has no line end
	Quoted   bool // and ends with a quote
	Unclosed int  // last row with a quote that is never closed; 0 for none
}

// Ending returns how the text ends. It is known once Next has returned io.EOF.
func (c *Reader) Ending() Ending {
	c.ending.Row = c.row
	return c.ending
}

// Notes says what was assumed of the text.
func (c *Reader) Notes() []string {
	var notes []string
	if c.text != nil {
		notes = []string{c.text.note, c.dialect.note()}
	}
	if c.fixed > 0 {
		notes = append(notes, fmt.Sprintf("The file has letters and signs such as ’ and – as invisible characters (U+0080 to U+009F), first in row %d: a program took Windows-1252 for Latin-1. They were read as Windows-1252.", c.fixed))
	}
	if c.unwrapped > 0 {
		words := english.Plural(c.unwrapped, "line is a single value in quotes, row", "lines are a single value in quotes each, the first in row")
		notes = append(notes, fmt.Sprintf("%s %d: the cells inside the quotes were read.", words, c.firstWrapped))
	}
	if c.commentLines > 0 {
		words := english.Plural(c.commentLines, "line that begins with # was treated as a comment and skipped, in", "lines that begin with # were treated as comments and skipped, the first in")
		notes = append(notes, fmt.Sprintf("%s row %d.", words, c.firstComment))
	}
	return slices.DeleteFunc(notes, func(note string) bool { return note == "" })
}

// Close closes the text.
func (c *Reader) Close() error {
	if c.text == nil {
		return nil
	}
	return c.text.Close()
}
