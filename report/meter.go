package report

import (
	"fmt"
	"time"

	"opscom-import/importer"
)

// rateWindow is the time over which the rate is measured: long enough to be
// calm, short enough to follow.
const rateWindow = 30 * time.Second

// meter measures how far a run has come, and how fast it goes.
type meter struct {
	total   int // rows to do; 0 when that is not known
	done    int
	counts  importer.Counts
	samples []sample // of the last rateWindow, the oldest first
	reason  string   // why the run waits
	until   time.Time
	isAway  bool // what keeps the outcomes
	isFull  bool // and it is away because its disk is full
}

type sample struct {
	at   time.Time
	done int
}

func newMeter(total int, now time.Time) meter {
	return meter{total: max(total, 0), counts: make(importer.Counts), samples: []sample{{at: now}}}
}

// measure records how far the run has come by now.
func (m *meter) measure(now time.Time) {
	m.samples = append(m.samples, sample{now, m.done})
	for len(m.samples) > 2 && now.Sub(m.samples[1].at) >= rateWindow {
		m.samples = m.samples[1:]
	}
}

// rate returns the rows a second over the window, 0 when it is not known.
func (m *meter) rate() float64 {
	first, last := m.samples[0], m.samples[len(m.samples)-1]
	seconds := last.at.Sub(first.at).Seconds()
	if seconds <= 0 {
		return 0
	}
	return float64(last.done-first.done) / seconds
}

// text says how far the run has come, in at most width columns. What matters least
// is left out first:
//
//	4,120 of 40,000 rows (10 %), 98 rows/s, 6 min left, 3 rejected
//	4,120 of 40,000 rows (10 %), waiting 28 s: the Controller asks for a pause
func (m *meter) text(now time.Time, percent bool, width int) string {
	line := plural(m.done, "row")
	if m.total > 0 {
		line = thousands(m.done) + " of " + plural(m.total, "row")
	}
	if m.total > 0 && percent {
		line += fmt.Sprintf(" (%d %%)", 100*m.done/m.total)
	}
	if m.isFull {
		return cut(line+", waiting for space on the journal's disk", width)
	}
	if m.isAway {
		return cut(line+", waiting for the journal", width)
	}
	if m.until.After(now) {
		return cut(line+", waiting "+span(m.until.Sub(now))+": "+Printable(m.reason), width)
	}
	for _, part := range m.parts() {
		if textWidth(line)+2+textWidth(part) > width {
			break
		}
		line += ", " + part
	}
	return line
}

// parts says how fast the run goes, how long it will take, and how many rows need a
// person.
func (m *meter) parts() []string {
	var parts []string
	rate := m.rate()
	switch {
	case rate >= 10:
		parts = append(parts, thousands(int(rate+0.5))+" rows/s")
	case rate >= 0.05:
		parts = append(parts, fmt.Sprintf("%.1f rows/s", rate))
	}
	if rate >= 0.05 && m.total > m.done {
		left := time.Duration(float64(m.total-m.done) / rate * float64(time.Second))
		if left > time.Minute {
			left = left.Round(time.Minute)
		}
		parts = append(parts, span(left)+" left")
	}
	for _, l := range CountLines(m.counts, false) {
		if l.Kind == importer.KindToFix || l.Kind == importer.KindFailed {
			parts = append(parts, thousands(l.Rows)+" "+l.Label)
		}
	}
	return parts
}
