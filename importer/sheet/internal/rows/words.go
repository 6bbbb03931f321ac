package rows

import (
	"fmt"

	"github.com/dustin/go-humanize/english"

	"opscom-import/mapping"
)

// List joins words, of which it shows so many: "A, B and 3 more".
func List[T any](words []T, shown int, format func(T) string) string {
	var list []string
	for _, word := range words[:min(len(words), shown)] {
		list = append(list, format(word))
	}
	if more := len(words) - shown; more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	return english.WordSeries(list, "and")
}

// Numbers returns "row 7", "rows 7 and 9", or "rows 7, 9 and 3 more".
func Numbers(numbers []int) string {
	return english.PluralWord(len(numbers), "row", "") + " " + List(numbers, 5, func(n int) string { return fmt.Sprint(n) })
}

// Columns returns "Column C holds", "Columns C and D hold".
func Columns(columns []int, one, many string) string {
	return english.PluralWord(len(columns), "Column", "") + " " + List(columns, 8, mapping.ColumnLetter) + " " + english.PluralWord(len(columns), one, many)
}
