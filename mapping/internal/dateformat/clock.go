package dateformat

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"opscom-import/mapping/internal/chars"
)

// Clock is the time of day that follows a date. Its zero value is midnight, which
// databases add to every date.
type Clock struct {
	Hour, Minute, Second int
	Fraction             bool // there is more than the whole second
}

// IsMidnight reports whether the clock adds nothing to its day.
func (c Clock) IsMidnight() bool { return c == Clock{} }

// IsZoneShift reports whether the time looks like midnight in another time zone, to
// the east: 19:00 or 18:30 of the day before.
func (c Clock) IsZoneShift() bool {
	return c.Hour >= 12 && c.Minute%15 == 0 && c.Second == 0 && !c.Fraction
}

// clockShape is a time of day after a date, with its time zone: 19:00, 12:00:00.000 AM,
// T05:00:00Z, 12.00.00.000000000 AM as Oracle writes it, 00:00:00 GMT-0500 (Eastern
// Standard Time) as JavaScript does. Some programs put the year last.
var clockShape = regexp.MustCompile(`(?i)(?:^|,?[ T]\s*)(\d{1,2})(?::(\d{2})(?::(\d{2})([.,]\d+)?)?|\.(\d{2})(?:\.(\d{2})([.,]\d+)?)?|h(\d{2})?)` +
	`(?:\s*([ap])\.?\s?m\.?)?` + // AM or PM
	`(?:\s*(?:z|[a-z]{3,5}))?(?:\s*[+-]\d{1,2}:?(?:\d{2})?)?(?:\s*\([^()]*\))?` + // zone
	`(\s+\d{4})?$`)

// CutTime splits a date from the time of day that follows it, and removes what a date
// needs no more: the day of the week, the ending of 1st or 1er, the words between day,
// month and year.
//
//	CutTime("Tue Mar 09 2004 00:00:00 GMT-0500 (EST)") // "Mar 09 2004", Clock{}
//	CutTime("1er mars 2004")                           // "1 mars 2004", Clock{}
func CutTime(text string) (day string, clock Clock) {
	if isBareDay(text) {
		return text, Clock{}
	}
	if at := clockShape.FindStringSubmatchIndex(text); at != nil && strings.ContainsAny(text, ":.hH") {
		part := func(i int) string {
			if at[2*i] < 0 {
				return ""
			}
			return text[at[2*i]:at[2*i+1]]
		}
		if c, ok := newClock(part(1), part(2)+part(5)+part(8), part(3)+part(6), part(4)+part(7), part(9)); ok && at[0] > 0 {
			text, clock = text[:at[0]]+part(10), c
		}
	}
	return plainDay(text), clock
}

// isBareDay reports whether a text has only digits and the usual separators.
func isBareDay(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && c != '-' && c != '/' && c != '.' {
			return false
		}
	}
	return !strings.HasSuffix(text, ".")
}

// newClock returns the clock of the parts of a time, as texts. Half is "a" or "p" of a
// clock of twelve hours.
func newClock(hour, minute, second, fraction, half string) (Clock, bool) {
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	s, _ := strconv.Atoi(second)
	switch strings.ToLower(half) {
	case "a", "p":
		if h < 1 || h > 12 {
			return Clock{}, false
		}
		h %= 12
		if strings.EqualFold(half, "p") {
			h += 12
		}
	}
	if h > 23 || m > 59 || s > 60 {
		return Clock{}, false
	}
	return Clock{h, m, s, strings.Trim(fraction, ".,0") != ""}, true
}

// ordinal is the ending of a day's number, and the point that German and other
// languages write after it.
var (
	ordinal   = regexp.MustCompile(`(?i)\b(\d{1,2})(?:st|nd|rd|th|er|re|º|°|ª|\.(?:\s|$))\s*`)
	lateComma = regexp.MustCompile(`(\pL\.?),(\s*\d)`) // 14 July, 2003
	wordBreak = regexp.MustCompile(`(?i)(\s|,)(?:(?:de|del|of)\s+|d[’'])`)
	eastAsian = strings.NewReplacer("年", "-", "月", "-", "日", "", "년 ", "-", "월 ", "-", "년", "-", "월", "-", "일", "", ". ", ".")
)

// plainDay removes the words of a day that mean nothing.
func plainDay(text string) string {
	text = strings.TrimSpace(text)
	if !strings.ContainsFunc(text, unicode.IsLetter) {
		return strings.TrimRight(eastAsian.Replace(text), ".,")
	}
	if text[0] > 0x7f || strings.ContainsAny(text, "年년") {
		text = eastAsian.Replace(text)
	}
	text = cutWeekday(text)
	text = ordinal.ReplaceAllString(text, "$1 ")
	text = lateComma.ReplaceAllString(text, "$1 $2")
	text = wordBreak.ReplaceAllString(text, "$1")
	return strings.TrimRight(strings.ReplaceAll(chars.Collapse(text), " ,", ","), ",")
}

// cutWeekday removes the name of the day of the week from the beginning of a date.
// "mar." is a Tuesday only if a month follows.
func cutWeekday(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '-' })
	if end <= 0 {
		return text
	}
	word := chars.Fold(text[:end])
	if word == "le" { // French, before a date
		return cutWeekday(strings.TrimSpace(text[end:]))
	}
	rest := strings.TrimLeft(text[end:], ".,\u00a0 ")
	if !weekdays[word] || rest == "" {
		return text
	}
	if IsMonth(word) && !strings.ContainsFunc(rest, unicode.IsLetter) {
		return text
	}
	return rest
}

// weekdays has the names of the days of the week and their abbreviations, folded.
var weekdays = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`
		monday tuesday wednesday thursday friday saturday sunday mon tue tues wed weds thu thur thurs fri sat sun
		lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim
		lunes martes miercoles jueves viernes sabado domingo mie jue vie sab dom
		montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so
		lunedi martedi mercoledi giovedi venerdi domenica gio
		segunda segundafeira terca tercafeira quarta quartafeira quinta quintafeira sexta sextafeira seg ter qua qui sex
		maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo`) {
		names[name] = true
	}
	return names
}()
