package excel

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// numberFormat is a number format, as far as it changes what a number means.
type numberFormat struct {
	kind   formatKind
	digits digitPattern // of a digitsFormat
}

type formatKind uint8

const (
	plainFormat  formatKind = iota // a number; how many decimals it shows doesn't matter
	dateFormat                     // shows a year, a month or a day
	digitsFormat                   // shows leading zeros, as 000000000 and 000-00-0000 do
)

// digitPattern is a format of only zeros, each of which is replaced by a digit, and literal
// characters.
type digitPattern struct {
	shape   []rune // digitPlace for each digit
	places  int
	letters bool // a literal is a letter
}

const digitPlace = -1

// builtInNumberFormat returns the format with an id that a workbook does not
// describe (ECMA-376, part 1, 18.8.30; 27 to 58 are those of East Asian editions
// of Excel).
func builtInNumberFormat(id int) numberFormat {
	switch {
	case 14 <= id && id <= 17, id == 22:
		return numberFormat{kind: dateFormat}
	case 27 <= id && id <= 36 && id != 32 && id != 33, 50 <= id && id <= 58:
		return numberFormat{kind: dateFormat}
	}
	return numberFormat{} // 18 to 21 and 45 to 47 show a time of day alone
}

// parseNumberFormat reads a format code such as "dd/mm/yyyy;@". Only its first
// section counts, which is for the numbers that ids and dates are.
func parseNumberFormat(code string) numberFormat {
	s := readSection(code)
	if s.conditional {
		return numberFormat{}
	}
	if isDateCode(s.code) {
		return numberFormat{kind: dateFormat}
	}
	if s.digits.places >= 2 && s.digitsOnly {
		return numberFormat{kind: digitsFormat, digits: s.digits}
	}
	return numberFormat{}
}

// section is the first section of a format code.
type section struct {
	code        string // in lower case, without literals and brackets
	conditional bool   // holds only for some numbers
	digits      digitPattern
	digitsOnly  bool // has nothing but digits and literals
}

func readSection(code string) section {
	s := section{digitsOnly: true}
	var letters strings.Builder
	for rest := code; rest != ""; {
		c, size := utf8.DecodeRuneInString(rest)
		switch c {
		case ';':
			rest = ""
			continue
		case '"':
			text, after, _ := strings.Cut(rest[1:], `"`)
			for _, r := range text {
				s.literal(r)
			}
			rest = after
			continue
		case '\\', '_', '*': // a literal; space as wide as a character; a character that fills the cell
			r, next := utf8.DecodeRuneInString(rest[1:])
			if c == '\\' && next > 0 {
				s.literal(r)
			}
			rest = rest[1+next:]
			continue
		case '[':
			inside, after, _ := strings.Cut(rest[1:], "]")
			s.bracket(inside, &letters)
			rest = after
			continue
		case '0':
			s.digits.shape = append(s.digits.shape, digitPlace)
			s.digits.places++
		case '-', ' ', '/', '(', ')', ':', '+', '$':
			s.literal(c)
		default:
			s.digitsOnly = false
		}
		letters.WriteRune(unicode.ToLower(c))
		rest = rest[size:]
	}
	s.code = letters.String()
	return s
}

func (s *section) literal(r rune) {
	s.digits.shape = append(s.digits.shape, r)
	s.digits.letters = s.digits.letters || unicode.IsLetter(r)
}

// bracket reads the content of brackets: a color or a language, which mean nothing here; a
// condition; or elapsed hours, minutes or seconds.
func (s *section) bracket(inside string, letters *strings.Builder) {
	lower := strings.ToLower(inside)
	switch {
	case strings.HasPrefix(inside, "<"), strings.HasPrefix(inside, ">"), strings.HasPrefix(inside, "="):
		s.conditional = true
	case lower != "" && (strings.Trim(lower, "h") == "" || strings.Trim(lower, "m") == "" || strings.Trim(lower, "s") == ""):
		letters.WriteByte('h') // an elapsed time: what follows is not a month
		s.digitsOnly = false
	}
}

// isDateCode reports whether a format code shows a year, a month or a day. One
// or two m are minutes after hours and before seconds, and a month elsewhere.
func isDateCode(code string) bool {
	code = strings.NewReplacer("general", "", "am/pm", "", "a/p", "").Replace(code)
	if strings.ContainsAny(code, "#?@%") || (strings.Contains(code, "0") && !strings.Contains(code, "s")) {
		return false
	}
	if strings.ContainsAny(code, "yd") {
		return true
	}
	units := timeUnits(code)
	for i, unit := range units {
		minutes := len(unit) <= 2 && (i > 0 && units[i-1][0] == 'h' || i+1 < len(units) && units[i+1][0] == 's')
		if unit[0] == 'm' && !minutes {
			return true
		}
	}
	return false
}

// timeUnits returns the runs of h, m and s in a format code.
func timeUnits(code string) []string {
	var units []string
	for i := 0; i < len(code); {
		n := 1
		for i+n < len(code) && code[i+n] == code[i] {
			n++
		}
		if strings.ContainsRune("hms", rune(code[i])) {
			units = append(units, code[i:i+n])
		}
		i += n
	}
	return units
}

// append appends the number as the pattern shows it. It is not ok for a number that the
// pattern would change: a fraction or one below zero.
func (p digitPattern) append(dst, number []byte) (shown []byte, ok bool) {
	if !isPlainInteger(number) || number[0] == '-' {
		return dst, false
	}
	missing := p.places - len(number)
	next := 0
	for _, r := range p.shape {
		switch {
		case r != digitPlace:
			dst = utf8.AppendRune(dst, r)
			continue
		case missing > 0:
			dst = append(dst, '0')
			missing--
			continue
		}
		for ; missing < 0; missing++ { // more digits than places: before the first of them
			dst = append(dst, number[next])
			next++
		}
		dst = append(dst, number[next])
		next++
	}
	return dst, true
}
