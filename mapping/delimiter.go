package mapping

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// delimiterNames are the words for delimiters that are hard to see, or to write.
var delimiterNames = map[rune]string{',': "comma", ';': "semicolon", '\t': "tab", '|': "pipe", ' ': "space"}

// ParseDelimiter reads the delimiter of a text file: one character, or the name of one.
// It is 0, the one that is found, for "".
func ParseDelimiter(text string) (rune, error) {
	if text == "" {
		return 0, nil
	}
	for r, name := range delimiterNames {
		if strings.EqualFold(text, name) {
			return r, nil
		}
	}
	if text == `\t` {
		return '\t', nil
	}
	r, size := utf8.DecodeRuneInString(text)
	if size != len(text) || r == utf8.RuneError || r == '"' || r == '\r' || r == '\n' || unicode.IsLetter(r) || unicode.IsDigit(r) {
		return 0, fmt.Errorf("%q is not a delimiter; give one character such as ; or comma, semicolon, tab, pipe", text)
	}
	return r, nil
}

// DelimiterName returns what [ParseDelimiter] reads as the delimiter: its name, or the
// character itself.
func DelimiterName(delimiter rune) string {
	if name, ok := delimiterNames[delimiter]; ok {
		return name
	}
	return string(delimiter)
}
