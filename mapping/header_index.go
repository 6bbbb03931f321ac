package mapping

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// meaning is one attribute that a header may mean.
type meaning struct {
	attribute Attribute
	fit       fit
	why       string
}

// whyUsual is the reason for a match by the dictionary that needs no other.
const whyUsual = "a usual name for it"

// headerIndex finds what a folded header may mean.
type headerIndex map[string][]meaning

func newHeaderIndex() headerIndex {
	index := make(headerIndex)
	for _, spec := range Attributes() {
		for _, name := range spec.Names {
			key := foldHeader(name)
			index[key] = append(index[key], meaning{spec.Attribute, fitsOnly, "the attribute's own name"})
		}
	}
	for _, entry := range dictionary {
		why := entry.why
		if why == "" {
			why = whyUsual
			if entry.fit == fitsMaybe {
				why = "it sounds like it"
			}
		}
		for _, header := range entry.headers {
			key := foldHeader(header)
			if !slices.ContainsFunc(index[key], func(m meaning) bool { return m.attribute == entry.attribute }) {
				index[key] = append(index[key], meaning{entry.attribute, entry.fit, why})
			}
		}
	}
	return index
}

// meanings returns what a header may mean: by its whole text, then without the
// words that qualify it, then by its spelling. NoAttribute is a meaning too.
func (index headerIndex) meanings(header string) []meaning {
	words := headerWords(header)
	if found := index[strings.Join(words, "")]; len(found) > 0 {
		return found
	}
	if _, found := noun(words, []qualifier{ofSomebodyElse}); found[ofSomebodyElse] {
		return []meaning{{why: "it seems to be about somebody else than the student"}}
	}
	if found := index.qualified(words); len(found) > 0 {
		return found
	}
	return index.spelledLike(strings.Join(words, ""))
}

// qualified looks up a header without the words that stand beside its noun, and
// lets them say which address, name or e-mail is meant.
func (index headerIndex) qualified(words []string) []meaning {
	for _, rule := range []struct {
		leaveOut []qualifier
		read     func(m meaning, found map[qualifier]bool) (meaning, bool)
	}{
		{[]qualifier{ofStudent}, plainMeaning},
		{[]qualifier{ofStudent, legalName, preferredName}, nameMeaning},
		{[]qualifier{ofStudent, mainEmail, otherEmail}, emailMeaning},
		{[]qualifier{ofStudent, firstAddress, secondAddress}, addressMeaning},
		{[]qualifier{ofStudent, firstAddress, secondAddress, asAddress}, addressMeaning},
	} {
		rest, found := noun(words, rule.leaveOut)
		if len(found) == 0 {
			continue
		}
		var meanings []meaning
		for _, m := range index[strings.Join(rest, "")] {
			if m.fit == fitsOnly {
				m.why = whyUsual
			}
			if read, ok := rule.read(m, found); ok {
				meanings = append(meanings, read)
			}
		}
		if len(meanings) > 0 {
			return meanings
		}
	}
	return nil
}

func plainMeaning(m meaning, _ map[qualifier]bool) (meaning, bool) {
	m.fit = min(m.fit, fitsAlone)
	return m, true
}

func nameMeaning(m meaning, found map[qualifier]bool) (meaning, bool) {
	if m.attribute != FirstName && m.attribute != LastName {
		return m, false
	}
	m.fit = min(m.fit, fitsAlone)
	if found[preferredName] {
		m.fit, m.why = fitsMaybe, "a preferred name may differ from the legal one, and is often blank"
	}
	return m, true
}

func emailMeaning(m meaning, found map[qualifier]bool) (meaning, bool) {
	if m.attribute != Email {
		return m, false
	}
	m.fit = min(m.fit, fitsAlone)
	if found[otherEmail] {
		m.fit, m.why = fitsMaybe, "it may not be the address that the institution writes to"
	}
	return m, true
}

func addressMeaning(m meaning, found map[qualifier]bool) (meaning, bool) {
	second := map[Attribute]Attribute{Street: Street2, City: City2, Province: Province2, PostalCode: PostalCode2}
	other, ok := second[m.attribute]
	if !ok || found[firstAddress] && found[secondAddress] {
		return m, false
	}
	m.fit = min(m.fit, fitsAlone)
	switch {
	case found[firstAddress]:
		m.fit = min(m.fit, fitsMaybe)
		m.why += "; a home or permanent address is mostly kept as the first"
	case found[secondAddress]:
		m.fit = min(m.fit, fitsMaybe)
		m.attribute = other
		m.why += "; a mailing or local address is mostly kept as the second"
	}
	return m, true
}

// spelledLike finds the attribute whose sure name differs by a slip of the
// fingers: the first letter and the digits must agree.
func (index headerIndex) spelledLike(folded string) []meaning {
	length := utf8.RuneCountInString(folded)
	if length < 5 || length > 40 {
		return nil
	}
	nearest, distance := "", 2
	if length >= 14 {
		distance = 3
	}
	for key, meanings := range index {
		if meanings[0].attribute == NoAttribute || meanings[0].fit < fitsAlone || key[0] != folded[0] || digits(key) != digits(folded) {
			continue
		}
		d := levenshtein.ComputeDistance(folded, key)
		if d == 2 && sortedLetters(folded) == sortedLetters(key) {
			d = 1 // two letters have changed places
		}
		if d < distance || d == distance && nearest != "" && key < nearest {
			nearest, distance = key, d
		}
	}
	if nearest == "" {
		return nil
	}
	m := index[nearest][0]
	return []meaning{{m.attribute, fitsMaybe, "it is spelled nearly like a usual name for it"}}
}

func sortedLetters(word string) string {
	letters := []rune(word)
	slices.Sort(letters)
	return string(letters)
}
