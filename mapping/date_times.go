package mapping

import (
	"fmt"

	"opscom-import/mapping/internal/dateformat"
)

// dateTimes collects the times of day behind the dates of a column. Times such as
// 19:00 in many rows are midnights of another time zone: those days are one too early.
type dateTimes struct {
	dates   int      // that were read
	evening rowsSeen // of these, those that a time zone may have shifted
	text    string   // of the first
}

const (
	// A time zone has shifted the dates of a column when at least leastShifted of them,
	// and one in shiftedShare, have a time that looks like it: where clocks change in
	// summer, only the dates of one half of the year may be off.
	leastShifted = 2
	shiftedShare = 10
)

// add takes a row's cell, and the date that it was read as, "" for none.
func (d *dateTimes) add(sequence int, cell Cell, date string) {
	if date == "" {
		return
	}
	d.dates++
	if _, clock := dateformat.CutTime(cell.Text); clock.IsZoneShift() {
		if d.evening.count == 0 {
			d.text = fmt.Sprintf("%02d:%02d", clock.Hour, clock.Minute)
		}
		d.evening.add(sequence)
	}
}

// review asks when a time zone seems to have shifted the dates.
func (d *dateTimes) review(f *fieldMapper, row func(sequence int) int, _ *Review) (key, question string) {
	if d.evening.count < leastShifted || shiftedShare*d.evening.count < d.dates {
		return "", ""
	}
	return "", fmt.Sprintf("%d of the %d dates in %s have an hour of the evening, such as %s in row %d: a time zone shifted them, and the days are likely one too early. Export the dates without a time; if the days are right, add as_is: true",
		d.evening.count, d.dates, f.source, d.text, row(d.evening.first))
}
