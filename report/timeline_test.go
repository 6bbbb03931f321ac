package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"opscom-import/importer"
)

func TestTimeline(t *testing.T) {
	start := time.Date(2026, 8, 31, 20, 0, 0, 0, time.FixedZone("EDT", -4*60*60))
	var line Timeline
	line.Add(time.Time{}, importer.StatusNotSent)
	if points := line.Points(); points != nil {
		t.Errorf("points %v before any outcome", points)
	}
	line.Add(start.Add(20*time.Second+200*time.Millisecond), importer.StatusRejected)
	line.Add(start, importer.StatusPushed)
	line.Add(start.Add(900*time.Millisecond), importer.StatusPushed)
	line.Add(start.Add(2*time.Second), importer.StatusFailed)
	utc := start.UTC()
	points := line.Points()
	if len(points) != 21 {
		t.Fatalf("%d points, want one a second", len(points))
	}
	for i, want := range map[int]TimelinePoint{
		0:  {utc, time.Second, importer.Counts{importer.StatusPushed: 2}},
		1:  {utc.Add(time.Second), time.Second, nil},
		2:  {utc.Add(2 * time.Second), time.Second, importer.Counts{importer.StatusFailed: 1}},
		20: {utc.Add(20 * time.Second), time.Second, importer.Counts{importer.StatusRejected: 1}},
	} {
		if diff := cmp.Diff(want, points[i]); diff != "" {
			t.Errorf("point %d (-want +got):\n%s", i, diff)
		}
	}
}

// However the outcomes lie and in whatever order they come, each is counted once,
// in the interval in which it came.
func TestTimelineLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spread := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 100 * 24 * time.Hour, 200 * 365 * 24 * time.Hour}).Draw(t, "spread")
		offsets := rapid.SliceOfN(rapid.Int64Range(-int64(spread), int64(spread)), 1, 50).Draw(t, "offsets")
		var line Timeline
		for _, offset := range offsets {
			line.Add(time.Unix(0, offset), importer.StatusPushed)
		}
		points := line.Points()
		if len(points) > maxPoints {
			t.Fatalf("%d points", len(points))
		}
		for i, p := range points {
			want := 0
			for _, offset := range offsets {
				if at := time.Unix(0, offset); !at.Before(p.Start) && at.Before(p.Start.Add(p.Length)) {
					want++
				}
			}
			if p.Counts[importer.StatusPushed] != want {
				t.Fatalf("%d outcomes from %v on for %v, want %d", p.Counts[importer.StatusPushed], p.Start, p.Length, want)
			}
			if i > 0 && !points[i-1].Start.Add(p.Length).Equal(p.Start) {
				t.Fatalf("a gap before %v", p.Start)
			}
		}
		counted := 0
		for _, p := range points {
			counted += p.Counts.Sum()
		}
		if counted != len(offsets) {
			t.Fatalf("%d outcomes counted of %d", counted, len(offsets))
		}
	})
}

func BenchmarkTimeline(b *testing.B) {
	var line Timeline
	start := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	at := start
	for b.Loop() {
		at = at.Add(time.Millisecond)
		line.Add(at, importer.StatusPushed)
	}
}
