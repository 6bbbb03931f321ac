// Package dateformat reads dates: in a format that a mapping gives, such as
// DD/MM/YYYY, or in those of YYYY-MM-DD.
//
//	f, err := New("D-MMM-YY")
//	born, err := f.Parse("2-août-98", today) // 1998-08-02
package dateformat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"opscom-import/mapping/internal/chars"
)

// Excel is the word that takes the place of a format for Excel's serial numbers.
const Excel = "excel"

// YoungestAge is the age in years that somebody with a date of birth has at least:
// children of staff are in the files.
const YoungestAge = 10

// ErrInvalidDate is the error for a date in the right format that is not a day of
// the calendar.
var ErrInvalidDate = errors.New("not a valid date")

var errNoMonth = errors.New("there is no month's name")

// Format is one way to write a date, such as DD/MM/YYYY or D-MMM-YY.
type Format struct {
	Pattern      string // as the mapping has it
	layout       string // for time.Parse, once a month's name has become its number
	monthName    bool
	twoDigitYear bool
	yearFirst    bool
	bigEndian    bool
}

// Common returns the formats that student systems and spreadsheets use. The caller
// must not change them.
var Common = sync.OnceValue(func() []*Format {
	var formats []*Format
	for _, pattern := range []string{
		"DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "DD.MM.YYYY", "MM.DD.YYYY", "YYYYMMDD", "DDMMYYYY", "MMDDYYYY",
		"D-MMM-YYYY", "D/MMM/YYYY", "D MMM YYYY", "MMM D, YYYY", "MMM D YYYY", "MMM-D-YYYY", "YYYY-MMM-DD",
		"DD/MM/YY", "MM/DD/YY", "DD-MM-YY", "MM-DD-YY", "DD.MM.YY", "MM.DD.YY", "D-MMM-YY", "D MMM YY", "DDMMMYYYY",
	} {
		if format, err := New(pattern); err == nil {
			formats = append(formats, format)
		}
	}
	return formats
})

// StartsWithYear reports whether the year comes first, so that a date that looks
// like YYYY-MM-DD could mean another day.
func (f *Format) StartsWithYear() bool { return f.yearFirst }

// IsBigEndian reports whether year, month and day come in this order.
func (f *Format) IsBigEndian() bool { return f.bigEndian }

// IsISO reports whether the format reads YYYY-MM-DD.
func (f *Format) IsISO() bool { return f.layout == "2006-1-2" }

// Swapped returns the format with day and month swapped, nil where nobody mistakes
// them for each other: with a month's name, or from the year down to the day.
func (f *Format) Swapped() *Format {
	pattern := strings.ToUpper(f.Pattern)
	if f.monthName || f.StartsWithYear() && strings.Index(pattern, "M") < strings.Index(pattern, "D") {
		return nil
	}
	swapped, err := New(strings.NewReplacer("D", "M", "M", "D", "d", "m", "m", "d").Replace(f.Pattern))
	if err != nil {
		return nil
	}
	return swapped
}

// monthMark surrounds the number that replaces a month's name, so that the number
// never runs into the day or the year.
const monthMark = "|"

// dateToken is one run of the same letter, such as MM, or one separator.
type dateToken struct {
	text      string // in capitals
	separator bool
}

// New reads a format. The tokens are YYYY and YY, M and MM, MMM and MMMM for a
// month's name, D and DD; the separators are / - . , and the space.
func New(pattern string) (*Format, error) {
	tokens, err := dateTokens(pattern)
	if err != nil {
		return nil, err
	}
	format := &Format{Pattern: pattern, yearFirst: strings.HasPrefix(tokens[0].text, "Y")}
	seen := map[byte]bool{}
	for i, token := range tokens {
		if token.separator {
			format.layout += token.text
			continue
		}
		if seen[token.text[0]] {
			return nil, fmt.Errorf("%s gives the %s twice", chars.Quote(pattern), datePart(token.text))
		}
		seen[token.text[0]] = true
		isolated := isIsolated(tokens, i)
		switch token.text {
		case "YYYY":
			format.layout += "2006"
		case "YY":
			format.layout += "06"
			format.twoDigitYear = true
		case "MMM", "MMMM":
			format.layout += monthMark + "1" + monthMark
			format.monthName = true
		default:
			if len(token.text) == 1 && !isolated {
				return nil, fmt.Errorf("%s is ambiguous: write %s where there is no separator beside it", chars.Quote(pattern), token.text+token.text)
			}
			if !isolated {
				format.layout += "0"
			}
			format.layout += map[byte]string{'M': "1", 'D': "2"}[token.text[0]]
		}
	}
	for _, part := range []string{"YYYY", "MM", "DD"} {
		if !seen[part[0]] {
			return nil, fmt.Errorf("%s has no %s; write it with %s, as in DD/MM/YYYY", chars.Quote(pattern), datePart(part), part)
		}
	}
	format.bigEndian = format.yearFirst && format.Swapped() == nil
	return format, nil
}

// dateTokens splits a pattern into its tokens and separators.
func dateTokens(pattern string) ([]dateToken, error) {
	known := []string{"YYYY", "YY", "MMMM", "MMM", "MM", "M", "DD", "D"}
	var tokens []dateToken
	for rest := strings.ToUpper(strings.TrimSpace(pattern)); rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		text := rest[:size]
		separator := strings.Contains("/-., ", text)
		if !separator {
			text = rest[:len(rest)-len(strings.TrimLeft(rest, text))]
		}
		rest = rest[len(text):]
		if !separator && !slices.Contains(known, text) {
			return nil, fmt.Errorf("there is no date token %s%s", chars.Quote(text),
				chars.Hint(text, known, "; write a format such as DD/MM/YYYY, YYYYMMDD or D-MMM-YY, or excel for serial numbers"))
		}
		tokens = append(tokens, dateToken{text, separator})
	}
	if len(tokens) == 0 {
		return nil, errors.New("the date format is blank; write DD/MM/YYYY, for example")
	}
	return tokens, nil
}

// isIsolated reports whether no other number touches the token, so that one digit
// is enough.
func isIsolated(tokens []dateToken, i int) bool {
	bounds := func(j int) bool {
		return j < 0 || j >= len(tokens) || tokens[j].separator || strings.HasPrefix(tokens[j].text, "MMM")
	}
	return bounds(i-1) && bounds(i+1)
}

func datePart(token string) string {
	return map[byte]string{'Y': "year", 'M': "month", 'D': "day"}[token[0]]
}

// Parse reads a date of birth. A year of two digits is in the latest century that
// makes the person at least YoungestAge years old today.
func (f *Format) Parse(text string, today time.Time) (time.Time, error) {
	date, err := f.parseDigits(text)
	if err != nil || !f.twoDigitYear {
		return date, err
	}
	latest := today.AddDate(-YoungestAge, 0, 0)
	year := latest.Year() - latest.Year()%100 + date.Year()%100
	born := time.Date(year, date.Month(), date.Day(), 0, 0, 0, 0, time.UTC)
	if born.After(latest) {
		born = time.Date(year-100, date.Month(), date.Day(), 0, 0, 0, 0, time.UTC)
	}
	if born.Day() != date.Day() {
		return time.Time{}, ErrInvalidDate
	}
	return born, nil
}

// parseDigits reads a date as it is written: the century of a year of two digits
// means nothing.
func (f *Format) parseDigits(text string) (time.Time, error) {
	if f.monthName {
		var ok bool
		if text, ok = numberMonth(text); !ok {
			return time.Time{}, errNoMonth
		}
	}
	date, err := time.Parse(f.layout, text)
	if parse, ok := err.(*time.ParseError); ok && strings.HasSuffix(parse.Message, "out of range") {
		return date, ErrInvalidDate
	}
	return date, err
}

// IsBirth reports whether a text is a date in this format, of a year in which
// somebody who parks a car may be born.
func (f *Format) IsBirth(text string) bool {
	date, err := f.parseDigits(text)
	return err == nil && (f.twoDigitYear || date.Year() >= 1900 && date.Year() <= 2099)
}

// numberMonth replaces the month's name in text with its number between marks.
func numberMonth(text string) (string, bool) {
	start := strings.IndexFunc(text, unicode.IsLetter)
	if start < 0 {
		return "", false
	}
	end := len(text)
	if n := strings.IndexFunc(text[start:], func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }); n >= 0 {
		end = start + n
	}
	number, ok := months[chars.Fold(text[start:end])]
	return text[:start] + monthMark + number + monthMark + strings.TrimPrefix(text[end:], "."), ok
}

// months has the number of each month by its names and abbreviations, folded: English
// and French, then those of Spanish, Portuguese, Italian, German and Dutch.
var months = map[string]string{
	"jan": "1", "january": "1", "janv": "1", "janvier": "1", "enero": "1", "ene": "1", "janeiro": "1", "gennaio": "1", "gen": "1", "januar": "1", "januari": "1",
	"feb": "2", "february": "2", "fev": "2", "fevr": "2", "fevrier": "2", "febrero": "2", "fevereiro": "2", "febbraio": "2", "februar": "2", "februari": "2",
	"mar": "3", "march": "3", "mars": "3", "marzo": "3", "marco": "3", "marz": "3", "maart": "3", "mrt": "3", "mrz": "3",
	"apr": "4", "april": "4", "avr": "4", "avril": "4", "abr": "4", "abril": "4", "aprile": "4",
	"may": "5", "mai": "5", "mayo": "5", "maio": "5", "maggio": "5", "mag": "5", "mei": "5", "maj": "5",
	"jun": "6", "june": "6", "juin": "6", "junio": "6", "junho": "6", "giugno": "6", "giu": "6", "juni": "6",
	"jul": "7", "july": "7", "juil": "7", "juillet": "7", "julio": "7", "julho": "7", "luglio": "7", "lug": "7", "juli": "7",
	"aug": "8", "august": "8", "aou": "8", "aout": "8", "agosto": "8", "ago": "8", "augustus": "8",
	"sep": "9", "sept": "9", "september": "9", "septembre": "9", "septiembre": "9", "setembro": "9", "settembre": "9", "set": "9",
	"oct": "10", "october": "10", "octobre": "10", "octubre": "10", "outubro": "10", "out": "10", "ottobre": "10", "ott": "10", "oktober": "10", "okt": "10",
	"nov": "11", "november": "11", "novembre": "11", "noviembre": "11", "novembro": "11",
	"dec": "12", "december": "12", "decembre": "12", "diciembre": "12", "dic": "12", "dezembro": "12", "dez": "12", "dicembre": "12", "dezember": "12",
}

// IsMonth reports whether a word is a month's name or its abbreviation, folded.
func IsMonth(folded string) bool { return months[folded] != "" }
