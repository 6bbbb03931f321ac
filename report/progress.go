package report

import (
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"opscom-import/importer"
)

// Mode says how progress is shown.
type Mode uint8

// The modes.
const (
	Quiet Mode = iota // nothing is shown
	Lines             // a plain line every 5 seconds, for logs
	Bar               // a bar that is redrawn in place, for a terminal
)

// ProgressMode returns the mode for w: Bar on a terminal, Lines elsewhere, and Quiet
// when quiet is set. lookup is as for Colours.
func ProgressMode(w io.Writer, lookup func(string) (string, bool), quiet bool) Mode {
	switch {
	case quiet:
		return Quiet
	case isTerminal(w, lookup):
		return Bar
	default:
		return Lines
	}
}

const (
	lineInterval = 5 * time.Second
	barInterval  = 200 * time.Millisecond
	barWidth     = 30 // columns inside the bar, where the terminal has room
	minBarWidth  = 5
	barFrame     = 11 // columns of percentage, frame and spaces around the bar
)

// Progress shows how far a run has come. Its methods may be called from several
// goroutines. They never fail: an error in drawing must not end a run.
//
// Add only counts, so that the run never waits for a slow terminal. A goroutine that
// runs between Start and Finish draws.
type Progress struct {
	w    io.Writer
	mode Mode

	counting sync.Mutex // guards meter; never held while drawing
	meter    meter

	drawing sync.Mutex // guards what follows, and keeps lines whole
	bar     *progressbar.ProgressBar
	stop    func() // ends the drawing goroutine and waits for it; nil when none runs
}

// NewProgress returns a Progress that is shown on w.
func NewProgress(w io.Writer, mode Mode) *Progress {
	return &Progress{w: w, mode: mode, meter: newMeter(0, time.Now())}
}

// Start starts to show the progress of total rows, 0 when their number is not known,
// from zero again.
func (p *Progress) Start(total int) {
	p.Finish()
	p.counting.Lock()
	p.meter = newMeter(total, time.Now())
	p.counting.Unlock()
	if p.mode == Quiet {
		return
	}

	p.drawing.Lock()
	defer p.drawing.Unlock()
	interval := lineInterval
	if p.mode == Bar {
		interval = barInterval
		p.bar = newBar(p.w, total)
		p.draw()
	}
	p.stop = p.drawEvery(interval)
}

// newBar returns a bar with its percentage alone: the meter writes the rest.
func newBar(w io.Writer, total int) *progressbar.ProgressBar {
	if total <= 0 {
		total = -1 // a spinner
	}
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetWidth(barWidth),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetSpinnerChangeInterval(0), // no second goroutine
		progressbar.OptionUseANSICodes(true),
	)
}

// drawEvery starts the goroutine that draws, and returns the function that ends it.
func (p *Progress) drawEvery(interval time.Duration) (stop func()) {
	quit := make(chan struct{})
	var drawer sync.WaitGroup
	drawer.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-quit:
				return
			case <-ticker.C:
				p.drawing.Lock()
				p.draw()
				p.drawing.Unlock()
			}
		}
	})
	return func() {
		close(quit)
		drawer.Wait()
	}
}

// Add counts n rows that ended with the status.
func (p *Progress) Add(status importer.Status, n int) {
	p.counting.Lock()
	defer p.counting.Unlock()
	p.meter.done += n
	p.meter.counts[status] += n
}

// Waiting shows that the run waits for d, and the reason, such as "the Controller
// asks for a pause".
func (p *Progress) Waiting(reason string, d time.Duration) {
	p.counting.Lock()
	defer p.counting.Unlock()
	p.meter.reason, p.meter.until = reason, time.Now().Add(d)
}

// Away says whether what keeps the outcomes is away, and whether because its disk is full: until it
// is back nothing is sent.
func (p *Progress) Away(isAway, isFull bool) {
	p.counting.Lock()
	defer p.counting.Unlock()
	p.meter.isAway, p.meter.isFull = isAway, isFull
}

// Snapshot is how far a run has come.
type Snapshot struct {
	Text  string // such as "4,120 of 40,000 rows (10 %), 98 rows/s, 6 min left, 3 rejected"
	Done  int    // rows
	Total int    // rows; 0 when their number is not known

	Rate   float64       // rows a second; 0 when it is not known
	Left   time.Duration // at that rate; 0 when it is not known
	Reason string        // why the run waits; "" when it does not
	Wait   time.Duration // how long it still does
	ToFix  int           // rows that ended so that a person has to fix them
	Failed int           // rows without a usable answer
	IsAway bool          // what keeps the outcomes is away, and nothing is sent
	IsFull bool          // and it is away because its disk is full
}

// Snapshot returns how far the run has come, for callers that show it themselves.
// Its rate is measured from one call, or drawing, to the next.
func (p *Progress) Snapshot() Snapshot {
	now := time.Now()
	p.counting.Lock()
	defer p.counting.Unlock()
	p.meter.measure(now)
	m := &p.meter
	s := Snapshot{
		Text: m.text(now, true, math.MaxInt), Done: m.done, Total: m.total, Rate: m.rate(),
		ToFix: m.counts.Of(importer.KindToFix), Failed: m.counts.Of(importer.KindFailed), IsAway: m.isAway, IsFull: m.isFull,
	}
	if s.Rate > 0 && m.total > m.done {
		s.Left = time.Duration(float64(m.total-m.done) / s.Rate * float64(time.Second))
	}
	if m.until.After(now) {
		s.Reason, s.Wait = m.reason, m.until.Sub(now)
	}
	return s
}

// Finish stops drawing and removes the bar from the terminal. It does nothing when
// nothing is drawn.
func (p *Progress) Finish() {
	p.drawing.Lock()
	stop := p.stop
	p.stop = nil
	p.drawing.Unlock()
	if stop == nil {
		return
	}
	stop()
	p.drawing.Lock()
	defer p.drawing.Unlock()
	p.clear()
	p.bar = nil
}

// Writer returns a writer to w that does not disturb the bar. Each write, such as a
// log line, should end with a newline.
func (p *Progress) Writer(w io.Writer) io.Writer {
	return besideBar{p, w}
}

type besideBar struct {
	progress *Progress
	w        io.Writer
}

func (b besideBar) Write(text []byte) (int, error) {
	b.progress.drawing.Lock()
	defer b.progress.drawing.Unlock()
	b.progress.clear()
	n, err := b.w.Write(text)
	if b.progress.bar != nil {
		b.progress.draw()
	}
	return n, err
}

// draw draws the bar, or writes a line. The caller holds p.drawing.
func (p *Progress) draw() {
	width := math.MaxInt
	if p.bar != nil {
		width = columns(p.w) - barFrame - minBarWidth
	}
	now := time.Now()
	p.counting.Lock()
	p.meter.measure(now)
	text := p.meter.text(now, p.bar == nil, width)
	done, total := p.meter.done, p.meter.total
	p.counting.Unlock()

	if p.bar == nil {
		_, _ = fmt.Fprintf(p.w, "%s  %s\n", now.Format(time.TimeOnly), text)
		return
	}
	p.bar.Describe(text)
	if total > 0 {
		done = min(done, total)
	}
	_ = p.bar.Set(done)
}

// clear removes the bar from the terminal. The caller holds p.drawing.
func (p *Progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
