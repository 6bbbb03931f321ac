package importer

import (
	"regexp"
	"strings"
)

// fullDate is a day, year first or last, and perhaps a time of day. A year or a month
// alone is none: 202610 may be a term, whose students are other people.
var fullDate = regexp.MustCompile(`(?:(?:19|20)\d\d[-_. ]?(?:0[1-9]|1[0-2])[-_. ]?(?:0[1-9]|[12]\d|3[01])` +
	`|(?:0?[1-9]|[12]\d|3[01])[-_. ](?:0?[1-9]|[12]\d|3[01])[-_. ](?:19|20)\d\d)` +
	`(?:[-_. T]?(?:[01]\d|2[0-3])[-_.:]?[0-5]\d(?:[-_.:]?[0-5]\d)?)?`)

// SeriesOf returns what the paths of one nightly export have in common: the path with
// "DATE" for each date in it.
//
//	/exports/students-2026-11-29.csv → /exports/students-DATE.csv
//	/exports/students-202610.csv     → /exports/students-202610.csv
func SeriesOf(path string) string {
	var series strings.Builder
	end := 0
	isDigit := func(i int) bool { return i >= 0 && i < len(path) && path[i] >= '0' && path[i] <= '9' }
	for _, found := range fullDate.FindAllStringIndex(path, -1) {
		if isDigit(found[0]-1) || isDigit(found[1]) {
			continue // part of a longer number
		}
		series.WriteString(path[end:found[0]] + "DATE")
		end = found[1]
	}
	return series.String() + path[end:]
}
