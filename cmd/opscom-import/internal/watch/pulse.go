package watch

import (
	"sync"
	"time"
)

// stuckAfter is how long a job may do nothing that it has not announced: a look into a
// folder, or at the history, takes less.
const stuckAfter = 5 * time.Minute

// pulse says whether a job still works. A push watches over itself, and a job that waits
// says until when.
type pulse struct {
	mu    sync.Mutex
	until time.Time // it should be heard of again before; zero while it pushes
}

func (p *pulse) set(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = until
}

func (p *pulse) beat(now time.Time) { p.set(now.Add(stuckAfter)) }
func (p *pulse) work()              { p.set(time.Time{}) }

// rest says that nothing happens before that time, the zero time for no limit.
func (p *pulse) rest(next time.Time) {
	if next.IsZero() {
		p.set(next)
		return
	}
	p.set(later(next, time.Now()).Add(stuckAfter))
}

// isStuck reports whether the job should have been heard of.
func (p *pulse) isStuck(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.until.IsZero() && now.After(p.until)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
