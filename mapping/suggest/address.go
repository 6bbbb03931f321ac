package suggest

import (
	"slices"
	"strconv"
	"strings"

	"opscom-import/mapping"
)

// joinParts makes one value of the columns that hold its parts: the lines of a street
// and its house number, a family name and the van before it. One of them alone would
// lose the others, so it is no longer certain.
func (s *suggester) joinParts() {
	var whole []candidate
	parts := make(map[mapping.Attribute][]candidate)
	for _, c := range s.candidates {
		if c.fit <= fitsAhead {
			parts[c.Attribute] = append(parts[c.Attribute], c)
			s.passed[c.Column] = c.Why
			continue
		}
		whole = append(whole, c)
	}
	for i := range whole {
		c := &whole[i]
		if c.fit <= fitsLast || c.fit == fitsBefore || len(parts[c.Attribute]) == 0 {
			continue
		}
		var ahead, after []string
		for _, part := range parts[c.Attribute] {
			if part.fit == fitsAhead {
				ahead = append(ahead, column(part.Header))
			} else {
				after = append(after, column(part.Header))
			}
		}
		terms := slices.Concat(ahead, []string{column(c.Header)}, after)
		c.Expr = "trim(" + strings.Join(terms, ` + " " + `) + ")"
		why := "the street has more than one line in this table"
		switch {
		case c.Attribute == mapping.LastName:
			why = "a part of the name is in a column of its own"
		case len(ahead) > 0:
			why = "the house number is in a column of its own"
		}
		c.doubt(why)
	}
	s.candidates = whole
}

// holdsHouseNumbers reports whether a header is that of a column with house numbers.
func (s *suggester) holdsHouseNumbers(header string) bool {
	return slices.ContainsFunc(s.index.known(headerWords(header)), func(m meaning) bool {
		return m.fit == fitsAhead && m.attribute != mapping.LastName || m.fit == fitsPart && strings.Contains(m.why, whyHouse)
	})
}

// column writes an expression's reference to a column.
func column(header string) string { return "col(" + strconv.Quote(header) + ")" }

// doubtLoneStreet2 lowers a column called "Street 2" in a table without a second
// city: there it is nearly always the second line of the one address. The Controller's
// own name is no doubt.
func (s *suggester) doubtLoneStreet2() {
	for _, c := range s.candidates {
		if c.Attribute == mapping.City2 || c.Attribute == mapping.Province2 || c.Attribute == mapping.PostalCode2 {
			return
		}
	}
	for i := range s.candidates {
		if c := s.candidates[i]; c.Attribute == mapping.Street2 && c.fit != fitsOwn {
			s.candidates[i].doubt("there is no second city, so it may be the second line of the one address")
		}
	}
}

// moveOnlyAddress takes a mailing or local address as the first one when it is the
// only address in the table.
func (s *suggester) moveOnlyAddress() {
	if slices.ContainsFunc([]mapping.Attribute{mapping.Street, mapping.City, mapping.Province, mapping.PostalCode}, s.gives) {
		return
	}
	for i := range s.candidates {
		c := &s.candidates[i]
		for first, second := range secondAddresses {
			if c.Attribute == second && c.fit == fitsMaybe {
				c.Attribute = first
				c.Why = strings.ReplaceAll(c.Why, whySecondAddress, "it belongs to the only address in the table")
				break
			}
		}
	}
}
