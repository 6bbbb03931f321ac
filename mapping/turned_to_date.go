package mapping

import (
	"strings"
	"sync"
	"unicode"

	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/dateformat"
)

// isDayOrDate reports whether text is what a spreadsheet shows for a value that it
// took for a day: 2-Jan, janv.-02, 02. Mrz, 1/2/2003.
func (d *damageDetector) isDayOrDate(text string) bool {
	const longest = len("30-September-2004 00:00:00")
	switch {
	case len(text) < len("1-Mar") || len(text) > longest:
		return false
	case d.kind == dateValue, d.kind == emailValue, d.kind == freeText, d.kind == regionValue:
		return false
	}
	return d.isDayAndMonth(text) || d.kind != nameValue && d.kind != townValue && isWholeDate(text)
}

// isDayAndMonth reports whether text is a day without a year, or a month and two
// digits, as spreadsheets show them. They write no month in capitals: MAR-01 is a
// code, and a user name such as may-12 begins with a small letter.
func (d *damageDetector) isDayAndMonth(text string) bool {
	day, month, mark := cutDayAndMonth(text)
	if day == "" || !dateformat.IsMonth(chars.Fold(month)) {
		return false
	}
	switch dayFirst := text[0] == day[0]; d.kind {
	case idValue:
		return styleOf(month) != upperStyle
	case loginValue:
		return styleOf(month) != upperStyle && (dayFirst || styleOf(month) == titleStyle)
	case phoneValue, postalValue:
		return true
	case streetValue:
		return mark == "-" || dayFirst && day[0] == '0' // 25 Aprile is a street
	}
	return mark == "-"
}

// cutDayAndMonth takes apart a text such as 2-Jan, 02. Mrz or janv.-02; mark is what
// stands between day and month. The day is "" when it has no such form.
func cutDayAndMonth(text string) (day, month, mark string) {
	const digits, marks = "0123456789", "-/. "
	if signOf[text[0]] == digitSign {
		month = strings.TrimLeft(text, digits)
		day = text[:len(text)-len(month)]
		month = strings.TrimLeft(month, marks)
		mark = text[len(day) : len(text)-len(month)]
		month = strings.TrimSuffix(month, ".")
	} else {
		start := strings.TrimRight(text, digits)
		if day = text[len(start):]; len(day) != 2 {
			return "", "", ""
		}
		month = strings.TrimRight(start, marks)
		mark = strings.TrimPrefix(start[len(month):], ".")
	}
	if day == "" || len(day) > 2 || mark == "" || len(mark) > 2 || len(month) < 3 || strings.ContainsFunc(month, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return "", "", ""
	}
	return day, month, mark
}

// wholeDates are the forms, besides those that begin with the year, in which programs
// write a date with its year.
var wholeDates = sync.OnceValue(func() (formats []*dateformat.Format) {
	for _, pattern := range []string{"D/M/YYYY", "M/D/YYYY", "D-MMM-YYYY", "D-MMM-YY"} {
		if format, err := dateformat.New(pattern); err == nil {
			formats = append(formats, format)
		}
	}
	return formats
})

// isWholeDate reports whether text is a day of the last century or this one, with a
// time of day or without.
func isWholeDate(text string) bool {
	const longestFirst = len("2004")
	if at := strings.IndexAny(text, "-/"); at < 1 || at > longestFirst || !chars.IsDigits(text[:at]) { // nearly all that is not a date ends here
		return false
	}
	day, _ := dateformat.CutTime(text)
	if strings.ContainsAny(day, "-/") && dateformat.ISO(day) != "" {
		return strings.HasPrefix(day, "19") || strings.HasPrefix(day, "20")
	}
	for _, format := range wholeDates() {
		if format.IsBirth(day) {
			return true
		}
	}
	return false
}
