// Package chars holds what package mapping and its suggestions know about short
// texts: headers, cells and words.
//
//	Fold("E-mail")               // "email"
//	Trim("\u00a0 900123456\t")   // "900123456"
//	Nearest("frist_name", names) // "first_name"
package chars

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold reduces a name to what distinguishes it from others: its letters and
// digits, in lower case, without accents. "E-mail", "e mail" and "EMAIL" are one.
func Fold(name string) string {
	if !IsASCII(name) {
		name = norm.NFKD.String(name)
	}
	var b strings.Builder
	b.Grow(len(name))
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// Trim removes white space from both ends, including the invisible kinds: the
// no-break space, zero-width characters and the byte order mark.
func Trim(s string) string {
	if s == "" || IsVisibleASCII(s[0]) && IsVisibleASCII(s[len(s)-1]) {
		return s
	}
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || IsInvisible(r) })
}

// Collapse replaces every run of white space with one space.
func Collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// Digits keeps only the digits 0 to 9.
func Digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// Shape replaces each letter from A to Z with A and each digit with 9.
func Shape(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return 'A'
		case r >= '0' && r <= '9':
			return '9'
		}
		return r
	}, s)
}

// IsDigits reports whether text consists of digits, at least one.
func IsDigits(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// IsTypeID reports whether value is a whole number above zero, as type ids are.
func IsTypeID(value string) bool {
	id, err := strconv.ParseUint(value, 10, 63)
	return err == nil && id > 0
}

// IsASCII reports whether text has only ASCII characters.
func IsASCII(text string) bool {
	for ; len(text) >= 8; text = text[8:] {
		if (text[0]|text[1]|text[2]|text[3]|text[4]|text[5]|text[6]|text[7])&0x80 != 0 {
			return false
		}
	}
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// IsVisibleASCII reports whether a byte is a visible ASCII character.
func IsVisibleASCII(b byte) bool { return b > ' ' && b < 0x7f }

// IsInvisible reports whether r takes no room on the screen and means nothing in
// a value: zero-width characters, the soft hyphen, and the marks of writing
// direction that are copied along with a number from a page.
func IsInvisible(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return false
	case r == '\u00ad' || r >= '\u200b' && r <= '\u200f' || r >= '\u202a' && r <= '\u202e':
		return true
	}
	return r == '\u2060' || r >= '\u2066' && r <= '\u2069' || r == '\ufeff'
}

// Quote quotes a text for a message, shortened to what a message has room for.
func Quote(text string) string { return strconv.Quote(Clip(text)) }

// Clip shortens a text to what a message has room for.
func Clip(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
