package rows

import (
	"fmt"
	"strings"

	"opscom-import/mapping"
)

// rowNumbers returns "row 7", "rows 7 and 9", or "rows 7, 9 and 3 more".
func RowNumbers(numbers []int) string {
	const shown = 5
	words := make([]string, min(len(numbers), shown))
	for i := range words {
		words[i] = fmt.Sprint(numbers[i])
	}
	if len(numbers) == 1 {
		return "row " + words[0]
	}
	return "rows " + enumerate(words, len(numbers))
}

// columnList returns "Column C holds", "Columns C and D hold".
func ColumnList(columns []int, one, many string) string {
	const shown = 8
	words := make([]string, min(len(columns), shown))
	for i := range words {
		words[i] = mapping.ColumnLetter(columns[i])
	}
	if len(columns) == 1 {
		return "Column " + words[0] + " " + one
	}
	return "Columns " + enumerate(words, len(columns)) + " " + many
}

// enumerate joins the first of some words, and says how many more there are.
func enumerate(words []string, all int) string {
	if more := all - len(words); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words, ", "), more)
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// count puts n before the words that agree with it.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
