package suggest

import (
	"slices"
	"strconv"
	"strings"

	"opscom-import/mapping"
)

// joinStreetLines makes one street of the columns that hold its lines. The first
// alone would lose the second line, so it is no longer certain.
func (s *suggester) joinStreetLines() {
	var whole []candidate
	parts := make(map[mapping.Attribute][]candidate)
	for _, c := range s.candidates {
		if c.fit == fitsPart {
			parts[c.Attribute] = append(parts[c.Attribute], c)
			s.passed[c.Column] = c.Why
			continue
		}
		whole = append(whole, c)
	}
	for i := range whole {
		c := &whole[i]
		if lines := parts[c.Attribute]; len(lines) > 0 {
			terms := []string{"col(" + strconv.Quote(c.Header) + ")"}
			for _, line := range lines {
				terms = append(terms, "col("+strconv.Quote(line.Header)+")")
			}
			c.Expr = "trim(" + strings.Join(terms, ` + " " + `) + ")"
			c.doubt("the street has more than one line in this table")
		}
	}
	s.candidates = whole
}

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
