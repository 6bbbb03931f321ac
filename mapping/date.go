package mapping

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	// isoDate is how dates are sent.
	isoDate = "2006-01-02"

	// plainLayout is the layout of a form that isoDate fits, such as YYYY-MM-DD.
	plainLayout = "2006-1-2"

	// youngest and oldest are the ages between which a date of birth is likely, in
	// years: children of staff are in the files, and nobody much older than the
	// oldest people alive.
	youngest, oldest = 10, 110

	// excelForm is the word for a column of Excel's serial numbers.
	excelForm = "excel"
)

var (
	errNoMonth   = errors.New("no month's name in English or French")
	errNoSuchDay = errors.New("not a valid date")
)

// dateReader turns the cells of a date attribute into dates of the form yyyy-mm-dd.
type dateReader struct {
	label  string
	form   *dateForm   // nil for YYYY-MM-DD
	excel  bool        // numbers are Excel's serial numbers
	usual  []*dateForm // forms to recommend when a date cannot be read
	births birthLimits
	today  time.Time
}

// newDateReader returns the reader for the form that the mapping gives; "" for
// none.
func newDateReader(label, written string, today time.Time) (*dateReader, error) {
	d := &dateReader{label: label, births: newBirthLimits(today), today: today}
	switch {
	case strings.EqualFold(strings.TrimSpace(written), excelForm):
		d.excel = true
		return d, nil
	case written != "":
		form, err := newDateForm(written)
		if err != nil {
			return nil, err
		}
		d.form = form
		return d, nil
	}
	for _, written := range []string{
		"DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY", "DD.MM.YYYY", "DD/MM/YY", "MM/DD/YY",
		"YYYYMMDD", "D-MMM-YYYY", "D-MMM-YY", "D MMM YYYY", "MMM D, YYYY",
	} {
		form, err := newDateForm(written)
		if err != nil {
			return nil, err
		}
		d.usual = append(d.usual, form)
	}
	return d, nil
}

// read returns the date that a cell's trimmed text stands for. The fault
// is a warning when the date could be read all the same.
func (d *dateReader) read(kind CellKind, text string) (string, *fault) {
	date := ""
	day, clock := cutClock(text)
	switch {
	case kind == DateCell:
		date = calendarDate(day)
	case d.excel:
		day, clock, _ = strings.Cut(text, ".")
		date = serialDate(day)
		if strings.Trim(clock, "0") == "" {
			clock = ""
		}
	case d.form != nil && d.form.layout == plainLayout && calendarDate(day) == day && day != "":
		date = day // as parse and Format would have it, in a tenth of their time
	case d.form != nil:
		born, err := d.form.parse(day, d.today)
		switch {
		case err == nil:
			date = born.Format(isoDate)
		case !d.form.startsWithYear():
			date = calendarDate(day) // as true dates of a workbook stand in the rows to fix
		}
		if date == "" {
			return "", d.unreadable(text, err)
		}
	case kind != NumberCell:
		date = calendarDate(day)
	}
	if date == "" {
		return "", d.unexpected(kind, text)
	}
	if clock != "" {
		return date, warn(RuleBadDate, d.label+" "+quote(text)+" has a time of day, which is left out. Check that the date is not one day off.")
	}
	return date, nil
}

// unreadable says why a text is not a date of the form that the mapping gives.
func (d *dateReader) unreadable(text string, err error) *fault {
	var parse *time.ParseError
	if errors.Is(err, errNoSuchDay) || errors.As(err, &parse) && strings.HasSuffix(parse.Message, "out of range") {
		return refuse(RuleBadDate, d.label+" "+quote(text)+" is not a valid date when it is read as "+d.form.written+". Correct the date.")
	}
	return refuse(RuleBadDate, d.label+" "+quote(text)+" is not written "+d.form.written+". Write it so, or correct the date's form in the mapping.")
}

// unexpected says what is wrong with a cell where YYYY-MM-DD or a serial number
// was expected, and which form its date may have.
func (d *dateReader) unexpected(kind CellKind, text string) *fault {
	if d.excel {
		return refuse(RuleBadDate, d.label+" "+quote(text)+" is not one of Excel's serial numbers for a day. Correct the cell.")
	}
	if kind == NumberCell {
		return refuse(RuleBadDate, d.label+" "+quote(text)+" is a number, not a date. Format the cell as a date, or give the date's form in the mapping: "+orList(d.likelyForms(text), "date: YYYYMMDD, for example")+".")
	}
	if day, _ := cutClock(text); looksISO(day) {
		return refuse(RuleBadDate, d.label+" "+quote(text)+" is not a valid date. Correct the date.")
	}
	forms := d.likelyForms(text)
	if len(forms) == 0 {
		return refuse(RuleBadDate, d.label+" "+quote(text)+" is not a date. Write it as YYYY-MM-DD.")
	}
	return refuse(RuleBadDate, d.label+" "+quote(text)+" is not written YYYY-MM-DD. Write it so, or give the column's form in the mapping: "+orList(forms, "")+".")
}

// likelyForms returns the settings that would let the mapping read text.
func (d *dateReader) likelyForms(text string) []string {
	var settings []string
	day, _ := cutClock(text)
	for _, form := range d.usual {
		if _, err := form.parse(day, d.today); err == nil {
			settings = append(settings, "date: "+form.written)
		}
	}
	if date := serialDate(text); date != "" && d.births.check(d.label, date) == nil {
		settings = append(settings, "date: "+excelForm)
	}
	return settings
}

// orList joins alternatives with "or"; instead stands for none.
func orList(alternatives []string, instead string) string {
	last := len(alternatives) - 1
	switch last {
	case -1:
		return instead
	case 0:
		return alternatives[0]
	}
	return strings.Join(alternatives[:last], ", ") + " or " + alternatives[last]
}

// cutClock takes the time of day off a date that has one after a space or a T.
// Midnight is not a time of day: databases add it to every date.
func cutClock(text string) (day, clock string) {
	colon := strings.IndexByte(text, ':')
	if colon < 0 {
		return text, ""
	}
	at := strings.LastIndexAny(text[:colon], " T")
	if at < 0 {
		return text, ""
	}
	day, clock = text[:at], text[at+1:]
	if half, ok := strings.CutSuffix(strings.ToUpper(clock), "AM"); ok && strings.HasPrefix(half, "12:") {
		clock = half[3:]
	}
	if strings.Trim(clock, "0:. Z+") == "" {
		clock = ""
	}
	return strings.TrimSpace(day), clock
}

// calendarDate returns text in the form yyyy-mm-dd when it is a day of the
// calendar written YYYY-MM-DD or YYYY/MM/DD, and "" otherwise. It is asked twice
// for each row, and takes a quarter of the time of time.Parse.
func calendarDate(text string) string {
	if !looksISO(text) {
		return ""
	}
	year, month, day := plainNumber(text[:4]), plainNumber(text[5:7]), plainNumber(text[8:])
	if year < 0 || month < 1 || month > 12 || day < 1 {
		return ""
	}
	if day > 28 && day > time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return ""
	}
	if text[4] == '/' {
		return text[:4] + "-" + text[5:7] + "-" + text[8:]
	}
	return text
}

// plainNumber returns the number that a few digits stand for, or -1 when there is
// anything else among them.
func plainNumber(digits string) int {
	n := 0
	for i := 0; i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			return -1
		}
		n = 10*n + int(digits[i]-'0')
	}
	return n
}

// looksISO says that text has the outline of YYYY-MM-DD or YYYY/MM/DD.
func looksISO(text string) bool {
	return len(text) == len(isoDate) && (text[4] == '-' || text[4] == '/') && text[7] == text[4]
}

// serialDate returns the day that a serial number of Excel's 1900 system stands
// for, "" for none. That system counts a 29 February 1900, which never was, as
// day 60; 2,958,465 is the last day of the year 9999.
func serialDate(serial string) string {
	n, err := strconv.Atoi(serial)
	if err != nil || n < 1 || n > 2958465 || n == 60 {
		return ""
	}
	epoch := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	if n < 60 {
		n++
	}
	return epoch.AddDate(0, 0, n).Format(isoDate)
}

// birthLimits holds the days between which a date of birth is likely, as
// yyyy-mm-dd: dates of that form stand in the calendar's order as text.
type birthLimits struct{ earliest, latest, today string }

func newBirthLimits(today time.Time) birthLimits {
	return birthLimits{
		earliest: today.AddDate(-oldest, 0, 0).Format(isoDate),
		latest:   today.AddDate(-youngest, 0, 0).Format(isoDate),
		today:    today.Format(isoDate),
	}
}

// check says what is wrong or unlikely in a date of birth that is to be sent.
func (b birthLimits) check(label, date string) *fault {
	if calendarDate(date) == "" || date[4] != '-' {
		return refuse(RuleBadDate, label+" "+quote(date)+" is not a date of the form YYYY-MM-DD. Correct the cell or the mapping.")
	}
	unlikely := ""
	switch {
	case date > b.today:
		unlikely = "lies in the future"
	case date > b.latest:
		unlikely = "is less than " + strconv.Itoa(youngest) + " years ago"
	case date < b.earliest:
		unlikely = "is more than " + strconv.Itoa(oldest) + " years ago"
	default:
		return nil
	}
	return refuse(RuleUnlikelyDate, label+" "+date+" "+unlikely+". Correct the date, or leave the cell blank.")
}
