package format

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The name of a file may be any bytes, and text is not: JSON and PostgreSQL take valid UTF-8 alone, and PostgreSQL no zero byte.
// Where a name is stored as text each byte that is not valid there is a mark and two hexadecimal digits, and so is each byte of the
// mark itself. Nearly every name is stored as it is.
const (
	mark     = utf8.RuneError // U+FFFD, which programs show for such a byte
	markText = string(mark)
)

// PathText returns a path as text. PathOf returns the path of it.
func PathText(path string) string {
	if utf8.ValidString(path) && !strings.ContainsAny(path, markText+"\x00") {
		return path
	}
	var text strings.Builder
	for i, r := range path {
		_, size := utf8.DecodeRuneInString(path[i:])
		if r != mark && r != 0 {
			text.WriteRune(r)
			continue
		}
		for _, b := range []byte(path[i : i+size]) {
			text.WriteString(markText)
			text.WriteString(hex(b))
		}
	}
	return text.String()
}

func hex(b byte) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[b>>4], digits[b&15]})
}

// PathOf returns the path that PathText made a text of.
func PathOf(text string) string {
	first, rest, found := strings.Cut(text, markText)
	if !found {
		return text
	}
	path := []byte(first)
	for found {
		var part string
		part, rest, found = strings.Cut(rest, markText)
		if b, err := strconv.ParseUint(part[:min(2, len(part))], 16, 8); err == nil && len(part) >= 2 {
			path, part = append(path, byte(b)), part[2:]
		} else {
			path = append(path, markText...)
		}
		path = append(path, part...)
	}
	return string(path)
}
