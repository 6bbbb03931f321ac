package mapping

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// guard looks at one attribute's cells for what spreadsheets, exports and hasty
// hands do to values. What is safe to fix it fixes; what is not, a person must
// see: a damaged id is often a well-formed one, of somebody else.
type guard struct {
	label string
	kind  valueKind
}

// valueKind says which damage can befall an attribute's values.
type valueKind uint8

const (
	freeValue   valueKind = iota // streets, towns, types
	idValue                      // what tells people apart: digits, often with zeros in front
	loginValue                   // user names, which may look like anything
	emailValue                   // e-mail addresses
	numberValue                  // phones and postal codes
	nameValue                    // people's names
	dateValue
)

func kindOfValues(a Attribute) valueKind {
	switch a {
	case UniqueID, EmployeeNumber, StudentNumber, DriverLicenceNumber:
		return idValue
	case UserName:
		return loginValue
	case Email:
		return emailValue
	case CellPhone, EmployeePhone, StudentPhone, PostalCode, PostalCode2:
		return numberValue
	case FirstName, LastName:
		return nameValue
	case DateOfBirth:
		return dateValue
	}
	return freeValue
}

// inspect returns the cell's text with what is safe to fix fixed. The fault is
// what was fixed, a warning, or how the value was damaged; nil for neither.
func (g *guard) inspect(cell Cell) (text string, flaw *fault) {
	if isUnmarked(cell.Text) && cell.Kind == TextCell {
		return cell.Text, nil
	}
	text, what := fix(cell.Text, g.kind)
	if damage := g.damage(text, cell.Kind); damage != nil {
		return text, damage
	}
	if what == "" || g.kind == dateValue { // a date is rewritten anyway
		return text, nil
	}
	return text, warn(RuleCleanedText, g.label+" "+quote(cell.Text)+" "+what+"; it is sent as "+quote(text)+".")
}

// damage says how a value was damaged, nil for not at all.
func (g *guard) damage(text string, kind CellKind) *fault {
	switch {
	case text == "":
		return nil
	case kind == DateCell && g.kind != dateValue:
		return g.turnedToDate(text)
	case isScientific(text):
		return g.refuse(RuleDamagedNumber, text, "is a long number that a spreadsheet has shortened, and its last digits are lost. Take the number from the student system; before you open the export, make the column's format Text.")
	}
	switch g.kind {
	case idValue, numberValue:
		if flaw := g.damagedDigits(text, kind); flaw != nil {
			return flaw
		}
		if isDayAndMonth(text) {
			return g.turnedToDate(text)
		}
	case nameValue:
		if holdsLostLetter(text) {
			return g.refuse(RuleBadCharacter, text, "holds a question mark where a letter was lost on the way into the file. Write the letter, or save the export as UTF-8 again.")
		}
	}
	if isPlainText(text) {
		return nil
	}
	if right := inRightEncoding(text); right != "" {
		return g.refuse(RuleWrongEncoding, text, "looks like "+quote(right)+" that was read in the wrong encoding. Write it so, or save the export as UTF-8 again.")
	}
	if g.kind == idValue || g.kind == loginValue || g.kind == emailValue {
		return g.lookAlike(text)
	}
	return nil
}

func (g *guard) refuse(rule Rule, text, what string) *fault {
	return refuse(rule, g.label+" "+quote(text)+" "+what)
}

func (g *guard) turnedToDate(text string) *fault {
	return g.refuse(RuleTurnedToDate, text, "is a date: a spreadsheet has taken the value for one. Write the value again, in a cell of the format Text.")
}

// damagedDigits finds numbers to which a spreadsheet or a program gave another form.
func (g *guard) damagedDigits(text string, kind CellKind) *fault {
	whole, decimals, hasPoint := strings.Cut(text, ".")
	switch {
	case hasPoint && isDigits(whole) && decimals != "" && strings.Trim(decimals, "0") == "":
		return g.refuse(RuleDamagedNumber, text, "has decimals: a program has taken it for an amount. Write "+quote(whole)+" if that is meant, and look for zeros that are lost in front.")
	case isGrouped(text):
		return g.refuse(RuleDamagedNumber, text, "has commas between its thousands: a program has taken it for an amount. Write "+quote(digits(text))+" if that is meant, and look for zeros that are lost in front.")
	case g.kind == numberValue && text[0] == '-' && isDigits(text[1:]):
		return g.refuse(RuleDamagedNumber, text, "is what a spreadsheet made of a number with dashes: it has subtracted. Write the number again, in a cell of the format Text.")
	case kind == NumberCell && len(text) > maxExactDigits && isDigits(text):
		return g.refuse(RuleDamagedNumber, text, "is a number of more than 15 digits, of which a spreadsheet keeps the first 15 only. Take it from the student system; before you open the export, make the column's format Text.")
	}
	return nil
}

// maxExactDigits is how many digits of a number a spreadsheet keeps; those beyond
// become zeros.
const maxExactDigits = 15

// isScientific says that text is a number such as 1.23457E+11.
func isScientific(text string) bool {
	if text[0] != '-' && !isDigits(text[:1]) { // nearly all that is not a number ends here
		return false
	}
	plus := strings.IndexByte(text, '+')
	if plus < 2 || text[plus-1] != 'E' && text[plus-1] != 'e' || !isDigits(text[plus+1:]) {
		return false
	}
	mantissa := strings.TrimPrefix(text[:plus-1], "-")
	whole, decimals, hasPoint := strings.Cut(strings.Replace(mantissa, ",", ".", 1), ".")
	return len(whole) == 1 && isDigits(whole) && (!hasPoint || isDigits(decimals))
}

// isGrouped says that text is a number such as 900,123,456.
func isGrouped(text string) bool {
	first, rest, _ := strings.Cut(text, ",")
	if rest == "" || len(first) > 3 || !isDigits(first) {
		return false
	}
	for group := range strings.SplitSeq(rest, ",") {
		if len(group) != 3 || !isDigits(group) {
			return false
		}
	}
	return true
}

// isDayAndMonth says that text is what a spreadsheet shows for a day without a
// year, such as 2-Jan or janv-02.
func isDayAndMonth(text string) bool {
	first, second, ok := strings.Cut(text, "-")
	if !ok || len(text) > len("30-févr.") {
		return false
	}
	if isDigits(second) {
		first, second = second, first
	}
	month := foldHeader(second)
	return len(first) <= 2 && isDigits(first) && len(month) >= 3 && len(month) <= 5 && monthNumber(month) != ""
}

// holdsLostLetter says that a question mark stands beside a letter, where a
// program could not write one: Zo?, Beno?t.
func holdsLostLetter(text string) bool {
	at := strings.IndexByte(text, '?')
	return at >= 0 && strings.ContainsFunc(text, unicode.IsLetter)
}

// isDigits says that text is nothing but digits, one at least.
func isDigits(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// isUnmarked says that a text holds nothing but ASCII letters, digits, spaces and
// the signs that no damage leaves behind: what nearly all texts are.
func isUnmarked(text string) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c >= 0x80, c == '+', c == '?', c == ',', c == '-', c == '=', c == '\'', c == '.':
			return false
		}
	}
	return true
}

// isPlainText says that a text holds nothing but ASCII and the letters with accents
// of western Europe that are not the first half of a mistaken character: all texts that
// need no closer look, which are nearly all.
func isPlainText(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < 0x80 {
			continue
		}
		if text[i] != 0xc3 || i+1 == len(text) { // U+00C0 to U+00FF
			return false
		}
		i++
		switch text[i] {
		case 0x82, 0x83, 0x84, 0x85, 0x94, 0xa2: // ÂÃÄÅÔâ
			return false
		}
	}
	return true
}

func isASCII(text string) bool {
	for ; len(text) >= 8; text = text[8:] {
		if (text[0]|text[1]|text[2]|text[3]|text[4]|text[5]|text[6]|text[7])&0x80 != 0 {
			return false
		}
	}
	for i := 0; i < len(text); i++ {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

// fix takes out of a text what nobody sees or means, and says what it was;
// what is "" when nothing was fixed. The text is trimmed.
func fix(text string, kind valueKind) (fixed, what string) {
	if inner, ok := textFormula(text); ok {
		return inner, "was written as a formula so that a spreadsheet keeps its zeros"
	}
	if len(text) > 1 && text[0] == '\'' && strings.IndexByte("0123456789=+-@", text[1]) >= 0 {
		return text[1:], "begins with an apostrophe, as cells of text do in a spreadsheet"
	}
	if isPlainText(text) {
		return text, ""
	}
	keepJoiners := kind != idValue && kind != loginValue && kind != emailValue && kind != numberValue
	fixed = strings.Map(func(r rune) rune {
		switch {
		case keepJoiners && (r == '\u200c' || r == '\u200d'): // some scripts are not read right without them
			return r
		case isInvisible(r):
			return -1
		case unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, text)
	switch {
	case fixed != text:
		return trim(norm.NFC.String(fixed)), "held spaces of an unusual kind or characters that nobody can see"
	case !norm.NFC.IsNormalString(text):
		return norm.NFC.String(text), "has accents written apart from their letters"
	}
	return text, ""
}

// textFormula returns what stands in a formula that is only a text, ="0123".
func textFormula(text string) (inner string, ok bool) {
	inner, ok = strings.CutPrefix(text, `="`)
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, `"`)
	return inner, ok && !strings.Contains(inner, `"`)
}
