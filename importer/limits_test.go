package importer

import "testing"

func TestParseLimit(t *testing.T) {
	for _, tc := range []struct {
		text string
		want Limit
		ok   bool
	}{
		{"10%", Limit{Set: true, Percent: 10}, true},
		{" 2.5 % ", Limit{Set: true, Percent: 2.5}, true},
		{"100%", Limit{Set: true, Percent: 100}, true},
		{"25", Limit{Set: true, Count: 25}, true},
		{"0", Limit{Set: true}, true},
		{"off", Limit{}, true},
		{"OFF", Limit{}, true},
		{"", Limit{}, true},
		{"0%", Limit{}, false},
		{"101%", Limit{}, false},
		{"-5", Limit{}, false},
		{"NaN%", Limit{}, false},
		{"2.5", Limit{}, false},
		{"a few", Limit{}, false},
	} {
		got, err := ParseLimit(tc.text)
		if got != tc.want || (err == nil) != tc.ok {
			t.Errorf("ParseLimit(%q) = %+v, %v; want %+v, ok %v", tc.text, got, err, tc.want, tc.ok)
		}
		if !tc.ok {
			continue
		}
		if again, err := ParseLimit(got.String()); err != nil || again != got {
			t.Errorf("ParseLimit(%q.String()) = %+v, %v", tc.text, again, err)
		}
	}
}

func TestLimitExceeded(t *testing.T) {
	for _, tc := range []struct {
		limit string
		n, of int
		want  bool
	}{
		{"off", 1000, 1000, false},
		{"25", 25, 1000, false},
		{"25", 26, 1000, true},
		{"0", 0, 1000, false},
		{"0", 1, 1000, true},
		{"10%", 100, 1000, false},
		{"10%", 101, 1000, true},
		{"10%", 10, 12, false}, // a percentage always allows 10 rows
		{"10%", 11, 12, true},
		{"10%", 11, 1000, false},
		{"0.1%", 11, 10_000, true},
	} {
		limit, err := ParseLimit(tc.limit)
		if err != nil {
			t.Fatal(err)
		}
		if got := limit.Exceeded(tc.n, tc.of); got != tc.want {
			t.Errorf("%s: Exceeded(%d, %d) = %v, want %v", tc.limit, tc.n, tc.of, got, tc.want)
		}
	}
}

func TestLimitBelow(t *testing.T) {
	for _, tc := range []struct {
		limit string
		n, of int
		want  bool
	}{
		{"off", 0, 1000, false},
		{"500", 499, 0, true},
		{"500", 500, 0, false},
		{"90%", 899, 1000, true},
		{"90%", 900, 1000, false},
		{"90%", 3, 0, false}, // no run before this one to compare with
		{"90%", 3, 5, true},  // no least number of rows here
	} {
		limit, err := ParseLimit(tc.limit)
		if err != nil {
			t.Fatal(err)
		}
		if got := limit.Below(tc.n, tc.of); got != tc.want {
			t.Errorf("%s: Below(%d, %d) = %v, want %v", tc.limit, tc.n, tc.of, got, tc.want)
		}
	}
}
