package watch

import (
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/schedule"
	"opscom-import/importer"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// at is a time of 30 November 2026, or of the days after it.
func at(day, hour, minute int) time.Time {
	return time.Date(2026, 11, 30+day, hour, minute, 0, 0, time.UTC)
}

func testWindow(t *testing.T, cron, notAfter string) *window {
	t.Helper()
	s := must[schedule.Schedule](t)(schedule.Parse(cron, time.UTC))
	w := &window{at: &s, zone: time.UTC, jitter: func() time.Duration { return 2 * time.Minute }}
	if notAfter != "" {
		clock := must[schedule.Clock](t)(schedule.ParseClock(notAfter))
		w.notAfter = &clock
	}
	return w
}

func TestWindow(t *testing.T) {
	w := testWindow(t, "0 4 * * *", "6:00")
	check := func(now time.Time, want bool, next time.Time) {
		t.Helper()
		if got, changes := w.open(now, nil); got != want || !changes.Equal(next) {
			t.Errorf("at %v: open %t until %v, want %t until %v", now, got, changes, want, next)
		}
	}
	check(at(0, 3, 0), false, at(0, 4, 0))
	check(at(0, 4, 0), false, at(0, 4, 2)) // the jitter
	check(at(0, 4, 2), true, at(0, 6, 0))
	check(at(0, 5, 59), true, at(0, 6, 0))
	if w.isOver(at(0, 5, 59), false) || !w.isOver(at(0, 6, 0), true) {
		t.Error("the window is over too early or too late")
	}
	w.close()
	check(at(0, 6, 0), false, at(1, 4, 0))
	check(at(3, 4, 30), true, at(3, 6, 0)) // three nights later: only the last counts
	w.close()
	check(at(5, 7, 0), false, at(6, 4, 0)) // what was missed is missed: it is after 6:00
}

func TestWindowWithoutAnEnd(t *testing.T) {
	w := testWindow(t, "0 4 * * *", "")
	w.open(at(0, 3, 0), nil)
	if isOpen, _ := w.open(at(2, 9, 0), nil); !isOpen || !w.due.Equal(at(2, 4, 0)) {
		t.Errorf("open %t, due %v: what was missed is made up for once", isOpen, w.due)
	}
	if !w.isOver(at(2, 9, 0), false) || w.begins.Before(at(2, 4, 0)) {
		t.Error("nothing is there, and it goes on")
	}
	w.begins = at(2, 9, 0)
	if w.isOver(at(2, 9, 59), true) || !w.isOver(at(2, 10, 1), true) {
		t.Error("files that are being written are waited for an hour")
	}
}

func TestWindowOfAnEarlierProcess(t *testing.T) {
	served := []importer.JobRun{{}, {DueAt: at(0, 4, 0)}, {DueAt: at(-1, 4, 0)}}
	w := testWindow(t, "0 4 * * *", "6:00")
	if isOpen, _ := w.open(at(0, 5, 0), served); !isOpen || !w.due.Equal(at(0, 4, 0)) {
		t.Errorf("a restart within the window: open %t, due %v", isOpen, w.due)
	}
	w = testWindow(t, "0 4 * * *", "6:00")
	if isOpen, next := w.open(at(0, 7, 0), served); isOpen || !next.Equal(at(1, 4, 0)) {
		t.Errorf("a restart after the window: open %t, next %v", isOpen, next)
	}
	w = testWindow(t, "0 4 * * *", "")
	if isOpen, next := w.open(at(0, 5, 0), served); isOpen || !next.Equal(at(1, 4, 0)) {
		t.Errorf("a time that is served: open %t, next %v", isOpen, next)
	}
	w = testWindow(t, "0 4 * * *", "")
	if isOpen, _ := w.open(at(1, 5, 0), served); !isOpen || !w.due.Equal(at(1, 4, 0)) {
		t.Errorf("a time that nobody served: open %t, due %v", isOpen, w.due)
	}
}

func TestPauseAfter(t *testing.T) {
	last := time.Duration(0)
	for n := 0; n < 20; n++ {
		pause := pauseAfter(n)
		if pause < time.Minute || pause > 30*time.Minute || pause < last {
			t.Errorf("pause %v after %d failures", pause, n)
		}
		last = pause
	}
}

func TestPulse(t *testing.T) {
	var p pulse
	now := at(0, 4, 0)
	if p.isStuck(now) {
		t.Error("a job that has not begun is stuck")
	}
	p.beat(now)
	if p.isStuck(now.Add(stuckAfter)) || !p.isStuck(now.Add(stuckAfter+1)) {
		t.Error("a job that is silent is not stuck, or too early")
	}
	p.work()
	if p.isStuck(now.Add(24 * time.Hour)) {
		t.Error("a long push is stuck")
	}
}
