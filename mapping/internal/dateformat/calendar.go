package dateformat

import (
	"strings"
	"time"
)

// CutTime splits a date from the time of day that follows it after a space or a T.
// Midnight is not a time of day: databases add it to every date.
func CutTime(text string) (day, clock string) {
	colon := strings.IndexByte(text, ':')
	if colon < 0 {
		return text, ""
	}
	at := strings.LastIndexAny(text[:colon], " T")
	if at < 0 {
		return text, ""
	}
	day, clock = text[:at], text[at+1:]
	if half, ok := strings.CutSuffix(strings.ToUpper(clock), "AM"); ok && strings.HasPrefix(half, "12:") {
		clock = half[3:]
	}
	if strings.Trim(clock, "0:. Z+") == "" {
		clock = ""
	}
	return strings.TrimSpace(day), clock
}

// ISO returns text as yyyy-mm-dd when it is a day of the calendar, written
// YYYY-MM-DD or YYYY/MM/DD, and "" otherwise. It is called twice for each row, and
// takes a quarter of the time of time.Parse.
func ISO(text string) string {
	if !LooksISO(text) {
		return ""
	}
	year, month, day := plainNumber(text[:4]), plainNumber(text[5:7]), plainNumber(text[8:])
	if year < 0 || month < 1 || month > 12 || day < 1 {
		return ""
	}
	if day > 28 && day > time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return ""
	}
	if text[4] == '/' {
		return text[:4] + "-" + text[5:7] + "-" + text[8:]
	}
	return text
}

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

// LooksISO reports whether text has the outline of YYYY-MM-DD or YYYY/MM/DD.
func LooksISO(text string) bool {
	return len(text) == len(time.DateOnly) && (text[4] == '-' || text[4] == '/') && text[7] == text[4]
}
