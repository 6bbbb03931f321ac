package suggest

import (
	"slices"
	"strconv"
	"strings"

	"opscom-import/mapping"
)

// joinStreetLines makes one street of the columns that hold its lines. The
// street alone would lose the second line, so that it is no longer certain.
func (s *suggester) joinStreetLines() {
	var whole []candidate
	parts := make(map[mapping.Attribute][]candidate)
	for _, c := range s.candidates {
		if c.fit == fitsPart {
			parts[c.attribute] = append(parts[c.attribute], c)
			s.passed[c.column] = c.why
			continue
		}
		whole = append(whole, c)
	}
	for i := range whole {
		c := &whole[i]
		if lines := parts[c.attribute]; len(lines) > 0 {
			terms := []string{"col(" + strconv.Quote(s.header[c.column]) + ")"}
			for _, line := range lines {
				terms = append(terms, "col("+strconv.Quote(s.header[line.column])+")")
			}
			c.expr = "trim(" + strings.Join(terms, ` + " " + `) + ")"
			c.doubt("the street has more than one line in this table")
		}
	}
	s.candidates = whole
}

// doubtLoneStreet2 lowers a column called "Street 2" in a table without a second
// city: there it is nearly always the second line of the one address.
func (s *suggester) doubtLoneStreet2() {
	for _, c := range s.candidates {
		if c.attribute == mapping.City2 || c.attribute == mapping.Province2 || c.attribute == mapping.PostalCode2 {
			return
		}
	}
	for i := range s.candidates {
		if s.candidates[i].attribute == mapping.Street2 {
			s.candidates[i].doubt("there is no second city, so it may be the second line of the one address")
		}
	}
}

// moveOnlyAddress makes the address of the profile of a mailing or local one
// that is the only address in the table.
func (s *suggester) moveOnlyAddress() {
	if slices.ContainsFunc([]mapping.Attribute{mapping.Street, mapping.City, mapping.Province, mapping.PostalCode}, s.gives) {
		return
	}
	for i := range s.candidates {
		c := &s.candidates[i]
		for first, second := range secondAddresses {
			if c.attribute == second && c.fit == fitsMaybe {
				c.attribute = first
				c.why = strings.ReplaceAll(c.why, whySecondAddress, "it belongs to the only address in the table")
				break
			}
		}
	}
}
