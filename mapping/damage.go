package mapping

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/dateformat"
)

// damageDetector checks one attribute's cells for what spreadsheets, exports and
// typing mistakes do to values. It fixes what is safe to fix; a person must see
// the rest: a damaged id is often a well-formed one, of somebody else.
type damageDetector struct {
	label string
	kind  valueKind
}

// valueKind says which damage can happen to an attribute's values.
type valueKind uint8

const (
	freeText   valueKind = iota // types and login sources
	idValue                     // what identifies people: digits, often with leading zeros
	loginValue                  // user names, which may look like anything
	emailValue                  // e-mail addresses
	phoneValue
	postalValue
	nameValue // people's names
	townValue
	streetValue // streets, and units on a second line
	regionValue // provinces and states
	dateValue
)

func valueKindOf(a Attribute) valueKind {
	switch a {
	case UniqueID, LoginSource, EmployeeNumber, StudentNumber, DriverLicenceNumber:
		return idValue
	case UserName:
		return loginValue
	case Email:
		return emailValue
	case CellPhone, EmployeePhone, StudentPhone:
		return phoneValue
	case PostalCode, PostalCode2:
		return postalValue
	case FirstName, LastName:
		return nameValue
	case City, City2:
		return townValue
	case Street, Street2:
		return streetValue
	case Province, Province2, DriverLicenceProvince:
		return regionValue
	case DateOfBirth:
		return dateValue
	}
	return freeText
}

// isNumber reports whether values of the kind are mostly digits, which may begin with
// zeros.
func (k valueKind) isNumber() bool { return k == idValue || k == phoneValue || k == postalValue }

// isIdentifier reports whether a value of the kind means one person only if each of
// its characters is right.
func (k valueKind) isIdentifier() bool { return k == idValue || k == loginValue || k == emailValue }

// repair returns the cell's text with what is safe to fix fixed. The problem is a
// warning about what was fixed, or an error about how the value is damaged.
func (d *damageDetector) repair(cell Cell) (text string, problem *Problem) {
	if cell.Kind == TextCell && d.isPlain(cell.Text) {
		return cell.Text, nil
	}
	text, what := clean(cell.Text, d.kind)
	damage := d.detect(text, cell.Kind)
	if damage == nil && text != "" {
		damage = d.implausible(Cell{text, cell.Kind})
	}
	if damage != nil {
		return text, damage
	}
	if what == "" || d.kind == dateValue { // a date is rewritten anyway
		return text, nil
	}
	return text, warn(RuleCleanedText, about(d.label, cell.Text)+what+"; it is sent as "+chars.Quote(text)+".", "")
}

// detect says how a value is damaged, nil for not at all.
func (d *damageDetector) detect(text string, kind CellKind) *Problem {
	switch {
	case text == "":
		return nil
	case kind == DateCell && d.kind != dateValue:
		return d.turnedToDate(text)
	case isScientific(text):
		return d.refuse(RuleDamagedNumber, text, "is a long number that a spreadsheet shortened, and its last digits are lost.",
			"Take the number from the student system; before you open the export, format the column as Text.")
	}
	switch {
	case d.kind.isNumber():
		if problem := d.damagedDigits(text, kind); problem != nil {
			return problem
		}
		if isDayAndMonth(text) {
			return d.turnedToDate(text)
		}
	case d.kind == nameValue:
		if hasLostLetter(text) {
			return d.refuse(RuleBadCharacter, text, "has a question mark where a letter was lost in the export.", "Write the letter, or save the export as UTF-8 again.")
		}
	}
	if isPlainText(text) {
		return nil
	}
	if right := inRightEncoding(text); right != "" {
		return d.refuse(RuleWrongEncoding, text, "looks like "+chars.Quote(right)+" read in the wrong encoding.", "Correct it, or save the export as UTF-8 again.")
	}
	if d.kind.isIdentifier() {
		return d.lookAlike(text)
	}
	return nil
}

func (d *damageDetector) refuse(rule Rule, text, what, advice string) *Problem {
	return refuse(rule, about(d.label, text)+what, advice)
}

func (d *damageDetector) turnedToDate(text string) *Problem {
	return d.refuse(RuleTurnedToDate, text, "is a date: a spreadsheet took the value for one.", "")
}

// damagedDigits finds numbers that a spreadsheet or a program reformatted.
func (d *damageDetector) damagedDigits(text string, kind CellKind) *Problem {
	whole, decimals, hasPoint := strings.Cut(text, ".")
	switch {
	case hasPoint && chars.IsDigits(whole) && decimals != "" && strings.Trim(decimals, "0") == "":
		return d.refuse(RuleDamagedNumber, text, "has decimals: a program took it for an amount.", "Write "+chars.Quote(whole)+" if that is what you mean, and check for lost leading zeros.")
	case isGrouped(text):
		return d.refuse(RuleDamagedNumber, text, "has commas between its thousands: a program took it for an amount.", "Write "+chars.Quote(chars.Digits(text))+" if that is what you mean, and check for lost leading zeros.")
	case d.kind != idValue && text[0] == '-' && chars.IsDigits(text[1:]):
		return d.refuse(RuleDamagedNumber, text, "is what a spreadsheet made of a number with dashes: it subtracted.", "Write the number again, in a cell that is formatted as Text.")
	case kind == NumberCell && len(text) > maxExactDigits && chars.IsDigits(text):
		return d.refuse(RuleDamagedNumber, text, "is a number of more than 15 digits, of which a spreadsheet keeps only the first 15.",
			"Take it from the student system; before you open the export, format the column as Text.")
	}
	return nil
}

// maxExactDigits is how many digits of a number a spreadsheet keeps; the others
// become zeros.
const maxExactDigits = 15

// isScientific reports whether text is a number such as 1.23457E+11.
func isScientific(text string) bool {
	if text[0] != '-' && !chars.IsDigits(text[:1]) { // nearly all that is not a number ends here
		return false
	}
	plus := strings.IndexByte(text, '+')
	if plus < 2 || text[plus-1] != 'E' && text[plus-1] != 'e' || !chars.IsDigits(text[plus+1:]) {
		return false
	}
	mantissa := strings.TrimPrefix(text[:plus-1], "-")
	whole, decimals, hasPoint := strings.Cut(strings.Replace(mantissa, ",", ".", 1), ".")
	return len(whole) == 1 && chars.IsDigits(whole) && (!hasPoint || chars.IsDigits(decimals))
}

// isGrouped reports whether text is a number such as 900,123,456.
func isGrouped(text string) bool {
	first, rest, _ := strings.Cut(text, ",")
	if rest == "" || len(first) > 3 || !chars.IsDigits(first) {
		return false
	}
	for group := range strings.SplitSeq(rest, ",") {
		if len(group) != 3 || !chars.IsDigits(group) {
			return false
		}
	}
	return true
}

// isDayAndMonth reports whether text is what a spreadsheet shows for a day without a
// year, such as 2-Jan or janv-02.
func isDayAndMonth(text string) bool {
	first, second, ok := strings.Cut(text, "-")
	if !ok || len(text) > len("30-févr.") {
		return false
	}
	if chars.IsDigits(second) {
		first, second = second, first
	}
	month := chars.Fold(second)
	return len(first) <= 2 && chars.IsDigits(first) && len(month) >= 3 && len(month) <= 5 && dateformat.IsMonth(month)
}

// hasLostLetter reports whether a question mark is beside a letter, where a program
// could not write one: Zo?, Beno?t.
func hasLostLetter(text string) bool {
	at := strings.IndexByte(text, '?')
	return at >= 0 && strings.ContainsFunc(text, unicode.IsLetter)
}

// isPlainText reports whether a text has only ASCII and the accented letters of
// western Europe that are not the first half of a misread character, as nearly all
// texts do: it needs no closer look.
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

// clean removes from a trimmed text what nobody sees or means, and says what it was;
// what is "" when nothing was removed.
func clean(text string, kind valueKind) (cleaned, what string) {
	if inner, ok := TextFormula(text); ok {
		return inner, "was written as a formula so that a spreadsheet keeps its zeros"
	}
	if len(text) > 1 && text[0] == '\'' && strings.IndexByte("0123456789=+-@", text[1]) >= 0 {
		return text[1:], "begins with an apostrophe, as text cells do in a spreadsheet"
	}
	if isPlainText(text) {
		return text, ""
	}
	keepJoiners := !kind.isIdentifier() && !kind.isNumber()
	cleaned = strings.Map(func(r rune) rune {
		switch {
		case keepJoiners && (r == '\u200c' || r == '\u200d'): // some scripts need them
			return r
		case chars.IsInvisible(r):
			return -1
		case unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, text)
	switch {
	case cleaned != text:
		return chars.Trim(norm.NFC.String(cleaned)), "had unusual spaces or invisible characters"
	case !norm.NFC.IsNormalString(text):
		return norm.NFC.String(text), "had accents that were separate from their letters"
	}
	return text, ""
}
