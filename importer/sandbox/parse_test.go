package sandbox

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opscom-import/mapping"
)

func TestParseFaults(t *testing.T) {
	for _, tc := range []struct {
		text string
		want Faults
	}{
		{"", Faults{}},
		{" ", Faults{}},
		{"latency=20ms, jitter=5ms", Faults{Latency: 20 * time.Millisecond, Jitter: 5 * time.Millisecond}},
		{"slow=1%:1s", Faults{Slow: Slow{Share: 0.01, For: time.Second}}},
		{"outage=100:50", Faults{Outage: Window{From: 100, Length: 50}}},
		{"outage=5m:1h,revoke=100", Faults{
			Outage: Window{After: 5 * time.Minute, For: time.Hour}, Revoked: Window{From: 100, Length: math.MaxInt64},
		}},
		{"revoke=90s", Faults{Revoked: Window{After: 90 * time.Second, For: math.MaxInt64}}},
		{"rate=20:200:1m", Faults{Rate: MovingRate{Low: 20, High: 200, Period: time.Minute}}},
		{"require=email+zip", Faults{Require: []mapping.Attribute{mapping.Email, mapping.PostalCode}}},
		{"drip=1%,endless=1,bomb=1", Faults{Failures: []Failure{
			{Kind: Drip, Share: 0.01, Over: 10 * time.Second}, {Kind: Endless, First: 1}, {Kind: Bomb, First: 1},
		}}},
		{"drip=1:2s", Faults{Failures: []Failure{{Kind: Drip, First: 1, Over: 2 * time.Second}}}},
		{"429=5%:2s,429-date=1:3s,503=2%", Faults{Failures: []Failure{
			{Kind: TooMany, Share: 0.05, RetryAfter: 2 * time.Second},
			{Kind: TooManyUntil, First: 1, RetryAfter: 3 * time.Second},
			{Kind: ServiceUnavailable, Share: 0.02},
		}}},
		{"drop-before=0.5%,hang=2", Faults{Failures: []Failure{{Kind: DropBefore, Share: 0.005}, {Kind: Hang, First: 2}}}},
		{"code=1,lie=100%", Faults{Failures: []Failure{{Kind: CodeIn200, First: 1, Code: 9022}, {Kind: Lie, Share: 1}}}},
		{"code=1%:9001", Faults{Failures: []Failure{{Kind: CodeIn200, Share: 0.01, Code: 9001}}}},
	} {
		got, err := ParseFaults(tc.text)
		if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("ParseFaults(%q): %v, differs (-want +got):\n%s", tc.text, err, diff)
		}
	}
}

func TestParseFaultsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"drop-befor=1%":     `no fault "drop-befor"; the nearest is "drop-before"`,
		"latancy=1ms":       `the nearest is "latency"`,
		"505=1%":            "The faults are latency, jitter",
		"latency":           "write it like latency=20ms",
		"latency=20":        `cannot read "20"`,
		"latency=-1s":       "must not be negative",
		"jitter=-1s":        "must not be negative",
		"slow=1%":           "write it like slow=1%:1s",
		"slow=200%:1s":      "between 0 and 100 %",
		"slow=1:1s":         "write it like slow=1%:1s",
		"outage=1m:2":       "write it like outage=100:50",
		"outage=-1m:2m":     "must not be negative",
		"revoke=":           "write it like revoke=100:50",
		"rate=20":           "write it like rate=20:200:1m",
		"rate=x:200:1m":     "write it like rate=20:200:1m",
		"rate=20:200":       "write it like rate=20:200:1m",
		"rate=0:200:1m":     "must be over 0",
		"rate=20:10:1m":     "not below the first",
		"rate=20:200:0s":    "its time over 0",
		"require=emial":     "write it like require=email+first_name",
		"drip=1:-2s":        "must not be negative",
		"drip=1:soon":       `cannot read "soon"`,
		"outage=x:1":        "write it like outage=100:50",
		"outage=1:-1":       "must not be negative",
		"hang=often":        `cannot read "often"`,
		"hang=NaN%":         "between 0 and 100 %",
		"hang=-1":           "its count 0 or more",
		"hang=1%:2s":        "takes nothing after the colon",
		"503=1%:soon":       `cannot read "soon"`,
		"code=1%:many":      `cannot read "many"`,
		"hang=1%,hang=2%":   "given twice",
		"hang=60%,lie=60%":  "add up to 120 %",
		"hang=1%,,lie=1%":   `no fault ""`,
		"latency=1ms;lie=1": "cannot read",
	} {
		if _, err := ParseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseFaults(%q): %v; want an error with %q", text, err, want)
		}
	}
}
