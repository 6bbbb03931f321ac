package report

import (
	"fmt"
	"time"

	"opscom-import/importer"
)

// rateWindow is the time over which the rate is measured: long enough to be
// calm, short enough to follow.
const rateWindow = 30 * time.Second

// tally is how far a run has come, and how fast it goes.
type tally struct {
	total   int // rows to do; 0 when that is not known
	done    int
	counts  importer.Counts
	samples []sample // of the last rateWindow, the oldest first
	reason  string   // why the run waits
	until   time.Time
}

type sample struct {
	at   time.Time
	done int
}

func newTally(total int, now time.Time) tally {
	return tally{total: max(total, 0), counts: make(importer.Counts), samples: []sample{{at: now}}}
}

// measure notes how far the run has come by now.
func (t *tally) measure(now time.Time) {
	t.samples = append(t.samples, sample{now, t.done})
	for len(t.samples) > 2 && now.Sub(t.samples[1].at) >= rateWindow {
		t.samples = t.samples[1:]
	}
}

// rate returns the rows a second over the window, 0 when none can be told.
func (t *tally) rate() float64 {
	first, last := t.samples[0], t.samples[len(t.samples)-1]
	seconds := last.at.Sub(first.at).Seconds()
	if seconds <= 0 {
		return 0
	}
	return float64(last.done-first.done) / seconds
}

// text says how things stand in at most width columns. What matters least is
// left out first:
//
//	4,120 of 40,000 rows (10 %), 98 rows/s, 6 min left, 3 rejected
//	4,120 of 40,000 rows (10 %), waiting 28 s: the Controller asks for a pause
func (t *tally) text(now time.Time, percent bool, width int) string {
	count := plural(t.done, "row")
	if t.total > 0 {
		count = thousands(t.done) + " of " + plural(t.total, "row")
	}
	if t.total > 0 && percent {
		count += fmt.Sprintf(" (%d %%)", 100*t.done/t.total)
	}
	if t.until.After(now) {
		return cut(count+", waiting "+span(t.until.Sub(now))+": "+printable(t.reason), width)
	}
	line := count
	for _, part := range append(t.pace(), t.troubles()...) {
		if textWidth(line)+2+textWidth(part) > width {
			break
		}
		line += ", " + part
	}
	return line
}

// pace says how fast the run goes, and how long it will take.
func (t *tally) pace() []string {
	rate := t.rate()
	if rate < 0.05 {
		return nil
	}
	parts := []string{fmt.Sprintf("%.1f rows/s", rate)}
	if rate >= 10 {
		parts[0] = thousands(int(rate+0.5)) + " rows/s"
	}
	if t.total > t.done {
		left := time.Duration(float64(t.total-t.done) / rate * float64(time.Second))
		if left > time.Minute {
			left = left.Round(time.Minute)
		}
		parts = append(parts, span(left)+" left")
	}
	return parts
}

// troubles counts the rows that need a person.
func (t *tally) troubles() []string {
	var parts []string
	for _, status := range []importer.Status{importer.StatusRejected, importer.StatusFailed, importer.StatusInvalid} {
		if n := t.counts[status]; n > 0 {
			parts = append(parts, thousands(n)+" "+status.Label())
		}
	}
	return parts
}
