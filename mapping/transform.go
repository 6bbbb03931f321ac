package mapping

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// transform turns one value into another; blank stays blank.
type transform func(string) string

// plainTransforms returns the transforms that a field's apply names by one word.
func plainTransforms(regions regionTable) map[string]transform {
	return map[string]transform{
		"trim":     trim,
		"lower":    strings.ToLower,
		"upper":    strings.ToUpper,
		"title":    title,
		"digits":   digits,
		"collapse": collapse,
		"province": func(s string) string {
			if code, ok := regions.code(s); ok {
				return code
			}
			return s
		},
		"postal_code": postalCode,
		"phone":       newPhoneWriter().write,
	}
}

// newTransform returns the transform that word means: one of plain, or pad with
// a width, as in pad:9.
func newTransform(word string, plain map[string]transform) (transform, error) {
	name, argument, hasArgument := strings.Cut(word, ":")
	if name == "pad" {
		return newPad(argument)
	}
	if t, ok := plain[name]; ok {
		if hasArgument {
			return nil, fmt.Errorf("nothing may follow the transform %s; write %s", quote(name), name)
		}
		return t, nil
	}
	names := append(slices.Sorted(maps.Keys(plain)), "pad")
	if near := Nearest(name, names); near != "" {
		return nil, fmt.Errorf("there is no transform %s; the nearest is %s", quote(name), quote(near))
	}
	return nil, fmt.Errorf("there is no transform %s; there are %s", quote(name), strings.Join(names, ", "))
}

// newPad returns the transform that puts zeros before a value that is shorter
// than width characters.
func newPad(width string) (transform, error) {
	n, err := strconv.Atoi(width)
	if err != nil || n < 1 || n > 255 {
		return nil, errors.New(`the transform "pad" needs a width from 1 to 255; write pad:9, for example`)
	}
	return func(s string) string {
		if missing := n - utf8.RuneCountInString(s); s != "" && missing > 0 {
			return strings.Repeat("0", missing) + s
		}
		return s
	}, nil
}

// trim takes white space off both ends, the kinds that nobody sees included: the
// no-break space, the zero-width characters and the byte order mark.
func trim(s string) string {
	if s == "" || isPlain(s[0]) && isPlain(s[len(s)-1]) {
		return s
	}
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || isInvisible(r) })
}

// isPlain says that a byte is a visible ASCII character.
func isPlain(b byte) bool { return b > ' ' && b < 0x7f }

// isInvisible says that r takes no room on the screen and means nothing in a
// value: zero-width characters, the soft hyphen, and the marks of the direction
// of writing that come along when a number is copied from a page.
func isInvisible(r rune) bool {
	switch {
	case r < 0x80:
		return false
	case r == '\u00ad' || r >= '\u200b' && r <= '\u200f' || r >= '\u202a' && r <= '\u202e':
		return true
	}
	return r == '\u2060' || r >= '\u2066' && r <= '\u2069' || r == '\ufeff'
}

// collapse turns every run of white space into one space.
func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// digits keeps the digits 0 to 9 alone.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// postalCode writes a Canadian code as K1A 0B1 and a ZIP+4 as 12345-6789. What
// is neither stays as it is: a ZIP that has lost its leading zero cannot be told
// from a wrong one here.
func postalCode(s string) string {
	if isCanadianCode(s) {
		return s
	}
	code := strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, s)
	switch shapeOf(code) {
	case "A9A9A9":
		return code[:3] + " " + code[3:]
	case "99999":
		return code
	case "999999999":
		return code[:5] + "-" + code[5:]
	}
	return s
}

// isCanadianCode says that s is a Canadian code as it is to be written, which most
// are.
func isCanadianCode(s string) bool {
	if len(s) != len("K1A 0B1") || s[3] != ' ' {
		return false
	}
	for _, letter := range [...]byte{s[0], s[2], s[5]} {
		if letter < 'A' || letter > 'Z' {
			return false
		}
	}
	for _, digit := range [...]byte{s[1], s[4], s[6]} {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	return true
}

// shapeOf writes A for each capital letter from A to Z and 9 for each digit.
func shapeOf(s string) string {
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
