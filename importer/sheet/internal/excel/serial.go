package excel

import (
	"math"
	"time"
)

const (
	secondsADay = 24 * 60 * 60
	lastDay1900 = 2958465 // 9999-12-31, counted from 1900
	lastDay1904 = 2957003 // the same day, counted from 1904
	leapDay1900 = 60      // 1900-02-29, a day that only spreadsheets know
)

// appendSerial appends the date that a serial number stands for, with its time
// of day where it has one. The whole part counts days from 1900-01-00, or from
// 1904-01-01 where date1904 is set; the fraction is the time of day, rounded to
// the second. It is not ok for a number that stands for no date.
//
// As in Excel, 1900 was a leap year: day 60 is 1900-02-29. It and day 0, which is
// 1900-01-00, are appended as Excel shows them, for anyone who judges dates to find.
func appendSerial(dst []byte, serial float64, date1904 bool) ([]byte, bool) {
	epoch, last := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC), lastDay1900
	if date1904 {
		epoch, last = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC), lastDay1904
	}
	if !(serial >= 0 && serial < float64(last)+1) {
		return dst, false
	}
	day, seconds := int(serial), int(math.Round((serial-math.Floor(serial))*secondsADay))
	if seconds == secondsADay {
		day, seconds = day+1, 0
	}
	switch {
	case day > last:
		return dst, false
	case !date1904 && day == 0:
		return appendTimeOfDay(append(dst, "1900-01-00"...), seconds), true
	case !date1904 && day == leapDay1900:
		return appendTimeOfDay(append(dst, "1900-02-29"...), seconds), true
	case !date1904 && day < leapDay1900:
		day++ // the epoch makes up for the day that never was
	}
	return appendDate(dst, epoch.AddDate(0, 0, day), seconds), true
}

// appendDate appends a date, and its time of day in seconds unless that is
// midnight.
func appendDate(dst []byte, day time.Time, seconds int) []byte {
	return appendTimeOfDay(day.AppendFormat(dst, time.DateOnly), seconds)
}

func appendTimeOfDay(dst []byte, seconds int) []byte {
	if seconds == 0 {
		return dst
	}
	clock := time.Date(2000, time.January, 1, 0, 0, seconds, 0, time.UTC)
	return clock.AppendFormat(append(dst, 'T'), time.TimeOnly)
}
