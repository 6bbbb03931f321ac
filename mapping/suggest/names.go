package suggest

import (
	"slices"
	"strconv"
	"strings"

	"opscom-import/mapping"
	"opscom-import/mapping/internal/chars"
)

// holdsFullNames says that a comma parts each value of a column in two, as it
// parts "Roy, Zoé".
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
		return
	}
	for _, column := range s.fullNames {
		if !s.holdsFullNames(column) || s.isAmbiguous(column) {
			continue
		}
		part := "split(col(" + strconv.Quote(s.header[column]) + "), \",\")"
		s.candidates = append(s.candidates,
			candidate{column: column, expr: "trim(" + part + "[1])", meaning: meaning{mapping.FirstName, fitsMaybe,
				"it holds the full name; what stands after the comma, middle names too"}},
			candidate{column: column, expr: "trim(" + part + "[0])", meaning: meaning{mapping.LastName, fitsMaybe,
				"it holds the full name; what stands before the comma"}})
	}
}

// preferNames writes the lists that take a preferred name where it is filled and
// the other name elsewhere. All are the columns that may give one attribute; one
// of them alone must hold the name that everybody has.
func (s *suggester) preferNames(all []candidate) {
	var base, preferred []*candidate
	for i := range all {
		if all[i].fit == fitsBefore {
			preferred = append(preferred, &all[i])
		} else {
			base = append(base, &all[i])
		}
	}
	if len(base) != 1 || base[0].expr != "" || s.isAmbiguous(base[0].column) {
		return
	}
	for _, c := range preferred {
		if s.isAmbiguous(c.column) {
			continue
		}
		c.columns = []string{s.header[c.column], s.header[base[0].column]}
		base[0].or = append(base[0].or, s.header[c.column])
	}
	if base[0].or != nil {
		base[0].or = append(base[0].or, s.header[base[0].column])
	}
}

// isAmbiguous says that a mapping cannot tell the column from another by its header.
func (s *suggester) isAmbiguous(column int) bool { return len(s.sameHeader(column)) > 1 }
