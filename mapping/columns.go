package mapping

import (
	"fmt"
	"strings"

	"opscom-import/mapping/internal/chars"
)

// findColumn returns the index of the column that name means. The header's exact
// text comes first, then any column that differs only in case, spacing, accents
// and punctuation. The error says what is ambiguous or which header is nearest.
func findColumn(header []string, name string) (int, error) {
	columns := columnsWhere(header, func(h string) bool { return strings.TrimSpace(h) == strings.TrimSpace(name) })
	if folded := chars.Fold(name); len(columns) == 0 && folded != "" {
		columns = columnsWhere(header, func(h string) bool { return chars.Fold(h) == folded })
	}
	switch len(columns) {
	case 1:
		return columns[0], nil
	case 0:
		if near := Nearest(name, header); near != "" {
			return NoColumn, fmt.Errorf("there is no column %q; the nearest is %q", name, near)
		}
		return NoColumn, fmt.Errorf("there is no column %q", name)
	}
	letters := make([]string, len(columns))
	for i, c := range columns {
		letters[i] = ColumnLetter(c)
	}
	return NoColumn, fmt.Errorf("%d columns are called %q (%s); give them different headers in the file", len(columns), name, strings.Join(letters, ", "))
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
