package mapping

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// foldHeader reduces a header to what tells it from others: its letters and
// digits, in lower case, without accents. "E-mail", "e mail" and "EMAIL" are one.
func foldHeader(name string) string {
	if !isASCII(name) {
		name = norm.NFKD.String(name)
	}
	var b strings.Builder
	b.Grow(len(name))
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// findColumn returns the index of the column that name means. The header's exact
// text comes first, then any column that differs only in case, spacing, accents
// and punctuation. The error says what is ambiguous or which header is nearest.
func findColumn(header []string, name string) (int, error) {
	exact, folded := columnsWhere(header, func(h string) bool { return strings.TrimSpace(h) == strings.TrimSpace(name) }), []int(nil)
	if want := foldHeader(name); want != "" {
		folded = columnsWhere(header, func(h string) bool { return foldHeader(h) == want })
	}
	found := exact
	if len(found) == 0 {
		found = folded
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if near := Nearest(name, header); near != "" {
			return NoColumn, fmt.Errorf("there is no column %q; the nearest is %q", name, near)
		}
		return NoColumn, fmt.Errorf("there is no column %q", name)
	}
	letters := make([]string, len(found))
	for i, c := range found {
		letters[i] = ColumnLetter(c)
	}
	return NoColumn, fmt.Errorf("%d columns are called %q (%s); give them different headers in the file", len(found), name, strings.Join(letters, ", "))
}

func columnsWhere(header []string, match func(string) bool) []int {
	var columns []int
	for i, h := range header {
		if strings.TrimSpace(h) != "" && match(h) {
			columns = append(columns, i)
		}
	}
	return columns
}

// ColumnLetter returns the spreadsheet's name for the column at index: A for 0,
// Z for 25, AA for 26; "" for NoColumn.
func ColumnLetter(index int) string {
	letters := ""
	for n := index + 1; n > 0; n = (n - 1) / 26 {
		letters = string(rune('A'+(n-1)%26)) + letters
	}
	return letters
}
