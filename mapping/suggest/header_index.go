package suggest

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"opscom-import/mapping"
	"opscom-import/mapping/internal/chars"
)

// meaning is one attribute that a header may mean.
type meaning struct {
	attribute mapping.Attribute
	fit       fit
	why       string
}

const (
	whySecondAddress = "a mailing or local address is mostly kept as the second"
	whySomebodyElse  = "it seems to be about somebody else than the student"
)

// headerIndex finds what a folded header may mean, as it is written and with its
// abbreviations spelled out.
type headerIndex map[string][]meaning

// dictionaryIndex returns the index of the dictionary. It is built once, for a reader
// of files asks about many rows whether they are a header. It never changes.
var dictionaryIndex = sync.OnceValue(newHeaderIndex)

func newHeaderIndex() headerIndex {
	index := make(headerIndex)
	for _, spec := range mapping.Attributes() {
		for _, name := range spec.Names {
			index.add(name, meaning{spec.Attribute, fitsOnly, "the attribute's own name"})
		}
	}
	dictionary := readDictionary()
	for _, entry := range dictionary {
		for _, header := range entry.headers {
			index.add(header, entry.meaning)
		}
	}
	for _, entry := range dictionary { // headers as written go before spelled-out ones
		for _, header := range entry.headers {
			index.addSpelledOut(header)
		}
	}
	return index
}

func (index headerIndex) add(header string, m meaning) {
	key := chars.Fold(header)
	if !slices.ContainsFunc(index[key], func(known meaning) bool { return known.attribute == m.attribute }) {
		index[key] = append(index[key], m)
	}
}

func (index headerIndex) addSpelledOut(header string) {
	key := strings.Join(spelledOut(headerWords(header)), "")
	if _, taken := index[key]; !taken {
		index[key] = index[chars.Fold(header)]
	}
}

// find returns what words mean that are the whole of a name.
func (index headerIndex) find(words []string) []meaning {
	if found := index[strings.Join(words, "")]; len(found) > 0 {
		return found
	}
	return index[strings.Join(spelledOut(words), "")]
}

// meanings returns what a header may mean: by its whole text, then without the
// words that qualify it, then by the several names that it gives, then by its
// spelling. NoAttribute is a meaning too.
func (index headerIndex) meanings(header string) []meaning {
	words := headerWords(header)
	if found := index.known(words); len(found) > 0 {
		return found
	}
	if found := index.agreed(header); len(found) > 0 {
		return found
	}
	return index.spelledLike(strings.Join(words, ""))
}

// known returns what words mean that are in the dictionary, alone or beside
// words that qualify them.
func (index headerIndex) known(words []string) []meaning {
	if found := index.find(words); len(found) > 0 {
		return found
	}
	if _, found := noun(words, []qualifier{ofSomebodyElse}); found[ofSomebodyElse] {
		return []meaning{{why: whySomebodyElse}}
	}
	return index.qualified(words)
}

// agreed returns what all the names of a header mean that gives several. A name
// in square brackets that means something else leaves the one before it likely.
func (index headerIndex) agreed(header string) []meaning {
	names := otherNames(header)
	if len(names) < 2 {
		return nil
	}
	agreed := index.known(headerWords(names[0]))
	for _, name := range names[1:] {
		others := index.known(headerWords(name))
		if len(others) == 0 {
			return nil
		}
		both := common(agreed, others)
		if len(both) == 0 && strings.HasSuffix(strings.TrimSpace(header), "]") {
			for _, m := range agreed {
				m.fit = min(m.fit, fitsMaybe)
				both = append(both, m)
			}
		}
		agreed = both
	}
	return agreed
}

// common returns the meanings of the attributes that stand in both, the less sure
// of each two.
func common(some, others []meaning) []meaning {
	var both []meaning
	for _, m := range some {
		i := slices.IndexFunc(others, func(other meaning) bool { return other.attribute == m.attribute })
		switch {
		case i < 0:
		case others[i].fit < m.fit:
			both = append(both, others[i])
		default:
			both = append(both, m)
		}
	}
	return both
}

// qualified looks up a header without the words that stand beside its noun, and
// lets them say which address, name or e-mail is meant.
func (index headerIndex) qualified(words []string) []meaning {
	if len(words) > 1 && slices.Contains(qualifierWords[ofStudent], words[0]) {
		if found := index.find(words[1:]); len(found) > 0 { // "student.studentNumber"
			return plainMeanings(found)
		}
	}
	if last := len(words) - 1; last > 0 && slices.Contains(qualifierWords[inWords], words[last]) {
		if found := userTypes(index.find(words[:last])); len(found) > 0 {
			return found
		}
	}
	for _, rule := range []struct {
		leaveOut []qualifier
		read     func(m meaning, found map[qualifier]bool) (meaning, bool)
	}{
		{[]qualifier{ofStudent}, plainMeaning},
		{[]qualifier{ofStudent, homePhone}, cellMeaning},
		{[]qualifier{ofStudent, mobilePhone, workPhone, homePhone}, phoneMeaning},
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
		for _, m := range index.find(rest) {
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

func plainMeanings(found []meaning) []meaning {
	meanings := slices.Clone(found)
	for i := range meanings {
		meanings[i], _ = plainMeaning(meanings[i], nil)
	}
	return meanings
}

func plainMeaning(m meaning, _ map[qualifier]bool) (meaning, bool) {
	m.fit = min(m.fit, fitsAlone)
	return m, true
}

// userTypes returns the meanings that are the user type: its code and its
// description are both of use.
func userTypes(found []meaning) []meaning {
	var types []meaning
	for _, m := range found {
		if m.attribute == mapping.UserTypeID {
			types = append(types, meaning{m.attribute, min(m.fit, fitsMaybe), m.why})
		}
	}
	return types
}

func nameMeaning(m meaning, found map[qualifier]bool) (meaning, bool) {
	if m.attribute != mapping.FirstName && m.attribute != mapping.LastName {
		return m, false
	}
	switch {
	case found[preferredName] && m.fit == fitsWhole: // "Pref Name", as "Preferred Name"
		return meaning{mapping.FirstName, fitsBefore, whyPreferred}, true
	case found[preferredName]:
		return meaning{m.attribute, fitsBefore, whyPreferred}, true
	}
	m.fit = min(m.fit, fitsAlone)
	return m, true
}

func emailMeaning(m meaning, found map[qualifier]bool) (meaning, bool) {
	if m.attribute != mapping.Email {
		return m, false
	}
	m.fit = min(m.fit, fitsAlone)
	if found[otherEmail] {
		m.fit, m.why = fitsMaybe, "it may not be the address that the institution writes to"
	}
	return m, true
}

// cellMeaning reads "Primary Cell".
func cellMeaning(m meaning, _ map[qualifier]bool) (meaning, bool) {
	m.fit = min(m.fit, fitsAlone)
	return m, m.attribute == mapping.CellPhone
}

// phoneMeaning tells the phones apart that are all called "phone" in the dictionary.
func phoneMeaning(m meaning, found map[qualifier]bool) (meaning, bool) {
	if m.attribute != mapping.StudentPhone {
		return m, false
	}
	switch {
	case found[mobilePhone] && found[workPhone]:
		return meaning{mapping.CellPhone, fitsMaybe, "it may be the employer's"}, true
	case found[mobilePhone]:
		return meaning{mapping.CellPhone, fitsAlone, whyUsual}, true
	case found[workPhone]:
		return meaning{mapping.EmployeePhone, fitsMaybe, whySoundsLike}, true
	case found[homePhone]:
		return meaning{mapping.StudentPhone, fitsMaybe, whyHomePhone}, true
	}
	return m, false
}

func addressMeaning(m meaning, found map[qualifier]bool) (meaning, bool) {
	second := map[mapping.Attribute]mapping.Attribute{mapping.Street: mapping.Street2, mapping.City: mapping.City2, mapping.Province: mapping.Province2, mapping.PostalCode: mapping.PostalCode2}
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
		m.why += "; " + whySecondAddress
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
		if key[0] != folded[0] || len(key) > len(folded)+distance || len(folded) > len(key)+distance ||
			meanings[0].attribute == mapping.NoAttribute || meanings[0].fit < fitsAlone || chars.Digits(key) != chars.Digits(folded) {
			continue
		}
		d := chars.Distance(folded, key)
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
