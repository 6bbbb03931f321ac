package report

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                     "0 s",
		499 * time.Millisecond:                "0 s",
		59*time.Second + 600*time.Millisecond: "1 min",
		45 * time.Second:                      "45 s",
		131 * time.Second:                     "2 min 11 s",
		time.Hour:                             "1 h",
		3*time.Hour + 5*time.Minute + 59*time.Second: "3 h 5 min",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestHang(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-zé]{1,20} ){0,40}`).Draw(t, "text")
		indent := rapid.IntRange(0, 10).Draw(t, "indent")
		got := hang(text, indent)
		if strings.Join(strings.Fields(got), " ") != strings.TrimSpace(text) {
			t.Fatalf("%q lost words of %q", got, text)
		}
		for line := range strings.Lines(got) {
			line = strings.TrimSuffix(line, "\n")
			if textWidth(line) > lineWidth || !strings.HasPrefix(line, strings.Repeat(" ", indent)) || strings.HasSuffix(line, " ") {
				t.Fatalf("bad line %q", line)
			}
		}
	})
}
