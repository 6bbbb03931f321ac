package suggest

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"opscom-import/mapping"
	"opscom-import/mapping/internal/chars"
)

// maxProposed is how many values a proposal lists. A column with more holds something
// other than kinds of people.
const maxProposed = 12

// proposeValues lists the values of a column that may give the user type. Each
// becomes itself: the right-hand side is for a person to correct. A column of numbers
// has the ids of user types, so nothing is proposed.
func (s *suggester) proposeValues(column int) []mapping.ValuePair {
	var pairs []mapping.ValuePair
	ids := true
	for _, cell := range s.values(column) {
		if slices.ContainsFunc(pairs, func(p mapping.ValuePair) bool { return strings.EqualFold(p.From, cell.Text) }) {
			continue
		}
		if len(pairs) == maxProposed {
			return nil
		}
		ids = ids && chars.IsTypeID(cell.Text)
		pairs = append(pairs, mapping.ValuePair{From: cell.Text, To: cell.Text})
	}
	if ids {
		return nil
	}
	return pairs
}

// WithUserTypes returns the suggestions with the user types that the proposed values
// seem to mean: the only one with the value's words, such as Part Time Student for
// "PT". A value that could mean none or several stays, and the mapping then refuses
// it by name. Where all values are user types already, nothing is proposed.
func WithUserTypes(suggestions []Suggestion, types []mapping.UserType) []Suggestion {
	matched := slices.Clone(suggestions)
	for i := range matched {
		values := slices.Clone(matched[i].Values)
		known := 0
		for j := range values {
			if isUserType(values[j].From, types) {
				known++
			} else if to := typeMeantBy(values[j].From, types); to != "" {
				values[j].To = to
			}
		}
		if known == len(values) {
			values = nil
		}
		matched[i].Values = values
	}
	return matched
}

// UserTypeOf returns the user type that a value means, by what a mapping calls it: its
// name, or its id where another type has the same name. It is sure for the type's own id
// or name, and else a guess, such as Part Time Student for "PT". "" is for a value that
// means none or several.
func UserTypeOf(value string, types []mapping.UserType) (name string, sure bool) {
	value = chars.Trim(value)
	if isUserType(value, types) {
		for _, t := range types {
			if t.ID == value || strings.EqualFold(chars.Collapse(t.Name), chars.Collapse(value)) {
				return UserTypeName(t, types), true
			}
		}
	}
	return typeMeantBy(value, types), false
}

// UserTypeName returns what a mapping calls a user type: its name, or its id where it has
// no name or another type has the same one.
func UserTypeName(t mapping.UserType, types []mapping.UserType) string {
	if chars.Trim(t.Name) == "" || !isUserType(t.Name, types) {
		return t.ID
	}
	return t.Name
}

// isUserType reports whether a value is the id of a type, or the name of only one.
func isUserType(value string, types []mapping.UserType) bool {
	ids := make(map[string]bool)
	for _, t := range types {
		if t.ID == value {
			return true
		}
		if strings.EqualFold(chars.Collapse(t.Name), chars.Collapse(value)) {
			ids[t.ID] = true
		}
	}
	return len(ids) == 1
}

// typeMeantBy returns the name of the only type that a value seems to mean, "" for
// none or several.
func typeMeantBy(value string, types []mapping.UserType) string {
	words := typeWords(value)
	found := ""
	for _, t := range types {
		name := typeWords(t.Name)
		if len(words) == 0 || slices.ContainsFunc(words, func(word string) bool { return !slices.Contains(name, word) }) {
			continue
		}
		if found != "" {
			return "" // another type, or one of the same name
		}
		found = t.Name
	}
	return found
}

// typeWords splits a kind of people into words, with the usual abbreviations and
// French words replaced.
func typeWords(value string) []string {
	var words []string
	for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) }) {
		folded := chars.Fold(word)
		words = append(words, strings.Split(cmp.Or(nameOf(typeWord, folded), folded), "_")...)
	}
	return words
}
