package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/region"
)

// validator checks the values of one attribute before they are sent.
type validator struct {
	spec   AttributeSpec
	types  *userTypeList // for UserTypeKind
	births birthLimits   // for DateKind
}

// check returns a value, which is not blank, as it will be sent. After a problem of
// SeverityError there is nothing to send.
func (v *validator) check(value string) (string, *Problem) {
	count, bad := countChars(value)
	if bad >= 0 {
		return "", v.badCharacter(value, bad)
	}
	return v.checkCounted(value, count)
}

// checkCounted does what check does, for a value of so many characters that may all be
// sent.
func (v *validator) checkCounted(value string, count int) (string, *Problem) {
	switch v.spec.Kind {
	case RegionKind:
		return v.checkRegion(value)
	case UserTypeKind:
		return v.types.id(v.spec.Label, value)
	case LockerUserTypeKind:
		if !chars.IsTypeID(value) {
			return "", refuse(RuleBadID, v.about(value)+"is not the number of a locker user type.", "Write the number that the Controller shows for it.")
		}
		return value, nil
	case DateKind:
		return value, v.births.check(v.spec.Label, value)
	case EmailKind:
		if !chars.IsEmail(value) {
			return "", refuse(RuleBadEmail, v.about(value)+"is not an e-mail address.", "Write it as name@example.ca.").proposing(likelyEmail(value))
		}
	}
	if v.spec.MaxChars > 0 && count > v.spec.MaxChars {
		return "", refuse(RuleTooLong, fmt.Sprintf("%shas %d characters, and the Controller accepts at most %d.", v.about(value), count, v.spec.MaxChars), "Shorten it.")
	}
	if v.spec.Required {
		return value, v.checkKey(value)
	}
	return value, nil
}

func (v *validator) about(value string) string { return about(v.spec.Label, value) }

// likelyEmail returns the address that somebody has written with the words for its signs,
// or with spaces in it; "" when that does not make one.
func likelyEmail(value string) string {
	likely := strings.NewReplacer(" at ", "@", "(at)", "@", "[at]", "@", " dot ", ".", "(dot)", ".", "[dot]", ".").Replace(value)
	likely = strings.TrimRight(strings.Join(strings.Fields(likely), ""), ".,;")
	if likely == value || !chars.IsEmail(likely) {
		return ""
	}
	return likely
}

// countChars counts the characters of s, and returns the offset of the first
// that must not be sent, or -1.
func countChars(s string) (count, bad int) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return countUnicode(s)
		}
	}
	return len(s), -1
}

// countUnicode does what countChars does, for any text. Control characters, line
// separators and the replacement character must not be sent; text that is not
// valid UTF-8 reads as the replacement character.
func countUnicode(s string) (count, bad int) {
	for i, r := range s {
		if unicode.IsControl(r) || r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
			return 0, i
		}
		count++
	}
	return count, -1
}

// badCharacter says which character of a value must not be sent.
func (v *validator) badCharacter(value string, at int) *Problem {
	what, advice := "holds a line break.", "Write it on one line."
	switch r, _ := utf8.DecodeRuneInString(value[at:]); r {
	case '\n', '\r', '\u2028', '\u2029', '\u0085':
	case '\t':
		what, advice = "holds a tab.", "Replace it with a space."
	case utf8.RuneError:
		what, advice = "holds the replacement character for a letter that was lost.", "Write the letter, or save the file as UTF-8 again."
	default:
		what, advice = fmt.Sprintf("holds the control character %U, which is invisible.", r), "Write the value again."
	}
	return refuse(RuleBadCharacter, v.about(value)+what, advice)
}

// checkRegion turns the name of a province or state into its code.
func (v *validator) checkRegion(value string) (string, *Problem) {
	if code, ok := region.Code(value); ok {
		return code, nil
	}
	if name, code := region.Nearest(value); name != "" {
		return "", refuse(RuleBadRegion, v.about(value)+"is not a province or state; the nearest is "+name+".", "Write "+code+" if that is what you mean.").proposing(code)
	}
	return "", refuse(RuleBadRegion, v.about(value)+"is not a province or state of Canada or the USA.", "Write a postal abbreviation such as ON or NY, or leave the cell blank.")
}

// checkKey warns about a character that the Controller's page does not name for
// the attributes that identify a person.
func (v *validator) checkKey(value string) *Problem {
	for _, r := range value {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			continue
		}
		return warn(RuleUnusualCharacter, v.about(value)+"holds "+strconv.QuoteRune(r)+", which is not a plain letter, a digit or a dash.", "Check that it is intended.")
	}
	return nil
}
