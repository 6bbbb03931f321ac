package excel

import (
	"bytes"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// Nearly all cells are written in one way: reference, style and type in double quotes, one
// value or text, and no space or reference anywhere. What follows reads these byte by byte,
// in a third of the time. Whatever is written in another way, is not in the buffer
// completely, or is wrong is left to the scanner, which gives the same for a plain cell.

// plainCell reads the next cell of the row if it is plain. Otherwise it is not ok, and
// nothing is read.
func (w *worksheet) plainCell(row *importer.Row, previous int) (column int, ok bool, err error) {
	x := w.xml
	if x.closing { // the row is empty
		return 0, false, nil
	}
	b := x.buf[x.pos:x.end]
	tag, size := cutCellTag(b)
	if size == 0 {
		return 0, false, nil
	}
	column, number := previous+1, w.Row
	if tag.ref != nil {
		column, number = parseRef(tag.ref)
	}
	if column <= previous || column >= rows.MaxColumns || number != w.Row {
		return 0, false, nil
	}
	if tag.closed {
		x.pos += size
		return column, true, nil
	}
	start := len(w.text)
	cell, n, err := w.plainValue(tag, b[size:])
	if n == 0 || err != nil {
		return 0, false, err
	}
	x.pos += size + n
	return column, true, w.put(row, column, cell, start)
}

// plainValue makes a cell of what is between its tags, and returns the size of that and
// of the end tag; 0 when it is not plain.
func (w *worksheet) plainValue(tag cellTag, b []byte) (cell mapping.Cell, size int, err error) {
	const inline, preserved = "<is><t>", `<is><t xml:space="preserve">`
	opening, closing := "<v>", "</v></c>"
	keepSpace := false
	switch tag.kind {
	case typeInline:
		opening, closing = inline, "</t></is></c>"
		if keepSpace = hasPrefix(b, preserved); keepSpace {
			opening = preserved
		}
	case typeString:
		keepSpace = true
	}
	if !hasPrefix(b, opening) {
		return cell, 0, nil
	}
	value := plainText(b[len(opening):])
	if value == nil || !hasPrefix(b[len(opening)+len(value):], closing) {
		return cell, 0, nil
	}
	size = len(opening) + len(value) + len(closing)
	if len(value) == 0 { // no value, whatever the type
		return cell, size, nil
	}
	if !keepSpace && (isXMLSpace(value[0]) || isXMLSpace(value[len(value)-1])) {
		return cell, 0, nil
	}
	switch tag.kind {
	case typeInline, typeString:
		w.text = append(w.text, value...)
	case typeShared:
		cell.Text, err = w.cells.strings.get(atoi(value))
	default:
		cell, w.text, err = w.cells.number(atoi(tag.style), value, w.text)
	}
	return cell, size, err
}

// cellTag is the start tag of a cell.
type cellTag struct {
	ref, style []byte // nil for none
	kind       string // typeNumber, typeShared, typeString or typeInline
	closed     bool   // it is the end tag too
}

// cutCellTag reads the start tag of a cell that b begins with. The size is 0 when it is not
// plain.
func cutCellTag(b []byte) (tag cellTag, size int) {
	const longest = 16 // bytes of a value
	if !hasPrefix(b, "<c") {
		return tag, 0
	}
	tag.kind = typeNumber
	typed := false
	at := len("<c")
	for at+len(` r="`) < len(b) && b[at] == ' ' && b[at+2] == '=' && b[at+3] == '"' {
		name, from := b[at+1], at+len(` r="`)
		to := from
		for to < len(b) && isPlainAttrByte(b[to]) {
			to++
		}
		if to == len(b) || b[to] != '"' || to == from || to-from > longest {
			return tag, 0
		}
		value := b[from:to]
		switch {
		case name == 'r' && tag.ref == nil:
			tag.ref = value
		case name == 's' && tag.style == nil:
			tag.style = value
		case name == 't' && !typed:
			typed = true
			if tag.kind = plainType(value); tag.kind == "" {
				return tag, 0
			}
		default:
			return tag, 0
		}
		at = to + 1
	}
	switch {
	case at < len(b) && b[at] == '>':
		return tag, at + 1
	case hasPrefix(b[at:], "/>"):
		tag.closed = true
		return tag, at + len("/>")
	}
	return tag, 0
}

func isPlainAttrByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// plainType returns the type of a cell that may be plain, "" for others.
func plainType(t []byte) string {
	for _, known := range [...]string{typeShared, typeInline, typeNumber, typeString} {
		if string(t) == known {
			return known
		}
	}
	return ""
}

// plainText returns the text that b begins with, up to a tag; nil when there is no tag, or
// the text may mean another one.
func plainText(b []byte) []byte {
	size := bytes.IndexByte(b, '<')
	if size < 0 {
		return nil
	}
	for i, c := range b[:size] {
		if c == '&' || c == '\r' || c == '_' && b[i+1] == 'x' {
			return nil
		}
	}
	return b[:size]
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// appendPlainItem appends the next shared string to dst if it is plain. Otherwise it is not
// ok, and nothing is read.
func (x *xmlScanner) appendPlainItem(dst []byte) (item []byte, ok bool) {
	const opening, preserved, closing = "<si><t>", `<si><t xml:space="preserve">`, "</t></si>"
	if x.closing || x.depth() != 1 {
		return dst, false
	}
	b, size := x.buf[x.pos:x.end], len(opening)
	keepSpace := hasPrefix(b, preserved)
	switch {
	case keepSpace:
		size = len(preserved)
	case !hasPrefix(b, opening):
		return dst, false
	}
	text := plainText(b[size:])
	if len(text) == 0 || !hasPrefix(b[size+len(text):], closing) {
		return dst, false
	}
	if !keepSpace && (isXMLSpace(text[0]) || isXMLSpace(text[len(text)-1])) {
		return dst, false
	}
	x.pos += size + len(text) + len(closing)
	return append(dst, text...), true
}
