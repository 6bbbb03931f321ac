package excel

import (
	"bytes"
	"regexp"
	"strconv"
	"unicode/utf16"

	"opscom-import/importer/sheet/internal/rows"
)

// appendStringItem appends the text of the element whose start was read last: a shared string
// or the string in a cell. Both have one text, or runs of rich text that are read as one,
// without hints of pronunciation.
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
			err = x.skipUnknown()
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

// escapes matches characters in the form _xHHHH_, or in two of them for one beyond the basic
// plane.
var escapes = regexp.MustCompile(`_x[Dd][89ABab][[:xdigit:]]{2}__x[Dd][C-Fc-f][[:xdigit:]]{2}_|_x(?:[0-9A-CEFa-cef][[:xdigit:]]|[Dd][0-7])[[:xdigit:]]{2}_`)

// unescape resolves, in b from start on, the form _xHHHH_ in which a workbook writes
// characters that XML cannot represent (ECMA-376, part 1, ST_Xstring). A text that has this
// form itself is written with its underscore as _x005F_.
func unescape(b []byte, start int) []byte {
	if !bytes.Contains(b[start:], []byte("_x")) {
		return b
	}
	return append(b[:start], escapes.ReplaceAllFunc(b[start:], func(match []byte) []byte {
		var units []uint16
		for ; len(match) > 0; match = match[len("_xHHHH_"):] {
			unit, _ := strconv.ParseUint(string(match[2:6]), 16, 16)
			units = append(units, uint16(unit))
		}
		return []byte(string(utf16.Decode(units)))
	})...)
}
