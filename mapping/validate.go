package mapping

import (
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fault is what is wrong with one value.
type fault struct {
	rule     Rule
	severity Severity
	message  string
}

func refuse(rule Rule, message string) *fault { return &fault{rule, SeverityError, message} }

func warn(rule Rule, message string) *fault { return &fault{rule, SeverityWarning, message} }

// validator checks the values of one attribute before they are sent.
type validator struct {
	spec    AttributeSpec
	regions regionTable   // for RegionKind
	types   *userTypeList // for UserTypeKind
	births  birthLimits   // for DateKind
}

// check returns a value, which is not blank, as it will be sent. With a fault of
// Error severity there is nothing to send.
func (v *validator) check(value string) (string, *fault) {
	chars, bad := countChars(value)
	if bad >= 0 {
		return "", v.badCharacter(value, bad)
	}
	switch v.spec.Kind {
	case RegionKind:
		return v.checkRegion(value)
	case UserTypeKind:
		return v.types.id(v.spec.Label, value)
	case LockerUserTypeKind:
		if !isTypeID(value) {
			return "", refuse(RuleBadID, v.about(value)+"is not a type's number. Write the number that the Controller shows for the locker user type.")
		}
		return value, nil
	case DateKind:
		return value, v.births.check(v.spec.Label, value)
	case EmailKind:
		if !isEmail(value) {
			return "", refuse(RuleBadEmail, v.about(value)+"is not an e-mail address. Write it as name@example.ca.")
		}
	}
	if v.spec.MaxChars > 0 && chars > v.spec.MaxChars {
		return "", refuse(RuleTooLong, fmt.Sprintf("%shas %d characters, and the Controller takes at most %d. Shorten it.", v.about(value), chars, v.spec.MaxChars))
	}
	if v.spec.Required {
		return value, v.checkKey(value)
	}
	return value, nil
}

// about begins a sentence on a value.
func (v *validator) about(value string) string { return v.spec.Label + " " + quote(value) + " " }

// countChars counts the characters of s, and returns the offset of the first
// that must not be sent, or -1.
func countChars(s string) (chars, bad int) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return countUnicode(s)
		}
	}
	return len(s), -1
}

// countUnicode does what countChars promises for any text. Control characters,
// line separators and the sign for a lost character must not be sent; text that
// is not valid UTF-8 reads as that sign.
func countUnicode(s string) (chars, bad int) {
	for i, r := range s {
		if unicode.IsControl(r) || r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			return 0, i
		}
		chars++
	}
	return chars, -1
}

// badCharacter says which character of a value must not be sent.
func (v *validator) badCharacter(value string, at int) *fault {
	r, _ := utf8.DecodeRuneInString(value[at:])
	switch r {
	case '\n', '\r', '\u2028', '\u2029', '\u0085':
		return refuse(RuleBadCharacter, v.about(value)+"holds a line break. Write it on one line.")
	case '\t':
		return refuse(RuleBadCharacter, v.about(value)+"holds a tab. Put a space in its place.")
	case utf8.RuneError:
		return refuse(RuleBadCharacter, v.about(value)+"holds the sign for a letter that was lost on the way into the file. Write the letter, or save the file as UTF-8 again.")
	}
	return refuse(RuleBadCharacter, v.about(value)+fmt.Sprintf("holds the control character %U, which nobody can see. Write the value again.", r))
}

// checkRegion turns the name of a province or state into its code.
func (v *validator) checkRegion(value string) (string, *fault) {
	if code, ok := v.regions.code(value); ok {
		return code, nil
	}
	if name, code := nearestRegion(value); name != "" {
		return "", refuse(RuleBadRegion, v.about(value)+"is not a province or state; the nearest is "+name+". Write "+code+" if that is meant.")
	}
	return "", refuse(RuleBadRegion, v.about(value)+"is not a province or state of Canada or the USA. Write a postal abbreviation such as ON or NY, or leave the cell blank.")
}

// checkKey warns of a character that the Controller's page does not name for
// what tells one person from another.
func (v *validator) checkKey(value string) *fault {
	for _, r := range value {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			continue
		}
		return warn(RuleUnusualCharacter, v.about(value)+"holds "+strconv.QuoteRune(r)+", which is not a plain letter, a digit or a dash. Check that it is meant.")
	}
	return nil
}

// isEmail says that value is a bare address, such as name@example.ca. Nearly all
// are of plain characters, and need no parser.
func isEmail(value string) bool { return isPlainEmail(value) || isParsedEmail(value) }

// isPlainEmail says that value is words of plain characters joined by dots, an @,
// and at least two such words more.
func isPlainEmail(value string) bool {
	at, dotted, wordEnd := false, false, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '+' || c == '\'':
			wordEnd = true
			continue
		case c == '.' && wordEnd:
			dotted = at
		case c == '@' && wordEnd && !at:
			at = true
		default:
			return false
		}
		wordEnd = false
	}
	return dotted && wordEnd
}

// isParsedEmail leaves the judgement to mail.ParseAddress, which alone would take
// a name with the address, spaces round it and a domain without a dot.
func isParsedEmail(value string) bool {
	address, err := mail.ParseAddress(value)
	if err != nil || address.Address != value || address.Name != "" {
		return false
	}
	domain := value[strings.LastIndexByte(value, '@')+1:]
	return strings.Contains(domain, ".") && domain[0] != '[' &&
		strings.IndexFunc(value, func(r rune) bool { return unicode.IsSpace(r) || isInvisible(r) }) < 0
}

// isTypeID says that value is a whole number above zero, as type ids are.
func isTypeID(value string) bool {
	id, err := strconv.ParseUint(value, 10, 63)
	return err == nil && id > 0
}
