package suggest

import (
	"slices"
	"strings"

	"opscom-import/mapping"
	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/dateformat"
	"opscom-import/mapping/internal/region"
)

// leastValues is how many values it takes to recognise a column by them alone.
const leastValues = 3

// firstBirths and lastBirths limit the years of dates that can only be births:
// enrolments and the like are later.
const firstBirths, lastBirths = "1930", "2010"

// saysNothing reports whether a header has only words that say nothing, and numbers.
func saysNothing(header string) bool {
	return !slices.ContainsFunc(headerWords(header), func(word string) bool {
		word = strings.Trim(word, "0123456789")
		return word != "" && nameOf(emptyWord, word) == ""
	})
}

// namedAfterSchool returns what a header of a school's short name and one word means,
// such as "SU Email" and "UWO ID", if the values look like it. An ID without values
// means nothing: programs number all kinds of things.
func (s *suggester) namedAfterSchool(column int) []meaning {
	words := headerWords(s.header[column])
	if len(words) != 2 || len(words[0]) > 4 || strings.Trim(words[0], "abcdefghijklmnopqrstuvwxyz") != "" || isKnownWord(words[0]) || len(s.index.find(words[:1])) > 0 {
		return nil
	}
	values := s.values(column)
	for _, m := range s.index.find(words[1:]) {
		switch {
		case m.attribute == mapping.Email && s.look(column, mapping.Email) == looks{}:
			return []meaning{{mapping.Email, fitsMaybe, "it sounds like the address that the school gives"}}
		case m.attribute == mapping.UniqueID && len(values) >= leastValues && holdsIDs(values):
			return []meaning{{mapping.UniqueID, fitsLast, "it sounds like the number that the school gives, and its values look like IDs"}}
		}
	}
	return nil
}

// isKnownWord reports whether a word of a header has a meaning of its own.
func isKnownWord(word string) bool {
	return qualifierOf(word) != 0 || slices.ContainsFunc([]string{shortWord, typeWord, articleWord, noteWord, emptyWord}, func(kind string) bool { return nameOf(kind, word) != "" })
}

// matchByContent matches columns with unknown headers by their values: the only one
// for an attribute that no header gives, if its header says nothing at all. E-mail
// addresses are recognised under any header: nothing else looks like them. For the
// others, the reason says what they look like.
func (s *suggester) matchByContent() {
	for _, kind := range []struct {
		attribute mapping.Attribute
		what      string
		holds     func(values []mapping.Cell) bool
	}{
		{mapping.Email, "e-mail addresses", holdsEmails},
		{mapping.DateOfBirth, "dates of birth", holdsBirths},
		{mapping.PostalCode, "postal codes", holdsPostalCodes},
		{mapping.Province, "provinces or states", holdsRegions},
	} {
		alike := slices.DeleteFunc(slices.Clone(s.unknown), func(column int) bool {
			values := s.values(column)
			return len(values) < leastValues || !kind.holds(values)
		})
		for _, column := range alike {
			s.passed[column] = "its header is not a known name, and its values look like " + kind.what
			if len(alike) == 1 && !s.gives(kind.attribute) && (kind.attribute == mapping.Email || saysNothing(s.header[column])) && !s.isAmbiguous(column) {
				looks := s.look(column, kind.attribute)
				c := s.newCandidate(column, meaning{kind.attribute, fitsLast, s.passed[column]})
				c.Date = looks.date
				c.addReason(looks.proof)
				c.addReason(looks.doubt)
				s.candidates = append(s.candidates, c)
			}
		}
	}
	for _, column := range s.unknown {
		if values := s.values(column); s.passed[column] == "" && len(values) >= leastValues && holdsIDs(values) {
			s.passed[column] = "no attribute is known by this name; its values look like the IDs of people"
		}
	}
}

func every(values []mapping.Cell, holds func(text string) bool) bool {
	return !slices.ContainsFunc(values, func(cell mapping.Cell) bool { return !holds(cell.Text) })
}

func distinct(values []mapping.Cell) int {
	seen := make(map[string]bool, len(values))
	for _, cell := range values {
		seen[strings.ToLower(cell.Text)] = true
	}
	return len(seen)
}

func holdsEmails(values []mapping.Cell) bool {
	return 4*distinct(values) >= 3*len(values) && every(values, chars.IsEmail)
}

// holdsBirths reports whether every value is a date in a year of births. A date with
// day and month swapped has the same year.
func holdsBirths(values []mapping.Cell) bool {
	return every(values, func(text string) bool {
		day, _ := dateformat.CutTime(text)
		year := yearIn(day)
		return year >= firstBirths && year < lastBirths
	}) && distinct(values) >= leastValues && !lookAtDates(values).none
}

// yearIn returns the number of four digits at an end of a date, "" for none.
func yearIn(day string) string {
	numbers := strings.FieldsFunc(day, func(r rune) bool { return r < '0' || r > '9' })
	if len(numbers) > 1 {
		for _, number := range []string{numbers[0], numbers[len(numbers)-1]} {
			if len(number) == 4 {
				return number
			}
		}
	}
	return ""
}

// holdsPostalCodes reports whether every value is a Canadian postal code or a ZIP
// code. Five digits may be anything: at least one value must be a postal code or a
// ZIP+4.
func holdsPostalCodes(values []mapping.Cell) bool {
	sure := false
	return every(values, func(text string) bool {
		switch chars.Shape(strings.ToUpper(text)) {
		case "A9A 9A9", "A9A9A9", "99999-9999":
			sure = true
			return true
		case "99999":
			return true
		}
		return false
	}) && sure
}

// holdsRegions reports whether every value is a province or a state, and at least
// one of them can be nothing else: MA and MS are degrees too, and ON is a switch.
func holdsRegions(values []mapping.Cell) bool {
	codes := make(map[string]bool)
	for _, cell := range values {
		code, ok := region.Code(cell.Text)
		if !ok {
			return false
		}
		if len(cell.Text) > 2 || !slices.Contains([]string{"AA", "AB", "AE", "AP", "AS", "CO", "CT", "DE", "GA", "HI", "ID", "IN", "LA", "MA", "MB", "MD", "ME", "MI", "MS", "OH", "OK", "ON", "OR", "PA", "PE", "SD", "SC"}, code) {
			codes[code] = true
		}
	}
	return len(codes) > 0 && distinct(values) > 1
}

// holdsIDs reports whether the values are different numbers of one length, perhaps
// after a letter.
func holdsIDs(values []mapping.Cell) bool {
	shape := chars.Shape(strings.ToUpper(values[0].Text))
	number := strings.TrimPrefix(shape, "A")
	return len(number) >= 6 && len(number) <= 10 && strings.Trim(number, "9") == "" && distinct(values) == len(values) &&
		every(values, func(text string) bool { return chars.Shape(strings.ToUpper(text)) == shape })
}
