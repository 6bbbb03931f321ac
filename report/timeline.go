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

// TimelinePoint is what one interval of a run brought.
type TimelinePoint struct {
	Start  time.Time // the interval ends where the next one starts
	Length time.Duration
	Counts importer.Counts
}

// Timeline counts outcomes by the time at which they came, in at most 120
// intervals of one length, however long the run: a tenth of a second for the
// shortest runs, hours for those that went on the next day. Its zero value is
// ready to use. Its memory does not grow with the rows.
type Timeline struct {
	length   time.Duration
	points   map[int64]importer.Counts // by the number of intervals since 1970
	from, to int64                     // the first and the last of them
}

// Add counts an outcome. The order in which outcomes are added does not matter.
// One without a time, such as that of a row that was never sent, is left out.
func (t *Timeline) Add(at time.Time, status importer.Status) {
	if at.IsZero() {
		return
	}
	if t.points == nil {
		t.length, t.points = 100*time.Millisecond, map[int64]importer.Counts{}
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

// interval returns the number of the interval that the time falls into.
func (t *Timeline) interval(at time.Time) int64 {
	return floorDiv(at.UnixMilli(), t.length.Milliseconds())
}

// widen joins intervals to the next length at which a clock is read.
func (t *Timeline) widen() {
	lengths := []time.Duration{
		100 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute,
		15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
	}
	next := 2 * t.length
	if i := slices.Index(lengths, t.length); i >= 0 && i+1 < len(lengths) {
		next = lengths[i+1]
	}
	factor := int64(next / t.length)
	points := map[int64]importer.Counts{}
	for i, counts := range t.points {
		joined := floorDiv(i, factor)
		if points[joined] == nil {
			points[joined] = importer.Counts{}
		}
		for status, n := range counts {
			points[joined][status] += n
		}
	}
	t.length, t.points, t.from, t.to = next, points, floorDiv(t.from, factor), floorDiv(t.to, factor)
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
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
			Start:  time.UnixMilli(i * t.length.Milliseconds()).UTC(),
			Length: t.length,
			Counts: maps.Clone(t.points[i]),
		})
	}
	return points
}
