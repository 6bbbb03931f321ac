package mapping

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// dateForm is one way to write a date, such as DD/MM/YYYY or D-MMM-YY.
type dateForm struct {
	written      string // as the mapping has it
	layout       string // for time.Parse, once a month's name has become its number
	monthName    bool
	twoDigitYear bool
}

// startsWithYear reports whether the year comes first, so that YYYY-MM-DD could be
// meant otherwise.
func (f *dateForm) startsWithYear() bool { return strings.HasPrefix(strings.ToUpper(f.written), "Y") }

// monthMark stands on both sides of the number that replaces a month's name, so
// that the number never runs into the day or the year.
const monthMark = "|"

// dateToken is one run of the same letter, such as MM, or one separator.
type dateToken struct {
	text      string // in capitals
	separator bool
}

// newDateForm reads the form of a mapping's date. The tokens are YYYY and YY, M
// and MM, MMM and MMMM for a month's name, D and DD; the separators are
// / - . , and the space.
func newDateForm(written string) (*dateForm, error) {
	tokens, err := dateTokens(written)
	if err != nil {
		return nil, err
	}
	form := &dateForm{written: written}
	var layout strings.Builder
	seen := map[byte]bool{}
	for i, token := range tokens {
		if token.separator {
			layout.WriteString(token.text)
			continue
		}
		if seen[token.text[0]] {
			return nil, fmt.Errorf("%s gives the %s twice", quote(written), datePart(token.text))
		}
		seen[token.text[0]] = true
		alone := standsAlone(tokens, i)
		switch token.text {
		case "YYYY":
			layout.WriteString("2006")
		case "YY":
			layout.WriteString("06")
			form.twoDigitYear = true
		case "MMM", "MMMM":
			layout.WriteString(monthMark + "1" + monthMark)
			form.monthName = true
		default:
			if len(token.text) == 1 && !alone {
				return nil, fmt.Errorf("%s cannot be read: write %s where no separator stands beside it", quote(written), token.text+token.text)
			}
			layout.WriteString(numberLayout(token.text[0], alone))
		}
	}
	for _, part := range []string{"YYYY", "MM", "DD"} {
		if !seen[part[0]] {
			return nil, fmt.Errorf("%s has no %s; write it with %s, as in DD/MM/YYYY", quote(written), datePart(part), part)
		}
	}
	form.layout = layout.String()
	return form, nil
}

// dateTokens cuts a form into its tokens and separators.
func dateTokens(written string) ([]dateToken, error) {
	known := []string{"YYYY", "YY", "MMMM", "MMM", "MM", "M", "DD", "D"}
	var tokens []dateToken
	for rest := strings.ToUpper(strings.TrimSpace(written)); rest != ""; {
		if strings.ContainsRune("/-., ", rune(rest[0])) {
			tokens = append(tokens, dateToken{rest[:1], true})
			rest = rest[1:]
			continue
		}
		_, size := utf8.DecodeRuneInString(rest)
		text := rest[:len(rest)-len(strings.TrimLeft(rest, rest[:size]))]
		rest = rest[len(text):]
		found := false
		for _, k := range known {
			found = found || k == text
		}
		switch near := Nearest(text, known); {
		case found:
			tokens = append(tokens, dateToken{text: text})
		case near != "":
			return nil, fmt.Errorf("there is no date token %s; the nearest is %s", quote(text), quote(near))
		default:
			return nil, fmt.Errorf("there is no date token %s; write forms such as DD/MM/YYYY, YYYYMMDD or D-MMM-YY, or excel for serial numbers", quote(text))
		}
	}
	if len(tokens) == 0 {
		return nil, errors.New("the form is blank; write DD/MM/YYYY, for example")
	}
	return tokens, nil
}

// standsAlone says that no other number touches the token: one digit is enough then.
func standsAlone(tokens []dateToken, i int) bool {
	bounds := func(j int) bool {
		return j < 0 || j >= len(tokens) || tokens[j].separator || strings.HasPrefix(tokens[j].text, "MMM")
	}
	return bounds(i-1) && bounds(i+1)
}

func datePart(token string) string {
	switch token[0] {
	case 'Y':
		return "year"
	case 'M':
		return "month"
	}
	return "day"
}

// numberLayout is the layout of a day or a month, of one or two digits where the
// number stands alone.
func numberLayout(letter byte, alone bool) string {
	switch {
	case letter == 'M' && alone:
		return "1"
	case letter == 'M':
		return "01"
	case alone:
		return "2"
	}
	return "02"
}

// parse reads a date of birth. A year of two digits is that of the latest
// century that makes the person at least youngest years old today.
func (f *dateForm) parse(text string, today time.Time) (time.Time, error) {
	date, err := f.parseDigits(text)
	if err != nil || !f.twoDigitYear {
		return date, err
	}
	latest := today.AddDate(-youngest, 0, 0)
	year := latest.Year() - latest.Year()%100 + date.Year()%100
	born := time.Date(year, date.Month(), date.Day(), 0, 0, 0, 0, time.UTC)
	if born.After(latest) {
		born = time.Date(year-100, date.Month(), date.Day(), 0, 0, 0, 0, time.UTC)
	}
	if born.Day() != date.Day() {
		return time.Time{}, errNoSuchDay
	}
	return born, nil
}

// parseDigits reads a date as it is written: the century of a year of two digits
// means nothing.
func (f *dateForm) parseDigits(text string) (time.Time, error) {
	if f.monthName {
		var ok bool
		if text, ok = numberMonth(text); !ok {
			return time.Time{}, errNoMonth
		}
	}
	return time.Parse(f.layout, text)
}

// isBirth says that a text is a date of the form, in a year in which somebody who
// parks a car may be born.
func (f *dateForm) isBirth(text string) bool {
	date, err := f.parseDigits(text)
	return err == nil && (f.twoDigitYear || date.Year() >= 1900 && date.Year() <= 2099)
}

// numberMonth replaces the month's name in text by its number between marks.
func numberMonth(text string) (string, bool) {
	start := strings.IndexFunc(text, unicode.IsLetter)
	if start < 0 {
		return "", false
	}
	end := len(text)
	if n := strings.IndexFunc(text[start:], func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }); n >= 0 {
		end = start + n
	}
	number := monthNumber(foldHeader(text[start:end]))
	if number == "" {
		return "", false
	}
	rest := strings.TrimPrefix(text[end:], ".")
	return text[:start] + monthMark + number + monthMark + rest, true
}

// monthNumber returns the number of the month that an English or French name or
// abbreviation means; folded is without accents and in small letters.
func monthNumber(folded string) string {
	switch folded {
	case "jan", "january", "janv", "janvier":
		return "1"
	case "feb", "february", "fev", "fevr", "fevrier":
		return "2"
	case "mar", "march", "mars":
		return "3"
	case "apr", "april", "avr", "avril":
		return "4"
	case "may", "mai":
		return "5"
	case "jun", "june", "juin":
		return "6"
	case "jul", "july", "juil", "juillet":
		return "7"
	case "aug", "august", "aou", "aout":
		return "8"
	case "sep", "sept", "september", "septembre":
		return "9"
	case "oct", "october", "octobre":
		return "10"
	case "nov", "november", "novembre":
		return "11"
	case "dec", "december", "decembre":
		return "12"
	}
	return ""
}
