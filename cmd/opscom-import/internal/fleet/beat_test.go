package fleet

import (
	"testing"
	"time"
)

// TestSpeed measures over the last beats, and not over all of a worker's life.
func TestSpeed(t *testing.T) {
	now := time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)
	s := newSpeed(now)
	if got := s.measure(now, 0); got != 0 {
		t.Errorf("%v rows a second at the beginning, want 0", got)
	}
	var rows int64
	for range 20 {
		now, rows = now.Add(3*time.Second), rows+30
		if got := s.measure(now, rows); got < 9 || got > 10 {
			t.Fatalf("%v rows a second, want 10", got)
		}
	}
	for range speedBeats {
		now = now.Add(3 * time.Second)
		s.measure(now, rows)
	}
	if got := s.measure(now.Add(3*time.Second), rows); got != 0 {
		t.Errorf("%v rows a second after a pause, want 0", got)
	}
}
