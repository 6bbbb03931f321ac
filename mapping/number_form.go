package mapping

import (
	"regexp"
	"strings"
	"unicode"

	"opscom-import/mapping/internal/chars"
)

// The forms in which programs write numbers that they took for amounts. A mark
// between thousands is any of comma, point, apostrophe and space.
var (
	exponentForm = regexp.MustCompile(`^[-+−]?\d{1,3}(?:[.,٫]\d*)? ?(?:[eE] ?[-+−]?|[×*xX] ?10 ?\^? ?)\d{1,3}$`)
	decimalForm  = regexp.MustCompile(`^\d+[.,٫](?:0*|-)$`)
	groupedForm  = regexp.MustCompile(`^[1-9]\d{0,2}(?:,(?:\d\d,)*\d{3}|(?:,\d{3})+|(?:\.\d{3})+|(?:['’]\d{3})+|(?:[ \x{a0}\x{2009}\x{202f}]\d{3})+)(?:[.,]\d*)?$`)
)

// reformatted finds a number that a spreadsheet or a program took for an amount: an
// exponent, marks between thousands, decimals, a currency. The text is the cell's,
// with its unusual spaces: they are marks between thousands too.
func (d *damageDetector) reformatted(text string) *Problem {
	if isExponent(text, d.kind) {
		return d.refuse(RuleDamagedNumber, text, "is a long number that a spreadsheet shortened, and its last digits are lost.",
			"Take the number from the student system; before you open the export, format the column as Text.")
	}
	if !d.kind.isNumber() && d.kind != loginValue {
		return nil
	}
	number := strings.TrimFunc(text, func(r rune) bool { return unicode.Is(unicode.Sc, r) || unicode.IsSpace(r) })
	what := ""
	switch {
	case number == "" || number[0] < '0' || number[0] > '9':
		return nil
	case d.isGrouped(number):
		what = "has marks between its thousands"
	case d.hasDecimals(number):
		what = "has decimals"
	case len(number) < len(text) && isDigitsAndMarks(number):
		what = "has the sign of a currency"
	default:
		return nil
	}
	whole := chars.Digits(withoutDecimals(number, d.isGrouped(number)))
	return d.refuse(RuleDamagedNumber, text, what+": a program took it for an amount.", "Write "+chars.Quote(whole)+" if that is what you mean, and check for lost leading zeros.").proposing(whole)
}

// isExponent reports whether a text is a number such as 1.23457E+11, 9.00123401E8 or
// 9,00×10^8. Without a decimal mark and a plus it is as well an id or a unit: 12E4.
func isExponent(text string, kind valueKind) bool {
	if c := text[0]; !isDigitByte(c) && c != '-' && c != '+' && c != 0xe2 || len(text) < 3 || !isDigitByte(text[len(text)-1]) { // nearly all that is not a number ends here
		return false
	}
	if !exponentForm.MatchString(text) {
		return false
	}
	return kind == phoneValue || strings.ContainsAny(text, "+.,٫×*^")
}

// isGrouped reports whether a number has marks between its thousands. Phone numbers
// are written in groups of three as well, but hardly with one digit before the others.
func (d *damageDetector) isGrouped(number string) bool {
	if !groupedForm.MatchString(number) {
		return false
	}
	switch mark := strings.TrimLeft(number, "0123456789"); {
	case d.kind == phoneValue && mark[0] != ',' && mark[0] != '\'' && !strings.HasPrefix(mark, "’"):
		return number[0] > '1' && len(number) > 1 && (number[1] < '0' || number[1] > '9') && len(chars.Digits(number)) == 10
	case mark[0] == ' ', d.kind == postalValue && mark[0] >= 0x80: // how some write ids and postal codes
		return strings.ContainsAny(mark, ".,")
	case mark[0] == '.' && d.kind == loginValue:
		return strings.Count(number, ".") > 1
	}
	return true
}

// hasDecimals reports whether a number has decimals, all of them zeros.
func (d *damageDetector) hasDecimals(number string) bool {
	if !decimalForm.MatchString(number) {
		return false
	}
	whole := withoutDecimals(number, false)
	switch decimals := len(number) - len(whole) - 1; {
	case decimals == 0:
		return d.kind != phoneValue && len(whole) >= 4 // a full stop
	case d.kind == phoneValue:
		return decimals <= 2 || len(whole) >= 7 // 555.0000 is a phone number
	}
	return true
}

// withoutDecimals returns the part of a number before its decimal mark. The mark that
// stands between its thousands is none.
func withoutDecimals(number string, grouped bool) string {
	at := strings.LastIndexAny(number, ".,٫")
	if at < 0 || grouped && strings.IndexByte(number, number[at]) < at {
		return number
	}
	if first := strings.IndexFunc(number, func(r rune) bool { return !unicode.IsDigit(r) }); grouped && first == at {
		return number
	}
	return number[:at]
}

func isDigitsAndMarks(text string) bool {
	return strings.Trim(text, "0123456789., \u00a0\u2009\u202f") == ""
}
