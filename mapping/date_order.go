package mapping

import (
	"fmt"
	"strings"
	"time"
)

// A column holds dates that a spreadsheet has turned round when, beside texts
// that no spreadsheet of the other order could take for dates, it has at least
// turnedLeast dates whose day is 12 or lower, and none above.
const turnedLeast = 5

// dateOrder gathers what the rows of a date attribute show of the order of day
// and month, where the mapping's form has one that could be mistaken.
type dateOrder struct {
	form  *dateForm
	other *dateForm // the same form with day and month exchanged
	today time.Time

	proving   rowsSeen // read in the form, and in no other order
	against   rowsSeen // read in the other order only
	either    rowsSeen // read in both orders, as two different days
	plain     int      // dates of a spreadsheet, or written YYYY-MM-DD
	plainLate int      // of these, with a day above 12
}

// rowsSeen counts rows, and knows the first.
type rowsSeen struct{ count, first int }

func (r *rowsSeen) add(sequence int) {
	if r.count == 0 {
		r.first = sequence
	}
	r.count++
}

// newDateOrder returns nil for a form whose day and month nobody mistakes for each
// other: with a month's name, or from the year down to the day.
func newDateOrder(form *dateForm, today time.Time) (*dateOrder, error) {
	if form == nil {
		return nil, nil
	}
	written := strings.ToUpper(form.written)
	if form.monthName || form.startsWithYear() && strings.Index(written, "M") < strings.Index(written, "D") {
		return nil, nil
	}
	other, err := newDateForm(exchangeDayAndMonth(form.written))
	if err != nil {
		return nil, err
	}
	return &dateOrder{form: form, other: other, today: today}, nil
}

// exchangeDayAndMonth turns DD/MM/YYYY into MM/DD/YYYY and the other way round.
func exchangeDayAndMonth(written string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case 'D', 'd':
			return 'M'
		case 'M', 'm':
			return 'D'
		}
		return r
	}, written)
}

// add takes in a row's cell, which is not blank, and the date that was made of
// it, "" for none.
func (o *dateOrder) add(sequence int, cell Cell, date string) {
	text, _ := cutClock(cell.Text)
	switch {
	case cell.Kind == DateCell || !o.form.startsWithYear() && calendarDate(text) != "":
		o.plain++
		if len(date) == len(isoDate) && date[8:] > "12" {
			o.plainLate++
		}
	case len(date) == len(isoDate):
		switch day, month := date[8:], date[5:7]; {
		case day > "12":
			o.proving.add(sequence)
		case day != month:
			o.either.add(sequence)
		}
	default:
		if _, err := o.other.parse(text, o.today); err == nil {
			o.against.add(sequence)
		}
	}
}

// review says in which row the order shows, or asks when it cannot be right.
func (o *dateOrder) review(origin string, row func(sequence int) int) (note, question string) {
	given, other := o.form.written, o.other.written
	switch {
	case o.against.count > 0 && o.proving.count == 0 && o.either.count > 0:
		return "", fmt.Sprintf("the dates in %s are read as %s, but no row needs that order, and row %d can only be %s (%d such rows); %d others could be either. Correct the form, or those rows",
			origin, given, row(o.against.first), other, o.against.count, o.either.count)
	case o.either.count > 0 && o.proving.count > 0 && 10*o.against.count >= o.against.count+o.proving.count:
		return "", fmt.Sprintf("%s holds dates in two orders: row %d can only be %s and row %d only %s (%d and %d such rows), and %d others could be either. Nobody can tell what they mean: export the file again with dates written YYYY-MM-DD",
			origin, row(o.proving.first), given, row(o.against.first), other, o.proving.count, o.against.count, o.either.count)
	case o.plain >= turnedLeast && o.plainLate == 0 && o.proving.count > 0 && o.either.count+o.against.count == 0:
		return "", fmt.Sprintf("%s mixes %d dates, whose days are all 12 or lower, with %d texts whose days are all above 12, such as row %d: a spreadsheet that expects %s has opened the file, and has turned day and month of the former round. Export the file again, and do not save it with a spreadsheet program before it is pushed",
			origin, o.plain, o.proving.count, row(o.proving.first), other)
	case o.proving.count > 0:
		return fmt.Sprintf("The dates in %s are read as %s: row %d fits no other order.", origin, given, row(o.proving.first)), ""
	case o.either.count > 0:
		return fmt.Sprintf("The dates in %s are read as %s because the mapping says so: no row shows it.", origin, given), ""
	}
	return "", ""
}
