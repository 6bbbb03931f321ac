package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"opscom-import/importer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shared is a buffer for several goroutines.
type shared struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// screen is what a terminal shows after these bytes: it knows the line end, the
// carriage return and the two sequences that erase a line.
func screen(t *testing.T, output string) []string {
	t.Helper()
	lines, at := [][]rune{nil}, 0
	for len(output) > 0 {
		line := &lines[len(lines)-1]
		switch {
		case strings.HasPrefix(output, "\x1b[2K"):
			*line, output = nil, output[4:]
			continue
		case strings.HasPrefix(output, "\x1b[0K"):
			*line, output = (*line)[:min(at, len(*line))], output[4:]
			continue
		}
		r, size := utf8.DecodeRuneInString(output)
		output = output[size:]
		switch r {
		case '\x1b':
			t.Fatalf("unknown escape sequence before %q", output)
		case '\n':
			lines, at = append(lines, nil), 0
		case '\r':
			at = 0
		default:
			for len(*line) <= at {
				*line = append(*line, ' ')
			}
			(*line)[at] = r
			at++
		}
	}
	shown := make([]string, len(lines))
	for i, line := range lines {
		shown[i] = strings.TrimRight(string(line), " ")
	}
	return shown
}

func TestProgressLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out shared
		start := time.Now()
		progress := NewProgress(&out, Lines)
		progress.Start(40_000)
		time.Sleep(500 * time.Millisecond) // so that no batch falls on a line's moment
		for second := range 60 {
			progress.Add(importer.StatusPushed, 98)
			if second == 8 {
				progress.Add(importer.StatusRejected, 3)
				progress.Waiting("the Controller asks\x1b[2J for a pause", 3*time.Second)
			}
			time.Sleep(time.Second)
		}
		progress.Finish()
		time.Sleep(time.Minute)
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		at := func(seconds int) string {
			return start.Add(time.Duration(seconds) * time.Second).Format(time.TimeOnly)
		}
		want := []string{
			at(5) + "  490 of 40,000 rows (1 %), 98 rows/s, 7 min left",
			at(10) + "  983 of 40,000 rows (2 %), waiting 2 s: the Controller asks[2J for a pause",
			at(15) + "  1,473 of 40,000 rows (3 %), 98 rows/s, 7 min left, 3 rejected",
		}
		if diff := cmp.Diff(want, lines[:min(3, len(lines))]); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
		if len(lines) != 12 {
			t.Errorf("%d lines in a minute, want one every 5 seconds:\n%s", len(lines), out.String())
		}
	})
}

func TestMeterText(t *testing.T) {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	after := func(total int, d time.Duration, counts importer.Counts) *meter {
		made := newMeter(total, now.Add(-d))
		made.counts, made.done = counts, counts.Sum()
		made.measure(now)
		return &made
	}
	const wide = 1000
	waits := after(40_000, 42*time.Second, importer.Counts{importer.StatusPushed: 4120})
	waits.reason, waits.until = "the Controller asks for a pause", now.Add(28*time.Second)
	for _, tc := range []struct {
		meter   *meter
		percent bool
		width   int
		want    string
	}{
		{after(0, 0, nil), true, wide, "0 rows"},
		{after(1, time.Second, nil), true, wide, "0 of 1 row (0 %)"},
		{after(0, 2*time.Second, importer.Counts{importer.StatusValid: 24_000}), true, wide, "24,000 rows, 12,000 rows/s"},
		{after(40_000, 42*time.Second, importer.Counts{importer.StatusPushed: 4117, importer.StatusRejected: 3}), true, wide,
			"4,120 of 40,000 rows (10 %), 98 rows/s, 6 min left, 3 rejected"},
		{after(40_000, 42*time.Second, importer.Counts{importer.StatusPushed: 4117, importer.StatusRejected: 3}), false, 40,
			"4,120 of 40,000 rows, 98 rows/s"},
		{after(40_000, 42*time.Second, importer.Counts{importer.StatusPushed: 4120}), false, 5, "4,120 of 40,000 rows"},
		{waits, false, 60, "4,120 of 40,000 rows, waiting 28 s: the Controller asks for…"},
		{waits, true, wide, "4,120 of 40,000 rows (10 %), waiting 28 s: the Controller asks for a pause"},
		{after(100, 10*time.Second, importer.Counts{importer.StatusPushed: 5, importer.StatusFailed: 1, importer.StatusInvalid: 2}), true, wide,
			"8 of 100 rows (8 %), 0.8 rows/s, 2 min left, 2 invalid, 1 failed"},
		{after(100, 10*time.Second, importer.Counts{importer.StatusPushed: 100}), true, wide, "100 of 100 rows (100 %), 10 rows/s"},
		{after(1_000_000, 100*time.Second, importer.Counts{importer.StatusPushed: 1000}), true, wide,
			"1,000 of 1,000,000 rows (0 %), 10 rows/s, 27 h 45 min left"},
	} {
		if got := tc.meter.text(now, tc.percent, tc.width); got != tc.want {
			t.Errorf("text = %q, want %q", got, tc.want)
		}
	}
}

// The rate follows the last half minute, not the whole run.
func TestMeterRate(t *testing.T) {
	now := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	made := newMeter(0, now)
	for second := range 120 {
		made.done += 100
		if second >= 60 {
			made.done -= 90
		}
		made.measure(now.Add(time.Duration(second+1) * time.Second))
	}
	if got := made.rate(); got != 10 {
		t.Errorf("rate %v, want that of the last half minute, 10", got)
	}
	if len(made.samples) > 32 {
		t.Errorf("%d samples are kept", len(made.samples))
	}
}

func TestProgressBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out shared
		progress := NewProgress(&out, Bar)
		log := progress.Writer(&out)
		logLine := func(text string) {
			if _, err := io.WriteString(log, text+"\n"); err != nil {
				t.Error(err)
			}
		}
		logLine("before")
		progress.Start(200)
		want := []string{"before", "   0% |                              |  0 of 200 rows"}
		if diff := cmp.Diff(want, screen(t, out.String())); diff != "" {
			t.Errorf("at the start (-want +got):\n%s", diff)
		}
		for range 10 {
			time.Sleep(999 * time.Millisecond)
			progress.Add(importer.StatusPushed, 10)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond)
		logLine("half way")
		want = []string{"before", "half way", "  50% |███████████████               |  100 of 200 rows, 9.9 rows/s, 10 s left"}
		if diff := cmp.Diff(want, screen(t, out.String())); diff != "" {
			t.Errorf("half way (-want +got):\n%s", diff)
		}
		progress.Waiting("the Controller asks for a pause", time.Minute)
		time.Sleep(time.Second)
		synctest.Wait()
		if shown := screen(t, out.String()); !strings.HasSuffix(shown[2], "100 of 200 rows, waiting 59 s: the Controller asks for a pause") {
			t.Errorf("while waiting: %q", shown[2])
		}
		progress.Away(true, false)
		time.Sleep(time.Second)
		synctest.Wait()
		if shown := screen(t, out.String()); !strings.HasSuffix(shown[2], "100 of 200 rows, waiting for the journal") || !progress.Snapshot().IsAway {
			t.Errorf("without a journal: %q", shown[2])
		}
		progress.Away(true, true)
		time.Sleep(time.Second)
		synctest.Wait()
		if shown := screen(t, out.String()); !strings.HasSuffix(shown[2], "100 of 200 rows, waiting for space on the journal's disk") || !progress.Snapshot().IsFull {
			t.Errorf("without space: %q", shown[2])
		}
		progress.Away(false, false)
		progress.Add(importer.StatusFailed, 101) // more than was announced
		time.Sleep(time.Second)
		logLine("all done")
		progress.Finish()
		logLine("after")
		want = []string{"before", "half way", "all done", "after", ""}
		if diff := cmp.Diff(want, screen(t, out.String())); diff != "" {
			t.Errorf("after the end (-want +got):\n%s", diff)
		}
	})
}

func TestProgressOfAnUnknownNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out shared
		progress := NewProgress(&out, Bar)
		progress.Start(0)
		progress.Add(importer.StatusValid, 5000)
		time.Sleep(1900 * time.Millisecond)
		synctest.Wait()
		shown := screen(t, out.String())
		if len(shown) != 1 || !regexp.MustCompile(`^\S +5,000 rows, 2,778 rows/s$`).MatchString(shown[0]) {
			t.Errorf("shown %q", shown)
		}
		progress.Start(10) // without Finish
		if shown := screen(t, out.String()); len(shown) != 1 || !strings.Contains(shown[0], "0 of 10 rows") {
			t.Errorf("shown %q", shown)
		}
		progress.Finish()
	})
}

func TestQuietProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out shared
		progress := NewProgress(&out, Quiet)
		progress.Start(10)
		progress.Add(importer.StatusPushed, 5)
		progress.Waiting("nothing", time.Hour)
		time.Sleep(time.Hour)
		if _, err := io.WriteString(progress.Writer(&out), "a log line\n"); err != nil {
			t.Error(err)
		}
		progress.Finish()
		if out.String() != "a log line\n" {
			t.Errorf("shown %q", out.String())
		}
	})
}

// A terminal takes nothing more after Ctrl-S; the run must not stop with it.
func TestAddDoesNotWaitForTheTerminal(t *testing.T) {
	progress := NewProgress(io.Discard, Bar)
	progress.Start(100)
	stuck, free, written, added := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		_, _ = progress.Writer(writerFunc(func(p []byte) (int, error) {
			close(stuck)
			<-free
			return len(p), nil
		})).Write([]byte("a log line\n"))
	}()
	<-stuck
	go func() {
		defer close(added)
		progress.Add(importer.StatusPushed, 1)
		progress.Waiting("the terminal is stuck", time.Second)
	}()
	select {
	case <-added:
	case <-time.After(10 * time.Second): // only ever reached by a failure
		t.Error("Add waits for the terminal")
	}
	close(free)
	<-written
	<-added
	progress.Finish()
}

func TestProgressFromSeveralGoroutines(t *testing.T) {
	var out shared
	progress := NewProgress(&out, Bar)
	progress.Start(800)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for range 100 {
				progress.Add(importer.StatusPushed, 1)
				progress.Waiting("x", time.Nanosecond)
				if _, err := fmt.Fprintf(progress.Writer(&out), "worker %d\n", worker); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	progress.Finish()
	progress.Finish()
	shown := screen(t, out.String())
	for _, line := range shown[:len(shown)-1] {
		if !regexp.MustCompile(`^worker \d$`).MatchString(line) {
			t.Fatalf("garbled line %q", line)
		}
	}
	if len(shown) != 801 || shown[800] != "" {
		t.Errorf("%d lines, the last %q", len(shown), shown[len(shown)-1])
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func BenchmarkProgressAdd(b *testing.B) {
	progress := NewProgress(io.Discard, Bar)
	progress.Start(b.N)
	defer progress.Finish()
	for b.Loop() {
		progress.Add(importer.StatusPushed, 1)
	}
}

// A page shows the standing itself: it is kept even when nothing is drawn.
func TestStandingOfAQuietProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewProgress(&shared{}, Quiet)
		p.Start(40)
		time.Sleep(time.Second)
		p.Add(importer.StatusPushed, 19)
		p.Add(importer.StatusRejected, 1)
		want := Snapshot{Text: "20 of 40 rows (50 %), 20 rows/s, 1 s left, 1 rejected", Done: 20, Total: 40, Rate: 20, Left: time.Second, ToFix: 1}
		if diff := cmp.Diff(want, p.Snapshot()); diff != "" {
			t.Errorf("standing (-want +got):\n%s", diff)
		}
		p.Start(5)
		if got := p.Snapshot(); got.Done != 0 || got.Total != 5 {
			t.Errorf("standing of a new stretch: %+v", got)
		}
	})
}
