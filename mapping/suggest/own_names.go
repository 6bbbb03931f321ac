package suggest

import (
	"slices"

	"opscom-import/mapping"
)

// usesOwnNames reports whether a table uses the names that the Controller accepts:
// nothing but its API calls a column unique_id.
func usesOwnNames(header []string) bool {
	return slices.ContainsFunc(header, func(h string) bool { return mapping.AcceptedName(h) == mapping.UniqueID })
}

// ownCandidate returns the attribute of a column that is called by a name that the
// Controller accepts. Who writes these names means them: values that don't look right
// are problems of their rows.
func (s *suggester) ownCandidate(column int, attribute mapping.Attribute) candidate {
	c := s.newCandidate(column, meaning{attribute, fitsOwn, whyOwn})
	if looks := s.look(column, attribute); looks.doubt == "" {
		c.Date = looks.date
		c.addReason(looks.proof)
	}
	s.doubtAmbiguous(&c)
	return c
}

// doubtAmbiguous lowers a candidate whose header another column has too.
func (s *suggester) doubtAmbiguous(c *candidate) {
	if s.isAmbiguous(c.Column) {
		c.doubt("columns " + columnLetters(s.sameHeader(c.Column)) + " have this same header; give them different ones in the file")
	}
}

// takeAccepted chooses among the columns that may give an attribute those with names
// that the Controller accepts for it, such as province and state: the first that is
// not blank gives it. It returns the index of the first, with the others in its
// Columns; -1 where the names don't decide.
func takeAccepted(all []candidate) int {
	var accepted []int
	certain := 0
	for i, c := range all {
		isAccepted := mapping.AcceptedName(c.Header) == c.Attribute
		switch {
		case c.fit >= fitsOnly && isAccepted:
			accepted = append(accepted, i)
			certain++
		case c.fit >= fitsOnly:
			certain++
		case isAccepted: // it is doubted
			return -1
		}
	}
	if len(accepted) == 0 || all[accepted[0]].fit != fitsOwn && (len(accepted) == 1 || len(accepted) < certain) {
		return -1
	}
	first := &all[accepted[0]]
	if len(accepted) > 1 {
		for _, i := range accepted {
			first.Columns = append(first.Columns, all[i].Header)
		}
		first.addReason("the first of the two that is not blank")
	}
	return accepted[0]
}
