package suggest

import (
	"fmt"
	"slices"
	"strings"

	"opscom-import/mapping"
	"opscom-import/mapping/internal/chars"
)

// holdsFullNames reports whether a comma splits each value of a column in two, as in
// "Roy, Zoé".
func (s *suggester) holdsFullNames(column int) bool {
	values := s.values(column)
	return len(values) > 0 && !slices.ContainsFunc(values, func(cell mapping.Cell) bool {
		last, first, _ := strings.Cut(cell.Text, ",")
		return chars.Trim(last) == "" || chars.Trim(first) == "" || strings.ContainsAny(cell.Text, "0123456789@") || strings.Count(cell.Text, ",") != 1
	})
}

// splitFullNames makes the first and the last name of a column that holds both,
// where no other column gives either of them.
func (s *suggester) splitFullNames() {
	if s.gives(mapping.FirstName) || s.gives(mapping.LastName) {
		s.takeNameForLastName()
		return
	}
	for _, column := range s.fullNames {
		if !s.holdsFullNames(column) || s.isAmbiguous(column) {
			continue
		}
		for _, part := range []struct {
			attribute mapping.Attribute
			function  string
			why       string
		}{
			{mapping.LastName, "family_name", "it holds the full name; this is the part before the comma"},
			{mapping.FirstName, "given_name", "it holds the full name; this is the part after the comma, with middle names"},
		} {
			c := s.newCandidate(column, meaning{part.attribute, fitsMaybe, part.why})
			c.Expr = fmt.Sprintf(`%s(col(%q))`, part.function, c.Header)
			s.candidates = append(s.candidates, c)
		}
	}
}

// takeNameForLastName takes a column called Name for the last name where another one
// has the first name, as in German lists.
func (s *suggester) takeNameForLastName() {
	if s.gives(mapping.LastName) {
		return
	}
	for _, column := range s.fullNames {
		oneWord := func(cell mapping.Cell) bool { return !strings.ContainsAny(cell.Text, " ,") }
		hasComma := func(cell mapping.Cell) bool { return strings.Contains(cell.Text, ",") } // Roy, Zoé
		if values := s.values(column); len(values) > 0 && slices.ContainsFunc(values, oneWord) && !slices.ContainsFunc(values, hasComma) && !s.isAmbiguous(column) {
			s.candidates = append(s.candidates, s.newCandidate(column, meaning{mapping.LastName, fitsMaybe, "the first name is in a column of its own, so this may be only the last name"}))
		}
	}
}

// preferNames makes the lists that take a preferred name where it is not blank and
// the other name elsewhere. all are the columns that may give one attribute; only one
// of them may hold the name that everybody has.
func (s *suggester) preferNames(all []candidate) {
	var base, preferred []*candidate
	for i := range all {
		if all[i].fit == fitsBefore {
			preferred = append(preferred, &all[i])
		} else {
			base = append(base, &all[i])
		}
	}
	if len(base) != 1 || base[0].Expr != "" || s.isAmbiguous(base[0].Column) {
		return
	}
	for _, c := range preferred {
		if s.isAmbiguous(c.Column) {
			continue
		}
		c.Columns = []string{c.Header, base[0].Header}
		base[0].Or = append(base[0].Or, c.Header)
	}
	if base[0].Or != nil {
		base[0].Or = append(base[0].Or, base[0].Header)
	}
}

// isAmbiguous reports whether another column has the same header.
func (s *suggester) isAmbiguous(column int) bool { return len(s.sameHeader(column)) > 1 }
