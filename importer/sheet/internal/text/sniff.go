package text

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"opscom-import/importer"
)

// sampleSize is how many bytes of a text the dialect is found in.
const sampleSize = 128 << 10

// leastOrderly is the score of rows that look like rows by and large.
const leastOrderly = 0.5

// leastLead is by how much the best delimiter must beat the next one.
const leastLead = 0.1

// trial is what the first rows of a text look like in a dialect.
type trial struct {
	dialect
	records      int     // that are not blank
	width        int     // cells that most records have, of those with two or more; 0 where there are none
	alike        int     // records with that many
	faults       int     // records whose quotes do not pair up
	quoted       int     // values in quotes
	wrappedLines int     // records that are a single value in quotes with delimiters in it
	clean        float64 // share of the cells in alike records that look whole
	usual        int     // cells that more than half of the records have, without the first one; 0 when they differ or there are too few
}

// score is how much the rows look like rows, from 0 to 1: they have the same number of
// cells, and the cells do not look as if they should be cut further.
func (t trial) score() float64 {
	if t.records == 0 {
		return 0
	}
	return float64(t.alike) / float64(t.records) * t.clean
}

// chooseDelimiter tries the candidates and returns the best two. Where none gives two
// cells in a row, the best one is the first, and next is the zero value.
func chooseDelimiter(sample []byte, partial bool, candidates []byte) (best, next trial) {
	for i, t := range tryDelimiters(sample, partial, candidates) {
		switch {
		case i == 0:
			best = t
		case t.width > 0 && (best.width == 0 || t.score() > best.score()):
			if best.width > 0 {
				next = best
			}
			best = t
		case t.width > 0 && t.score() > next.score():
			next = t
		}
	}
	return best, next
}

// tryDelimiters tries the first candidate, and the others that occur. Tabs separate values
// without quotes as well (text/tab-separated-values), but not where the quotes pair up with
// another delimiter: then the tabs are inside of values.
func tryDelimiters(sample []byte, partial bool, candidates []byte) []trial {
	const mostFaults = 0.05
	var trials []trial
	quoted := false
	for i, delimiter := range candidates {
		if i > 0 && bytes.IndexByte(sample, delimiter) < 0 {
			continue
		}
		t := unwrapLines(sample, partial, chooseQuotes(sample, partial, dialect{delimiter: delimiter, quote: '"'}))
		trials = append(trials, t)
		quoted = quoted || t.width > 0 && t.quoted > 0 && float64(t.faults) <= mostFaults*float64(t.records)
	}
	for i, t := range trials {
		if t.delimiter == '\t' && t.quoted == 0 && t.faults > 0 && !quoted {
			trials[i] = try(sample, partial, dialect{delimiter: t.delimiter})
		}
	}
	return trials
}

// chooseOddDelimiter tries the delimiters that are seldom used, and returns the zero value
// where none cuts all rows alike. Words next to each other are not cells by themselves:
// spaces and colons need values in quotes.
func chooseOddDelimiter(sample []byte, partial bool) trial {
	const leastRecords, leastWidth = 3, 4
	for _, delimiter := range []byte(oddDelimiters) {
		t := try(sample, partial, dialect{delimiter: delimiter, quote: '"'})
		if t.records >= leastRecords && t.alike == t.records && t.faults == 0 && t.width >= leastWidth && (t.quoted > 0 || delimiter == '^' || delimiter == '~') {
			return t
		}
	}
	return trial{}
}

// chooseQuotes finds how values are quoted: as RFC 4180 says, unless another way pairs up
// more of the quotes.
func chooseQuotes(sample []byte, partial bool, d dialect) trial {
	best := try(sample, partial, d)
	for _, change := range []dialect{{padded: true}, {backslash: true}, {padded: true, backslash: true}} {
		if best.faults == 0 {
			break
		}
		change.delimiter, change.quote = d.delimiter, d.quote
		if t := try(sample, partial, change); t.faults < best.faults {
			best = t
		}
	}
	if best.quoted > 0 {
		return best
	}
	for _, padded := range []bool{false, true} {
		if !hasSingleQuotes(sample, d.delimiter) {
			break
		}
		const leastQuoted, mostFaults = 2, 0.05
		if t := try(sample, partial, dialect{delimiter: d.delimiter, quote: '\'', padded: padded}); t.quoted >= leastQuoted && float64(t.faults) <= mostFaults*float64(t.records) {
			return t
		}
	}
	return best
}

// unwrapLines returns what the first rows look like if most lines are a single value in
// quotes, in which the cells are, and t if that is not so.
func unwrapLines(sample []byte, partial bool, t trial) trial {
	if t.wrappedLines*2 <= t.records {
		return t
	}
	d := t.dialect
	d.wrapped = true
	if inner := try(sample, partial, d); inner.alike*2 > inner.records {
		return inner
	}
	return t
}

// hasSingleQuotes reports whether a value may begin with a single quote.
func hasSingleQuotes(sample []byte, delimiter byte) bool {
	for i, b := range sample {
		if b == '\'' && (i == 0 || sample[i-1] == delimiter || strings.IndexByte("\r\n ", sample[i-1]) >= 0) {
			return true
		}
	}
	return false
}

// try reads the sample in a dialect. A record that is cut off at the end of a partial
// sample does not count.
func try(sample []byte, partial bool, d dialect) trial {
	t := trial{dialect: d}
	c := &Reader{r: bytes.NewReader(sample), buf: make([]byte, len(sample)+utf8.UTFMax), dialect: d, partial: partial}
	type group struct{ records, below, cells, whole int }
	groups := map[int]*group{} // records by their number of cells; below leaves out the first record
	below := 0
	for row := new(importer.Row); c.Next(row) == nil; {
		width := len(row.Cells)
		if width == 0 || width == 1 && strings.HasPrefix(row.Cells[0].Text, "#") {
			continue
		}
		t.records++
		if len(row.Problems) > 0 {
			t.faults++
			continue
		}
		g := groups[width]
		if g == nil {
			g = &group{}
			groups[width] = g
		}
		if g.records++; t.records > 1 {
			g.below++
			below++
		}
		g.cells += width
		for _, cell := range row.Cells {
			if looksWhole(cell.Text, d.delimiter) {
				g.whole++
			}
		}
	}
	t.quoted, t.wrappedLines = c.quotedValues, c.wrappedLines
	for width, g := range groups {
		if width > 1 && (g.records > t.alike || g.records == t.alike && width > t.width) {
			t.width, t.alike, t.clean = width, g.records, float64(g.whole)/float64(g.cells)
		}
		if g.below > 1 && g.below > below/2 {
			t.usual = width
		}
	}
	return t
}

// looksWhole reports whether a cell contains none of the other delimiters. A comma before
// a space, or between the digits of a number, does not count.
func looksWhole(text string, delimiter byte) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c == delimiter || strings.IndexByte(Delimiters, c) < 0:
		case c != ',' || i == 0 || i == len(text)-1:
			return false
		case text[i+1] != ' ' && !(isDigit(text[i-1]) && isDigit(text[i+1])):
			return false
		}
	}
	return true
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
