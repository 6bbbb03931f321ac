package mapping

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"opscom-import/mapping/internal/chars"
)

// withoutQuotes takes the quotes off a text that stands in them, but off a street's only
// where it has a number: "The Lodge" may be written so.
func withoutQuotes(text string, kind valueKind) (inner string, ok bool) {
	if first := text[0]; first != '"' && first != '\'' && first != '`' && first < utf8.RuneSelf {
		return text, false
	}
	inner, ok = chars.Unquote(text)
	if ok && kind == streetValue && !strings.ContainsFunc(inner, unicode.IsDigit) {
		return text, false
	}
	return inner, ok
}

// withoutApostrophe takes off the apostrophe before a value that a spreadsheet was to take
// for text. A word may begin with one of its own, unless the whole row does.
func (d *damageDetector) withoutApostrophe(text string, row []Cell) (rest string, ok bool) {
	if isLetterByte(text[0]) && text[0] < utf8.RuneSelf {
		return text, false
	}
	if rest, ok = chars.CutApostrophe(text); !ok {
		return text, false
	}
	if d.kind.isWords() && strings.IndexByte("0123456789=+-@", rest[0]) < 0 && !isQuotedRow(row) {
		return text, false
	}
	return rest, true
}

// isQuotedRow reports whether at least two cells of a row, and most of those that are
// not blank, begin with an apostrophe: then none of them is a name's own.
func isQuotedRow(cells []Cell) bool {
	quoted, filled := 0, 0
	for _, cell := range cells {
		text := chars.Trim(cell.Text)
		if text == "" {
			continue
		}
		filled++
		if _, ok := chars.CutApostrophe(text); ok {
			quoted++
		}
	}
	return quoted >= 2 && 2*quoted > filled
}

// quoteInWord finds a quotation mark in place of an apostrophe: O"Brien.
var quoteInWord = regexp.MustCompile(`\p{Latin}"\p{Latin}`)

// unbalanced finds a quotation mark at one end of a value or inside a word without its
// counterpart: the other part may be in another cell.
func (d *damageDetector) unbalanced(text string) *Problem {
	switch d.kind {
	case streetValue, freeText, dateValue:
		return nil
	}
	count := 0
	for _, r := range text {
		if isQuotationMark(r) {
			count++
		}
	}
	if count%2 == 0 {
		return nil
	}
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	if !isQuotationMark(first) && !isQuotationMark(last) && !quoteInWord.MatchString(text) {
		return nil
	}
	return d.refuse(RuleBadQuotes, text, "has a quotation mark without its counterpart.", "Compare the row with the header, and delete the mark or write the missing one.")
}

func isQuotationMark(r rune) bool {
	switch r {
	case '"', '“', '”', '„', '‟', '«', '»':
		return true
	}
	return false
}

// quotesSeen counts the values of a column that stood in quotes, and those that are left
// in quotes or behind an apostrophe because one alone may be meant so.
type quotesSeen struct {
	removed int
	left    int
	example string // the first that is left
	ignored bool   // the mapping takes off those that are left
}

// add takes a value with a sign that few values have, and reports whether it is left in
// quotes.
func (q *quotesSeen) add(value string) bool {
	if q.ignored || isLetterByte(value[0]) && value[0] < utf8.RuneSelf || isDigitByte(value[0]) {
		return false
	}
	_, quoted := chars.Unquote(value)
	if !quoted {
		_, quoted = chars.CutApostrophe(value)
	}
	if quoted {
		if q.left++; q.left == 1 {
			q.example = value
		}
	}
	return quoted
}

// review asks what the quotes mean if nearly all values of the column, which are so many,
// have them; "" for no question.
func (q *quotesSeen) review(values int) (question string) {
	quoted := q.left + q.removed
	if q.left == 0 || quoted < 2 || 10*quoted < 8*values {
		return ""
	}
	return fmt.Sprintf("%d of %d values stand in quotes or begin with an apostrophe, such as %s. To take these off, add apply: [unquote]; if they are right, add as_is: true",
		quoted, values, chars.Clip(q.example))
}
