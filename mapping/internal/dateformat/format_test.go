package dateformat

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestLeapDayOfAnotherCentury: 1900 was not a leap year.
func TestLeapDayOfAnotherCentury(t *testing.T) {
	form, err := New("DD/MM/YY")
	if err != nil {
		t.Fatal(err)
	}
	if born, err := form.Parse("29/02/00", time.Date(2005, time.January, 1, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Errorf("got %s, want an error: the only 29 February 00 is less than 10 years ago", born.Format(time.DateOnly))
	}
}

func TestMistakes(t *testing.T) {
	for form, want := range map[string]string{
		"DD/MM":          `"DD/MM" has no year; write it with YYYY, as in DD/MM/YYYY`,
		"YYYY":           `"YYYY" has no month`,
		"DD/MM/YYY":      `there is no date token "YYY"; the nearest is "YYYY"`,
		"DD/MM/YYYY HH":  `there is no date token "HH"; write a format such as`,
		"DD:MM:YYYY":     `there is no date token ":"`,
		"DD/MM/YYYY/D":   `"DD/MM/YYYY/D" gives the day twice`,
		"DMYYYY":         `"DMYYYY" is ambiguous: write DD where there is no separator beside it`,
		"éé":             `there is no date token "ÉÉ"`,
		" ":              `the date format is blank`,
		"MMM/MM/DD/YYYY": `gives the month twice`,
	} {
		if _, err := New(form); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New(%q) = %v, want %q", form, err, want)
		}
	}
}

// TestISOAgrees compares the calendar of this package with that of package time.
func TestISOAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[0-9]{4}[-/][0-3][0-9][-/][0-3][0-9]`).Draw(t, "text")
		layout := time.DateOnly
		if text[4] == '/' {
			layout = "2006/01/02"
		}
		want := ""
		if day, err := time.Parse(layout, text); err == nil {
			want = day.Format(time.DateOnly)
		}
		if got := ISO(text); got != want {
			t.Fatalf("ISO(%q) = %q, want %q", text, got, want)
		}
	})
}
