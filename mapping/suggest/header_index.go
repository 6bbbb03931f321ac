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
	whySecondAddress = "a mailing or local address is usually kept as the second"
	whySomebodyElse  = "it seems to be about somebody other than the student"
)

// headerIndex finds what a folded header may mean, as written and with its
// abbreviations spelled out.
type headerIndex map[string][]meaning

// dictionaryIndex returns the index of the dictionary. It is built once, for a reader
// of files asks about many rows whether they are a header. It never changes.
var dictionaryIndex = sync.OnceValue(newHeaderIndex)

func newHeaderIndex() headerIndex {
	index := make(headerIndex)
	for _, spec := range mapping.Attributes() {
		for _, name := range spec.Names {
			index.add(name, meaning{spec.Attribute, fitsOnly, whyOwn})
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
	for _, spec := range mapping.Attributes() {
		index.addLabel(spec)
	}
	return index
}

// addLabel adds the name by which this program's template calls the attribute, where
// the dictionary does not know it: only as it is written there, capitals, commas and all.
// No folded header is equal to it.
func (index headerIndex) addLabel(spec mapping.AttributeSpec) {
	known := index.known(headerWords(spec.Label))
	if !slices.ContainsFunc(known, func(m meaning) bool { return m.attribute == spec.Attribute }) {
		index[spec.Label] = []meaning{{spec.Attribute, fitsOnly, whyOwn}}
	}
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

// find returns what words mean as a whole name.
func (index headerIndex) find(words []string) []meaning {
	if found := index[strings.Join(words, "")]; len(found) > 0 {
		return found
	}
	return index[strings.Join(spelledOut(words), "")]
}

// meanings returns what a header may mean: as a label of this program, by its whole text,
// then without its qualifiers, then by its several names, then by its spelling. NoAttribute is a
// meaning too.
func (index headerIndex) meanings(header string) []meaning {
	if found := index[strings.TrimSpace(header)]; len(found) > 0 {
		return found
	}
	words := headerWords(header)
	if found := index.known(words); len(found) > 0 {
		return found
	}
	if found := index.agreed(header); len(found) > 0 {
		return found
	}
	return index.spelledLike(strings.Join(words, ""))
}

// known returns what words in the dictionary mean, alone or with qualifiers.
func (index headerIndex) known(words []string) []meaning {
	if found := index.find(words); len(found) > 0 {
		return found
	}
	if slices.ContainsFunc(words, func(word string) bool { return qualifierOf(word)&ofSomebodyElse != 0 }) {
		return []meaning{{why: whySomebodyElse}}
	}
	return index.qualified(words)
}

// agreed returns what all the names of a header with several mean. If the name in
// square brackets means something else, the one before it is still likely.
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

// common returns the meanings of the attributes that are in both, the less certain of
// each two.
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

// qualified looks up a header without the words beside its noun, and lets them say
// which address, name or e-mail is meant.
func (index headerIndex) qualified(words []string) []meaning {
	if len(words) > 1 && qualifierOf(words[0])&ofStudent != 0 {
		if found := index.find(words[1:]); len(found) > 0 { // "student.studentNumber"
			return read(found, 0, anyMeaning)
		}
	}
	if last := len(words) - 1; last > 0 && qualifierOf(words[last])&isDescription != 0 {
		if types := read(index.find(words[:last]), 0, userTypeMeaning); len(types) > 0 {
			return types
		}
	}
	for _, rule := range []struct {
		leaveOut qualifier
		read     reading
	}{
		{ofStudent, anyMeaning},
		{ofStudent | homePhone, cellMeaning},
		{ofStudent | mobilePhone | workPhone | homePhone, phoneMeaning},
		{ofStudent | legalName | preferredName, nameMeaning},
		{ofStudent | mainEmail | otherEmail, emailMeaning},
		{ofStudent | firstAddress | secondAddress, addressMeaning},
		{ofStudent | firstAddress | secondAddress | asAddress, addressMeaning},
	} {
		rest, found := noun(words, rule.leaveOut)
		if found == 0 {
			continue
		}
		if meanings := read(index.find(rest), found, rule.read); len(meanings) > 0 {
			return meanings
		}
	}
	return nil
}

// reading returns what a noun means beside qualifiers; not ok when they do not
// belong together.
type reading func(m meaning, found qualifier) (qualified meaning, ok bool)

// read returns the meanings of a noun beside qualifiers. None of them is the only
// one that is possible.
func read(meanings []meaning, found qualifier, f reading) []meaning {
	var qualified []meaning
	for _, m := range meanings {
		if m.fit == fitsOnly && found != 0 {
			m.why = whyUsual
		}
		m.fit = min(m.fit, fitsAlone)
		if m, ok := f(m, found); ok {
			qualified = append(qualified, m)
		}
	}
	return qualified
}

func anyMeaning(m meaning, _ qualifier) (meaning, bool) { return m, true }

// userTypeMeaning reads "Student Type Code": the code of a type and its description
// are both useful.
func userTypeMeaning(m meaning, _ qualifier) (meaning, bool) {
	m.fit = min(m.fit, fitsMaybe)
	return m, m.attribute == mapping.UserTypeID
}

func nameMeaning(m meaning, found qualifier) (meaning, bool) {
	if found&preferredName != 0 {
		if m.fit == fitsWhole { // "Pref Name", as "Preferred Name"
			m.attribute = mapping.FirstName
		}
		m.fit, m.why = fitsBefore, whyPreferred
	}
	return m, m.attribute == mapping.FirstName || m.attribute == mapping.LastName
}

func emailMeaning(m meaning, found qualifier) (meaning, bool) {
	if found&otherEmail != 0 {
		m.fit, m.why = fitsMaybe, "it may not be the address that the institution writes to"
	}
	return m, m.attribute == mapping.Email
}

// cellMeaning reads "Primary Cell".
func cellMeaning(m meaning, _ qualifier) (meaning, bool) { return m, m.attribute == mapping.CellPhone }

// phoneMeaning distinguishes the phones that are all called "phone" in the dictionary.
func phoneMeaning(m meaning, found qualifier) (meaning, bool) {
	if m.attribute != mapping.StudentPhone {
		return m, false
	}
	switch {
	case found&mobilePhone != 0 && found&workPhone != 0:
		return meaning{mapping.CellPhone, fitsMaybe, "it may be the employer's"}, true
	case found&mobilePhone != 0:
		return meaning{mapping.CellPhone, fitsAlone, whyUsual}, true
	case found&workPhone != 0:
		return meaning{mapping.EmployeePhone, fitsMaybe, whySoundsLike}, true
	}
	return meaning{mapping.StudentPhone, fitsMaybe, whyHomePhone}, found&homePhone != 0
}

func addressMeaning(m meaning, found qualifier) (meaning, bool) {
	second, ok := secondAddresses[m.attribute]
	switch found & (firstAddress | secondAddress) {
	case firstAddress | secondAddress:
		return m, false
	case firstAddress:
		m.fit = min(m.fit, fitsMaybe)
		m.why += "; a home or permanent address is usually kept as the first"
	case secondAddress:
		m.fit = min(m.fit, fitsMaybe)
		m.attribute = second
		m.why += "; " + whySecondAddress
	}
	return m, ok
}

// secondAddresses has the attribute of the second address for each of the first.
var secondAddresses = map[mapping.Attribute]mapping.Attribute{
	mapping.Street: mapping.Street2, mapping.City: mapping.City2, mapping.Province: mapping.Province2, mapping.PostalCode: mapping.PostalCode2,
}

// spelledLike finds the attribute with a usual name that differs only by a typing
// mistake: the first letter and the digits must agree.
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
		if d := chars.Distance(folded, key); d < distance || d == distance && nearest != "" && key < nearest {
			nearest, distance = key, d
		}
	}
	if nearest == "" {
		return nil
	}
	m := index[nearest][0]
	return []meaning{{m.attribute, fitsMaybe, "it is spelled almost like a usual name for it"}}
}
