package suggest

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/dustin/go-humanize/english"

	"opscom-import/mapping"
	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/dateformat"
	"opscom-import/mapping/internal/region"
)

// looks is what a column's values say about the attribute in its header.
type looks struct {
	none  bool   // there are values, and none looks right
	doubt string // why the values don't look right; "" when they do, or when there are none
	proof string // what the values show beyond the header
	date  string // format of the dates, when only one reads them all
}

// values returns the cells of a column that are not blank, trimmed.
func (s *suggester) values(column int) []mapping.Cell {
	if s.cells[column] != nil {
		return s.cells[column]
	}
	values := make([]mapping.Cell, 0, len(s.samples))
	for _, row := range s.samples {
		if column >= len(row) || row[column].Kind == mapping.ErrorCell || row[column].Kind == mapping.NoValueCell {
			continue
		}
		if text := chars.Trim(row[column].Text); text != "" {
			values = append(values, mapping.Cell{Text: text, Kind: row[column].Kind})
		}
	}
	s.cells[column] = values
	return values
}

// isRefused reports whether a value of the wrong kind is never sent: then the rows
// that have one say more than a doubt about the column.
func isRefused(attribute mapping.Attribute) bool {
	kind := attribute.Spec().Kind
	return kind == mapping.EmailKind || kind == mapping.RegionKind
}

// look compares a column's values with what the attribute needs. One in four may be
// wrong: the validation is for single cells.
func (s *suggester) look(column int, attribute mapping.Attribute) looks {
	values := s.values(column)
	if len(values) == 0 {
		return looks{}
	}
	if attribute == mapping.DateOfBirth {
		return lookAtDates(values)
	}
	if doubt := lookAtRepeats(attribute, values); doubt != "" {
		return looks{doubt: doubt}
	}
	what, right := shapeOf(attribute)
	if right == nil || s.houses && (attribute == mapping.Street || attribute == mapping.Street2) { // the street's name may be one word
		return looks{}
	}
	good := 0
	for _, cell := range values {
		if right(cell.Text) {
			good++
		}
	}
	if 4*good >= 3*len(values) || good > 0 && isRefused(attribute) {
		return looks{}
	}
	return looks{none: good == 0, doubt: fmt.Sprintf("%d of %d values don't look like %s", len(values)-good, len(values), what)}
}

// shapeOf returns what the values of an attribute look like, nil when they may look
// like anything.
func shapeOf(attribute mapping.Attribute) (what string, right func(string) bool) {
	switch attribute {
	case mapping.Email:
		return "e-mail addresses", chars.IsEmail
	case mapping.Province, mapping.Province2, mapping.DriverLicenceProvince:
		return "provinces or states", func(text string) bool { _, ok := region.Code(text); return ok }
	case mapping.PostalCode, mapping.PostalCode2:
		return "postal codes", func(text string) bool { return chars.Digits(text) != "" && len(text) <= 20 }
	case mapping.CellPhone, mapping.EmployeePhone, mapping.StudentPhone:
		return "phone numbers", func(text string) bool { return len(chars.Digits(text)) >= 7 }
	case mapping.FirstName, mapping.LastName:
		return "only a first or last name", func(text string) bool {
			return len(text) > 1 && !strings.ContainsAny(text, "0123456789@,")
		}
	case mapping.Street, mapping.Street2:
		return "streets", func(text string) bool { return strings.ContainsFunc(text, unicode.IsSpace) }
	case mapping.City, mapping.City2:
		return "towns", func(text string) bool { return !strings.ContainsAny(text, "0123456789@") }
	case mapping.UserName:
		return "user names", func(text string) bool { return !strings.ContainsFunc(text, unicode.IsSpace) }
	case mapping.DriverLicenceNumber:
		return "licence numbers", func(text string) bool { return len(chars.Digits(text)) >= 4 }
	case mapping.LockerUserTypeID:
		return "ids", chars.IsTypeID
	}
	return "", nil
}

// lookAtRepeats expects the values of an ID to differ, and those of a type to repeat.
func lookAtRepeats(attribute mapping.Attribute, values []mapping.Cell) string {
	different := distinct(values)
	switch attribute {
	case mapping.UniqueID, mapping.UserName, mapping.StudentNumber, mapping.EmployeeNumber, mapping.Email:
		if 4*different < 3*len(values) {
			return fmt.Sprintf("only %d of %d values are different", different, len(values))
		}
	case mapping.LoginSource, mapping.UserTypeID, mapping.LockerUserTypeID:
		if len(values) >= 8 && 4*different > 3*len(values) {
			return fmt.Sprintf("almost all of the %d values are different", len(values))
		}
	}
	return ""
}

// lookAtDates finds the format of the dates that are text. A format is proven only if
// it is the only one that reads all of them. One in four may be no date at all: their
// rows are refused, whatever the format.
func lookAtDates(values []mapping.Cell) looks {
	var texts []string
	iso := 0
	for _, cell := range values {
		switch day, _ := dateformat.CutTime(cell.Text); {
		case cell.Kind == mapping.DateCell:
		case cell.Kind != mapping.NumberCell && dateformat.ISO(day) != "":
			iso++
		default:
			texts = append(texts, day)
		}
	}
	switch {
	case len(texts) == 0:
		return looks{}
	case 4*iso >= 3*len(values):
		return looks{proof: fmt.Sprintf("%d of %d dates are written YYYY-MM-DD", iso, len(values))}
	case iso > 0:
		return looks{doubt: fmt.Sprintf("%d of %d dates are written YYYY-MM-DD, the others differently", iso, len(values))}
	case readsAsSerials(texts):
		return looks{date: dateformat.Excel, doubt: "they are Excel's serial numbers; do the days come out right?"}
	}
	patterns, unread := matchingFormats(texts)
	switch {
	case 4*unread > len(values) || len(patterns) == 0:
		return looks{
			none:  len(texts) == len(values),
			doubt: fmt.Sprintf("%d of %d values are not dates in a known format; add date: with the format", len(texts), len(values)),
		}
	case len(patterns) > 1:
		return looks{doubt: "the sample dates may be read as " + english.WordSeries(patterns, "or") + "; which is it? Add date:"}
	case unread > 0:
		return looks{date: patterns[0], proof: fmt.Sprintf("only %s reads the sample dates, except for %d that are not dates", patterns[0], unread)}
	}
	return looks{date: patterns[0], proof: "only " + patterns[0] + " reads all sample dates"}
}

// matchingFormats returns the formats that read every date among the texts, and how
// many texts no format reads.
func matchingFormats(texts []string) (patterns []string, unread int) {
	read := make(map[string]int)
	for _, text := range texts {
		readable := false
		for _, format := range dateformat.Common() {
			if format.IsBirth(text) {
				read[format.Pattern]++
				readable = true
			}
		}
		if !readable {
			unread++
		}
	}
	for _, format := range dateformat.Common() {
		if count := read[format.Pattern]; count > 0 && count == len(texts)-unread {
			patterns = append(patterns, format.Pattern)
		}
	}
	return patterns, unread
}

// readsAsSerials reports whether every text is a number of five digits that Excel can
// show as a day.
func readsAsSerials(texts []string) bool {
	return !slices.ContainsFunc(texts, func(text string) bool {
		serial, clock, _ := strings.Cut(text, ".")
		return len(serial) != 5 || strings.Trim(clock, "0") != "" || mapping.SerialDate(serial) < "1920" || mapping.SerialDate(serial) > "2030"
	})
}
