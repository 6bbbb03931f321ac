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
	atSign                           // @ and _
	escapeSign                       // what other programs' escapes and brackets begin with
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
	for characters, sign := range map[string]signs{"()": bracketSign, ".,": pointSign, "-": dashSign, "'": apostropheSign, "+": plusSign, "@_": atSign, "=[{}<&\\%#|^~`\"": escapeSign, "?": questionSign, ":;": colonSign} {
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
	loginValue:  letterSign | digitSign | spaceSign | colonSign | pointSign | dashSign | apostropheSign | atSign,
	emailValue:  letterSign | digitSign | pointSign | dashSign | apostropheSign | atSign,
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
	case s&atSign != 0 && text[len(text)-1] == '_': // ann@example.ca_x000D_
		return false
	case s&pointSign != 0 && (first == 'S' || first == 'M' || first == 'O' || first|0x20 == 'w'): // System.String, Microsoft.…, Optional.empty, www.…
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

// mayBeReformatted reports whether a text, which has a digit, may be a number or a date
// that a spreadsheet has written in its own way. Hardly any text that is none gets
// through.
func (d *damageDetector) mayBeReformatted(text string, s signs) bool {
	if len(text) < len("1,00") {
		return false
	}
	startsWithDigit := signOf[text[0]] == digitSign
	endsWithDigit := signOf[text[len(text)-1]] == digitSign
	switch d.kind {
	case phoneValue: // 6 135 550 100, 6'135'550'100, 1/2/2003, 2003-01-02
		return s&apostropheSign != 0 || text[1] == ' ' || text[1] == '/' || text[2] == '/' || len(text) > 4 && (text[4] == '-' || text[4] == '/')
	case loginValue: // 1-Mar, Sep-04, 900123401.0, 1/2/2003
		return startsWithDigit || s&dashSign != 0 && endsWithDigit
	case streetValue:
		if s&spaceSign == 0 { // a unit
			return startsWithDigit || s&dashSign != 0 && endsWithDigit
		}
		return startsWithDigit && (text[1] == '/' || text[2] == '/' || text[2] == '.' || text[2] == '-' || len(text) > 4 && text[4] == '-')
	}
	return false
}
