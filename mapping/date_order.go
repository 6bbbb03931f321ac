package mapping

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize/english"

	"opscom-import/mapping/internal/dateformat"
)

// A spreadsheet has swapped day and month in a column when the column has texts
// that no spreadsheet of the other order could take for dates, and at least
// leastSwapped dates whose day is 12 or lower, and none above.
const leastSwapped = 5

// dateOrder collects what the rows of a date attribute show about the order of day
// and month, where the two could be confused.
type dateOrder struct {
	format  *dateformat.Format
	swapped *dateformat.Format // the same format with day and month swapped
	today   time.Time

	given     rowsSeen // dates in the format, and in no other order
	other     rowsSeen // dates in the other order only
	ambiguous int      // dates in both orders, as two different days
	iso       int      // dates of a spreadsheet, or written YYYY-MM-DD
	isoLate   int      // of these, with a day above 12
}

// rowsSeen counts rows, and remembers the first.
type rowsSeen struct{ count, first int }

func (r *rowsSeen) add(row int) {
	if r.count == 0 {
		r.first = row
	}
	r.count++
}

// newDateOrder returns nil for a format in which nobody confuses day and month.
func newDateOrder(format *dateformat.Format, today time.Time) *dateOrder {
	if format == nil {
		return nil
	}
	swapped := format.Swapped()
	if swapped == nil {
		return nil
	}
	return &dateOrder{format: format, swapped: swapped, today: today}
}

// add takes a row's cell, which is not blank, and the date that it was read as, ""
// for none.
func (o *dateOrder) add(sequence int, cell Cell, date string) {
	text, _ := dateformat.CutTime(cell.Text)
	switch {
	case cell.Kind == DateCell || !o.format.StartsWithYear() && dateformat.ISO(text) != "":
		o.iso++
		if isLate(date) {
			o.isoLate++
		}
	case isLate(date):
		o.given.add(sequence)
	case len(date) == len(time.DateOnly):
		if date[8:] != date[5:7] {
			o.ambiguous++
		}
	default:
		if _, err := o.swapped.Parse(text, o.today); err == nil {
			o.other.add(sequence)
		}
	}
}

// isLate reports whether a date's day cannot be a month.
func isLate(date string) bool { return len(date) == len(time.DateOnly) && date[8:] > "12" }

// review notes which row shows the order, or asks when the order cannot be right.
func (o *dateOrder) review(f *fieldMapper, row func(sequence int) int, review *Review) (key, question string) {
	note, question := o.judge(f.source, row)
	if note != "" {
		review.Notes = append(review.Notes, note)
	}
	return ".date", question
}

// judge says which row shows the order, or asks when the order cannot be right.
func (o *dateOrder) judge(source string, row func(sequence int) int) (note, question string) {
	format, swapped := o.format.Pattern, o.swapped.Pattern
	switch {
	case o.other.count > 0 && o.given.count == 0 && o.ambiguous > 0:
		return "", fmt.Sprintf("the dates in %s are read as %s, but no row needs that order, and row %d can only be %s (%s); %s could be either. Correct the date format, or those rows",
			source, format, row(o.other.first), swapped, english.Plural(o.other.count, "such row", ""), english.Plural(o.ambiguous, "other", ""))
	case o.ambiguous > 0 && o.given.count > 0 && isMixed(o.given, o.other):
		return "", fmt.Sprintf("%s holds dates in two orders: row %d can only be %s and row %d only %s (%d and %d such rows), and %s could be either. Nobody can tell what they mean: export the file again with dates written as YYYY-MM-DD",
			source, row(o.given.first), format, row(o.other.first), swapped, o.given.count, o.other.count, english.Plural(o.ambiguous, "other", ""))
	case o.iso >= leastSwapped && o.isoLate == 0 && o.given.count > 0 && o.ambiguous+o.other.count == 0:
		return "", fmt.Sprintf("%s mixes %d dates, whose days are all 12 or lower, with %s whose days are all above 12, such as row %d: a spreadsheet that expects %s opened the file, and swapped day and month of the dates. Export the file again, and do not save it in a spreadsheet program before you push it",
			source, o.iso, english.Plural(o.given.count, "text", ""), row(o.given.first), swapped)
	case o.given.count > 0:
		return fmt.Sprintf("The dates in %s are read as %s: row %d fits no other order.", source, format, row(o.given.first)), ""
	case o.ambiguous > 0:
		return fmt.Sprintf("The dates in %s are read as %s because the mapping says so: no row proves it.", source, format), ""
	}
	return "", ""
}

// isMixed reports whether so many rows have the other order that the rows of the
// first do not prove it for the rest.
func isMixed(first, other rowsSeen) bool { return 10*other.count >= first.count+other.count }
