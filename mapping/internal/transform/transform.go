// Package transform holds what a mapping's apply does to a value.
//
//	pad:9        1234567         → 001234567
//	postal_code  k1a0b1          → K1A 0B1
//	phone        (613) 555-0123  → 613-555-0123
//	title        MARY O'BRIEN    → Mary O'Brien
//	unquote      “The Lodge”     → The Lodge
package transform

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/region"
)

// Func turns one value into another; blank stays blank.
type Func func(string) string

// Set holds the transforms of one mapping. It remembers phone numbers, so it is
// for one goroutine at a time.
type Set map[string]Func

// NewSet returns the transforms that take no argument.
func NewSet() Set {
	return Set{
		"trim":     chars.Trim,
		"lower":    strings.ToLower,
		"upper":    strings.ToUpper,
		"title":    title,
		"digits":   chars.Digits,
		"collapse": chars.Collapse,
		"province": func(s string) string {
			if code, ok := region.Code(s); ok {
				return code
			}
			return s
		},
		"postal_code": postalCode,
		"unquote":     unquote,
		"phone":       newPhoneFormatter().format,
	}
}

// Find returns the transform that word means: one of the set, or pad with a
// width, as in pad:9.
func (set Set) Find(word string) (Func, error) {
	name, argument, hasArgument := strings.Cut(word, ":")
	if name == "pad" {
		return newPad(argument)
	}
	if t, ok := set[name]; ok {
		if hasArgument {
			return nil, fmt.Errorf("the transform %s takes nothing after it; write %s", chars.Quote(name), name)
		}
		return t, nil
	}
	names := append(slices.Sorted(maps.Keys(set)), "pad")
	return nil, fmt.Errorf("there is no transform %s%s", chars.Quote(name), chars.Hint(name, names, "; the transforms are "+strings.Join(names, ", ")))
}

// unquote takes off the quotes around a value, or the apostrophe before it.
func unquote(s string) string {
	for {
		inner, _ := chars.Unquote(s)
		rest, _ := chars.CutApostrophe(inner)
		if rest == s {
			return s
		}
		s = rest
	}
}

// newPad returns the transform that adds zeros in front of a value that is shorter
// than width characters.
func newPad(width string) (Func, error) {
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

// postalCode formats a Canadian code as K1A 0B1 and a ZIP+4 as 12345-6789. Anything
// else is unchanged: a ZIP code that lost its leading zero looks like a wrong one.
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
	switch chars.Shape(code) {
	case "A9A9A9":
		return code[:3] + " " + code[3:]
	case "99999":
		return code
	case "999999999":
		return code[:5] + "-" + code[5:]
	}
	return s
}

// isCanadianCode reports whether s is a Canadian code in its usual format, as most
// are.
func isCanadianCode(s string) bool {
	isLetter := func(c byte) bool { return c >= 'A' && c <= 'Z' }
	isDigit := func(c byte) bool { return c >= '0' && c <= '9' }
	return len(s) == len("K1A 0B1") && s[3] == ' ' &&
		isLetter(s[0]) && isDigit(s[1]) && isLetter(s[2]) && isDigit(s[4]) && isLetter(s[5]) && isDigit(s[6])
}
