package chars

import (
	"net/mail"
	"strings"
	"unicode"
)

// IsEmail reports whether value is a bare address, such as name@example.ca. Nearly
// all addresses have plain characters only, and need no parser.
func IsEmail(value string) bool { return isPlainEmail(value) || isParsedEmail(value) }

// isPlainEmail reports whether value is words of plain characters joined by dots,
// an @, and at least two more such words.
func isPlainEmail(value string) bool {
	at, dotted, wordEnd := false, false, false
	for i := 0; i < len(value); i++ {
		c := value[i]
		if inEmailWord[c] {
			wordEnd = true
			continue
		}
		switch {
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

// inEmailWord has the plain characters of a word in an address.
var inEmailWord = func() (table [256]bool) {
	for c := range table {
		isLetter := c|0x20 >= 'a' && c|0x20 <= 'z'
		table[c] = isLetter || c >= '0' && c <= '9' || strings.IndexByte("-_+'", byte(c)) >= 0
	}
	return table
}()

// isParsedEmail asks mail.ParseAddress, which alone would accept a name with the
// address, spaces around it and a domain without a dot.
func isParsedEmail(value string) bool {
	address, err := mail.ParseAddress(value)
	if err != nil || address.Address != value || address.Name != "" {
		return false
	}
	domain := value[strings.LastIndexByte(value, '@')+1:]
	return strings.Contains(domain, ".") && domain[0] != '[' &&
		strings.IndexFunc(value, func(r rune) bool { return unicode.IsSpace(r) || IsInvisible(r) }) < 0
}
