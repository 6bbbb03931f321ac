package text

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

const utf8BOM = "\xEF\xBB\xBF"

// dialect is how a text file marks its cells. Rows end with CR, LF or both outside quotes,
// whatever the dialect.
type dialect struct {
	delimiter byte
	quote     byte // 0 where quotes mean nothing
	backslash bool // a quote inside a value is written \", besides ""
	padded    bool // spaces between a delimiter and a value, or its quotes, belong to neither
	wrapped   bool // most lines are a single value in quotes, in which the cells are
	comments  bool // a line that begins with # and has no delimiter is not a row
	skip      int  // bytes before the first row: the byte order mark, a line that names the delimiter
}

// The delimiters that are looked for, and those that are used only where they cut every
// row alike and none of the others does. Any other can be asked for.
const (
	Delimiters    = ",;\t|"
	oddDelimiters = "^~ :"
)

// manyDelimiters is what several delimiters of a kind are called.
var manyDelimiters = map[byte]string{',': "commas", ';': "semicolons", '\t': "tabs", '|': "pipes (|)", ' ': "spaces"}

// DelimiterName returns the name of a delimiter, and what several of it are called.
func DelimiterName(delimiter byte) (name, many string) {
	return mapping.DelimiterName(rune(delimiter)), cmp.Or(manyDelimiters[delimiter], fmt.Sprintf("%q", delimiter))
}

// detectDialect finds the dialect in the first rows of a text; a partial sample ends
// before the text does. A delimiter that was asked for is used; else the one that the first
// line names as Excel writes it (sep=;), else the one that cuts the rows alike.
func detectDialect(sample []byte, partial bool, asked rune) (dialect, trial, error) {
	d := dialect{delimiter: ',', quote: '"'}
	if asked > '~' || strings.ContainsRune("\"\r\n", asked) {
		return d, trial{}, rows.Errorf("The delimiter %q cannot be used. Use a comma, a semicolon, a tab or a pipe.", asked)
	}
	for bytes.HasPrefix(sample[d.skip:], []byte(utf8BOM)) {
		d.skip += len(utf8BOM)
	}
	candidates := []byte(Delimiters)
	if named, size := separatorLine(sample[d.skip:]); size > 0 {
		d.skip += size
		candidates = []byte{named}
	}
	if asked != 0 {
		candidates = []byte{byte(asked)}
	}
	best, next := chooseDelimiter(sample[d.skip:], partial, candidates)
	if partial && best.records == 0 {
		best, next = chooseDelimiter(sample[d.skip:], false, candidates)
	}
	if odd := chooseOddDelimiter(sample[d.skip:], partial); len(candidates) > 1 && best.score() < leastOrderly && odd.width > 0 {
		best, next = odd, trial{}
	}
	if len(candidates) > 1 && bytes.IndexByte(sample, 0) < 0 && isFixedWidth(sample[d.skip:], best) {
		return d, trial{}, fixedWidthError()
	}
	if next.width > 0 && best.score()-next.score() < leastLead {
		name, many := DelimiterName(best.delimiter)
		nextName, nextMany := DelimiterName(next.delimiter)
		return d, trial{}, rows.Errorf("Cells could be separated by %s or by %s: the rows look right either way. Look at the file, and say which it is with --delimiter %s or --delimiter %s.", many, nextMany, name, nextName).Asking(rows.AskDelimiter, name, nextName)
	}
	best.skip, best.comments = d.skip, best.width > 1
	return best.dialect, best, nil
}

// separatorLine returns the delimiter that a line such as "sep=;" names, and the size of
// that line; 0 when there is no such line.
func separatorLine(text []byte) (delimiter byte, size int) {
	const key = "sep="
	at := bytes.IndexAny(text, "\r\n")
	if at < 0 {
		return 0, 0
	}
	line := bytes.Trim(text[:at], `"`)
	if len(line) != len(key)+1 || !bytes.EqualFold(line[:len(key)], []byte(key)) {
		return 0, 0
	}
	size = at + 1
	if bytes.HasPrefix(text[at:], []byte("\r\n")) {
		size++
	}
	return line[len(key)], size
}

// note says what is unusual; "" when nothing is.
func (d dialect) note() string {
	var parts []string
	if d.delimiter != ',' {
		_, many := DelimiterName(d.delimiter)
		parts = append(parts, "cells are separated by "+many)
	}
	switch d.quote {
	case '\'':
		parts = append(parts, "values are in single quotes")
	case 0:
		parts = append(parts, "quotes are part of the values")
	}
	if d.backslash {
		parts = append(parts, `a quote inside a value is written \"`)
	}
	if d.padded {
		parts = append(parts, "spaces next to a delimiter mean nothing")
	}
	if len(parts) == 0 {
		return ""
	}
	return "The file is read like this: " + strings.Join(parts, ", ") + "."
}
