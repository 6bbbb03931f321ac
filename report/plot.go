package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"opscom-import/importer"
)

// The plot's measures, in units of its viewBox.
const (
	plotWidth, plotHeight = 720, 260
	plotLeft, plotRight   = 66, 708 // of the area of the bars
	plotTop, plotBottom   = 14, 204
)

// fewestPoints is the smallest number of intervals that are worth a plot.
const fewestPoints = 3

// plot is the run over time, as bars: one an interval, its outcomes on top of each
// other.
type plot struct {
	Title  string
	Desc   string // the plot in words
	Bars   []bar
	Across []tick // along the time
	Up     []tick // along the number of rows
	Unit   string // what the numbers of rows count
	Zone   string // of the times
	Legend []series
}

// bar is one interval.
type bar struct {
	Title string
	Parts []part
}

// part is one outcome in a bar.
type part struct {
	Kind       importer.StatusKind
	X, Y, W, H string
}

// tick is a mark on an axis.
type tick struct{ At, Label string }

// series is one outcome over the whole run.
type series struct {
	Kind   importer.StatusKind
	Status importer.Status
	Label  string
	Rows   int
}

// newPlot draws the timeline, with its times in the location; nil when the run was
// too short to show anything.
func newPlot(points []TimelinePoint, zone *time.Location) *plot {
	if len(points) < fewestPoints {
		return nil
	}
	p := &plot{Unit: "rows " + perInterval(points[0].Length), Zone: points[0].Start.In(zone).Format("MST")}
	var totals []string
	for _, status := range []importer.Status{importer.StatusPushed, importer.StatusRejected, importer.StatusFailed} {
		s := series{Kind: status.Spec().Kind, Status: status, Label: status.Label()}
		for _, point := range points {
			s.Rows += point.Counts[status]
		}
		if s.Rows > 0 {
			p.Legend = append(p.Legend, s)
			totals = append(totals, thousands(s.Rows)+" "+s.Label)
		}
	}
	if len(p.Legend) == 0 {
		return nil
	}
	highest := slices.MaxFunc(points, func(a, b TimelinePoint) int { return cmp.Compare(p.rows(a), p.rows(b)) })
	most := p.rows(highest)
	top := p.drawUp(most)
	p.drawAcross(points, zone)
	for i, point := range points {
		if p.rows(point) > 0 {
			p.Bars = append(p.Bars, p.draw(i, len(points), point, top, zone))
		}
	}
	last := points[len(points)-1]
	p.Title = "Rows over time: " + p.Unit
	p.Desc = fmt.Sprintf("From %s to %s, %s. The highest bar: %s, from %s.",
		points[0].Start.In(zone).Format(pointTime), last.Start.Add(last.Length).In(zone).Format(pointTime),
		strings.Join(totals, ", "), plural(most, "row"), highest.Start.In(zone).Format(time.TimeOnly))
	return p
}

// pointTime is how the time of a point is written.
const pointTime = "2 January 15:04:05"

// rows returns the number of the point's rows that the plot shows.
func (p *plot) rows(point TimelinePoint) int {
	n := 0
	for _, s := range p.Legend {
		n += point.Counts[s.Status]
	}
	return n
}

// draw draws the bar of the interval i of n.
func (p *plot) draw(i, n int, point TimelinePoint, top int, zone *time.Location) bar {
	step := float64(plotRight-plotLeft) / float64(n)
	gap := min(step/5, 2)
	var b bar
	var words []string
	y := float64(plotBottom)
	for _, s := range p.Legend {
		rows := point.Counts[s.Status]
		if rows == 0 {
			continue
		}
		height := float64(rows) / float64(top) * (plotBottom - plotTop)
		y -= height
		b.Parts = append(b.Parts, part{s.Kind, unit(plotLeft + float64(i)*step + gap/2), unit(y), unit(step - gap), unit(height)})
		words = append(words, thousands(rows)+" "+s.Label)
	}
	b.Title = point.Start.In(zone).Format(pointTime) + ": " + strings.Join(words, ", ")
	return b
}

// drawUp draws the axis of rows, and returns the number at its top.
func (p *plot) drawUp(most int) (top int) {
	step := 1
	for i := 0; most > 5*step; i++ { // 1, 2, 5, 10, 20, 50 and so on
		step = step * []int{4, 5, 4}[i%3] / 2
	}
	top = (most + step - 1) / step * step
	for n := 0; n <= top; n += step {
		p.Up = append(p.Up, tick{unit(plotBottom - float64(n)/float64(top)*(plotBottom-plotTop)), thousands(n)})
	}
	return top
}

// drawAcross draws the axis of time, with marks at round times.
func (p *plot) drawAcross(points []TimelinePoint, zone *time.Location) {
	start := points[0].Start.In(zone)
	length := time.Duration(len(points)) * points[0].Length
	step := clockStep(length)
	format := "15:04"
	switch {
	case step < time.Second:
		format = "15:04:05.0"
	case step < time.Minute:
		format = "15:04:05"
	case start.YearDay() != start.Add(length).YearDay():
		format = "2 Jan 15:04"
	}
	_, offset := start.Zone()
	shift := time.Duration(offset) * time.Second
	for at := start.Add(shift).Truncate(step).Add(-shift); !at.After(start.Add(length)); at = at.Add(step) {
		if at.Before(start) {
			continue
		}
		x := plotLeft + float64(at.Sub(start))/float64(length)*(plotRight-plotLeft)
		p.Across = append(p.Across, tick{unit(x), at.Format(format)})
	}
}

// clockStep returns the time between two marks, so that there are at most six.
func clockStep(length time.Duration) time.Duration {
	steps := []time.Duration{
		100 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second,
		30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	}
	for _, step := range steps {
		if length <= 5*step {
			return step
		}
	}
	step := 24 * time.Hour
	for length > 5*step {
		step *= 2
	}
	return step
}

// perInterval says what an interval is.
func perInterval(length time.Duration) string {
	units := map[time.Duration]string{
		100 * time.Millisecond: "tenth of a second", time.Second: "second", time.Minute: "minute", time.Hour: "hour", 24 * time.Hour: "day",
	}
	return "every " + cmp.Or(units[length], span(length))
}

// unit writes a length in the plot.
func unit(x float64) string { return fmt.Sprintf("%.1f", x) }
