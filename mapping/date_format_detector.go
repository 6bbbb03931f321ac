package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/dateformat"
)

// enoughISO is how many dates of a spreadsheet, or written YYYY-MM-DD, show that a
// column has no other format.
const enoughISO = 200

// DateFormatDetector finds out in which format a column's dates are written. A
// single row can often be read in two ways; a whole column hardly ever, for no
// month has the number 13.
type DateFormatDetector struct {
	columns []int // the first that is not blank counts
	today   time.Time
	formats []detectedFormat
	iso     int // dates that need no format
	texts   int // texts that one of the formats reads

	others [32]Cell // some of those that are no dates: most columns have the same over and over
}

// detectedFormat is a format, and which rows it reads.
type detectedFormat struct {
	*dateformat.Format
	swapped int // index of the format with day and month swapped; -1 for none
	read    rowsSeen
	proof   rowsSeen // dates in this format, and in no other order
	unclear string   // the first date that has another meaning with day and month swapped
}

// DateReading is one of the ways in which a column's dates may be read.
type DateReading struct {
	Pattern string    // as a mapping file has it
	Text    string    // a date as it is written in the column; personal data
	Date    time.Time // what the text means by this pattern
}

// NewDateFormatDetector returns a detector for the dates of birth in the columns;
// of several, the first that is not blank counts in each row. today determines the
// century of a two-digit year.
func NewDateFormatDetector(columns []int, today time.Time) *DateFormatDetector {
	d := &DateFormatDetector{columns: columns, today: today}
	for _, format := range dateformat.Common() {
		swapped := -1
		if other := format.Swapped(); other != nil {
			swapped = slices.IndexFunc(dateformat.Common(), func(f *dateformat.Format) bool { return f.Pattern == other.Pattern })
		}
		d.formats = append(d.formats, detectedFormat{Format: format, swapped: swapped})
	}
	return d
}

// Done reports whether more rows would change nothing.
func (d *DateFormatDetector) Done() bool { return d.texts == 0 && d.iso >= enoughISO }

// Add takes a row, and reports whether it is the first that proves the order of day
// and month.
func (d *DateFormatDetector) Add(row int, cells []Cell) (proves bool) {
	for _, column := range d.columns {
		cell := cellAt(cells, column)
		if cell.Text == "" {
			continue
		}
		other := &d.others[cacheSlot(cell.Text)%uint64(len(d.others))]
		if *other == cell {
			return false
		}
		if text, _ := dateformat.CutTime(chars.Trim(cell.Text)); text != "" {
			dates := d.iso + d.texts
			proves = d.add(row, text, cell.Kind)
			if d.iso+d.texts == dates {
				*other = Cell{strings.Clone(cell.Text), cell.Kind}
			}
			return proves
		}
	}
	return false
}

// add tries the formats that read an earlier row first: nearly always one of them
// reads this one too.
func (d *DateFormatDetector) add(row int, text string, kind CellKind) (proves bool) {
	if kind == DateCell || dateformat.ISO(text) != "" {
		d.iso++
		return false
	}
	read := false
	for _, known := range []bool{true, false} {
		for i := range d.formats {
			f := &d.formats[i]
			if read && !known || (f.read.count > 0) != known {
				continue
			}
			if date, err := f.Parse(text, d.today); err == nil && f.IsBirth(text) {
				read = true
				proves = f.add(row, date) || proves
				if f.unclear == "" && date.Day() <= 12 && date.Day() != int(date.Month()) {
					f.unclear = text
				}
			}
		}
		if read {
			d.texts++
			break
		}
	}
	return proves
}

// add takes a row that the format reads, and reports whether it is the first that
// no other order reads.
func (f *detectedFormat) add(row int, date time.Time) (proves bool) {
	f.read.add(row)
	if f.swapped < 0 || date.Day() <= 12 {
		return false
	}
	f.proof.add(row)
	return f.proof.count == 1
}

// Format returns the format that the rows prove, as a mapping file has it, or the
// question that they leave. Both are "" when the dates need no format, or when
// nothing in the column is a date.
func (d *DateFormatDetector) Format() (pattern, question string) {
	f := d.best()
	if f.read.count == 0 {
		return "", ""
	}
	if f.swapped < 0 {
		return f.Pattern, ""
	}
	other := &d.formats[f.swapped]
	if other.proof.count > f.proof.count {
		f, other = other, f
	}
	switch {
	case f.proof.count == 0:
		return "", fmt.Sprintf("its dates can all be read as %s and as %s, such as the one in row %d", f.Pattern, other.Pattern, f.read.first)
	case isMixed(f.proof, other.proof):
		return "", fmt.Sprintf("it holds dates in two orders: row %d can only be %s, and row %d only %s (%d and %d such rows)",
			f.proof.first, f.Pattern, other.proof.first, other.Pattern, f.proof.count, other.proof.count)
	}
	return f.Pattern, ""
}

// best returns the format that reads most of the dates.
func (d *DateFormatDetector) best() *detectedFormat {
	best := &d.formats[0]
	for i := range d.formats {
		if f := &d.formats[i]; f.read.count > best.read.count || f.read.count == best.read.count && f.proof.count > best.proof.count {
			best = f
		}
	}
	return best
}

// Readings returns the two ways in which the dates may be read where Format asks which
// is meant, with one of the dates; nil where the rows prove the format.
func (d *DateFormatDetector) Readings() []DateReading {
	if _, question := d.Format(); question == "" {
		return nil
	}
	f := d.best()
	text := cmp.Or(f.unclear, d.formats[f.swapped].unclear)
	var readings []DateReading
	for _, format := range []*detectedFormat{f, &d.formats[f.swapped]} {
		reading := DateReading{Pattern: format.Pattern, Text: text}
		if date, err := format.Parse(text, d.today); err == nil {
			reading.Date = date
		}
		readings = append(readings, reading)
	}
	return readings
}

// DateFormatDetector returns the detector for the format of the dates of birth, nil
// when the mapping gives it or has none.
func (f *File) DateFormatDetector(header []string, today time.Time) *DateFormatDetector {
	i := slices.IndexFunc(f.Fields, func(f Field) bool { return f.Attribute == DateOfBirth && f.Date == "" && len(f.Columns) > 0 })
	if i < 0 {
		return nil
	}
	var columns []int
	for _, name := range f.Fields[i].Columns {
		column, err := FindColumn(header, name)
		if err != nil {
			return nil // Compile reports it, and what else is wrong
		}
		columns = append(columns, column)
	}
	return NewDateFormatDetector(columns, today)
}

// SetDateFormat writes the format that the detector found into the mapping. The
// error is a *FileError when somebody must say which format is meant.
func (f *File) SetDateFormat(d *DateFormatDetector) error {
	pattern, question := d.Format()
	for i := range f.Fields {
		field := &f.Fields[i]
		if field.Attribute != DateOfBirth {
			continue
		}
		if question != "" {
			column := strings.Join(field.Columns, `" or "`)
			return &FileError{File: f.Name, Line: field.Line, Key: DateOfBirth.String(),
				Message: "the format of the dates in column \"" + column + "\" is not certain: " + question +
					". Say which is right, as in date_of_birth: {column: " + field.Columns[0] + ", date: DD/MM/YYYY}, or write the dates as YYYY-MM-DD"}
		}
		field.Date = pattern
	}
	return nil
}
