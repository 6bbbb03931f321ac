package controller

import (
	"context"
	"sync"
	"time"
)

// Wait tells that every worker waits.
type Wait struct {
	Reason string        // why, as a sentence without its full stop
	For    time.Duration // how long, should nothing change
}

const (
	waitAsked  = "The Controller asks to wait"
	waitAway   = "The Controller turns requests away"
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
//  1. for the retry budget, when it is a retry;
//  2. in line, unless it may start at once. What follows concerns the head of the
//     line alone, so that it always goes by the latest news;
//  3. at the gate, which is closed while the Controller has asked for a pause, and
//     from trip failures in a row on, over all workers. Then it lets a single
//     request through now and again, a probe, after pauses that grow, until the
//     Controller has given an answer to something;
//  4. for its turn at the limiter.
type pacer struct {
	trip    int           // failures in a row that close the gate
	reserve time.Duration // most of the budget that may be saved up
	jitter  func() float64
	tell    func(Wait)    // may be nil
	retries chan struct{} // full while a retry is next to be paid from the budget
	line    chan struct{} // full while someone is at the head of the line
	news    chan struct{} // full when there may be no reason any more for the head to wait

	mu       sync.Mutex
	limiter  limiter
	failures int           // in a row
	pauses   int           // in a row; above 0 only probes pass
	probeAt  time.Time     // when the next probe may start
	probing  bool          // a probe is in progress
	askedFor time.Time     // no request starts before: the Controller has asked for it
	budget   time.Duration // what is saved up for retries
	budgetAt time.Time     // when time was last added to it
}

// pass lets one request start. Its holder gives it back with leave.
type pass struct {
	started time.Time
	probe   bool
}

// ending is how a request ended, as the pacer sees it.
type ending int

const (
	failed      ending = iota // no usable answer
	unavailable               // HTTP 503 and no word of a pause: out of order, or too much to do
	turnedAway                // HTTP 429, or 503 with a pause: too many requests
	answered                  // the Controller answered, be it with a refusal of the row
	givenUp                   // aborted
)

// newPacer returns a pacer for so many workers.
func newPacer(workers int, limiter limiter, jitter func() float64, tell func(Wait)) *pacer {
	reserve := time.Duration(max(retryReserve, workers)) * retryCost
	return &pacer{
		limiter: limiter, trip: max(minTrip, workers), reserve: reserve, jitter: jitter, tell: tell,
		retries: make(chan struct{}, 1), line: make(chan struct{}, 1), news: make(chan struct{}, 1),
		budget: reserve, budgetAt: time.Now(),
	}
}

// enter waits until a request may start; ok is false when one of the contexts
// was done first.
func (p *pacer) enter(feed, send context.Context, retry bool) (ps pass, ok bool) {
	if feed.Err() != nil || send.Err() != nil || retry && !p.afford(feed, send) {
		return pass{}, false
	}
	ps, wait := p.take(retry)
	if wait == 0 {
		return ps, true
	}
	select {
	case p.line <- struct{}{}:
	case <-feed.Done():
		return pass{}, false
	case <-send.Done():
		return pass{}, false
	}
	defer func() { <-p.line }()
	for {
		ps, wait := p.take(retry)
		if wait == 0 {
			return ps, true
		}
		if !sleep(feed, send, wait, p.news) {
			return pass{}, false
		}
	}
}

// afford takes a retry from the budget, as soon as there is one; it returns
// false when one of the contexts was done first. Anyone who waits longest is next.
func (p *pacer) afford(feed, send context.Context) bool {
	select {
	case p.retries <- struct{}{}:
	case <-feed.Done():
		return false
	case <-send.Done():
		return false
	}
	defer func() { <-p.retries }()
	for {
		short := p.spend()
		if short == 0 {
			return true
		}
		if !sleep(feed, send, short, nil) {
			return false
		}
	}
}

// spend takes a retry from the budget, or returns how long it takes until there
// is one.
func (p *pacer) spend() (short time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.budget = min(p.budget+now.Sub(p.budgetAt), p.reserve)
	p.budgetAt = now
	if short := retryCost - p.budget; short > 0 {
		return short
	}
	p.budget -= retryCost
	return 0
}

// take returns a pass, or how long to wait before asking again, at most.
func (p *pacer) take(retry bool) (ps pass, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.probing {
		return pass{}, maxPause
	}
	if wait := max(p.closedFor(now), p.limiter.wait(now)); wait > 0 {
		return pass{}, wait
	}
	p.limiter.start(now)
	if !retry {
		p.budget = min(p.budget+retryShare, p.reserve)
	}
	p.probing = p.pauses > 0
	return pass{started: now, probe: p.probing}, 0
}

// closedFor returns how long no request may start at all. The caller holds mu.
func (p *pacer) closedFor(now time.Time) time.Duration {
	wait := p.askedFor.Sub(now)
	if p.pauses > 0 {
		wait = max(wait, p.probeAt.Sub(now))
	}
	return max(wait, 0)
}

// leave gives a pass back. tryAfter is how long the Controller asks to be left
// alone after a request that failed, 0 when it does not ask.
func (p *pacer) leave(ps pass, end ending, tryAfter time.Duration) {
	p.mu.Lock()
	now := time.Now()
	wasClosed := p.pauses > 0
	if ps.probe {
		p.probing = false
	}
	// The limiter learns from open hours alone. A single 503 among answers is a hiccup.
	if overload := end == turnedAway || end == unavailable && p.failures > 0; overload && !wasClosed {
		p.limiter.refused(ps.started, now, tryAfter)
	}
	var wait Wait
	switch end {
	case answered:
		p.failures, p.pauses, p.probing = 0, 0, false
		p.limiter.accepted(ps.started, now)
	case failed:
		wait = p.fail(ps, now, p.trip, tryAfter, waitOutage)
	case unavailable, turnedAway: // which leaves no doubt, whatever the number of workers
		wait = p.fail(ps, now, minTrip, tryAfter, waitAway)
	}
	if wasClosed {
		select {
		case p.news <- struct{}{}:
		default: // the head of the line has not looked yet
		}
	}
	p.mu.Unlock()
	if wait.For > 0 && p.tell != nil {
		p.tell(wait)
	}
}

// fail notes a failure, of which trip in a row close the gate for that reason, and
// returns what is new about waiting. Failures of requests that were in progress when
// the gate closed do not lengthen the pause: only a probe's does. The caller holds
// mu.
func (p *pacer) fail(ps pass, now time.Time, trip int, tryAfter time.Duration, reason string) (news Wait) {
	before := p.closedFor(now)
	p.failures++
	if until := now.Add(tryAfter); tryAfter > 0 && until.After(p.askedFor) {
		p.askedFor = until
		reason = waitAsked
	}
	if closed := p.pauses > 0; closed && ps.probe || !closed && p.failures >= trip {
		p.pauses++
		p.probeAt = now.Add(backoff(p.pauses, maxPause, p.jitter()))
	}
	if wait := p.closedFor(now); wait >= before+time.Second { // a lesser change is no news to a person
		return Wait{reason, wait}
	}
	return Wait{}
}

// sleep waits for d, or until there is news; it returns false when one of the
// contexts was done first.
func sleep(feed, send context.Context, d time.Duration, news <-chan struct{}) bool {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-news:
		case <-feed.Done():
		case <-send.Done():
		}
	}
	return feed.Err() == nil && send.Err() == nil
}
