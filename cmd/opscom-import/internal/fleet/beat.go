package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"opscom-import/importer/journal/postgres"
)

// maxSkew is how far this machine's clock may be from the database's. River's jobs wait in line by
// the clocks of the machines: with a clock that is ahead a lane would wait that long for its
// next turn.
const maxSkew = 2 * time.Second

// beats says now and then that the worker is alive, and looks for others that are not, until
// ctx ends.
func (w *Worker) beats(ctx context.Context) {
	ticker := time.NewTicker(w.Lease * 3 / 10)
	defer ticker.Stop()
	skewed, untended := false, false // what was said
	speed := newSpeed(time.Now())
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		beating, cancel := context.WithTimeout(ctx, w.Lease*3/10)
		gone, behind, err := w.store.beat(beating, w.Process, w.drain.Err() != nil, speed.measure(time.Now(), w.recorded.Load()), w.held())
		tended := err
		if err == nil {
			tended = w.tend(beating)
		}
		cancel()
		if ctx.Err() != nil {
			return
		}
		w.database.heard(err)
		if failing := err == nil && tended != nil; failing != untended {
			if untended = failing; failing {
				w.Log.Error("lanes that have lost their worker have to wait", "error", tended)
			}
		}
		for _, lane := range gone {
			w.lose(lane)
		}
		if off := behind.Abs() > maxSkew; err == nil && off != skewed {
			if skewed = off; off {
				w.Log.Warn("this machine's clock is not the database's: lanes may wait too long for their turn; set the clock", "behind", behind.String())
			}
		}
		if err := w.sessions.closeIdle(keepSession); err != nil {
			w.Log.Warn("a connection was not closed", "error", err)
		}
	}
}

// speed measures rows a second over the last beats.
type speed struct{ marks []speedMark }

type speedMark struct {
	at   time.Time
	rows int64 // until then
}

// speedBeats is how many beats it is measured over.
const speedBeats = 5

func newSpeed(began time.Time) *speed { return &speed{[]speedMark{{at: began}}} }

// measure returns the speed, given how many rows there were until now.
func (s *speed) measure(now time.Time, rows int64) float64 {
	s.marks = append(s.marks, speedMark{now, rows})
	s.marks = s.marks[max(0, len(s.marks)-1-speedBeats):]
	first := s.marks[0]
	return float64(rows-first.rows) / max(now.Sub(first.at).Seconds(), 0.001)
}

// database knows whether the database answers, and says so when that changes.
type database struct {
	worker *Worker
	mu     sync.Mutex
	away   time.Time // since when it does not answer, or refuses; zero: it does neither
	why    string    // "does not answer" or "refuses this worker"
}

// heard is told how it went to ask the database something.
func (d *database) heard(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err != nil && d.away.IsZero():
		d.away, d.why = time.Now(), "does not answer"
		if postgres.IsRefused(err) {
			d.why = "refuses this worker"
		}
		d.worker.Log.Error("the database "+d.why+": nothing is sent until that is over, and the runs go on by themselves then", "error", d.worker.Explain("say that the worker is alive", err))
	case err == nil && !d.away.IsZero():
		lasted := time.Since(d.away).Round(time.Second)
		d.away = time.Time{}
		d.worker.Log.Warn("the database answers again: the runs go on", "away", lasted.String())
	}
}

// Unwell returns what is wrong with the worker, "" for nothing.
func (w *Worker) Unwell() string {
	w.database.mu.Lock()
	defer w.database.mu.Unlock()
	if w.database.away.IsZero() {
		return ""
	}
	return fmt.Sprintf("the database %s since %s", w.database.why, w.database.away.UTC().Format(time.RFC3339))
}
