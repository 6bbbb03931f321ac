package mapping

import (
	"fmt"

	"github.com/dustin/go-humanize/english"
)

// shiftedColumns finds a file whose cells stand in other columns than their headers:
// then the values of several attributes fail in nearly every row.
type shiftedColumns struct {
	rows   int               // that were not skipped
	misfit [attributeEnd]int // of these, those whose value cannot be the attribute's
}

// leastShiftedRows is the fewest rows in which the values of two attributes must fail:
// a few rows may be wrong in themselves.
const leastShiftedRows = 5

// add takes the problems of a row.
func (s *shiftedColumns) add(problems []Problem) {
	s.rows++
	for i := range problems {
		switch p := &problems[i]; p.Rule {
		case RuleBadName, RuleBadPhone, RuleBadEmail, RuleBadRegion, RuleBadDate:
			if p.Severity == SeverityError {
				s.misfit[p.Attribute]++
			}
		}
	}
}

// review asks when the values of two attributes or more fail in nine of ten rows. A
// region or a date alone may be written in a way that is not known here.
func (s *shiftedColumns) review(m *Mapper) (question string) {
	var columns []string
	isCertain := false
	for i := range m.fields {
		f := &m.fields[i]
		a := f.check.spec.Attribute
		if count := s.misfit[a]; count < leastShiftedRows || 10*count < 9*s.rows {
			continue
		}
		columns = append(columns, fmt.Sprintf("%s (from %s)", f.check.spec.Label, f.source))
		isCertain = isCertain || a != DateOfBirth && f.check.spec.Kind != RegionKind
	}
	if len(columns) < 2 || !isCertain {
		return ""
	}
	return "in nearly every row the values do not fit " + english.WordSeries(columns, "and") +
		": the cells seem to stand in other columns than their headers say. Compare the header with the rows and export the file again, or correct the columns here"
}
