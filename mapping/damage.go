package mapping

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"opscom-import/mapping/internal/chars"
)

// damageDetector checks one attribute's cells for what spreadsheets, exports and
// typing mistakes do to values. It fixes what is safe to fix; a person must see
// the rest: a damaged id is often a well-formed one, of somebody else.
type damageDetector struct {
	label  string
	kind   valueKind
	values *valueTable // says what some texts become, whatever they look like; nil for none
	seen   int         // values so far
	quotes quotesSeen
	ends   lostAtEnds
	pages  misreadSeen
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
// warning about what was fixed, or an error about how the value is damaged. The other
// cells of its row, which has this sequence, say what an apostrophe before it means. A
// text that is sound is right as it is, whatever its row: the same cell is so again.
func (d *damageDetector) repair(cell Cell, row []Cell, sequence int) (text string, sound bool, problem *Problem) {
	d.seen++
	if cell.Kind == TextCell && d.isPlain(cell.Text, signsOf(cell.Text)) || d.values.lists(cell.Text) {
		return cell.Text, true, nil
	}
	return d.examine(cell, row, sequence)
}

// examine does what repair does, for any text.
func (d *damageDetector) examine(cell Cell, row []Cell, sequence int) (text string, sound bool, problem *Problem) {
	text, what, problem := d.clean(cell.Text, row)
	if problem != nil {
		return text, false, problem
	}
	damage := d.detect(cell.Text, text, cell.Kind)
	if damage == nil && text != "" {
		damage = d.implausible(Cell{text, cell.Kind})
	}
	if damage != nil {
		return text, false, damage
	}
	noted := false
	if text != "" && (d.kind == nameValue || d.kind == townValue || d.kind == streetValue) {
		noted = d.quotes.add(text) || d.ends.add(sequence, text) || d.pages.add(sequence, text)
	}
	switch {
	case (d.kind == townValue || d.kind == streetValue) && mayHaveLost(text):
		return text, false, warn(RuleBadCharacter, about(d.label, text)+"has a question mark, which may stand for a lost letter.", "Check that it is intended.")
	case what == "":
		_, quoted := chars.CutApostrophe(text)
		return text, !noted && !quoted, nil
	case d.kind == dateValue: // a date is rewritten anyway
		return text, false, nil
	}
	switch {
	case text == "":
		what += "; the cell counts as blank"
	case !strings.ContainsAny(text, "\n\ufffd"): // these are refused later, unless the mapping removes them
		what += "; it is sent as " + chars.Quote(text)
	}
	return text, false, warn(RuleCleanedText, about(d.label, cell.Text)+what+".", "")
}

// review reports what the values show together, or returns a question about the column;
// "" for none.
func (d *damageDetector) review(f *fieldMapper, review *Review) (question string) {
	d.ends.review(f, review)
	d.pages.review(f, review)
	return d.quotes.review(d.seen)
}

// detect says how a value is damaged, nil for not at all. raw is the text before it was
// cleaned.
func (d *damageDetector) detect(raw, text string, kind CellKind) *Problem {
	switch {
	case text == "":
		return nil
	case kind == DateCell && d.kind != dateValue:
		return d.turnedToDate(text)
	case kind == UnclearCell:
		return d.refuse(RuleDamagedNumber, text, "is a number that its cell shows with more than the number, in a way that is not known here.", unclearAdvice)
	}
	if problem := d.reformatted(text); problem != nil {
		return problem
	}
	if problem := d.reformatted(raw); raw != text && problem != nil { // a no-break space stands between thousands
		return problem
	}
	if d.isDayOrDate(text) {
		return d.turnedToDate(text)
	}
	if d.kind.isNumber() {
		if problem := d.damagedDigits(text, kind); problem != nil {
			return problem
		}
	}
	if problem := d.wrongLetters(raw, text); problem != nil {
		return problem
	}
	if d.kind.isIdentifier() && !isPlainText(text) {
		return d.lookAlike(text)
	}
	return nil
}

// wrongLetters finds letters that an export lost or wrote in the wrong encoding.
func (d *damageDetector) wrongLetters(raw, text string) *Problem {
	const advice = "Correct it, or save the export as UTF-8 again."
	if right := inRightEncoding(raw, text); right != "" {
		return d.refuse(RuleWrongEncoding, text, "looks like "+chars.Quote(right)+" read in the wrong encoding.", advice).proposing(right)
	}
	if misreadPairs(text) >= 2 && !isPlainText(text) { // cut off, so that it is not all UTF-8
		return d.refuse(RuleWrongEncoding, text, "looks like text read in the wrong encoding.", advice)
	}
	if problem := d.lostLetter(text); problem != nil {
		return problem
	}
	switch d.kind {
	case nameValue, townValue, streetValue, emailValue:
		if right := inRightCodePage(text, &d.pages); len(right) > 0 {
			only := ""
			if len(right) == 1 {
				only = right[0]
			}
			for i := range right {
				right[i] = chars.Quote(right[i])
			}
			return d.refuse(RuleWrongEncoding, text, "looks like "+strings.Join(right, " or ")+" read in the wrong encoding.", advice).proposing(only)
		}
	}
	if right := likelyBytes(text, d.kind); right != "" {
		return d.refuse(RuleWrongEncoding, text, "looks like "+chars.Quote(right)+" with its letters escaped.", advice).proposing(right)
	}
	return d.strangeSign(text)
}

func (d *damageDetector) refuse(rule Rule, text, what, advice string) *Problem {
	return refuse(rule, about(d.label, text)+what, advice)
}

func (d *damageDetector) turnedToDate(text string) *Problem {
	return d.refuse(RuleTurnedToDate, text, "is a date: a spreadsheet took the value for one.", "")
}

// damagedDigits finds numbers that a spreadsheet calculated or cut off.
func (d *damageDetector) damagedDigits(text string, kind CellKind) *Problem {
	switch {
	case d.kind != idValue && text[0] == '-' && chars.IsDigits(text[1:]):
		return d.refuse(RuleDamagedNumber, text, "is what a spreadsheet made of a number with dashes: it subtracted.", "Write the number again, in a cell that is formatted as Text.")
	case kind == NumberCell && chars.IsDigits(text) && len(strings.TrimLeft(text, "0")) > maxExactDigits:
		return d.refuse(RuleDamagedNumber, text, "is a number of more than 15 digits, of which a spreadsheet keeps only the first 15.",
			"Take it from the student system; before you open the export, format the column as Text.")
	}
	return nil
}

// maxExactDigits is how many digits of a number a spreadsheet keeps; the others
// become zeros.
const maxExactDigits = 15

// isPlainText reports whether a text has only ASCII and the accented letters of
// western Europe, but neither a capital in the middle of a word, nor þ, × or ÷, nor an Ô
// that may be a part of a misread character, as nearly all texts do: it needs no closer
// look. Misread characters of other languages have a character that is none of these.
func isPlainText(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < 0x80 {
			continue
		}
		if text[i] != 0xc3 || i+1 == len(text) { // U+00C0 to U+00FF
			return false
		}
		if i++; text[i] < 0x9f && isMisplacedCapital(text, i) {
			return false
		}
		switch text[i] {
		case 0x94: // Ô: where it is misread, another character beyond ASCII follows
			if i+1 < len(text) && text[i+1] >= 0x80 {
				return false
			}
		case 0x97, 0xb7, 0xbe: // ×÷þ
			return false
		}
	}
	return true
}

// isMisplacedCapital reports whether the accented capital whose second byte is at i
// stands between a letter and a small one, or behind a small one.
func isMisplacedCapital(text string, i int) bool {
	if i < 2 || !isLetterByte(text[i-2]) {
		return false
	}
	return text[i-2] >= 'a' || i+1 < len(text) && text[i+1] >= 'a'
}

// clean removes from a trimmed text what nobody sees or means, and what other programs
// wrote for its characters or around it, and says what it was; what is "" when nothing
// was removed. The problem is an identifier that means another one.
func (d *damageDetector) clean(text string, row []Cell) (cleaned, what string, problem *Problem) {
	var whats []string
	if inner, ok := TextFormula(text); ok {
		text, whats = inner, append(whats, "was written as a formula so that a spreadsheet keeps its zeros")
	} else if inner, ok := withoutQuotes(text, d.kind); ok {
		d.quotes.removed++
		text, whats = inner, append(whats, "stood in quotes")
	} else if rest, ok := d.withoutApostrophe(text, row); ok {
		text, whats = rest, append(whats, "begins with an apostrophe, as text cells do in a spreadsheet")
	}
	if plain, found := unescape(text, d.kind); plain != text {
		plain = chars.Trim(plain)
		if d.kind.isIdentifier() && !strings.Contains(text, plain) {
			return text, "", d.refuse(RuleWrongEncoding, text, strings.Join(found, " and ")+" and means "+chars.Quote(plain)+".", "Correct it, or the export.").proposing(plain)
		}
		text, whats = plain, append(whats, found...)
	}
	text, found := removeInvisible(text, d.kind)
	if found != "" {
		whats = append(whats, found)
	}
	return text, strings.Join(whats, " and "), nil
}

// removeInvisible removes unusual spaces and invisible characters, and joins accents to
// their letters. It says which of these a text had, "" for none.
func removeInvisible(text string, kind valueKind) (cleaned, what string) {
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
