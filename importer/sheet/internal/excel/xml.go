package excel

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// xmlScanner cuts a stream of XML into tags and text without allocating a value for each:
// encoding/xml takes ten times as long, nearly all of the time that it takes to read a
// workbook. It knows what the parts of a workbook are made of: elements with or without a
// namespace prefix, attributes, entities and character references, CDATA, comments,
// processing instructions. It insists that elements nest and that the document is complete.
// A document type, with which entities may grow without limit, is an error, as Excel never
// writes one.
type xmlScanner struct {
	r        io.Reader
	readErr  error
	buf      []byte // buf[pos:end] is unread
	pos, end int

	// The token that next found; all of it is valid until the following call.
	name   []byte // of a tag, without its prefix
	attrs  []attr // of a start tag
	text   []byte // of text, decoded
	decode []byte // memory of decoded text

	ignorable string // prefixes of elements that need not be known, with a space around each

	open    []byte // the full names of the open elements, one after the other
	lengths []int  // of each of them
	closing bool   // the start tag was an end tag too
	rooted  bool   // the root element has begun

	anyCharset bool // r gives UTF-8, whatever the document says of itself
}

// attr is an attribute as it is written, its value without the quotes.
type attr struct{ name, value []byte }

type xmlKind uint8

const (
	xmlEOF xmlKind = iota
	xmlStart
	xmlEnd
	xmlText
)

const (
	xmlBuffer = 64 << 10
	maxToken  = 1 << 20 // bytes of one tag or one run of text; a cell has at most 32,767 characters
	maxDepth  = 256     // of elements in elements
	maxName   = 1 << 10 // bytes of an element's name

	// maxRetries is how many values of a tag may contain ">". For each of them the tag is
	// read again, so that many would take forever.
	maxRetries = 64
)

var (
	errXMLCut     = fmt.Errorf("the XML ends too early: %w", io.ErrUnexpectedEOF)
	errXMLSyntax  = errors.New("the XML is malformed")
	errXMLNesting = errors.New("the XML's elements do not nest")
	errXMLDoctype = errors.New("the XML declares a document type")
	errXMLCharset = errors.New("the XML is not written in UTF-8")
	errXMLLarge   = errors.New("the XML has a text or a tag that is too long")
	errNotUTF8    = errors.New("a text is not valid UTF-8")
)

// errXMLUnknown returns the error for an element that may change what the cells mean.
func errXMLUnknown(name []byte) error {
	return fmt.Errorf("the XML has an unknown element %q", name)
}

func newXMLScanner(r io.Reader) *xmlScanner {
	return &xmlScanner{r: r, buf: make([]byte, xmlBuffer)}
}

// depth returns how many elements are open.
func (x *xmlScanner) depth() int { return len(x.lengths) }

// next finds the next token. An element that is written as one tag gives a start and an end.
// At xmlEOF the whole input has been read.
func (x *xmlScanner) next() (xmlKind, error) {
	if x.closing {
		x.closing = false
		x.pop()
		return xmlEnd, nil
	}
	for {
		if x.pos == x.end {
			if err := x.fill(); err == io.EOF {
				return xmlEOF, x.atEOF()
			} else if err != nil {
				return xmlEOF, err
			}
		}
		if x.buf[x.pos] != '<' {
			kind, err := x.readText()
			if kind == xmlText || err != nil {
				return kind, err
			}
			continue
		}
		if err := x.need(2); err != nil {
			return xmlEOF, err
		}
		switch x.buf[x.pos+1] {
		case '/':
			return xmlEnd, x.readEnd()
		case '?':
			if err := x.readInstruction(); err != nil {
				return xmlEOF, err
			}
		case '!':
			kind, err := x.readDeclaration()
			if kind == xmlText || err != nil {
				return kind, err
			}
		default:
			return xmlStart, x.readStart()
		}
	}
}

func (x *xmlScanner) atEOF() error {
	if x.depth() > 0 || !x.rooted {
		return errXMLCut
	}
	return nil
}

// readText reads text up to the next tag. Space outside the root element is not a token.
func (x *xmlScanner) readText() (xmlKind, error) {
	size, err := x.index(0, '<')
	if err == errXMLCut {
		size, err = x.end-x.pos, nil
	}
	if err != nil {
		return xmlEOF, err
	}
	raw := x.buf[x.pos : x.pos+size]
	x.pos += size
	if x.depth() == 0 {
		if !x.rooted {
			raw = bytes.TrimPrefix(raw, []byte("\uFEFF"))
		}
		if len(bytes.TrimSpace(raw)) > 0 {
			return xmlEOF, errXMLSyntax
		}
		return xmlEOF, nil
	}
	x.text, err = x.decoded(raw, true)
	return xmlText, err
}

// readEnd reads an end tag and compares it with the element that is open.
func (x *xmlScanner) readEnd() error {
	if x.depth() > 0 { // nearly all are written without space, and are completely in the buffer
		full := x.current()
		if tag := x.buf[x.pos+2 : x.end]; len(tag) > len(full) && tag[len(full)] == '>' && string(tag[:len(full)]) == string(full) {
			x.pos += len("</>") + len(full)
			x.pop()
			return nil
		}
	}
	size, err := x.index(2, '>')
	if err != nil {
		return err
	}
	full := trimXMLSpace(x.buf[x.pos+2 : x.pos+size])
	x.pos += size + 1
	if x.depth() == 0 || string(full) != string(x.current()) {
		return errXMLNesting
	}
	x.pop()
	return nil
}

// current returns the full name of the innermost open element.
func (x *xmlScanner) current() []byte { return x.open[len(x.open)-x.lengths[len(x.lengths)-1]:] }

// pop closes the innermost open element, and makes its name the token's.
func (x *xmlScanner) pop() {
	full := x.current()
	x.name = local(full)
	x.open, x.lengths = x.open[:len(x.open)-len(full)], x.lengths[:len(x.lengths)-1]
}

// local returns a name without its namespace prefix.
func local(full []byte) []byte {
	for i, c := range full { // a few bytes: a call to IndexByte takes longer
		if c != ':' {
			continue
		}
		if i > 0 && i+1 < len(full) {
			return full[i+1:]
		}
		break
	}
	return full
}

// readInstruction skips a processing instruction. The one at the beginning may name another
// encoding, which would read as nonsense.
func (x *xmlScanner) readInstruction() error {
	size, err := x.indexString(2, "?>")
	if err != nil {
		return err
	}
	content := x.buf[x.pos+2 : x.pos+size]
	x.pos += size + 2
	if x.anyCharset || !bytes.HasPrefix(content, []byte("xml ")) {
		return nil
	}
	_, encoding, ok := bytes.Cut(bytes.ToLower(content), []byte("encoding"))
	if !ok || bytes.Contains(encoding, []byte("utf-16")) { // it has been decoded, or this could not be read
		return nil
	}
	if bytes.Contains(encoding, []byte("utf-8")) || bytes.Contains(encoding, []byte("utf8")) || bytes.Contains(encoding, []byte("ascii")) {
		return nil
	}
	return errXMLCharset
}

// readDeclaration skips a comment, and reads CDATA as text.
func (x *xmlScanner) readDeclaration() (xmlKind, error) {
	const comment, cdata = "<!--", "<![CDATA["
	if err := x.need(len(comment)); err == nil && string(x.buf[x.pos:x.pos+len(comment)]) == comment {
		size, err := x.indexString(len(comment), "-->")
		x.pos += size + len("-->")
		return xmlStart, err
	}
	if err := x.need(len(cdata)); err != nil || string(x.buf[x.pos:x.pos+len(cdata)]) != cdata {
		return xmlEOF, errXMLDoctype
	}
	size, err := x.indexString(len(cdata), "]]>")
	if err != nil {
		return xmlEOF, err
	}
	raw := x.buf[x.pos+len(cdata) : x.pos+size]
	x.pos += size + len("]]>")
	if x.depth() == 0 {
		return xmlEOF, errXMLSyntax
	}
	x.text, err = x.decoded(raw, false)
	return xmlText, err
}

// readStart reads a start tag and its attributes.
func (x *xmlScanner) readStart() error {
	size := 2
	for range maxRetries {
		end, err := x.index(size, '>')
		if err != nil {
			return err
		}
		done, open, err := x.parseStart(x.buf[x.pos+1 : x.pos+end])
		if err != nil {
			return err
		}
		if done {
			x.pos += end + 1
			x.rooted = true
			return nil
		}
		if size, err = x.index(end+1, open); err != nil { // the value continues up to its quote at least
			return err
		}
	}
	return errXMLSyntax
}

// parseStart parses a start tag. It is not done when the tag continues, as the ">" after it
// is in the value of an attribute, which began with the quote that is returned.
func (x *xmlScanner) parseStart(tag []byte) (done bool, open byte, err error) {
	n := 0
	for n < len(tag) && !isXMLSpace(tag[n]) && tag[n] != '/' {
		n++
	}
	full, rest := tag[:n], tag[n:]
	if n == 0 || n > maxName || (x.depth() == 0 && x.rooted) || x.depth() >= maxDepth {
		return false, 0, errXMLSyntax
	}
	x.attrs = x.attrs[:0]
	for {
		rest = trimXMLSpace(rest)
		if len(rest) == 0 || (len(rest) == 1 && rest[0] == '/') {
			break
		}
		var a attr
		if a, rest, err = cutAttr(rest); err != nil {
			return false, 0, err
		}
		if a.value == nil {
			return false, rest[0], nil
		}
		x.attrs = append(x.attrs, a)
	}
	x.closing = len(rest) == 1
	x.open = append(x.open, full...)
	x.lengths = append(x.lengths, len(full))
	x.name = local(full)
	return true, 0, nil
}

// cutAttr cuts off the attribute at the beginning of tag. Its value is nil when the tag ends
// before its closing quote; the rest then begins with the opening one.
func cutAttr(tag []byte) (a attr, rest []byte, err error) {
	equals := bytes.IndexByte(tag, '=')
	if equals <= 0 {
		return a, nil, errXMLSyntax
	}
	a.name = trimXMLSpace(tag[:equals])
	value := trimXMLSpace(tag[equals+1:])
	if len(value) == 0 || (value[0] != '"' && value[0] != '\'') {
		return a, nil, errXMLSyntax
	}
	size := bytes.IndexByte(value[1:], value[0])
	if size < 0 {
		return a, value, nil
	}
	a.value, rest = value[1:1+size], value[size+2:]
	if len(rest) > 0 && !isXMLSpace(rest[0]) && rest[0] != '/' {
		return a, nil, errXMLSyntax
	}
	return a, rest, nil
}

func isXMLSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// trimXMLSpace returns b without the space around it. bytes.Trim, with its set of characters,
// would take a tenth of the time to read a sheet.
func trimXMLSpace(b []byte) []byte {
	for len(b) > 0 && isXMLSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isXMLSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// decoded returns text with its references resolved, if it may have any, and its line ends as
// XML requires: one LF each.
func (x *xmlScanner) decoded(raw []byte, references bool) ([]byte, error) {
	references = references && bytes.IndexByte(raw, '&') >= 0
	if !references && bytes.IndexByte(raw, '\r') < 0 {
		return raw, nil
	}
	out := x.decode[:0]
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\r':
			if i+1 == len(raw) || raw[i+1] != '\n' {
				out = append(out, '\n')
			}
		case c == '&' && references:
			size := bytes.IndexByte(raw[i:], ';')
			if size < 0 {
				return nil, errXMLSyntax
			}
			r, ok := reference(raw[i+1 : i+size])
			if !ok {
				return nil, errXMLSyntax
			}
			out = utf8.AppendRune(out, r)
			i += size
		default:
			out = append(out, c)
		}
	}
	x.decode = out
	return out, nil
}

var entities = map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// reference returns the character of a reference, by what is between & and ;.
func reference(name []byte) (rune, bool) {
	if r, ok := entities[string(name)]; ok {
		return r, true
	}
	if len(name) < 2 || len(name) > 10 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(string(digits), base, 32)
	if err != nil || n == 0 || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return 0, false
	}
	return rune(n), true
}

// root reads up to the start of the root element, which must have that name.
func (x *xmlScanner) root(name string) error {
	kind, err := x.next()
	if err != nil {
		return err
	}
	if kind != xmlStart || string(x.name) != name {
		return errXMLUnknown(x.name)
	}
	for _, a := range x.attrs {
		if string(local(a.name)) == "Ignorable" {
			x.ignorable = " " + string(a.value) + " "
		}
	}
	return nil
}

// skipUnknown skips the element whose start was read last where the document says that it may
// be ignored: an extension list, or a namespace that is named as ignorable (ECMA-376, part
// 3). Elsewhere an unknown element is an error.
func (x *xmlScanner) skipUnknown() error {
	prefix, _, prefixed := strings.Cut(string(x.current()), ":")
	if string(x.name) == "extLst" || prefixed && strings.Contains(x.ignorable, " "+prefix+" ") {
		return x.skip()
	}
	return errXMLUnknown(x.name)
}

// skip reads to the end of the element whose start was read last.
func (x *xmlScanner) skip() error {
	for outer := x.depth() - 1; x.depth() > outer; {
		if _, err := x.next(); err != nil {
			return err
		}
	}
	return nil
}

// attr returns the value of an attribute without a namespace prefix, nil when there is none.
func (x *xmlScanner) attr(name string) []byte {
	for _, a := range x.attrs {
		if string(a.name) == name {
			return a.value
		}
	}
	return nil
}

// attrText returns the text of an attribute by its name without a prefix, "" when there is
// none. The call of next that follows returns what is wrong with it.
func (x *xmlScanner) attrText(name string) string {
	for _, a := range x.attrs {
		if string(local(a.name)) != name {
			continue
		}
		text, err := x.decoded(a.value, true)
		if err == nil && !utf8.Valid(text) {
			err = errNotUTF8
		}
		if err != nil {
			x.readErr, x.pos, x.end, x.closing = err, 0, 0, false
		}
		return string(text)
	}
	return ""
}

// index returns the index of c, counted from pos, at from or after it. It reads as much as it
// needs.
func (x *xmlScanner) index(from int, c byte) (int, error) {
	for {
		if from < x.end-x.pos {
			if i := bytes.IndexByte(x.buf[x.pos+from:x.end], c); i >= 0 {
				return from + i, nil
			}
			from = x.end - x.pos
		}
		if err := x.more(); err != nil {
			return 0, err
		}
	}
}

// indexString is index for a longer separator.
func (x *xmlScanner) indexString(from int, s string) (int, error) {
	for {
		i, err := x.index(from, s[0])
		if err == nil {
			for x.end-x.pos < i+len(s) && err == nil {
				err = x.more()
			}
		}
		if err != nil {
			return 0, err
		}
		if string(x.buf[x.pos+i:x.pos+i+len(s)]) == s {
			return i, nil
		}
		from = i + 1
	}
}

// need reads until n bytes are unread in the buffer.
func (x *xmlScanner) need(n int) error {
	for x.end-x.pos < n {
		if err := x.more(); err != nil {
			return err
		}
	}
	return nil
}

// more is fill inside a token, where the end of the input is an error.
func (x *xmlScanner) more() error {
	if x.end-x.pos > maxToken {
		return errXMLLarge
	}
	err := x.fill()
	if err == io.EOF {
		return errXMLCut
	}
	return err
}

// fill reads more, after it has moved what is unread to the front of the buffer, which grows
// when it is full.
func (x *xmlScanner) fill() error {
	if x.readErr != nil {
		return x.readErr
	}
	if x.pos > 0 {
		copy(x.buf, x.buf[x.pos:x.end])
		x.pos, x.end = 0, x.end-x.pos
	}
	if x.end == len(x.buf) {
		x.buf = append(x.buf, make([]byte, len(x.buf))...)
	}
	for x.readErr == nil {
		var n int
		n, x.readErr = x.r.Read(x.buf[x.end:])
		if x.end += n; n > 0 {
			return nil
		}
	}
	return x.readErr
}
