package excel

import (
	"math"
	"strconv"
	"time"

	"opscom-import/mapping"
)

// cellReader makes cells of what a worksheet says about them. It is the same for every sheet
// of a workbook.
type cellReader struct {
	strings  *sharedStrings
	formats  []numberFormat // by style
	date1904 bool           // dates count from 1904
	value    []byte         // memory of the raw value
}

// rawCell is a cell as it is written.
type rawCell struct {
	kind       string // attribute t; "" for a number
	style      int    // attribute s
	hasFormula bool
	hasValue   bool // there is a value, which may be empty
	value      []byte
}

// The types of cells (ECMA-376, part 1, ST_CellType).
const (
	typeNumber  = "n"
	typeShared  = "s"
	typeString  = "str"
	typeInline  = "inlineStr"
	typeBool    = "b"
	typeError   = "e"
	typeISODate = "d"
)

// read reads the cell whose start was read last. Its own text is appended to text; one that
// is elsewhere becomes the cell's Text.
func (c *cellReader) read(x *xmlScanner, text []byte) (mapping.Cell, []byte, error) {
	raw := rawCell{kind: cellType(x.attr("t")), style: atoi(x.attr("s"))}
	inline := len(text)
	c.value = c.value[:0]
	for {
		kind, err := x.next()
		if err != nil {
			return mapping.Cell{}, text, err
		}
		if kind == xmlEnd {
			break
		}
		if kind == xmlText {
			continue
		}
		switch string(x.name) {
		case "v":
			raw.hasValue = true
			c.value, err = x.appendText(c.value, false)
		case "f":
			raw.hasFormula = true
			err = x.skip()
		case "is":
			text, err = x.appendStringItem(text)
		default:
			err = x.skipUnknown()
		}
		if err != nil {
			return mapping.Cell{}, text, err
		}
	}
	if len(text) > inline {
		return mapping.Cell{}, text, nil
	}
	raw.value = c.value
	return c.interpret(raw, text)
}

// cellType returns the type without making a string of it.
func cellType(t []byte) string {
	for _, known := range [...]string{typeShared, typeNumber, typeString, typeInline, typeBool, typeError, typeISODate} {
		if string(t) == known {
			return known
		}
	}
	return typeNumber
}

// interpret makes a cell of type, format and raw value together.
func (c *cellReader) interpret(raw rawCell, text []byte) (mapping.Cell, []byte, error) {
	if raw.kind == typeString || raw.kind == typeInline {
		if raw.hasFormula && !raw.hasValue {
			return mapping.Cell{Kind: mapping.NoValueCell}, text, nil
		}
		start := len(text)
		return mapping.Cell{}, unescape(append(text, raw.value...), start), nil
	}
	value := trimXMLSpace(raw.value)
	if len(value) == 0 {
		if raw.hasFormula {
			return mapping.Cell{Kind: mapping.NoValueCell}, text, nil
		}
		return mapping.Cell{}, text, nil
	}
	switch raw.kind {
	case typeShared:
		shared, err := c.strings.get(atoi(value))
		return mapping.Cell{Text: shared}, text, err
	case typeBool:
		return boolCell(value, text)
	case typeError:
		return mapping.Cell{Kind: mapping.ErrorCell}, append(text, value...), nil
	case typeISODate:
		return isoDateCell(value, text)
	}
	return c.number(raw.style, value, text)
}

func boolCell(value, text []byte) (mapping.Cell, []byte, error) {
	switch string(value) {
	case "1", "true":
		return mapping.Cell{Kind: mapping.BoolCell, Text: "TRUE"}, text, nil
	case "0", "false":
		return mapping.Cell{Kind: mapping.BoolCell, Text: "FALSE"}, text, nil
	}
	return mapping.Cell{}, append(text, value...), nil
}

// isoDateCell makes a cell of a date that is written as such. Date and time of day are read
// as written, whatever zone follows them.
func isoDateCell(value, text []byte) (mapping.Cell, []byte, error) {
	for _, layout := range [...]string{"2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04", "2006-01-02Z07:00", "2006-01-02"} {
		t, err := time.Parse(layout, string(value))
		if err != nil {
			continue
		}
		t, layout := t.Round(time.Second), "2006-01-02T15:04:05"
		if hour, minute, second := t.Clock(); hour+minute+second == 0 {
			layout = time.DateOnly
		}
		return mapping.Cell{Kind: mapping.DateCell}, t.AppendFormat(text, layout), nil
	}
	return mapping.Cell{}, append(text, value...), nil
}

// number makes a cell of a number: a date, an id with its leading zeros, or the number in
// full, as its format says.
func (c *cellReader) number(style int, value, text []byte) (mapping.Cell, []byte, error) {
	var format numberFormat
	if style >= 0 && style < len(c.formats) {
		format = c.formats[style]
	}
	if !isNumber(value) { // not a number at all
		return mapping.Cell{}, append(text, value...), nil
	}
	if format.isPlain() {
		return mapping.Cell{Kind: mapping.NumberCell}, appendNumber(text, value), nil
	}
	n, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		return mapping.Cell{Kind: mapping.NumberCell}, appendNumber(text, value), nil
	}
	section := format.section(n)
	if section.kind == dateFormat {
		if dated, ok := mapping.AppendSerialDate(text, n, c.date1904); ok {
			return mapping.Cell{Kind: mapping.DateCell}, dated, nil
		}
	}
	cell, text := section.show(value, text)
	return cell, text, nil
}

// show makes a cell of a number as the section shows it: a text if it has letters, or
// nothing of the number.
func (s *formatSection) show(value, text []byte) (mapping.Cell, []byte) {
	start := len(text)
	text = appendNumber(text, value)
	if s.kind == shownFormat {
		if shown, ok := s.append(nil, text[start:]); ok {
			text = append(text[:start], shown...)
			if s.letters || s.places == 0 {
				return mapping.Cell{}, text
			}
			return mapping.Cell{Kind: mapping.NumberCell}, text
		}
	}
	if s.letters {
		return mapping.Cell{Kind: mapping.UnclearCell}, text
	}
	return mapping.Cell{Kind: mapping.NumberCell}, text
}

// isNumber reports whether b has only characters of decimal numbers, and not what else Go
// reads as a number (hexadecimals, Inf).
func isNumber(b []byte) bool {
	digit := false
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			digit = true
		case c != '+' && c != '-' && c != '.' && c != 'e' && c != 'E':
			return false
		}
	}
	return digit
}

// appendNumber appends the number in full, never 1.2E+08. Whole numbers keep every digit that
// is written. Others are rounded to the 15 digits that Excel shows: the digits after them are
// an error of binary fractions (68.66499999999999 was typed as 68.665).
func appendNumber(dst, value []byte) []byte {
	if isPlainInteger(value) {
		return append(dst, value...)
	}
	n, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		return append(dst, value...)
	}
	if n == 0 {
		return append(dst, '0')
	}
	const shownDigits = 15
	var buf [32]byte
	rounded, err := strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], n, 'g', shownDigits, 64)), 64)
	if err == nil && n != math.Trunc(n) {
		n = rounded
	}
	return strconv.AppendFloat(dst, n, 'f', -1, 64)
}

// isPlainInteger reports whether b is only digits, after a minus or not, without a leading
// zero.
func isPlainInteger(b []byte) bool {
	if len(b) > 1 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) == 0 || (b[0] == '0' && len(b) > 1) {
		return false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
