package mapping

import (
	"fmt"
	"slices"
	"strings"

	"opscom-import/mapping/internal/chars"
)

// FindColumn returns the index of the column that name means. The header's exact
// text comes first, then any column that differs only in case, spacing, accents
// and punctuation, then the name that ColumnName gives to a column. The error says what
// is ambiguous or which header is nearest.
func FindColumn(header []string, name string) (int, error) {
	columns := columnsCalled(header, name)
	switch len(columns) {
	case 1:
		return columns[0], nil
	case 0:
		if column := columnByLetter(header, name); column != NoColumn {
			return column, nil
		}
		return NoColumn, fmt.Errorf("there is no column %q%s", name, chars.Hint(name, header, ""))
	}
	letters := make([]string, len(columns))
	for i, c := range columns {
		letters[i] = ColumnLetter(c)
	}
	return NoColumn, fmt.Errorf("%d columns are called %q (%s); give them different headers in the file", len(columns), name, strings.Join(letters, ", "))
}

// columnsCalled returns the columns with this very header, or else those with one that
// differs only in what FindColumn ignores.
func columnsCalled(header []string, name string) []int {
	columns := columnsWhere(header, func(h string) bool { return strings.TrimSpace(h) == strings.TrimSpace(name) })
	if folded := chars.Fold(name); len(columns) == 0 && folded != "" {
		columns = columnsWhere(header, func(h string) bool { return chars.Fold(h) == folded })
	}
	return columns
}

// ColumnName returns the name by which a mapping means the column at index, and no
// other: its header, or where that is blank or of several columns, the letter too.
//
//	Phone, Fax, Phone  →  Phone (column A), Fax, Phone (column C)
func ColumnName(header []string, index int) string {
	if len(columnsCalled(header, header[index])) == 1 {
		return header[index]
	}
	return strings.TrimSpace(strings.TrimSpace(header[index]) + letterMark + ColumnLetter(index) + ")")
}

// ByLetter names the column at index in a table without a header: "Column C" for 2.
func ByLetter(index int) string { return "Column " + ColumnLetter(index) }

// letterMark precedes the letter of a column in a name that ColumnName makes.
const letterMark = " (column "

// columnByLetter returns the column that a name of ColumnName means. Its header must be
// the one in the name, for columns move.
func columnByLetter(header []string, name string) int {
	name = " " + strings.TrimSpace(name)
	at := strings.LastIndex(name, letterMark)
	if at < 0 {
		return NoColumn
	}
	for column, h := range header {
		if name[at+len(letterMark):] == ColumnLetter(column)+")" && strings.TrimSpace(name[:at]) == strings.TrimSpace(h) {
			return column
		}
	}
	return NoColumn
}

// FitsHeader reports whether a row has every column that the mapping names, two or more,
// so that it is the header, whatever else is in it.
func (f *File) FitsHeader(row []string) bool {
	named := 0
	for i := range f.Fields {
		for _, name := range f.Fields[i].Columns {
			if !hasColumn(row, name) {
				return false
			}
			named++
		}
	}
	for i := range f.Fields {
		if expr := f.Fields[i].Expr; expr != "" {
			e, err := newText(expr, row)
			if err != nil {
				return false
			}
			named += len(e.columns)
		}
	}
	return named >= 2
}

// hasColumn reports whether the header has a column that the name may mean.
func hasColumn(header []string, name string) bool {
	folded := chars.Fold(name)
	return slices.ContainsFunc(header, func(h string) bool {
		h = strings.TrimSpace(h)
		return h != "" && (h == strings.TrimSpace(name) || folded != "" && chars.Fold(h) == folded)
	}) || columnByLetter(header, name) != NoColumn
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

// Nearest returns the known word that word most likely means, or "" when none is
// near: at most a third of its letters may differ, where two letters that changed
// places count as one. Case, accents, spaces and punctuation do not count.
//
//	Nearest("frist_name", []string{"first_name", "last_name"}) // "first_name"
func Nearest(word string, known []string) string { return chars.Nearest(word, known) }
