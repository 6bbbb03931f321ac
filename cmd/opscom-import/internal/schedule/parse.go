package schedule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// field is one of the five of the cron syntax.
type field struct {
	name    string
	last    int // largest number
	example string
}

var fields = [...]field{
	{"minute", 59, "numbers from 0 to 59, such as 15, 0,30, 10-20 or */15"},
	{"hour", 23, "numbers from 0 to 23, such as 4, 6,18, 8-17 or */2"},
	{"day of the month", 31, "numbers from 1 to 31, such as 1, 1,15 or 1-7"},
	{"month", 12, "numbers from 1 to 12 or jan to dec, such as 9, jan,sep or 5-8"},
	{"day of the week", 7, "numbers from 0 (Sunday) to 6, 7 (Sunday too), or sun to sat, such as 1-5 or sat,sun"},
}

// Parse reads a schedule of five fields, as of cron: minute, hour, day of the month, month
// and day of the week, or @hourly, @daily, @midnight, @weekly, @monthly, @yearly or
// @annually. If both kinds of day are given, either is enough. The times are those of the
// zone's clocks; it must not be nil.
//
// An error says what is wrong and what to write.
func Parse(text string, zone *time.Location) (Schedule, error) {
	parts := strings.Fields(text)
	clean := strings.Join(parts, " ")
	fail := func(format string, args ...any) (Schedule, error) {
		return Schedule{}, fmt.Errorf("schedule %q: %s", clean, fmt.Sprintf(format, args...))
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	var standard string
	switch {
	case clean == "":
		return Schedule{}, errors.New(`a schedule is empty; for every day at 04:15 write "15 4 * * *"`)
	case strings.Contains(parts[0], "="):
		return fail("the time zone is a setting of its own; take %q out", parts[0])
	case strings.EqualFold(parts[0], "@every"):
		return fail("an interval has no fixed times; for every quarter of an hour write %q", "*/15 * * * *")
	case strings.HasPrefix(clean, "@"):
		standard = strings.ToLower(clean)
	case len(parts) != len(fields):
		if clock, err := ParseClock(clean); err == nil {
			return fail("for every day at %s write %q", clock, clock.cron())
		}
		return fail("it has %d fields, not five: minute, hour, day of the month, month, day of the week; for every day at 04:15 write %q", len(parts), "15 4 * * *")
	default:
		for i := range fields {
			if err := fields[i].check(parser, parts, i); err != nil {
				return fail("%v", err)
			}
		}
		standard = strings.Join(parts, " ")
	}
	parsed, err := parser.Parse(standard)
	calendar, ok := parsed.(*cron.SpecSchedule)
	if err != nil || !ok {
		return fail("there is no such name; use five fields, or @hourly, @daily, @weekly, @monthly or @yearly")
	}
	calendar.Location = time.UTC
	if calendar.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Second)).IsZero() {
		return fail("no such day ever comes")
	}
	const everyHour = 1<<24 - 1
	interval := calendar.Hour&everyHour == everyHour || strings.HasPrefix(standard, "*")
	return Schedule{text: clean, zone: zone, calendar: calendar, interval: interval}, nil
}

// check judges one of five fields, with the others free. It writes Sunday as the
// library has it.
func (f field) check(parser cron.Parser, parts []string, i int) error {
	given := parts[i]
	items := strings.Split(given, ",")
	ok := true
	for j, item := range items {
		body, step, stepped := strings.Cut(item, "/")
		if n, err := strconv.Atoi(step); stepped && (err != nil || n > f.last) {
			ok = false // cron programs take */90 for 0, and never every 90 minutes
		}
		if i == len(fields)-1 && !stepped {
			items[j] = sunday(body)
		}
		if body == "" || body != "*" && strings.Contains(body, "*") {
			ok = false // the library leaves out the one, and takes *-5 for *
		}
	}
	parts[i] = strings.Join(items, ",")
	alone := []string{"*", "*", "*", "*", "*"}
	alone[i] = parts[i]
	if _, err := parser.Parse(strings.Join(alone, " ")); err != nil || !ok {
		return fmt.Errorf("%q is not valid as the %s; use %s", given, f.name, f.example)
	}
	return nil
}

// sunday writes 7, which is Sunday for cron, as the 0 that the library knows.
func sunday(item string) string {
	if item == "7" {
		return "0"
	}
	if first, found := strings.CutSuffix(item, "-7"); found {
		return "0," + first + "-6" // of 6-7 it is 6-6, which is valid
	}
	return item
}

// Zone returns the time zone of a name of the IANA database, as "America/Toronto", or
// "UTC"; for "" and "Local" it is this machine's. Abbreviations such as EST are an error:
// in summer they would be an hour wrong.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return time.Local, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || !strings.Contains(name, "/") && name != "UTC" {
		return nil, fmt.Errorf("there is no time zone %q; write UTC or one of the IANA names, such as America/Toronto", name)
	}
	return zone, nil
}
