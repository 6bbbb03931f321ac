package mapping

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"opscom-import/mapping/internal/dateformat"
)

// dateReader turns the cells of a date attribute into dates as yyyy-mm-dd.
type dateReader struct {
	label  string
	format *dateformat.Format // nil for YYYY-MM-DD
	excel  bool               // numbers are Excel's serial numbers
	births birthLimits
	today  time.Time
}

// newDateReader returns the reader for the format that the mapping gives, "" for
// none.
func newDateReader(label, pattern string, today time.Time) (*dateReader, error) {
	d := &dateReader{label: label, births: newBirthLimits(today), today: today}
	d.excel = strings.EqualFold(strings.TrimSpace(pattern), dateformat.Excel)
	if d.excel || pattern == "" {
		return d, nil
	}
	var err error
	d.format, err = dateformat.New(pattern)
	return d, err
}

// read returns the date in a cell's trimmed text. The problem is a warning when the
// date could be read all the same.
func (d *dateReader) read(kind CellKind, text string) (string, *Problem) {
	date := ""
	day, clock := dateformat.CutTime(text)
	switch {
	case kind == DateCell:
		date = dateformat.ISO(day)
	case d.excel:
		var fraction string
		day, fraction, _ = strings.Cut(text, ".")
		date = SerialDate(day)
		clock.Fraction = strings.Trim(fraction, "0") != ""
	case d.format != nil:
		var err error
		if date, err = d.parse(day); date == "" {
			return "", d.unreadable(text, err)
		}
	default:
		date = dateformat.ISO(day)
	}
	if date == "" {
		return "", d.unexpected(kind, text)
	}
	if !clock.IsMidnight() {
		return date, d.problem(warn, text, "has a time of day, which is dropped.", "Check that the date is not off by one day.")
	}
	return date, nil
}

// parse reads a day in the mapping's format. YYYY-MM-DD is accepted too where it
// can mean no other day: the dates of a workbook are like that in the rows to fix.
func (d *dateReader) parse(day string) (string, error) {
	if iso := dateformat.ISO(day); iso != "" && (!d.format.StartsWithYear() || iso == day && d.format.IsBigEndian()) {
		return iso, nil
	}
	born, err := d.format.Parse(day, d.today)
	if err != nil {
		return "", err
	}
	return born.Format(time.DateOnly), nil
}

// problem returns a problem about a date's text.
func (d *dateReader) problem(kind func(Rule, string, string) *Problem, text, what, advice string) *Problem {
	return kind(RuleBadDate, about(d.label, text)+what, advice)
}

// unreadable says why a text is not a date in the format that the mapping gives.
func (d *dateReader) unreadable(text string, err error) *Problem {
	if errors.Is(err, dateformat.ErrInvalidDate) {
		return d.problem(refuse, text, "is not a valid date when it is read as "+d.format.Pattern+".", "Correct the date.")
	}
	return d.problem(refuse, text, "is not in the format "+d.format.Pattern+".", "Write it in this format, or correct the date format in the mapping.")
}

// unexpected says what is wrong with a cell where YYYY-MM-DD or a serial number
// was expected, and which formats its date may have.
func (d *dateReader) unexpected(kind CellKind, text string) *Problem {
	day, _ := dateformat.CutTime(text)
	settings := english.WordSeries(d.likelySettings(day), "or")
	switch {
	case d.excel:
		return d.problem(refuse, text, "is not one of Excel's serial numbers for a day.", "Correct the cell.")
	case kind == NumberCell && settings == "":
		return d.problem(refuse, text, "is a number, not a date.", "Format the cell as a date, or give the date format in the mapping: date: YYYYMMDD, for example.")
	case kind == NumberCell:
		return d.problem(refuse, text, "is a number, not a date.", "Format the cell as a date, or give the date format in the mapping: "+settings+".")
	case dateformat.LooksISO(day):
		return d.problem(refuse, text, "is not a valid date.", "Correct the date.")
	case settings == "":
		return d.problem(refuse, text, "is not a date.", "Write it as YYYY-MM-DD.")
	}
	return d.problem(refuse, text, "is not in the format YYYY-MM-DD.", "Write it in this format, or give the column's date format in the mapping: "+settings+".")
}

// likelySettings returns the settings with which the mapping could read a day.
func (d *dateReader) likelySettings(day string) []string {
	var settings []string
	for _, format := range dateformat.Common() {
		if date, err := format.Parse(day, d.today); err == nil && date.Year() >= 1000 && !format.IsISO() {
			settings = append(settings, "date: "+format.Pattern)
		}
	}
	if date := SerialDate(day); date != "" && d.births.check(d.label, date) == nil {
		settings = append(settings, "date: "+dateformat.Excel)
	}
	return settings
}

// oldestAge is the highest likely age in years of somebody with a date of birth:
// hardly anybody alive is older.
const oldestAge = 110

// birthLimits holds the days between which a date of birth is likely, as
// yyyy-mm-dd: as text these are in the calendar's order.
type birthLimits struct{ earliest, latest, today string }

func newBirthLimits(today time.Time) birthLimits {
	return birthLimits{
		earliest: today.AddDate(-oldestAge, 0, 0).Format(time.DateOnly),
		latest:   today.AddDate(-dateformat.YoungestAge, 0, 0).Format(time.DateOnly),
		today:    today.Format(time.DateOnly),
	}
}

// check says what is wrong or unlikely about a date of birth that is to be sent.
func (b birthLimits) check(label, date string) *Problem {
	if dateformat.ISO(date) == "" || date[4] != '-' {
		return refuse(RuleBadDate, about(label, date)+"is not a date in the format YYYY-MM-DD.", "Correct the cell or the mapping.")
	}
	unlikely := ""
	switch {
	case date > b.today:
		unlikely = "is in the future"
	case date > b.latest:
		unlikely = "is less than " + strconv.Itoa(dateformat.YoungestAge) + " years ago"
	case date < b.earliest:
		unlikely = "is more than " + strconv.Itoa(oldestAge) + " years ago"
	default:
		return nil
	}
	return refuse(RuleUnlikelyDate, label+" "+date+" "+unlikely+".", "Correct the date, or leave the cell blank.")
}
