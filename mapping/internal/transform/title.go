package transform

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// title capitalises each word that is all capitals or all lower case. A word in
// mixed case was written on purpose, and is unchanged:
//
//	"MARY-JANE O'BRIEN" → "Mary-Jane O'Brien"
//	"VAN ANH"           → "Van Anh"
//	"mcdonald"          → "McDonald"
//	"LeBlanc"           → "LeBlanc"
func title(s string) string { return titleWords(s, false) }

// TitleSurname is the transform title for a last name, which may begin with a
// particle:
//
//	"DE LA CRUZ" → "de la Cruz"
func TitleSurname(s string) string { return titleWords(s, true) }

func titleWords(s string, isSurname bool) string {
	words := strings.Fields(s)
	afterParticle := false
	for i, word := range words {
		if !isOneCase(word) {
			afterParticle = false
			continue
		}
		lower := strings.ToLower(word)
		afterParticle = (i > 0 || isSurname) && i+1 < len(words) && isParticle(lower, afterParticle)
		switch {
		case afterParticle:
			words[i] = lower
		case isOrdinal(word):
		default:
			words[i] = titleWord(lower)
		}
	}
	return strings.Join(words, " ")
}

// isOneCase reports whether a word has letters, all of one case, and no digit: 3RD
// and 12B are unchanged.
func isOneCase(word string) bool {
	upper, lower := false, false
	for _, r := range word {
		upper = upper || unicode.IsUpper(r)
		lower = lower || unicode.IsLower(r)
		if unicode.IsDigit(r) {
			return false
		}
	}
	return upper != lower
}

// isParticle reports whether a word before a surname is in lower case. La, le and
// the like are particles only after another one: La Toya is a name.
func isParticle(word string, afterParticle bool) bool {
	switch word {
	case "de", "del", "du", "des", "dos", "das", "van", "von":
		return true
	case "la", "las", "los", "le", "der", "den", "het":
		return afterParticle
	}
	return false
}

// isOrdinal reports whether a word is the number after a name, as in John Smith III.
func isOrdinal(word string) bool { return slices.Contains([]string{"II", "III", "IV"}, word) }

// titleWord capitalises the parts of a word in lower case: at its beginning, after
// a hyphen or a dot, after the apostrophe of O'Brien and D'Angelo, and after Mc.
// Not after Mac: Mackenzie and Macey are names too.
func titleWord(word string) string {
	var b strings.Builder
	b.Grow(len(word))
	start := true // at the beginning of a part
	part := 0     // where the part began
	for i, r := range word {
		if start && unicode.IsLetter(r) {
			b.WriteRune(unicode.ToTitle(r))
			start, part = false, i
			continue
		}
		b.WriteRune(r)
		switch r {
		case '-', '.', '(', '/':
			start = true
		case '\'', '’':
			start = utf8.RuneCountInString(word[part:i]) == 1
		case 'c':
			start = word[part:i+1] == "mc" && len(word)-i > 3
		}
	}
	return b.String()
}
