package mapping

import "strings"

// signs are the kinds of characters in a text, a bit each. Nearly all texts show by
// their signs alone that nothing is wrong with them.
type signs uint16

const (
	letterSign     signs = 1 << iota // A to Z
	digitSign                        // 0 to 9
	spaceSign                        // also slashes and others that no damage leaves behind
	bracketSign                      // ( and )
	pointSign                        // . and ,
	dashSign                         // -
	apostropheSign                   // '
	plusSign                         // +
	atSign                           // @
	underscoreSign                   // _
	escapeSign                       // what other programs' escapes and brackets begin with, and signs of amounts
	questionSign                     // ?
	accentSign                       // a byte of À to ÿ, and of some characters that were read in the wrong encoding
	colonSign                        // : and ;
	unusualSign                      // any other byte
)

var signOf = func() (table [256]signs) {
	for c := range table {
		switch {
		case c >= '0' && c <= '9':
			table[c] = digitSign
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			table[c] = letterSign
		case c == 0xc3, c >= 0x80 && c <= 0xbf:
			table[c] = accentSign
		case c < ' ', c >= 0x7f:
			table[c] = unusualSign
		default:
			table[c] = spaceSign
		}
	}
	for characters, sign := range map[string]signs{"()": bracketSign, ".,": pointSign, "-": dashSign, "'": apostropheSign, "+": plusSign, "@": atSign, "_": underscoreSign, "=[{}<&\\%#|^~`\"$*": escapeSign, "?": questionSign, ":;": colonSign} {
		for i := range len(characters) {
			table[characters[i]] = sign
		}
	}
	return table
}()

func signsOf(text string) (s signs) {
	for ; len(text) >= 4; text = text[4:] {
		s |= signOf[text[0]] | signOf[text[1]] | signOf[text[2]] | signOf[text[3]]
	}
	for i := range len(text) {
		s |= signOf[text[i]]
	}
	return s
}

// plainSigns are the signs of a kind's values that need no closer look: a name may
// have a dash, and a number must not have a point.
var plainSigns = [...]signs{
	freeText:    letterSign | digitSign | spaceSign | colonSign | pointSign | dashSign | apostropheSign | accentSign,
	idValue:     letterSign | digitSign,
	loginValue:  letterSign | digitSign | spaceSign | colonSign | pointSign | dashSign | apostropheSign | atSign | underscoreSign,
	emailValue:  letterSign | digitSign | pointSign | dashSign | apostropheSign | atSign | underscoreSign,
	phoneValue:  digitSign | spaceSign | colonSign | dashSign | apostropheSign | bracketSign,
	postalValue: letterSign | digitSign | spaceSign | colonSign,
	nameValue:   letterSign | spaceSign | pointSign | dashSign | apostropheSign | accentSign,
	townValue:   letterSign | spaceSign | pointSign | dashSign | apostropheSign | accentSign,
	streetValue: letterSign | digitSign | spaceSign | colonSign | pointSign | dashSign | apostropheSign | accentSign,
	regionValue: letterSign | spaceSign | colonSign | pointSign | dashSign | apostropheSign | accentSign,
	dateValue:   letterSign | digitSign | spaceSign | colonSign | dashSign | apostropheSign | pointSign,
}

// isPlain reports whether a text, which is not blank, shows by its signs s that it is
// right as it is.
func (d *damageDetector) isPlain(text string, s signs) bool {
	switch first := text[0]; {
	case s&^plainSigns[d.kind] != 0, first == '-', first == '\'':
		return false
	case s&apostropheSign != 0 && strings.Contains(text, "''"):
		return false
	case first == 'A' && text == "Array", first == 'O' && text == "Object", first == 's' && text == "stdClass Object":
		return false
	case s&apostropheSign != 0 && len(text) > 2 && text[1] == '\'' && text[len(text)-1] == '\'': // b'Ann'
		return false
	case s&underscoreSign != 0 && (strings.Contains(text, "_x") || strings.Contains(text, "_X")): // ann@example.ca_x000D_
		return false
	case s&pointSign != 0 && mayNameClass(text, s):
		return false
	}
	if s&digitSign != 0 && s&(pointSign|dashSign|spaceSign|apostropheSign) != 0 && d.mayBeReformatted(text, s) {
		return false
	}
	switch d.kind {
	case phoneValue:
		return s&digitSign != 0
	case nameValue, townValue:
		return s&letterSign != 0 && (s&accentSign == 0 || isPlainText(text))
	}
	return s&accentSign == 0 || isPlainText(text)
}

// mayNameClass reports whether a text, which has a point, may be what a program writes for
// an object of a class, or begins as the address of a page.
func mayNameClass(text string, s signs) bool {
	if s&atSign != 0 && endsInHash(text) {
		return true
	}
	switch text[0] {
	case 'S':
		return strings.HasPrefix(text, "System.")
	case 'M':
		return strings.HasPrefix(text, "Microsoft.")
	case 'O':
		return strings.HasPrefix(text, "Optional.")
	case 'j':
		return strings.HasPrefix(text, "java.")
	case 'c', 'o', 'n':
		return strings.HasPrefix(text, "com.") || strings.HasPrefix(text, "org.") || strings.HasPrefix(text, "net.")
	case 'W', 'w':
		return len(text) > 3 && text[3] == '.'
	}
	return false
}

// endsInHash reports whether a text ends as java.util.Date@1b2c does, and not as an address
// of e-mail.
func endsInHash(text string) bool {
	for i := len(text) - 1; i >= max(0, len(text)-len("1b2c")); i-- {
		if c := text[i]; !isDigitByte(c) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// mayBeReformatted reports whether a text, which has a digit, may be a number or a date
// that a spreadsheet has written in its own way. Hardly any text that is none gets
// through.
func (d *damageDetector) mayBeReformatted(text string, s signs) bool {
	if s&pointSign != 0 && s&letterSign != 0 && signOf[text[0]] == digitSign && beginsWithDecimals(text) && isExponent(text, d.kind) {
		return true
	}
	switch d.kind {
	case phoneValue: // 6 135 550 100, 6'135'550'100
		return s&apostropheSign != 0 || len(text) > 1 && text[1] == ' ' || d.mayBeDate(text)
	case loginValue: // 900123401.0
		return signOf[text[0]] == digitSign || d.mayBeDate(text)
	case postalValue, streetValue:
		return d.mayBeDate(text)
	}
	return false
}

// beginsWithDecimals reports whether a text begins with a digit to three and a point, as a
// shortened number does: 9.0E08, but not 12 St. Paul.
func beginsWithDecimals(text string) bool {
	for i := range min(len(text), len("613.")) {
		if sign := signOf[text[i]]; sign != digitSign {
			return sign == pointSign
		}
	}
	return false
}

// mayBeDate reports whether a text begins as a date with its day or year first, such as
// 1/2/2003, 2003-01-02 and 2-Jan, or ends as one with its month first, such as Jan-02.
func (d *damageDetector) mayBeDate(text string) bool {
	at := 0
	for at < len(text) && at <= len("2003") && signOf[text[at]] == digitSign {
		at++
	}
	mark := byte(0)
	switch {
	case len(text) < len("1-Mar") || at == len("613"):
		return false
	case at == 0 && isDigitByte(text[len(text)-1]):
		mark = text[len(text)-len("-02")]
	case at > 0 && at <= len("2003"):
		mark = text[at]
	}
	switch mark {
	case '/':
		return d.kind != streetValue || at > 0
	case '-':
		return d.kind != phoneValue || at == len("2003")
	case ' ', '.': // 25 Aprile is a street
		return at <= len("31") && (d.kind != streetValue || text[0] == '0')
	}
	return false
}
