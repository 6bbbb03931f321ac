package mapping

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// enoughPlain is how many dates of a spreadsheet, or written YYYY-MM-DD, show
// that a column has no other form.
const enoughPlain = 200

// DateSurvey finds out in which form a column writes its dates. One row can often
// be read in two ways; a whole column hardly ever, for no month has the number 13.
type DateSurvey struct {
	columns []int // the first that is not blank counts
	today   time.Time
	forms   []surveyedForm
	plain   int // dates that need no form
	texts   int // texts that one of the forms reads
}

// surveyedForm is a form, and which rows it reads.
type surveyedForm struct {
	*dateForm
	other   int // index of the form with day and month exchanged; -1 for none
	read    int
	proving rowsSeen // by row number: read so, and in no other order
	first   int      // row number of the first that was read
}

// usualForms are the forms in which student systems and spreadsheets write dates.
func usualForms() []string {
	return []string{
		"DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "DD.MM.YYYY", "MM.DD.YYYY", "YYYYMMDD", "DDMMYYYY", "MMDDYYYY",
		"D-MMM-YYYY", "D/MMM/YYYY", "D MMM YYYY", "MMM D, YYYY", "MMM D YYYY", "YYYY-MMM-DD",
		"DD/MM/YY", "MM/DD/YY", "DD-MM-YY", "MM-DD-YY", "DD.MM.YY", "MM.DD.YY", "D-MMM-YY", "D MMM YY", "DDMMMYYYY",
		"YYYY-M-D", "YYYY/M/D",
	}
}

// NewDateSurvey returns a survey of the dates of birth that the columns hold; of
// several, the first that is not blank counts in each row. today is the day by
// which the century of a two-digit year is judged.
func NewDateSurvey(columns []int, today time.Time) (*DateSurvey, error) {
	s := &DateSurvey{columns: columns, today: today}
	written := usualForms()
	for _, w := range written {
		form, err := newDateForm(w)
		if err != nil {
			return nil, err
		}
		other := -1
		if !form.monthName {
			other = slices.Index(written, exchangeDayAndMonth(w))
		}
		s.forms = append(s.forms, surveyedForm{dateForm: form, other: other})
	}
	return s, nil
}

// Done says that more rows would change nothing.
func (s *DateSurvey) Done() bool { return s.texts == 0 && s.plain >= enoughPlain }

// Add takes in a row, and reports whether it is the first to prove the order of day
// and month.
func (s *DateSurvey) Add(row int, cells []Cell) (proves bool) {
	for _, column := range s.columns {
		cell := cellAt(cells, column)
		if text, _ := cutClock(trim(cell.Text)); text != "" {
			return s.read(row, text, cell.Kind)
		}
	}
	return false
}

// read tries first the forms that have read a row before: nearly always one of
// them does.
func (s *DateSurvey) read(row int, text string, kind CellKind) (proves bool) {
	if kind == DateCell || calendarDate(text) != "" {
		s.plain++
		return false
	}
	read := false
	for _, known := range []bool{true, false} {
		for i := range s.forms {
			f := &s.forms[i]
			if read && !known || (f.read > 0) != known {
				continue
			}
			if date, err := f.parse(text, s.today); err == nil && f.isBirth(text) {
				read = true
				proves = f.add(row, date) || proves
			}
		}
		if read {
			s.texts++
			break
		}
	}
	return proves
}

// add notes that the form reads a row, and reports whether this row is the first that
// no other order reads.
func (f *surveyedForm) add(row int, date time.Time) (proves bool) {
	if f.read == 0 {
		f.first = row
	}
	f.read++
	if f.other < 0 || date.Day() <= 12 {
		return false
	}
	f.proving.add(row)
	return f.proving.count == 1
}

// Form returns the form that the rows prove, as a mapping file writes it, or the
// question that they leave. Both are "" when the dates need no form, or when
// nothing in the column is a date.
func (s *DateSurvey) Form() (form, question string) {
	best := 0
	for i := range s.forms {
		if s.forms[i].read > s.forms[best].read || s.forms[i].read == s.forms[best].read && s.forms[i].proving.count > s.forms[best].proving.count {
			best = i
		}
	}
	f := &s.forms[best]
	if f.read == 0 {
		return "", ""
	}
	if f.other < 0 {
		return f.written, ""
	}
	other := &s.forms[f.other]
	if other.proving.count > f.proving.count {
		f, other = other, f
	}
	switch proving, against := f.proving.count, other.proving.count; {
	case proving == 0:
		return "", fmt.Sprintf("its dates can all be read as %s and as %s, as that of row %d", f.written, other.written, f.first)
	case 10*against >= proving+against:
		return "", fmt.Sprintf("it holds dates in two orders: row %d can only be %s, and row %d only %s (%d and %d such rows)",
			f.proving.first, f.written, other.proving.first, other.written, proving, against)
	}
	return f.written, ""
}

// DateSurvey returns the survey that settles in which form the date of birth is
// written, nil when the mapping says it or has none.
func (f *File) DateSurvey(header []string, today time.Time) (*DateSurvey, error) {
	i := slices.IndexFunc(f.Fields, func(f Field) bool { return f.Attribute == DateOfBirth && f.Date == "" && len(f.Columns) > 0 })
	if i < 0 {
		return nil, nil
	}
	var columns []int
	for _, name := range f.Fields[i].Columns {
		column, err := findColumn(header, name)
		if err != nil {
			return nil, nil // Compile says so, and what else is wrong
		}
		columns = append(columns, column)
	}
	return NewDateSurvey(columns, today)
}

// SettleDate writes the form that the survey has proven into the mapping. The
// error is a *FileError when somebody must say which form is meant.
func (f *File) SettleDate(s *DateSurvey) error {
	form, question := s.Form()
	for i := range f.Fields {
		field := &f.Fields[i]
		if field.Attribute != DateOfBirth {
			continue
		}
		if question != "" {
			column := strings.Join(field.Columns, `" or "`)
			return &FileError{File: f.Name, Line: field.Line, Key: DateOfBirth.String(),
				Message: "the column \"" + column + "\" leaves a question: " + question +
					". Say which is meant, as in date_of_birth: {column: " + field.Columns[0] + ", date: DD/MM/YYYY}, or write the dates as YYYY-MM-DD"}
		}
		field.Date = form
	}
	return nil
}
