package schedule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

// zoneNames have what time zones do: no daylight saving, both hemispheres, half an hour of
// it, jumps at midnight, a skipped day, Ramadan, rules that were dropped or moved.
func zoneNames() []string {
	return strings.Fields(`UTC Etc/GMT+12 America/Toronto America/St_Johns America/Halifax America/Vancouver
		America/Edmonton America/Regina America/Whitehorse America/Iqaluit America/New_York America/Phoenix
		America/Sao_Paulo America/Asuncion America/Santiago America/Havana America/Nuuk America/Scoresbysund
		America/Caracas America/Mexico_City Atlantic/Azores Europe/London Europe/Dublin Europe/Berlin
		Europe/Paris Europe/Lisbon Europe/Moscow Europe/Istanbul Europe/Volgograd Africa/Casablanca
		Africa/Cairo Africa/Juba Africa/Sao_Tome Asia/Beirut Asia/Gaza Asia/Amman Asia/Tehran Asia/Kolkata
		Asia/Kathmandu Asia/Pyongyang Asia/Dhaka Antarctica/Troll Antarctica/Casey Australia/Lord_Howe
		Australia/Sydney Pacific/Apia Pacific/Fakaofo Pacific/Kwajalein Pacific/Chatham Pacific/Kiritimati
		Pacific/Auckland Pacific/Norfolk`)
}

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func parse(t rapid.TB, text string, zone *time.Location) Schedule {
	t.Helper()
	s, err := Parse(text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// between lists when a schedule runs after one instant and until another.
func between(s Schedule, after, until time.Time) []time.Time {
	var due []time.Time
	for at := s.Next(after); !at.IsZero() && !at.After(until); at = s.Next(at) {
		due = append(due, at)
		if len(due) > 1<<20 {
			panic("a schedule stands still at " + at.String())
		}
	}
	return due
}

func TestDaylightSaving(t *testing.T) {
	for _, test := range []struct {
		text, zone, after, until string
		want                     string // with offsets where they change
	}{
		// skipped: at the jump
		{"30 2 * * *", "America/Toronto", "2026-03-07T12:00", "2026-03-09T12:00", "08 03:00-04, 09 02:30-04"},
		{"0,20,40 2 * * *", "America/Toronto", "2026-03-07T12:00", "2026-03-08T12:00", "08 03:00-04"},
		{"30 2,3 * * *", "America/Toronto", "2026-03-07T12:00", "2026-03-08T12:00", "08 03:00-04, 08 03:30-04"},
		{"0 2,3 * * *", "America/Toronto", "2026-03-07T12:00", "2026-03-08T12:00", "08 03:00-04"},
		// twice: the first time
		{"30 1 * * *", "America/Toronto", "2026-10-31T12:00", "2026-11-02T12:00", "01 01:30-04, 02 01:30-05"},
		{"0 1,2 * * *", "America/Toronto", "2026-10-31T12:00", "2026-11-01T12:00", "01 01:00-04, 01 02:00-05"},
		{"0 */2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T05:00", "25 02:00+02, 25 04:00+01"},
		// asked in the second of them
		{"30 1 * * *", "America/Toronto", "2026-11-01T01:10-05", "2026-11-02T12:00", "02 01:30-05"},
		{"0 2 * * *", "America/Toronto", "2026-11-01T01:10-05", "2026-11-01T12:00", "01 02:00-05"},
		{"0,15 0 * * *", "Atlantic/Azores", "2026-10-25T00:10-01", "2026-10-26T00:05", "26 00:00-01"},
		{"*/30 * * * *", "America/Toronto", "2026-11-01T01:10-05", "2026-11-01T02:00", "01 01:30-05, 01 02:00-05"},
		// half an hour
		{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", "2026-10-05T12:00", "04 02:30+11, 05 02:15+11"},
		{"45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00", "2026-04-06T12:00", "05 01:45+11, 06 01:45+1030"},
		// midnight
		{"0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00", "2018-11-05T12:00", "04 01:00-02, 05 00:00-02"},
		{"30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00", "2018-02-18T23:45", "17 23:30-02, 18 23:30-03"},
		{"@daily", "Asia/Beirut", "2024-03-30T12:00", "2024-04-01T12:00", "31 01:00+03, 01 00:00+03"},
		// Samoa had no 30 December 2011
		{"0 4 * * *", "Pacific/Apia", "2011-12-29T00:00", "2011-12-31T12:00", "29 04:00-10, 31 00:00+14, 31 04:00+14"},
		{"0 4 30 12 *", "Pacific/Apia", "2011-12-29T00:00", "2012-12-30T12:00", "31 00:00+14, 30 04:00+14"},
		// back and forth around Ramadan
		{"30 2 * * *", "Africa/Casablanca", "2026-02-14T12:00", "2026-02-16T12:00", "15 02:30+01, 16 02:30+00"},
		{"30 2 * * *", "Africa/Casablanca", "2026-03-21T12:00", "2026-03-23T12:00", "22 03:00+01, 23 02:30+01"},
		// two hours
		{"30 1 * * *", "Antarctica/Troll", "2026-03-28T12:00", "2026-03-30T12:00", "29 03:00+02, 30 01:30+02"},
		// intervals go on at their pace
		{"*/30 * * * *", "America/Toronto", "2026-11-01T00:30", "2026-11-01T02:30", "01 01:00-04, 01 01:30-04, 01 01:00-05, 01 01:30-05, 01 02:00-05, 01 02:30-05"},
		{"*/30 1-2 * * *", "America/Toronto", "2026-11-01T00:30", "2026-11-01T03:30", "01 01:00-04, 01 01:30-04, 01 01:00-05, 01 01:30-05, 01 02:00-05, 01 02:30-05"},
		{"10 * * * *", "America/Toronto", "2026-11-01T00:30", "2026-11-01T02:30", "01 01:10-04, 01 01:10-05, 01 02:10-05"},
		{"@hourly", "Australia/Lord_Howe", "2026-04-05T00:30", "2026-04-05T03:30", "05 01:00+11, 05 02:00+1030, 05 03:00+1030"},
		{"*/20 * * * *", "America/Toronto", "2026-03-08T01:20", "2026-03-08T03:20", "08 01:40-05, 08 03:00-04, 08 03:20-04"},
		{"30 * * * *", "America/Toronto", "2026-03-08T01:00", "2026-03-08T03:45", "08 01:30-05, 08 03:00-04, 08 03:30-04"},
	} {
		zone := zoneOf(t, test.zone)
		instant := func(text string) time.Time {
			at, err := time.Parse("2006-01-02T15:04Z07", text)
			if err != nil {
				at, err = time.ParseInLocation("2006-01-02T15:04", text, zone)
			}
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		var got []string
		for _, at := range between(parse(t, test.text, zone), instant(test.after), instant(test.until)) {
			text := at.Format("02 15:04-0700")
			if whole, ok := strings.CutSuffix(text, "00"); ok {
				text = whole
			}
			got = append(got, text)
		}
		if got := strings.Join(got, ", "); got != test.want {
			t.Errorf("%s in %s:\n got %s\nwant %s", test.text, test.zone, got, test.want)
		}
	}
}

// firstShown is the law, by trial: the first minute at which the clocks of a zone show a
// time or a later one.
func firstShown(clock time.Time, zone *time.Location) time.Time {
	const around = 27 * time.Hour
	from, until := clock.Add(-around).In(zone), clock.Add(around).In(zone)
	steady := true
	for at := from; at.Before(until); at = at.Add(9 * time.Hour) {
		steady = steady && offset(at) == offset(until)
	}
	if steady {
		return clock.Add(-offset(from)).In(zone)
	}
	for at := from; at.Before(until); at = at.Add(time.Minute) {
		if !clockOf(at).Before(clock) {
			return at
		}
	}
	panic("never shown: " + clock.String())
}

// A time of each day runs once for each day of thirty years, whatever the zone does.
func TestOnceForEachDay(t *testing.T) {
	first, last := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	names := zoneNames()
	if testing.Short() {
		names = []string{"America/Toronto", "Pacific/Apia", "Australia/Lord_Howe"}
	}
	for i, name := range names {
		zone := zoneOf(t, name)
		for _, clock := range []Clock{{2, 30}, {(i * 23) % 24, (i * 11) % 60}} {
			var want []time.Time
			for day := first; day.Before(last); day = day.AddDate(0, 0, 1) {
				want = append(want, firstShown(day.Add(time.Duration(clock.hour)*time.Hour+time.Duration(clock.minute)*time.Minute), zone))
			}
			want = slices.CompactFunc(want, time.Time.Equal)
			got := between(parse(t, clock.cron(), zone), want[0].Add(-time.Second), want[len(want)-1])
			if !slices.EqualFunc(got, want, time.Time.Equal) {
				t.Errorf("%s at %s: %d runs, want %d; first other one at %d", name, clock, len(got), len(want), firstOther(got, want))
			}
			// only where a whole day is skipped do two days share a run
			if days := int(last.Sub(first).Hours() / 24); len(want) < days-1 || len(want) < days && name != "Pacific/Apia" && name != "Pacific/Fakaofo" {
				t.Errorf("%s at %s: %d runs in %d days", name, clock, len(want), days)
			}
		}
	}
}

func firstOther(a, b []time.Time) int {
	for i := range min(len(a), len(b)) {
		if !a[i].Equal(b[i]) {
			return i
		}
	}
	return min(len(a), len(b))
}

// changes are the instants at which the clocks of a zone are set.
func changes(zone *time.Location) []time.Time {
	var all []time.Time
	until := time.Date(2035, 1, 1, 0, 0, 0, 0, zone)
	for at := time.Date(1985, 1, 1, 0, 0, 0, 0, zone); ; {
		end := nextChange(at)
		if end.IsZero() || end.After(until) {
			return all
		}
		all = append(all, end)
		at = end
	}
}

// Any schedule, in the days around any change of any zone, runs when the law says so.
func TestAnySchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zoneNames()).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		middle := time.Date(2020, 5, 5, 5, 5, 0, 0, zone)
		if all := changes(zone); len(all) > 0 {
			middle = rapid.SampledFrom(all).Draw(t, "change")
		}
		minutes := rapid.SliceOfNDistinct(rapid.IntRange(0, 59), 1, 4, rapid.ID).Draw(t, "minutes")
		hours := rapid.SliceOfNDistinct(rapid.IntRange(0, 23), 1, 24, rapid.ID).Draw(t, "hours")
		minuteText, hourText := list(minutes), list(hours)
		interval := len(hours) == 24
		if rapid.Bool().Draw(t, "every hour") {
			hourText, hours, interval = "*", numbers(24, 1), true
		}
		if rapid.Bool().Draw(t, "every some minutes") {
			step := rapid.IntRange(2, 59).Draw(t, "step")
			minuteText, minutes, interval = fmt.Sprintf("*/%d", step), numbers(60, step), true
		}
		matches := func(clock time.Time) bool {
			return clock.Second() == 0 && slices.Contains(minutes, clock.Minute()) && slices.Contains(hours, clock.Hour())
		}
		from, until := middle.Add(-30*time.Hour), middle.Add(30*time.Hour)
		var want []time.Time
		for clock := clockOf(from).Truncate(time.Minute).Add(-27 * time.Hour); clock.Before(clockOf(until).Add(27 * time.Hour)); clock = clock.Add(time.Minute) {
			if matches(clock) {
				want = append(want, firstShown(clock, zone))
			}
		}
		for at := from; interval && at.Before(until); at = at.Add(time.Minute) {
			if matches(clockOf(at)) {
				want = append(want, at)
			}
		}
		want = slices.DeleteFunc(want, func(at time.Time) bool { return !at.After(from) || at.After(until) })
		slices.SortFunc(want, time.Time.Compare)
		want = slices.CompactFunc(want, time.Time.Equal)
		s := parse(t, minuteText+" "+hourText+" * * *", zone)
		got := between(s, from, until)
		if !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Fatalf("%s in %s\n got %v\nwant %v", s, zone, got, want)
		}
		// from any instant, not only from one run to the next
		at := from.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(from))).Draw(t, "after")))
		later := slices.IndexFunc(want, func(due time.Time) bool { return due.After(at) })
		if later >= 0 && !s.Next(at).Equal(want[later]) {
			t.Fatalf("%s after %s: %s, want %s", s, at, s.Next(at), want[later])
		}
	})
}

func list(of []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(of), " ", ","), "[]")
}

func numbers(below, step int) []int {
	var all []int
	for n := 0; n < below; n += step {
		all = append(all, n)
	}
	return all
}

func TestNextIsInTheZoneAndAfter(t *testing.T) {
	zone := zoneOf(t, "America/Toronto")
	at := time.Date(2026, 11, 30, 9, 15, 0, 0, time.UTC) // 04:15 in Toronto
	s := parse(t, "15  4 * *\t*", zone)
	if next := s.Next(at.Add(-1)); !next.Equal(at) || next.Location() != zone {
		t.Errorf("a nanosecond before: %s", next)
	}
	if next := s.Next(at); !next.Equal(at.AddDate(0, 0, 1)) {
		t.Errorf("right then: %s", next)
	}
	if s.String() != "15 4 * * *" || s.Zone() != zone {
		t.Errorf("%q in %s", s, s.Zone())
	}
	if next := (Schedule{}).Next(at); !next.IsZero() {
		t.Errorf("the zero schedule runs at %s", next)
	}
}

// ruled returns a zone that has only a rule, as in a database that lists no years, from the
// footer of its file (RFC 9636).
func ruled(t *testing.T, rule string) *time.Location {
	t.Helper()
	header := "TZif2" + strings.Repeat("\x00", 15)
	block := "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x04" +
		"\xff\xff\xb9\xb0\x00\x00EST\x00"
	zone, err := time.LoadLocationFromTZData(rule, []byte(header+block+header+block+"\n"+rule+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// Go's time.ZoneBounds returns an end in the past on the last day of a leap year.
func TestZonesThatHaveOnlyARule(t *testing.T) {
	zone := ruled(t, "EST5EDT,M3.2.0,M11.1.0")
	if at := time.Date(2028, 7, 1, 0, 0, 0, 0, zone); offset(at) != -4*time.Hour {
		t.Fatalf("in summer the zone is %s from UTC", offset(at))
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
	s := parse(t, "30 2 * * *", zone)
	var want []time.Time
	for day := time.Date(2026, 1, 1, 2, 30, 0, 0, time.UTC); day.Year() < 2046; day = day.AddDate(0, 0, 1) {
		want = append(want, firstShown(day, zone))
	}
	if got := between(s, from, want[len(want)-1]); !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("%d runs, want %d; first other one at %d", len(got), len(want), firstOther(got, want))
	}
	if next := parse(t, "0 0 29 2 *", zone).Next(time.Date(2028, 12, 31, 12, 0, 0, 0, zone)); next.Year() != 2032 {
		t.Errorf("from a leap year's last day to %s", next)
	}
}

// From 2096 to 2104 there is no leap day.
func TestRareDays(t *testing.T) {
	leap := parse(t, "0 4 29 2 *", time.UTC)
	if next := leap.Next(time.Date(2096, 3, 1, 0, 0, 0, 0, time.UTC)); next.Year() != 2104 {
		t.Errorf("the leap day after 2096 is %s", next)
	}
	if next := leap.Next(time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)); next.Year() != 2028 {
		t.Errorf("the leap day after 2025 is %s", next)
	}
	monday := parse(t, "0 4 30 2 mon", time.UTC) // either kind of day is enough
	if next := monday.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); next.Format(time.DateOnly) != "2026-02-02" {
		t.Errorf("the first Monday in February is %s", next)
	}
}
