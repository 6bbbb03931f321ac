// Package schedule says when something is due: a time in cron syntax and a time zone
// go in, the next instant comes out. It is pure: nothing here waits or asks the time.
//
//	zone, err := schedule.Zone("America/Toronto")
//	s, err := schedule.Parse("15 4 * * mon-fri", zone)
//	s.Next(now)     // the next 04:15 from Monday to Friday, there
//
// # Daylight saving
//
// A time runs at the first instant at which the clocks of its zone show it or a later
// time. So no time of the calendar is lost and none runs twice, in any zone:
//
//   - A time that is skipped runs at the instant at which the clocks jump over it. Several
//     such times of one schedule, and one that is due right then, run once together.
//   - A time that comes twice runs the first time only.
//
// A schedule that gives an interval goes on at its pace while an hour comes twice: it
// runs in both. It is one whose hour is every hour, or whose minute begins with *, as in
// "30 * * * *" and "*/15 1-5 * * *".
package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is when something runs again and again. The zero Schedule never runs.
type Schedule struct {
	text     string
	zone     *time.Location
	calendar *cron.SpecSchedule // of clock times, kept as if they were UTC
	interval bool               // runs in both of the hours that come twice
}

// String returns the schedule as it was given, each run of white space as one space.
func (s Schedule) String() string { return s.text }

// Zone returns the time zone of its times, nil for the zero Schedule.
func (s Schedule) Zone() *time.Location { return s.zone }

// Next returns the first instant after the given one at which the schedule runs, in its
// zone; never after itself. It is the zero time if there is none.
func (s Schedule) Next(after time.Time) time.Time {
	if s.calendar == nil {
		return time.Time{}
	}
	at := after.Round(0).In(s.zone)
	for shown := s.lastShown(at); ; {
		clock := s.nextClock(shown)
		if clock.IsZero() {
			return time.Time{}
		}
		end := nextChange(at)
		due := clock.Add(-offset(at)).In(s.zone)
		if end.IsZero() || due.Before(end) {
			return due
		}
		before, now := end.UTC().Add(offset(at)), clockOf(end)
		if !clock.After(now) {
			return end // skipped, or due right then
		}
		if s.interval && now.Before(before) {
			shown = now.Add(-time.Second)
		}
		at = end
	}
}

// lastShown returns the clock time up to which everything has run at an instant. It is
// what the clock shows, or while an hour comes again, a second before the time at which it
// was set back.
func (s Schedule) lastShown(at time.Time) time.Time {
	shown := clockOf(at)
	if s.interval {
		return shown
	}
	const most = 48 * time.Hour // no clock is set back by more
	for start, _ := at.ZoneBounds(); !start.IsZero() && at.Sub(start) < most; {
		earlier := start.Add(-time.Second).In(s.zone)
		if end := clockOf(earlier); end.After(shown) {
			shown = end
		}
		start, _ = earlier.ZoneBounds()
	}
	return shown
}

// nextClock returns the next clock time of the calendar, the zero time if there is none.
func (s Schedule) nextClock(after time.Time) time.Time {
	const last = 59 * time.Second // of its minute: the library tries each second
	after = after.Truncate(time.Minute).Add(last)
	next := s.calendar.Next(after)
	if next.IsZero() {
		// The library looks ahead for five years; from 2096 there is no leap day for eight.
		next = s.calendar.Next(after.AddDate(4, 0, 0))
	}
	return next
}

// nextChange returns the next instant at which the clocks of a time's zone may be set, the
// zero time if they never are again.
func nextChange(at time.Time) time.Time {
	_, end := at.ZoneBounds()
	if !end.IsZero() && !end.After(at) {
		// Where a zone goes by a rule, Go ends each year after 365 days, and so a leap year
		// a day early.
		const day = 24 * time.Hour
		end = at.UTC().Truncate(day).Add(day).In(at.Location())
	}
	return end
}

// clockOf returns what the clocks of a time's zone show, as if it were UTC.
func clockOf(t time.Time) time.Time { return t.UTC().Add(offset(t)) }

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}
