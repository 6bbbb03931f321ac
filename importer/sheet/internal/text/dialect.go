package text

import (
	"bytes"
	"fmt"
	"strings"

	"opscom-import/importer/sheet/internal/rows"
)

const utf8BOM = "\xEF\xBB\xBF"

// dialect says how a text file marks its cells. Rows end where CR, LF or both
// stand outside quotes, whatever the dialect.
type dialect struct {
	delimiter byte
	quote     byte // 0 where quotes mean nothing
	backslash bool // a quote inside a value is written \", besides ""
	padded    bool // spaces between a delimiter and a value, or its quotes, belong to neither
	comments  bool // a line that begins with # and has no delimiter is none of the rows
	skip      int  // bytes before the first row: the byte order mark, a line that names the delimiter
}

// The delimiters that are looked for, and those that are taken only where they cut
// every row alike and none of the others does. Any other can be asked for.
const (
	Delimiters    = ",;\t|"
	oddDelimiters = "^~ :"
)

// delimiterNames gives each its name, as --delimiter takes it.
var delimiterNames = [...]struct {
	delimiter  byte
	name, many string
}{{',', "comma", "commas"}, {';', "semicolon", "semicolons"}, {'\t', "tab", "tabs"}, {'|', "pipe", "pipes (|)"}, {' ', "space", "spaces"}}

// delimiterName returns a delimiter's name and what several of it are called.
func DelimiterName(delimiter byte) (name, many string) {
	for _, d := range delimiterNames {
		if d.delimiter == delimiter {
			return d.name, d.many
		}
	}
	return string(delimiter), fmt.Sprintf("%q", delimiter)
}

// checkDelimiter refuses a delimiter that no cell could do without.
func checkDelimiter(asked rune) error {
	if asked > '~' || strings.ContainsRune("\"\r\n", asked) {
		return rows.Errorf("The delimiter %q cannot be used. Take a comma, a semicolon, a tab or a bar.", asked)
	}
	return nil
}

// detectDialect finds the dialect in the first rows of a text; a partial sample
// ends before the text does. A delimiter that was asked for is taken;
// else the one that the first line names as Excel does (sep=;), else the one that
// cuts the rows alike.
func detectDialect(sample []byte, partial bool, asked rune) (dialect, survey, error) {
	d := dialect{delimiter: ',', quote: '"'}
	if err := checkDelimiter(asked); err != nil {
		return d, survey{}, err
	}
	if bytes.HasPrefix(sample, []byte(utf8BOM)) {
		d.skip = len(utf8BOM)
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
		best, next = odd, survey{}
	}
	if next.width > 0 && best.score()-next.score() < leastLead {
		return d, survey{}, ambiguous(best.delimiter, next.delimiter)
	}
	skip := d.skip
	d = best.dialect
	d.skip = skip
	d.comments = best.width > 1
	return d, best, nil
}

// separatorLine returns the delimiter that a line such as "sep=;" names, and the
// line's size; 0 when there is no such line.
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

func ambiguous(a, b byte) error {
	nameA, manyA := DelimiterName(a)
	nameB, manyB := DelimiterName(b)
	return rows.Errorf("Cells could be separated by %s or by %s: the rows look right either way. Look at the file, and say which it is with --delimiter %s or --delimiter %s.", manyA, manyB, nameA, nameB)
}

// note says what is out of the ordinary; "" when nothing is.
func (d dialect) note() string {
	var parts []string
	if d.delimiter != ',' {
		_, many := DelimiterName(d.delimiter)
		parts = append(parts, "cells are separated by "+many)
	}
	switch d.quote {
	case '\'':
		parts = append(parts, "values stand in single quotes")
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
