package schedule

import (
	"fmt"
	"time"
)

// Clock is a time of each day, such as 06:00.
type Clock struct{ hour, minute int }

// ParseClock reads a time of the day from 00:00 to 23:59.
func ParseClock(text string) (Clock, error) {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return Clock{}, fmt.Errorf("%q is not a time of the day; write it like 06:00, from 00:00 to 23:59", text)
	}
	return Clock{t.Hour(), t.Minute()}, nil
}

// String returns the time with two digits each, as 06:00.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", c.hour, c.minute) }

func (c Clock) cron() string { return fmt.Sprintf("%d %d * * *", c.minute, c.hour) }

// Next returns the first instant after the given one at which the clocks of the zone show
// the time, by the same law of daylight saving as a Schedule: once each day.
func (c Clock) Next(after time.Time, zone *time.Location) time.Time {
	daily, err := Parse(c.cron(), zone)
	if err != nil {
		panic(err) // every Clock is a valid schedule
	}
	return daily.Next(after)
}
