package text

import (
	"bytes"
	"strings"

	"opscom-import/importer"
)

// sampleSize is how many bytes of a text the dialect is found in.
const sampleSize = 128 << 10

// leastOrderly is the score of rows that look like rows by and large.
const leastOrderly = 0.5

// leastLead is by how much the best delimiter must beat the next one.
const leastLead = 0.1

// survey is what the first rows of a text look like in a dialect.
type survey struct {
	dialect
	records int     // that are not blank
	width   int     // cells that the most records have, of those with two or more; 0 where there are none
	alike   int     // records with that many
	faults  int     // records whose quotes do not pair up
	quoted  int     // values in quotes
	clean   float64 // share of the cells in alike records that look whole
	usual   int     // cells that more than half of the records have, the first one left out; 0 when they differ or there are too few
}

// score says how much the rows look like rows, from 0 to 1: they have as many
// cells each, and the cells do not look as if they should be cut further.
func (s survey) score() float64 {
	if s.records == 0 {
		return 0
	}
	return float64(s.alike) / float64(s.records) * s.clean
}

// chooseDelimiter surveys the candidates and returns the best two. Where none
// gives two cells in a row, the best one is the first, and next is the zero value.
func chooseDelimiter(sample []byte, partial bool, candidates []byte) (best, next survey) {
	for i, delimiter := range candidates {
		if i > 0 && bytes.IndexByte(sample, delimiter) < 0 {
			continue
		}
		s := chooseQuotes(sample, partial, dialect{delimiter: delimiter, quote: '"'})
		switch {
		case i == 0:
			best = s
		case s.width > 0 && (best.width == 0 || s.score() > best.score()):
			if best.width > 0 {
				next = best
			}
			best = s
		case s.width > 0 && s.score() > next.score():
			next = s
		}
	}
	return best, next
}

// chooseOddDelimiter surveys the delimiters that are seldom used, and returns the zero
// value where none cuts all rows alike. Words that stand side by side are not cells by
// themselves: spaces and colons need values in quotes.
func chooseOddDelimiter(sample []byte, partial bool) survey {
	const leastRecords, leastWidth = 3, 4
	for i := range len(oddDelimiters) {
		delimiter := oddDelimiters[i]
		s := take(sample, partial, dialect{delimiter: delimiter, quote: '"'})
		if s.records >= leastRecords && s.alike == s.records && s.faults == 0 && s.width >= leastWidth && (s.quoted > 0 || delimiter == '^' || delimiter == '~') {
			return s
		}
	}
	return survey{}
}

// chooseQuotes finds out how values are quoted: as RFC 4180 says, unless another
// way pairs up more of the quotes.
func chooseQuotes(sample []byte, partial bool, d dialect) survey {
	best := take(sample, partial, d)
	for _, change := range []func(*dialect){
		func(d *dialect) { d.padded = true },
		func(d *dialect) { d.backslash = true },
		func(d *dialect) { d.padded, d.backslash = true, true },
	} {
		if best.faults == 0 {
			break
		}
		other := d
		change(&other)
		if s := take(sample, partial, other); s.faults < best.faults {
			best = s
		}
	}
	if best.quoted > 0 {
		return best
	}
	for _, padded := range []bool{false, true} {
		if !hasSingleQuotes(sample, d.delimiter) {
			break
		}
		other := d
		other.quote, other.padded = '\'', padded
		const leastQuoted, mostFaults = 2, 0.05
		if s := take(sample, partial, other); s.quoted >= leastQuoted && float64(s.faults) <= mostFaults*float64(s.records) {
			return s
		}
	}
	if best.faults > 0 && d.delimiter == '\t' { // text/tab-separated-values knows no quotes
		d.quote = 0
		return take(sample, partial, d)
	}
	return best
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

// take reads the sample in a dialect. A record that a partial sample cuts off does
// not count.
func take(sample []byte, partial bool, d dialect) survey {
	s := survey{dialect: d}
	c := &Reader{r: bytes.NewReader(sample), buf: make([]byte, len(sample)+1), dialect: d, partial: partial}
	var row importer.Row
	all, below := map[int]int{}, map[int]int{}
	clean := map[int][2]int{}
	for c.Next(&row) == nil {
		width := len(row.Cells)
		if width == 0 || width == 1 && strings.HasPrefix(row.Cells[0].Text, "#") {
			continue
		}
		s.records++
		if len(row.Problems) > 0 {
			s.faults++
			continue
		}
		if all[width]++; s.records > 1 {
			below[width]++
		}
		n := clean[width]
		for _, cell := range row.Cells {
			if n[1]++; looksWhole(cell.Text, d.delimiter) {
				n[0]++
			}
		}
		clean[width] = n
	}
	s.quoted = c.quotedValues
	for width, n := range all {
		if width > 1 && (n > s.alike || n == s.alike && width > s.width) {
			s.width, s.alike = width, n
			s.clean = float64(clean[width][0]) / float64(clean[width][1])
		}
	}
	sum := 0
	for _, n := range below {
		sum += n
	}
	for width, n := range below {
		if n > 1 && n > sum/2 {
			s.usual = width
		}
	}
	return s
}

// looksWhole reports whether a cell holds none of the other delimiters. A comma
// before a space, or between the digits of a number, is one of prose.
func looksWhole(text string, delimiter byte) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c == delimiter || strings.IndexByte(Delimiters, c) < 0:
		case c != ',' || i == 0 || i == len(text)-1:
			return false
		case text[i+1] != ' ' && !(isASCIIDigit(text[i-1]) && isASCIIDigit(text[i+1])):
			return false
		}
	}
	return true
}

func isASCIIDigit(b byte) bool { return '0' <= b && b <= '9' }
