package inbox

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// CheckPattern says what is wrong with a pattern of names.
func CheckPattern(pattern string) error {
	switch {
	case pattern == "":
		return fmt.Errorf("a pattern is empty; write *.csv, for example")
	case strings.ContainsAny(pattern, `/\`):
		return fmt.Errorf("the pattern %q has a folder in it; only names of files are compared", pattern)
	case isTemporary(pattern):
		return fmt.Errorf("the pattern %q only matches hidden or temporary files, which are never taken; use the name that a complete file has", pattern)
	case strings.ContainsAny(pattern, `[]{}`):
		return fmt.Errorf("the pattern %q has brackets, which stand for nothing here; use * for any characters and ? for any one", pattern)
	}
	return nil
}

// Match reports whether a name matches a pattern: * stands for any characters or none, ?
// for any one. Case counts. An accent may be written either way that Unicode has: a Mac
// sends other bytes than a person types.
func Match(pattern, name string) bool {
	return intersect(pieces(pattern), literal(pieces(name)))
}

// Overlap reports whether some name matches both patterns.
func Overlap(a, b string) bool { return intersect(pieces(a), pieces(b)) }

// any characters, and any one; no name has such a rune.
const (
	star     rune = -1
	question rune = -2
)

// pieces returns a pattern with its wildcards as runes of their own.
func pieces(pattern string) []rune {
	runes := []rune(norm.NFC.String(pattern))
	for i, r := range runes {
		switch r {
		case '*':
			runes[i] = star
		case '?':
			runes[i] = question
		}
	}
	return runes
}

// literal turns the wildcards of a name back into what they are there.
func literal(name []rune) []rune {
	for i, r := range name {
		switch r {
		case star:
			name[i] = '*'
		case question:
			name[i] = '?'
		}
	}
	return name
}

// intersect reports whether some text matches both patterns. reached[j] says that one text
// can match what was seen of a and b[:j].
func intersect(a, b []rune) bool {
	reached := make([]bool, len(b)+1)
	reached[0] = true
	skipStars := func() {
		for j, r := range b {
			reached[j+1] = reached[j+1] || reached[j] && r == star
		}
	}
	skipStars()
	for _, r := range a {
		next := make([]bool, len(b)+1)
		if r == star {
			if first := slices.Index(reached, true); first >= 0 {
				for j := first; j < len(next); j++ {
					next[j] = true
				}
			}
		}
		for j, other := range b {
			switch {
			case r == star:
			case other == star:
				next[j] = next[j] || reached[j]
			case r == question || other == question || r == other:
				next[j+1] = next[j+1] || reached[j]
			}
		}
		reached = next
		skipStars()
	}
	return reached[len(b)]
}
