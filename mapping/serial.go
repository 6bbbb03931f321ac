package mapping

import (
	"math"
	"strconv"
	"time"
)

const (
	secondsPerDay = 24 * 60 * 60
	lastDay1900   = 2958465 // 9999-12-31, counted from 1900
	lastDay1904   = 2957003 // the same day, counted from 1904
	leapDay1900   = 60      // 1900-02-29, a day that only spreadsheets know
)

// SerialDate returns the day of a serial number of Excel's 1900 system as
// yyyy-mm-dd, "" when there is none.
func SerialDate(text string) string {
	serial, err := strconv.Atoi(text)
	if err != nil || serial < 1 || serial == leapDay1900 {
		return ""
	}
	date, _ := AppendSerialDate(nil, float64(serial), false)
	return string(date)
}

// AppendSerialDate appends the date of a serial number, with its time of day where
// it has one: 2006-01-02T15:04:05. The whole part counts days from 1900-01-00, or
// from 1904-01-01 where date1904 is set; the fraction is the time of day, rounded
// to the second. It is not ok for a number that is no date.
//
// As in Excel, 1900 was a leap year: day 60 is 1900-02-29. It and day 0, which is
// 1900-01-00, are appended as Excel shows them, so that the code that checks the date
// finds them.
func AppendSerialDate(dst []byte, serial float64, date1904 bool) (date []byte, ok bool) {
	epoch, last := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC), lastDay1900
	if date1904 {
		epoch, last = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC), lastDay1904
	}
	if !(serial >= 0 && serial < float64(last)+1) {
		return dst, false
	}
	day, seconds := int(serial), int(math.Round((serial-math.Floor(serial))*secondsPerDay))
	if seconds == secondsPerDay {
		day, seconds = day+1, 0
	}
	switch {
	case day > last:
		return dst, false
	case !date1904 && day == 0:
		dst = append(dst, "1900-01-00"...)
	case !date1904 && day == leapDay1900:
		dst = append(dst, "1900-02-29"...)
	default:
		if !date1904 && day < leapDay1900 {
			day++ // the epoch makes up for the day that never was
		}
		dst = epoch.AddDate(0, 0, day).AppendFormat(dst, time.DateOnly)
	}
	if seconds > 0 {
		dst = time.Date(2000, time.January, 1, 0, 0, seconds, 0, time.UTC).AppendFormat(dst, "T"+time.TimeOnly)
	}
	return dst, true
}
