package excel

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// numberFormat is a number format, as far as it changes what a number means: a date,
// leading zeros, a letter or dashes that belong to an id. Colors, decimals, marks
// between thousands and currencies do not count.
type numberFormat struct {
	sections    []formatSection // for numbers above zero, below zero, and zero; none shows the number as it is
	conditional bool            // the first two sections have conditions instead
}

// formatSection is what a section of a format code shows of a number.
type formatSection struct {
	kind      formatKind
	condition condition
	shape     []rune // of a shownFormat: the places of digits, and literal characters
	places    int    // how many of shape are places
	letters   bool   // a literal is a letter
}

type formatKind uint8

const (
	plainFormat   formatKind = iota // a number; how many decimals it shows doesn't matter
	dateFormat                      // shows a year, a month or a day
	shownFormat                     // shows leading zeros or literals: 000-00-0000, "A"0
	unclearFormat                   // shows literals in a way that is not known here
)

// The places of digits in the shape of a section.
const (
	zeroPlace    = -1 // 0: a zero where the number has no digit
	hashPlace    = -2 // #: nothing there
	blankPlace   = -3 // ?: a space there
	generalPlace = -4 // General: the whole number
)

// condition is what a number must be for a section, such as <=99999.
type condition struct {
	operator string // "" for no condition
	value    float64
}

func (c condition) holds(n float64) bool {
	switch c.operator {
	case "<":
		return n < c.value
	case "<=":
		return n <= c.value
	case ">":
		return n > c.value
	case ">=":
		return n >= c.value
	case "=":
		return n == c.value
	case "<>":
		return n != c.value
	}
	return false
}

// isPlain reports whether the format shows nothing but the number.
func (f numberFormat) isPlain() bool { return len(f.sections) == 0 }

// section returns what the format shows of a number.
func (f numberFormat) section(n float64) formatSection {
	switch {
	case f.isPlain():
		return formatSection{}
	case !f.conditional && n > 0:
		return f.sections[0]
	case !f.conditional && n < 0:
		return f.sections[1]
	case !f.conditional:
		return f.sections[2]
	case f.sections[0].condition.holds(n):
		return f.sections[0]
	case f.sections[1].condition.operator == "", f.sections[1].condition.holds(n):
		return f.sections[1]
	}
	return f.sections[2]
}

var datesOnly = []formatSection{{kind: dateFormat}, {kind: dateFormat}, {kind: dateFormat}}

// builtInNumberFormat returns the format with an id that a workbook does not
// describe (ECMA-376, part 1, 18.8.30; 27 to 58 are those of East Asian editions
// of Excel).
func builtInNumberFormat(id int) numberFormat {
	switch {
	case 14 <= id && id <= 17, id == 22:
		return numberFormat{sections: datesOnly}
	case 27 <= id && id <= 36 && id != 32 && id != 33, 50 <= id && id <= 58:
		return numberFormat{sections: datesOnly}
	}
	return numberFormat{} // 18 to 21 and 45 to 47 show a time of day alone
}

// parseNumberFormat reads a format code such as "[<=99999]00000;00000-0000". A section
// for texts changes no number.
func parseNumberFormat(code string) numberFormat {
	codes := splitSections(code)
	if last := len(codes) - 1; last > 0 && (last == 3 || strings.Contains(codes[last], "@")) {
		codes = codes[:last]
	}
	if strings.Trim(strings.Join(codes, ""), " ") == "" { // hides everything
		return numberFormat{}
	}
	var f numberFormat
	for _, c := range codes[:min(3, len(codes))] {
		f.sections = append(f.sections, readSection(c).finish(c == ""))
	}
	first := f.sections[0]
	switch f.conditional = first.condition.operator != "" || len(codes) > 1 && f.sections[1].condition.operator != ""; {
	case f.conditional && len(codes) == 1:
		f.sections = append(f.sections, formatSection{}, formatSection{})
	case f.conditional && len(codes) == 2:
		f.sections = append(f.sections, formatSection{kind: unclearFormat, letters: true}) // Excel shows ####
	case len(codes) == 1:
		f.sections = append(f.sections, first, first)
	case len(codes) == 2:
		f.sections = append(f.sections, first)
	}
	for _, s := range f.sections {
		if s.kind != plainFormat {
			return f
		}
	}
	return numberFormat{}
}

// splitSections splits a format code at the semicolons that are not literals.
func splitSections(code string) []string {
	var sections []string
	start, quoted := 0, false
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\\', c == '_', c == '*':
			i++
		case c == ';':
			sections = append(sections, code[start:i])
			start = i + 1
		}
	}
	return append(sections, code[start:])
}

// sectionReader collects what a section of a format code consists of.
type sectionReader struct {
	formatSection
	code    strings.Builder // in lower case, without literals and brackets
	marks   bool            // a literal is neither a space nor a currency
	zero    bool            // there is a 0
	pads    bool            // there is a 0 before other digits
	text    bool            // @
	decimal bool            // a decimal point was read
	grouped bool            // has marks between thousands
	scaled  bool            // shows another number: a percentage, thousands, a fraction, an exponent
	unknown bool            // a letter that is neither a literal nor a part of a date
	slashes int
}

func readSection(code string) *sectionReader {
	s := &sectionReader{}
	for rest := code; rest != ""; {
		c, size := utf8.DecodeRuneInString(rest)
		switch c {
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
			s.bracket(inside)
			rest = after
			continue
		}
		if n := generalLength(rest); n > 0 {
			s.place(generalPlace)
			rest = rest[n:]
			continue
		}
		s.character(c, rest[size:])
		s.code.WriteRune(unicode.ToLower(c))
		rest = rest[size:]
	}
	return s
}

// generalLength returns the length of the word General at the beginning of a code, in
// Chinese and Japanese editions of Excel G/ and a word; 0 for none.
func generalLength(code string) int {
	const general = "General"
	if len(code) >= len(general) && strings.EqualFold(code[:len(general)], general) {
		return len(general)
	}
	if word, ok := strings.CutPrefix(code, "G/"); ok {
		return len(code) - len(strings.TrimLeftFunc(word, unicode.IsLetter))
	}
	return 0
}

// character takes a character that is no literal; rest is what follows it.
func (s *sectionReader) character(c rune, rest string) {
	switch c {
	case '0':
		s.place(zeroPlace)
	case '#':
		s.place(hashPlace)
	case '?':
		s.place(blankPlace)
	case '.':
		s.decimal = true
	case ',': // between digits it only groups them
		s.grouped = true
		s.scaled = s.scaled || rest == "" || strings.IndexByte("0#?,", rest[0]) < 0
	case '%':
		s.scaled = true
	case '@':
		s.text = true
	case '/':
		s.slashes++
		s.literal(c)
	case 'E', 'e':
		s.scaled = s.scaled || strings.HasPrefix(rest, "+") || strings.HasPrefix(rest, "-")
	default:
		if c < utf8.RuneSelf && unicode.IsLetter(c) {
			s.unknown = true
			return
		}
		s.literal(c)
	}
}

func (s *sectionReader) place(r rune) {
	if s.decimal || s.scaled {
		return
	}
	s.pads = s.pads || s.zero
	s.zero = s.zero || r == zeroPlace
	s.shape = append(s.shape, r)
	s.places++
}

func (s *sectionReader) literal(r rune) {
	if unicode.Is(unicode.Sc, r) {
		return
	}
	s.shape = append(s.shape, r)
	s.letters = s.letters || unicode.IsLetter(r)
	s.marks = s.marks || !unicode.IsSpace(r)
}

// bracket reads the content of brackets: a condition; elapsed hours, minutes or seconds;
// a currency with a language. A color means nothing here.
func (s *sectionReader) bracket(inside string) {
	lower := strings.ToLower(inside)
	if value := strings.TrimLeft(inside, "<>="); len(value) < len(inside) {
		if n, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
			s.condition = condition{inside[:len(inside)-len(value)], n}
		}
		return
	}
	if symbol, ok := strings.CutPrefix(inside, "$"); ok {
		symbol, _, _ = strings.Cut(symbol, "-")
		if len(symbol) == 3 && strings.ToUpper(symbol) == symbol { // CAD
			return
		}
		for _, r := range symbol {
			s.literal(r)
		}
		return
	}
	if lower != "" && (strings.Trim(lower, "h") == "" || strings.Trim(lower, "m") == "" || strings.Trim(lower, "s") == "") {
		s.code.WriteByte('h') // an elapsed time: what follows is not a month
	}
}

// finish decides what the section shows; a blank one hides the number.
func (s *sectionReader) finish(blank bool) formatSection {
	code := s.code.String()
	section := s.formatSection
	section.kind = plainFormat
	switch {
	case isDateCode(code):
		section.kind = dateFormat
	case strings.ContainsAny(code, "hms"): // a time of day
	case s.unknown, s.text && s.marks:
		section.kind = unclearFormat
	case s.scaled, (s.decimal || s.grouped) && s.letters, s.slashes == 1 && s.places > 1: // a fraction
		if s.letters || s.pads && s.slashes == 1 {
			section.kind = unclearFormat
		}
	case s.marks, s.pads, blank, len(s.shape) > 0 && s.places == 0 && !s.text:
		section.kind = shownFormat
	}
	section.letters = section.kind == unclearFormat || section.kind == shownFormat && s.letters
	return section
}

// isDateCode reports whether a format code shows a year, a month or a day. One
// or two m are minutes after hours and before seconds, and a month elsewhere.
func isDateCode(code string) bool {
	code = strings.NewReplacer("am/pm", "", "a/p", "").Replace(code)
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

// append appends the number as the section shows it. It is not ok for a number that the
// section would change: a fraction or one below zero.
func (s *formatSection) append(dst, number []byte) (shown []byte, ok bool) {
	isGeneral := slices.Contains(s.shape, generalPlace)
	if s.places > 0 && (number[0] == '-' || !isGeneral && !isPlainInteger(number)) {
		return dst, false
	}
	digits := number
	if len(number) == 1 && number[0] == '0' && !isGeneral { // shown only by a place for zeros
		digits = nil
	}
	missing, next := s.places-len(digits), 0
	for _, r := range s.shape {
		switch {
		case r >= 0:
			dst = utf8.AppendRune(dst, r)
			continue
		case r == generalPlace:
			dst = append(dst, digits...)
			continue
		case missing > 0:
			missing--
			switch r {
			case zeroPlace:
				dst = append(dst, '0')
			case blankPlace:
				dst = append(dst, ' ')
			}
			continue
		}
		for ; missing < 0; missing++ { // more digits than places: before the first of them
			dst = append(dst, digits[next])
			next++
		}
		dst = append(dst, digits[next])
		next++
	}
	return dst, true
}
