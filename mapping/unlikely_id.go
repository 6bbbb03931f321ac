package mapping

import (
	"fmt"
	"strings"
	"unicode"

	"opscom-import/mapping/internal/chars"
)

// unlikelyIDs finds rows that are not people by their ids and by how empty they are:
// titles and totals of groups, examples, rows of rules or units.
//
//	900123401          Ann       Roy
//	Nursing                                 a title
//	Total for Nursing  2                    a total
//	Required           Required  Required   rules
type unlikelyIDs struct {
	named bool // the mapping takes names or addresses from the table

	full       [idForms]int         // ids of rows with a name or an address, by their form
	styles     [styles]int          // of the words among them
	lengths    [maxIDDigits + 1]int // of the numbers among them
	suspects   []unlikelyID         // at most maxSuspects
	unrecorded int                  // further ones
}

// unlikelyID is an id that may be none.
type unlikelyID struct {
	id       string
	sequence uint32
	form     idForm
	isBare   bool // its row has neither a name nor an address
	isEcho   bool // a name of its row is the same
}

// idForm is what an id is made of.
type idForm uint8

const (
	numberID idForm = iota // mostly digits: 900123456, T00123456
	wordID                 // no digit: aroy, Nursing
	mixedID                // a word with digits: nurse1
	phraseID               // words apart: Total for Nursing, varchar(20)
	idForms                // how many there are
)

func idFormOf(id string) idForm {
	letters, digits, run, longest, gaps := 0, 0, 0, 0, 0
	for _, r := range id {
		switch {
		case r >= '0' && r <= '9', r > unicode.MaxASCII && unicode.IsDigit(r):
			digits++
			run = 0
		case unicode.In(r, unicode.L, unicode.M):
			letters++
			run++
			longest = max(longest, run)
		default:
			if unicode.IsSpace(r) || strings.ContainsRune("()[]{}<>:;?!*", r) {
				gaps++
			}
			run = 0
		}
	}
	switch {
	case gaps > 0 && (longest >= 3 || beginsWithAbbreviation(id)):
		return phraseID
	case digits == 0:
		return wordID
	case digits > letters:
		return numberID
	}
	return mixedID
}

// beginsWithAbbreviation reports whether the first word of an id is one, as in
// "e.g. 900000000".
func beginsWithAbbreviation(id string) bool {
	word, _, _ := strings.Cut(id, " ")
	return strings.ContainsAny(word, ".:") && strings.ContainsFunc(word, unicode.IsLetter) && !strings.ContainsFunc(word, unicode.IsDigit)
}

// add takes the profile of one row, whose id it has.
func (u *unlikelyIDs) add(sequence int, p *Profile) {
	id := p.values[UniqueID]
	if id == "" {
		return
	}
	first, last := p.values[FirstName], p.values[LastName]
	s := unlikelyID{form: numberID, isBare: u.named && first == "" && last == "" && p.values[Email] == ""}
	if !chars.IsDigits(id) {
		s.form = idFormOf(id)
		s.isEcho = id == first || id == last
	}
	if !s.isBare {
		u.full[s.form]++
		switch s.form {
		case numberID:
			u.lengths[min(len(id), maxIDDigits)]++
			return
		case wordID:
			u.styles[styleOf(id)]++
			if !s.isEcho && (u.full[wordID] > questionRows || isMadeOf(id, first) || isMadeOf(id, last)) {
				return
			}
		case mixedID:
			return
		}
	}
	if len(u.suspects) == maxSuspects {
		u.unrecorded++
		return
	}
	s.id, s.sequence = strings.Clone(id), uint32(sequence)
	u.suspects = append(u.suspects, s)
}

// isMadeOf reports whether an id has the beginning of a name in it, as user names do.
func isMadeOf(id, name string) bool {
	id, name = strings.ToLower(id), strings.ToLower(name)
	beginning := name
	for i := range name {
		if i >= 3 {
			beginning = name[:i]
			break
		}
	}
	return name != "" && strings.Contains(id, beginning) && !strings.Contains(name, id)
}

// review reports the rows that are not people, or asks when they are many.
func (u *unlikelyIDs) review(f *fieldMapper, review *Review) (question string) {
	var found []unlikelyID
	for _, s := range u.suspects {
		if u.isUnlikely(&s) {
			found = append(found, s)
		}
	}
	people := u.people()
	if len(found) > 0 && (u.unrecorded > 0 || len(found) > questionRows && 20*len(found) > people) {
		return fmt.Sprintf("%d rows do not look like people: the ID %s is unlike those of %d others. Leave out what is not a person with where in source, or add as_is: true here if all are people",
			len(found)+u.unrecorded, chars.Quote(found[0].id), people)
	}
	for _, s := range found {
		f.report(review, int(s.sequence), s.id, RuleUnlikelyID, f.check.about(s.id)+u.reason(&s), "")
	}
	return ""
}

// isUnlikely judges an id by all others.
func (u *unlikelyIDs) isUnlikely(s *unlikelyID) bool {
	people, numbers := u.people(), u.full[numberID]
	areNumbers := numbers >= 2 && 3*numbers >= 2*people
	switch {
	case s.form == numberID:
		usual := u.usualLength()
		return usual > 0 && len(s.id) != usual
	case areNumbers && s.isBare, s.form == phraseID && numbers > 0 && 2*numbers >= people:
		return true
	case areNumbers:
		return u.full[wordID] <= 3 || u.full[wordID] <= questionRows && 20*u.full[wordID] < people || s.isEcho
	case s.form == phraseID:
		return (s.isBare || s.isEcho || len(strings.Fields(s.id)) >= 3) && 4*u.full[phraseID] <= people
	case s.form == wordID && (s.isBare || s.isEcho): // a title of a group: Nursing, where the others are as aroy
		alike := u.styles[styleOf(s.id)]
		if !s.isBare {
			alike-- // itself
		}
		return people >= 3 && 10*alike <= people
	}
	return false
}

// reason says what is unlike in an id.
func (u *unlikelyIDs) reason(s *unlikelyID) string {
	others := fmt.Sprintf("those of %d others", u.people())
	switch {
	case s.isBare:
		return "is unlike " + others + ", and its row has no name: it may be a title or a total."
	case s.isEcho:
		return "is unlike " + others + ", and a name in its row is the same: it may be a second header or an example."
	}
	return "is unlike " + others + ": the row may be a title, a second header or an example."
}

func (u *unlikelyIDs) people() (all int) {
	for _, count := range u.full {
		all += count
	}
	return all
}

// usualLength returns how long nearly all the numbers are, 0 where they differ.
func (u *unlikelyIDs) usualLength() int {
	for length, count := range u.lengths {
		if count >= 2 && 10*count >= usualTenths*u.full[numberID] {
			return length
		}
	}
	return 0
}
