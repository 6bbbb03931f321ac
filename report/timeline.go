package report

import (
	"maps"
	"slices"
	"time"

	"opscom-import/importer"
)

// maxPoints is the number of intervals that a timeline has at most: as many as a
// plot can show.
const maxPoints = 120

// TimelinePoint counts the outcomes in one interval of a run.
type TimelinePoint struct {
	Start  time.Time // the interval ends where the next one starts
	Length time.Duration
	Counts importer.Counts
}

// Timeline counts outcomes by their time, in at most 120
// intervals of one length, however long the run: a tenth of a second for the
// shortest runs, hours for those that ran overnight. Its zero value is
// ready to use. Its memory does not grow with the rows.
type Timeline struct {
	length   time.Duration
	points   map[int64]importer.Counts // by the number of intervals since the year 1
	from, to int64                     // the first and the last of them
}

// Add counts an outcome. The order in which outcomes are added does not matter.
// An outcome without a time, such as that of a row that was never sent, is ignored.
func (t *Timeline) Add(at time.Time, status importer.Status) {
	if at.IsZero() {
		return
	}
	if t.points == nil {
		t.length, t.points = timelineSteps[0], map[int64]importer.Counts{}
		t.from = t.interval(at)
		t.to = t.from
	}
	i := t.interval(at)
	for max(t.to, i)-min(t.from, i) >= maxPoints {
		t.widen()
		i = t.interval(at)
	}
	t.from, t.to = min(t.from, i), max(t.to, i)
	if t.points[i] == nil {
		t.points[i] = importer.Counts{}
	}
	t.points[i][status]++
}

// interval returns the number of the interval that contains the time.
func (t *Timeline) interval(at time.Time) int64 {
	return (at.UnixMilli() - firstMilli) / t.length.Milliseconds()
}

// firstMilli is the start of the year 1, from which intervals are counted.
var firstMilli = time.Time{}.UnixMilli()

// timelineSteps are the lengths of intervals at which a clock is read.
var timelineSteps = []time.Duration{
	100 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
	time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// widen joins intervals to the next length.
func (t *Timeline) widen() {
	next := 2 * t.length
	if i := slices.Index(timelineSteps, t.length); i >= 0 && i+1 < len(timelineSteps) {
		next = timelineSteps[i+1]
	}
	factor := int64(next / t.length)
	points := map[int64]importer.Counts{}
	for i, counts := range t.points {
		joined := points[i/factor]
		if joined == nil {
			joined = importer.Counts{}
			points[i/factor] = joined
		}
		for status, n := range counts {
			joined[status] += n
		}
	}
	t.length, t.points, t.from, t.to = next, points, t.from/factor, t.to/factor
}

// Points returns the intervals from the first outcome to the last, those without
// one included. The times are in UTC.
func (t *Timeline) Points() []TimelinePoint {
	if t.points == nil {
		return nil
	}
	points := make([]TimelinePoint, 0, t.to-t.from+1)
	for i := t.from; i <= t.to; i++ {
		points = append(points, TimelinePoint{
			Start:  time.UnixMilli(firstMilli + i*t.length.Milliseconds()).UTC(),
			Length: t.length,
			Counts: maps.Clone(t.points[i]),
		})
	}
	return points
}
