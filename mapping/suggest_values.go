package mapping

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// looks is what a column's values say about an attribute that its header means.
type looks struct {
	none  bool   // there are values, and not one looks right
	doubt string // why the values don't look right; "" when they do, or when there are none
	proof string // what the values show beyond the header
	date  string // form of the dates, when only one form reads them all
}

// values returns the cells of a column that hold something, trimmed.
func (s *suggester) values(column int) []Cell {
	if s.cells[column] != nil {
		return s.cells[column]
	}
	values := make([]Cell, 0, len(s.samples))
	for _, row := range s.samples {
		if column >= len(row) || row[column].Kind == ErrorCell || row[column].Kind == NoValueCell {
			continue
		}
		if text := trim(row[column].Text); text != "" {
			values = append(values, Cell{Text: text, Kind: row[column].Kind})
		}
	}
	s.cells[column] = values
	return values
}

// isRefused says that a value of the wrong kind is never sent: then the rows that
// have one tell more than a doubt about the column.
func isRefused(attribute Attribute) bool {
	kind := attribute.Spec().Kind
	return kind == EmailKind || kind == RegionKind
}

// look compares a column's values with what the attribute holds. One in four may
// be wrong: fixing single cells is what the validation is for.
func (s *suggester) look(column int, attribute Attribute) looks {
	values := s.values(column)
	if len(values) == 0 {
		return looks{}
	}
	if attribute == DateOfBirth {
		return lookAtDates(values)
	}
	if doubt := lookAtRepeats(attribute, values); doubt != "" {
		return looks{doubt: doubt}
	}
	what, right := s.shape(attribute)
	if right == nil {
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

// shape returns what the values of an attribute look like, nil when they may
// look like anything.
func (s *suggester) shape(attribute Attribute) (what string, right func(string) bool) {
	switch attribute {
	case Email:
		return "e-mail addresses", isEmail
	case Province, Province2, DriverLicenceProvince:
		return "provinces or states", func(text string) bool { _, ok := s.regions.code(text); return ok }
	case PostalCode, PostalCode2:
		return "postal codes", func(text string) bool { return digits(text) != "" && len(text) <= 20 }
	case CellPhone, EmployeePhone, StudentPhone:
		return "phone numbers", func(text string) bool { return len(digits(text)) >= 7 }
	case FirstName, LastName:
		return "a first or last name alone", func(text string) bool {
			return len(text) > 1 && !strings.ContainsAny(text, "0123456789@,")
		}
	case Street, Street2:
		return "streets", func(text string) bool { return strings.ContainsFunc(text, unicode.IsSpace) }
	case City, City2:
		return "towns", func(text string) bool { return !strings.ContainsAny(text, "0123456789@") }
	case UserName:
		return "user names", func(text string) bool { return !strings.ContainsFunc(text, unicode.IsSpace) }
	case DriverLicenceNumber:
		return "licence numbers", func(text string) bool { return len(digits(text)) >= 4 }
	case LockerUserTypeID:
		return "ids", isTypeID
	}
	return "", nil
}

// lookAtRepeats expects the values of an ID to differ, and those of a kind to repeat.
func lookAtRepeats(attribute Attribute, values []Cell) string {
	different := distinct(values)
	switch attribute {
	case UniqueID, UserName, StudentNumber, EmployeeNumber, Email:
		if 4*different < 3*len(values) {
			return fmt.Sprintf("%d values are only %d different ones", len(values), different)
		}
	case LoginSource, UserTypeID, LockerUserTypeID:
		if len(values) >= 8 && 4*different > 3*len(values) {
			return fmt.Sprintf("hardly any of %d values repeats", len(values))
		}
	}
	return ""
}

// lookAtDates finds the form of the dates that are text. Only a form that reads
// every one of them, and that no other form does, is proven. One in four may be
// no date at all: their rows are refused, whatever the form.
func lookAtDates(values []Cell) looks {
	var texts []string
	iso := 0
	for _, cell := range values {
		switch day, _ := cutClock(cell.Text); {
		case cell.Kind == DateCell:
		case cell.Kind != NumberCell && calendarDate(day) != "":
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
		return looks{date: excelForm, doubt: "they are Excel's serial numbers; do the days come out right?"}
	}
	forms, unread := formsOf(texts)
	switch {
	case 4*unread > len(values) || len(forms) == 0:
		return looks{
			none:  len(texts) == len(values),
			doubt: fmt.Sprintf("%d of %d values are not dates of a form that is sure; add date: with the form", len(texts), len(values)),
		}
	case len(forms) > 1:
		return looks{doubt: "the sample dates may be read as " + orList(forms, "") + "; which is it? Add date:"}
	case unread > 0:
		return looks{date: forms[0], proof: fmt.Sprintf("only %s reads the sample dates, but for %d that are none", forms[0], unread)}
	}
	return looks{date: forms[0], proof: "only " + forms[0] + " reads all sample dates"}
}

// formsOf returns the forms that read every date among the texts, and how many
// texts no form reads.
func formsOf(texts []string) (written []string, unread int) {
	forms := usualForms()
	reads := make([][]bool, len(forms)) // by form and text
	readable := make([]bool, len(texts))
	for i, form := range forms {
		reads[i] = make([]bool, len(texts))
		f, err := newDateForm(form)
		for j, text := range texts {
			reads[i][j] = err == nil && f.isBirth(text)
			readable[j] = readable[j] || reads[i][j]
		}
	}
	for _, ok := range readable {
		if !ok {
			unread++
		}
	}
	for i, form := range forms {
		if unread < len(texts) && slices.Equal(reads[i], readable) {
			written = append(written, form)
		}
	}
	return written, unread
}

// readsAsSerials says that every text is a number of five digits that Excel shows
// as a day when the cell is formatted so.
func readsAsSerials(texts []string) bool {
	return !slices.ContainsFunc(texts, func(text string) bool {
		serial, clock, _ := strings.Cut(text, ".")
		return len(serial) != 5 || strings.Trim(clock, "0") != "" || serialDate(serial) < "1920" || serialDate(serial) > "2030"
	})
}
