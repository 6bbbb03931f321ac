package controller

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Wait tells that every worker waits.
type Wait struct {
	Reason string        // why, as a sentence without its full stop
	For    time.Duration // how long, should nothing change
}

const (
	waitAsked  = "The Controller asks to wait"
	waitOutage = "The Controller does not answer"
)

// The retry budget is an amount of time: a retry costs a second of it. Time that
// goes by adds to it, and each first attempt adds a tenth of a retry. So retries
// are at most a tenth of the first attempts and one a second; the latter lets
// rows go on that all wait for the budget.
const (
	retryCost    = time.Second
	retryShare   = retryCost / 10
	retryReserve = 10 // retries, at least, that may be saved up
	minTrip      = 5  // failures in a row, at least, that close the gate
)

// pacer says when a request may start: it is the one place through which the
// requests of all workers pass. A request waits
//
//  1. at the gate, which is closed while the Controller has asked for a pause, and
//     from trip failures in a row on, over all workers. Then it lets a single
//     request through now and again, a probe, after pauses that grow, until the
//     Controller has given an answer to something;
//  2. for the retry budget, when it is a retry and no probe;
//  3. for its turn at the rate limiter.
type pacer struct {
	limiter *rate.Limiter // nil: no limit
	trip    int           // failures in a row that close the gate
	reserve time.Duration // most of the budget that may be saved up
	jitter  func() float64
	tell    func(Wait) // may be nil

	mu       sync.Mutex
	failures int           // in a row
	pauses   int           // in a row; above 0 only probes pass
	probeAt  time.Time     // when the next probe may start
	probing  bool          // a probe is under way
	askedFor time.Time     // no request starts before: the Controller has asked for it
	budget   time.Duration // what is saved up for retries
	budgetAt time.Time     // when time was last added to it
	changed  chan struct{} // closed, and replaced, when there may be no reason to wait any more
}

// pass lets one request start. Its holder gives it back with leave.
type pass struct{ probe bool }

// ending is how a request ended, as the pacer sees it.
type ending int

const (
	givenUp  ending = iota // it was aborted, or never started
	answered               // the Controller answered, be it with a refusal
	failed                 // no usable answer, or turned away for now
)

// newPacer returns a pacer for so many workers.
func newPacer(workers int, limiter *rate.Limiter, jitter func() float64, tell func(Wait)) *pacer {
	reserve := time.Duration(max(retryReserve, workers)) * retryCost
	return &pacer{
		limiter: limiter, trip: max(minTrip, workers), reserve: reserve, jitter: jitter, tell: tell,
		budget: reserve, budgetAt: time.Now(), changed: make(chan struct{}),
	}
}

// enter waits until a request may start; ok is false when one of the contexts
// was done first.
func (p *pacer) enter(feed, send context.Context, retry bool) (ps pass, ok bool) {
	for feed.Err() == nil && send.Err() == nil {
		ps, wait, changed := p.take(retry)
		if wait > 0 {
			sleep(feed, send, wait, changed)
			continue
		}
		if p.limiter == nil {
			return ps, true
		}
		turn := p.limiter.Reserve()
		if !sleep(feed, send, turn.Delay(), nil) {
			p.leave(ps, givenUp, 0)
			return pass{}, false
		}
		if p.holds(ps) {
			return ps, true
		}
		p.leave(ps, givenUp, 0) // the gate was closed while the request waited for its turn
	}
	return pass{}, false
}

// take returns a pass, or how long to wait before asking again, at most: changed
// says when it may be worth while earlier.
func (p *pacer) take(retry bool) (ps pass, wait time.Duration, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if wait := p.closedFor(now); wait > 0 {
		return pass{}, wait, p.changed
	}
	switch {
	case p.pauses > 0 && p.probing:
		return pass{}, maxPause, p.changed
	case p.pauses > 0:
		p.probing = true
		return pass{probe: true}, 0, nil
	case !retry:
		p.budget = min(p.budget+retryShare, p.reserve)
		return pass{}, 0, nil
	}
	p.budget = min(p.budget+now.Sub(p.budgetAt), p.reserve)
	p.budgetAt = now
	if short := retryCost - p.budget; short > 0 {
		return pass{}, short, p.changed
	}
	p.budget -= retryCost
	return pass{}, 0, nil
}

// closedFor returns how long no request may start at all. The caller holds mu.
func (p *pacer) closedFor(now time.Time) time.Duration {
	wait := p.askedFor.Sub(now)
	if p.pauses > 0 {
		wait = max(wait, p.probeAt.Sub(now))
	}
	return max(wait, 0)
}

// holds reports whether the gate is still open to the pass.
func (p *pacer) holds(ps pass) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closedFor(time.Now()) == 0 && (p.pauses == 0 || ps.probe)
}

// leave gives a pass back. tryAfter is how long the Controller asks to be left
// alone after a request that failed, 0 when it does not ask.
func (p *pacer) leave(ps pass, end ending, tryAfter time.Duration) {
	p.mu.Lock()
	wasClosed := p.pauses > 0
	if ps.probe {
		p.probing = false
	}
	var news Wait
	switch end {
	case answered:
		p.failures, p.pauses = 0, 0
	case failed:
		news = p.fail(ps, tryAfter)
	}
	if wasClosed {
		close(p.changed)
		p.changed = make(chan struct{})
	}
	p.mu.Unlock()
	if news.For > 0 && p.tell != nil {
		p.tell(news)
	}
}

// fail notes a failure, and returns what is new about waiting. Failures of
// requests that were under way when the gate closed do not lengthen the pause:
// only a probe's does. The caller holds mu.
func (p *pacer) fail(ps pass, tryAfter time.Duration) (news Wait) {
	now := time.Now()
	before := p.closedFor(now)
	p.failures++
	reason := waitOutage
	if until := now.Add(tryAfter); tryAfter > 0 && until.After(p.askedFor) {
		p.askedFor = until
		reason = waitAsked
	}
	if closed := p.pauses > 0; closed && ps.probe || !closed && p.failures >= p.trip {
		p.pauses++
		p.probeAt = now.Add(backoff(p.pauses, maxPause, p.jitter()))
	}
	if wait := p.closedFor(now); wait >= before+time.Second { // a lesser change is no news to a person
		return Wait{reason, wait}
	}
	return Wait{}
}

// sleep waits for d, or until changed is closed; it returns false when one of
// the contexts was done first.
func sleep(feed, send context.Context, d time.Duration, changed <-chan struct{}) bool {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-changed:
		case <-feed.Done():
		case <-send.Done():
		}
	}
	return feed.Err() == nil && send.Err() == nil
}
