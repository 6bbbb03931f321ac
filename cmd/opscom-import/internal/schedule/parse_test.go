package schedule

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestErrorsSayWhatToWrite(t *testing.T) {
	for text, want := range map[string]string{
		"":                           `for every day at 04:15 write "15 4 * * *"`,
		"  ":                         `a schedule is empty`,
		"04:15":                      `schedule "04:15": for every day at 04:15 write "15 4 * * *"`,
		"15 4 * *":                   "it has 4 fields, not five",
		"0 15 4 * * *":               "it has 6 fields, not five",
		"61 4 * * *":                 `"61" is not valid as the minute; use numbers from 0 to 59`,
		"15 24 * * *":                `"24" is not valid as the hour`,
		"15 4 0 * *":                 `"0" is not valid as the day of the month`,
		"15 4 * 13 *":                `"13" is not valid as the month`,
		"15 4 * january *":           `jan to dec`,
		"15 4 * * 8":                 `"8" is not valid as the day of the week`,
		"15 22-4 * * *":              `"22-4" is not valid as the hour`,
		"15 4 * * 5-7-7":             `"5-7-7" is not valid`,
		"15 4 * * sat-fri":           `"sat-fri" is not valid`,
		"*/90 * * * *":               `"*/90" is not valid as the minute`,
		"*/0 * * * *":                `"*/0" is not valid as the minute`,
		"15 */24 * * *":              `"*/24" is not valid as the hour`,
		"*-5 4 * * *":                `"*-5" is not valid as the minute`,
		", 4 * * *":                  `"," is not valid as the minute`,
		"1,,2 4 * * *":               `"1,,2" is not valid`,
		"-5 4 * * *":                 `"-5" is not valid`,
		"1-2-3 4 * * *":              `"1-2-3" is not valid`,
		"*/5/5 4 * * *":              `"*/5/5" is not valid`,
		"0 4 30 2 *":                 "no such day ever comes",
		"0 4 31 4,6,9,11 *":          "no such day ever comes",
		"@every 90m":                 `an interval has no fixed times; for every quarter of an hour write "*/15 * * * *"`,
		"@Every 90m":                 "an interval has no fixed times",
		"@reboot":                    "there is no such name",
		"@daily 4":                   "there is no such name",
		"TZ=UTC":                     `take "TZ=UTC" out`, // the library panics
		"CRON_TZ=UTC 15 4 * * *":     `take "CRON_TZ=UTC" out`,
		"15 4 * * TZ=UTC":            "not valid as the day of the week",
		"15 4 * * \u0661":            "not valid",
		"15 4 * * 99999999999999999": "not valid",
	} {
		_, err := Parse(text, time.UTC)
		if err == nil {
			t.Errorf("%q is accepted", text)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

func TestSundayHasThreeNames(t *testing.T) {
	for text, want := range map[string]string{
		"0 4 * * 7": "Sun", "0 4 * * 0": "Sun", "0 4 * * sun": "Sun", "0 4 * * SUN,7": "Sun",
		"0 4 * * 6-7": "Sat Sun", "0 4 * * fri-7": "Fri Sat Sun", "0 4 * * 5-7,2": "Tue Fri Sat Sun",
		"0 4 * * sun-7": "Mon Tue Wed Thu Fri Sat Sun", "0 4 * * 0-7": "Mon Tue Wed Thu Fri Sat Sun", "0 4 * * 1-7": "Mon Tue Wed Thu Fri Sat Sun", "0 4 * * 7,1": "Mon Sun",
	} {
		monday := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
		var got []string
		for _, at := range between(parse(t, text, time.UTC), monday, monday.AddDate(0, 0, 7)) {
			got = append(got, at.Format("Mon"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	at := time.Date(2026, 11, 30, 4, 15, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"@hourly": "2026-11-30 05:00", "@daily": "2026-12-01 00:00", "@midnight": "2026-12-01 00:00",
		"@weekly": "2026-12-06 00:00", "@Monthly": "2026-12-01 00:00", "@yearly": "2027-01-01 00:00", "@annually": "2027-01-01 00:00",
	} {
		if got := parse(t, text, time.UTC).Next(at).Format("2006-01-02 15:04"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestZone(t *testing.T) {
	for _, name := range []string{"America/Toronto", "UTC", "Etc/UTC"} {
		if zone, err := Zone(name); err != nil || zone.String() != name {
			t.Errorf("%s: %v, %v", name, zone, err)
		}
	}
	for _, name := range []string{"", "Local"} {
		if zone, err := Zone(name); err != nil || zone != time.Local {
			t.Errorf("%q: %v, %v", name, zone, err)
		}
	}
	for _, name := range []string{"EST", "Toronto", "America/Torronto", "../etc/passwd", "GMT+5"} {
		if _, err := Zone(name); err == nil || !strings.Contains(err.Error(), "America/Toronto") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClock(t *testing.T) {
	for text, want := range map[string]string{"06:00": "06:00", "6:05": "06:05", "00:00": "00:00", "23:59": "23:59"} {
		if clock, err := ParseClock(text); err != nil || clock.String() != want {
			t.Errorf("%s: %s, %v", text, clock, err)
		}
	}
	for _, text := range []string{"", "24:00", "06:60", "6", "6am", "06:00:00", "-1:00", " 06:00", "06.00", "0600"} {
		if _, err := ParseClock(text); err == nil || !strings.Contains(err.Error(), "like 06:00") {
			t.Errorf("%q: %v", text, err)
		}
	}
	toronto := zoneOf(t, "America/Toronto")
	clock, err := ParseClock("02:30")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for at := time.Date(2026, 3, 7, 0, 0, 0, 0, toronto); len(got) < 3; {
		at = clock.Next(at, toronto)
		got = append(got, at.Format("02 15:04"))
	}
	if want := []string{"07 02:30", "08 03:00", "09 02:30"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"15 4 * * *", "*/15 1-5 1,15 jan-mar 5-7", "@daily", "TZ=", "@every 1s", "0 0 29 2 *"} {
		f.Add(seed)
	}
	zone := zoneOf(f, "America/Toronto")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text, zone)
		if err != nil {
			return
		}
		at := time.Date(2026, 11, 1, 0, 0, 0, 0, zone)
		for range 5 {
			next := s.Next(at)
			if !next.After(at) {
				t.Fatalf("%q after %s: %s", text, at, next)
			}
			at = next
		}
	})
}
