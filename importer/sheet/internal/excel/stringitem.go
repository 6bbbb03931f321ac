package excel

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"opscom-import/importer/sheet/internal/rows"
)

// appendStringItem appends the text of the element whose start was read last: a
// shared string or the string in a cell. Both hold one text, or runs of rich
// text that are read as one; hints of pronunciation are not part of it.
func (x *xmlScanner) appendStringItem(dst []byte) ([]byte, error) {
	for outer := x.depth() - 1; ; {
		kind, err := x.next()
		if err != nil {
			return dst, err
		}
		switch {
		case kind == xmlEnd && x.depth() == outer:
			return dst, nil
		case kind != xmlStart:
			continue
		}
		switch string(x.name) {
		case "r":
		case "t":
			dst, err = x.appendItemText(dst)
		case "rPr", "rPh", "phoneticPr":
			err = x.skip()
		default:
			err = x.passOver()
		}
		if err != nil {
			return dst, err
		}
	}
}

// appendItemText appends the text of the element whose start was read last. As in Excel,
// space around it counts only where xml:space says so.
func (x *xmlScanner) appendItemText(dst []byte) ([]byte, error) {
	keepSpace := string(x.attr("xml:space")) == "preserve"
	start := len(dst)
	dst, err := x.appendText(dst, false)
	if err != nil {
		return dst, err
	}
	if !keepSpace {
		dst = append(dst[:start], trimXMLSpace(dst[start:])...)
	}
	return unescape(dst, start), nil
}

// appendText appends all text in the element whose start was read last. It may have
// elements in it only when nested is set.
func (x *xmlScanner) appendText(dst []byte, nested bool) ([]byte, error) {
	for outer := x.depth() - 1; ; {
		kind, err := x.next()
		switch {
		case err != nil:
			return dst, err
		case kind == xmlEnd && x.depth() == outer:
			return dst, nil
		case kind == xmlStart && !nested:
			return dst, errXMLUnknown(x.name)
		case kind == xmlText:
			if len(dst)+len(x.text) > rows.MaxRowText {
				return dst, rows.ErrRowText
			}
			dst = append(dst, x.text...)
		}
	}
}

// unescape resolves, in b from start on, the form _xHHHH_ in which a workbook
// writes characters that XML cannot hold (ECMA-376, part 1, ST_Xstring). A text
// that has this form itself is written with its underscore as _x005F_.
func unescape(b []byte, start int) []byte {
	if !bytes.Contains(b[start:], []byte("_x")) {
		return b
	}
	out := b[:start]
	for i := start; i < len(b); {
		r, size := escaped(b[i:])
		if size == 0 {
			out = append(out, b[i])
			i++
			continue
		}
		// A character is never longer than its escape: out stays behind i.
		out = utf8.AppendRune(out, r)
		i += size
	}
	return out
}

// escaped returns the character that b begins with in the form _xHHHH_, or in
// two of them for one beyond the basic plane; size 0 when there is none.
func escaped(b []byte) (r rune, size int) {
	const form = len("_xHHHH_")
	r, ok := escapedUnit(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, form
	}
	if low, ok := escapedUnit(b[form:]); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, 2 * form
		}
	}
	return 0, 0
}

func escapedUnit(b []byte) (rune, bool) {
	if len(b) < 7 || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}
