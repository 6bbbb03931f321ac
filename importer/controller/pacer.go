package controller

import (
	"context"
	"sync"
	"time"
)

// Wait is reported when every worker waits.
type Wait struct {
	Reason string        // as a sentence without its full stop
	For    time.Duration // how long, unless something changes before
}

const (
	reasonPause     = "The Controller asks for a pause"
	reasonThrottled = "The Controller is turning requests away"
	reasonOutage    = "The Controller does not answer"
)

// The retry budget is an amount of time: a retry costs a second of it. Time that
// passes adds to it, and each answer adds as much as a retry costs. So retries are at
// most as many as answers plus one a second; the latter lets rows go on that all wait
// for the budget. What is saved up is for the last rows of a run, whose retries no
// other row's answer pays for.
const (
	retryCost    = time.Second
	firstRetries = 10   // retries that the budget has at first, at least
	savedRetries = 1000 // retries that may be saved up
	minThreshold = 5    // failures in a row that open the circuit, at least
)

// pacer decides when a request may start: the requests of all workers pass
// through it. A request waits
//
//  1. for the retry budget, if it is a retry;
//  2. in the queue, unless it may start at once. What follows concerns the head
//     of the queue only, so that it always acts on the latest state. A retry
//     waits for those before it and at most one first attempt;
//  3. for the end of the pause that the Controller has asked for (Retry-After);
//  4. for the circuit breaker, which opens after threshold failures in a row over
//     all workers. While it is open, a single request is let through from time to
//     time, a probe (half-open), after pauses that grow. Any answer closes it;
//  5. for its turn at the limiter, and for a turn of the rate that it shares with other
//     processes, if it does (turns.go);
//  6. for a slot: so many requests may be in flight as there are workers. A row
//     between two attempts holds none.
type pacer struct {
	slots     int // requests in flight at most
	threshold int // failures in a row that open the circuit
	jitter    func() float64
	onWait    func(Wait)    // may be nil
	patience  time.Duration // longest pause to wait for; 0: any
	shared    *sharedRate   // nil: the rate is not shared
	retryHead chan struct{} // full while a retry is next to be paid from the budget
	retryWake chan struct{} // full when an answer has added to the budget
	firstHead chan struct{} // full while the next of the first attempts is in the queue
	head      chan struct{} // full while a request is at the head of the queue
	wake      chan struct{} // full when the head may no longer have a reason to wait

	mu          sync.Mutex
	limiter     limiter
	inFlight    int
	queued      int           // requests in the queue
	failures    int           // in a row
	chance      chance        // whether those are no more than chance
	pauses      int           // of the open circuit, in a row; 0: it is closed
	probeAt     time.Time     // when the next probe may start
	probing     bool          // a probe is in flight: the circuit is half-open
	pausedUntil time.Time     // end of the pause that the Controller has asked for
	pausedSince time.Time     // when it asked for the first one since it last answered; zero: it has not
	budget      time.Duration // saved up for retries
	budgetAt    time.Time     // when time was last added to it
}

// permit lets one request start. Its holder gives it back with release.
type permit struct {
	started  time.Time
	notAfter time.Time // when its turn of the shared rate is over; zero: it has none
	probe    bool
}

// feedback is how a request ended, as far as the pacer is concerned.
type feedback int

const (
	noAnswer    feedback = iota // no usable answer
	unavailable                 // HTTP 503 without a Retry-After: out of order, or overloaded
	throttled                   // HTTP 429, or 503 with a Retry-After: too many requests
	answered                    // an answer, even one that rejects the row
	pushed                      // an accepted push: its latency is that of the others
	canceled                    // the request was aborted
	late                        // its turn was over before it could be sent
	stale                       // its connection was an old one that had been closed: says nothing about the Controller
)

// newPacer returns a pacer for so many workers.
func newPacer(workers int, limiter limiter, jitter func() float64, onWait func(Wait)) *pacer {
	return &pacer{
		limiter: limiter, slots: workers, threshold: max(minThreshold, workers), jitter: jitter, onWait: onWait,
		retryHead: make(chan struct{}, 1), retryWake: make(chan struct{}, 1), firstHead: make(chan struct{}, 1),
		head: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		budget: time.Duration(max(firstRetries, workers)) * retryCost, budgetAt: time.Now(),
	}
}

// rate returns how many requests a second may start at present.
func (p *pacer) rate() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	rate := p.limiter.rate(time.Now())
	if p.shared != nil {
		rate = min(rate, p.shared.rate())
	}
	return rate
}

// share has requests start at turns of a rate that several processes keep. It is the
// ceiling, so the limiter has only what the Controller accepts from this process. That
// limit is often due between two turns: what a request waits for its turn is not lost.
func (p *pacer) share(turns Turns, rate float64) {
	p.limiter.catchUp = sharedCatchUp
	p.shared = newSharedRate(turns, p, rate)
}

// forgoTurn leaves a turn unused, in place of one that was used late.
func (p *pacer) forgoTurn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shared.forgo()
}

// close ends what share has begun. No request may be waiting.
func (p *pacer) close() {
	if p.shared != nil {
		p.shared.close()
	}
}

// acquire waits until a request may start. It returns false if one of the
// contexts was done first, or if there will be no turns: see refusal.
func (p *pacer) acquire(fetchCtx, workCtx context.Context, retry bool) (got permit, ok bool) {
	if fetchCtx.Err() != nil || workCtx.Err() != nil {
		return permit{}, false
	}
	if retry && !inTurn(fetchCtx, workCtx, p.retryHead, p.retryWake, p.takeRetry) {
		return permit{}, false
	}
	if got, ok = p.acquireOrQueue(); ok {
		return got, true
	}
	defer p.leaveQueue()
	if !retry {
		if !enter(fetchCtx, workCtx, p.firstHead) {
			return permit{}, false
		}
		defer func() { <-p.firstHead }()
	}
	ok = inTurn(fetchCtx, workCtx, p.head, p.wake, func() (wait time.Duration) {
		got, wait = p.tryAcquire()
		return wait
	})
	return got, ok
}

// enter fills head, in turn. It returns false if one of the contexts was done first.
func enter(fetchCtx, workCtx context.Context, head chan<- struct{}) bool {
	select {
	case head <- struct{}{}:
		return true
	case <-fetchCtx.Done():
	case <-workCtx.Done():
	}
	return false
}

// inTurn waits for the caller's turn at the head of a queue and then calls try,
// which returns how long to wait before the next call, until that is 0. A message
// on wake ends such a wait early. It returns false if one of the contexts was done
// first, or if try returns less than 0.
func inTurn(fetchCtx, workCtx context.Context, head chan struct{}, wake <-chan struct{}, try func() time.Duration) bool {
	if !enter(fetchCtx, workCtx, head) {
		return false
	}
	defer func() { <-head }()
	for {
		wait := try()
		if wait <= 0 {
			return wait == 0
		}
		if !sleep(fetchCtx, workCtx, wait, wake) {
			return false
		}
	}
}

// takeRetry takes a retry from the budget, or returns how long it takes until
// there is one.
func (p *pacer) takeRetry() (wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.budget = min(p.budget+now.Sub(p.budgetAt), savedRetries*retryCost)
	p.budgetAt = now
	if wait := retryCost - p.budget; wait > 0 {
		return wait
	}
	p.budget -= retryCost
	return 0
}

// acquireOrQueue returns a permit if the request may start at once. Otherwise it
// counts it as queued, until leaveQueue is called. While others are in the queue
// nobody passes them: a worker that goes on at once would take every slot before the
// head of the queue wakes.
func (p *pacer) acquireOrQueue() (got permit, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queued == 0 {
		if p.shared != nil {
			p.shared.refused = nil // it is asked again: what was wrong may be right now
		}
		if got, wait := p.tryLocked(); wait == 0 {
			return got, true
		}
	}
	p.queued++
	return permit{}, false
}

// refusal returns why a request that was not let start will get no turn; nil if it may.
func (p *pacer) refusal() error {
	if p.shared == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shared.refused
}

func (p *pacer) leaveQueue() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queued--
}

// tryAcquire returns a permit, or how long to wait at most before asking again.
func (p *pacer) tryAcquire() (got permit, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tryLocked()
}

// tryLocked is tryAcquire for a caller that holds mu.
func (p *pacer) tryLocked() (got permit, wait time.Duration) {
	now := time.Now()
	if p.probing || p.inFlight >= p.slots {
		return permit{}, maxPause // or until a request ends
	}
	if wait := max(p.blockedFor(now), p.limiter.wait(now)); wait > 0 {
		return permit{}, wait
	}
	var notAfter time.Time
	if p.shared != nil {
		var wait time.Duration
		if notAfter, wait = p.shared.take(now); wait != 0 {
			return permit{}, wait
		}
	}
	p.limiter.start(now)
	p.inFlight++
	p.probing = p.pauses > 0
	return permit{started: now, notAfter: notAfter, probe: p.probing}, 0
}

// blockedFor returns how long no request may start at all. The caller holds mu.
func (p *pacer) blockedFor(now time.Time) time.Duration {
	wait := p.pausedUntil.Sub(now)
	if p.pauses > 0 {
		wait = max(wait, p.probeAt.Sub(now))
	}
	return max(wait, 0)
}

// release gives a permit back. retryAfter is the pause that the Controller asks
// for after a failed request, 0 for none; ownPause is what the request's own row has to
// wait for it, beyond what everyone waits. If nobody should wait for its end, because
// it is too long, or the last of too many, that is returned, else the zero time.
func (p *pacer) release(used permit, end feedback, retryAfter time.Duration) (ownPause time.Duration, tooLongUntil time.Time) {
	p.mu.Lock()
	now := time.Now()
	p.inFlight--
	wasOpen := p.pauses > 0
	if used.probe {
		p.probing = false
	}
	everyone := true
	switch {
	case wasOpen: // the limiter learns only while the circuit is closed
	case end == throttled || end == unavailable:
		everyone = p.limiter.onThrottled(used.started, now, retryAfter)
	case end == noAnswer:
		everyone = p.failures+1 >= p.threshold || !p.chance.explains(p.failures+1)
	}
	pause := retryAfter // for everyone
	if !everyone && pause <= longestOwnPause {
		ownPause, pause = pause, 0
	}
	var wait Wait
	switch end {
	case answered, pushed:
		if !wasOpen {
			p.chance.answered(p.failures)
		}
		p.failures, p.pauses, p.probing, p.pausedSince = 0, 0, false, time.Time{}
		p.budget = min(p.budget+retryCost, savedRetries*retryCost)
		signal(p.retryWake)
		p.limiter.onAnswer(now)
		if end == pushed {
			p.limiter.onLatency(now.Sub(used.started), now)
		}
	case noAnswer:
		p.limiter.onAnswer(now)
		wait = p.recordFailure(used, now, p.threshold, pause, reasonOutage)
	case unavailable, throttled:
		threshold := minThreshold      // unmistakable, whatever the number of workers
		if p.limiter.noise.isKnown() { // noise may refuse several in a row
			threshold = p.threshold
		}
		wait = p.recordFailure(used, now, threshold, pause, reasonThrottled)
	}
	if p.queued > 0 {
		signal(p.wake)
	}
	if retryAfter > 0 {
		tooLongUntil = p.judgePause(now, retryAfter)
	}
	p.mu.Unlock()
	if wait.For > 0 && p.onWait != nil && tooLongUntil.IsZero() {
		p.onWait(wait)
	}
	return ownPause, tooLongUntil
}

// mostPauses is how many times the longest pause the Controller may spend asking for
// pauses without an answer in between.
const mostPauses = 6

// judgePause returns the end of the pause if it is too long to wait for, or one of a
// series of pauses that is, else the zero time. The caller holds mu.
func (p *pacer) judgePause(now time.Time, pause time.Duration) (tooLongUntil time.Time) {
	if p.pausedSince.IsZero() {
		p.pausedSince = now
	}
	until := now.Add(pause)
	if p.patience > 0 && (pause > p.patience || until.Sub(p.pausedSince) > mostPauses*p.patience) {
		return until
	}
	return time.Time{}
}

// signal fills wake, unless it is full: the head of the queue has not looked yet.
func signal(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// recordFailure counts a failure, of which threshold in a row open the circuit, and
// returns the wait to report, if any. Failures of requests that were in flight when
// the circuit opened do not lengthen the pause: only a probe's does. The caller
// holds mu.
func (p *pacer) recordFailure(used permit, now time.Time, threshold int, retryAfter time.Duration, reason string) Wait {
	before := p.blockedFor(now)
	p.failures++
	if until := now.Add(retryAfter); retryAfter > 0 && until.After(p.pausedUntil) {
		p.pausedUntil = until
		p.tellOthers(now, until)
	}
	if open := p.pauses > 0; open && used.probe || !open && p.failures >= threshold {
		p.pauses++
		p.probeAt = now.Add(backoff(p.pauses, maxPause, p.jitter()))
		if reason == reasonThrottled { // that there is no answer may be the fault of this machine's network
			p.tellOthers(now, p.probeAt)
		}
	}
	wait := p.blockedFor(now)
	if wait < before+time.Second { // a smaller change does not matter to a person
		return Wait{}
	}
	if p.pausedUntil.Sub(now) == wait {
		reason = reasonPause
	}
	return Wait{reason, wait}
}

// tellOthers has the processes that share the rate told of a pause. One that is too long
// to wait for ends the run: a command that tries again after the longest that is waited for may
// ask. The caller holds mu.
func (p *pacer) tellOthers(now, until time.Time) {
	if p.shared == nil {
		return
	}
	if p.patience > 0 && until.Sub(now) > p.patience {
		until = now.Add(p.patience)
	}
	p.shared.tell(until)
}

// keepPause keeps to a pause that was learned from another process, and returns the
// wait to report, if any. The caller holds mu.
func (p *pacer) keepPause(now, until time.Time) Wait {
	before := p.blockedFor(now)
	if until.After(p.pausedUntil) {
		p.pausedUntil = until
	}
	wait := p.blockedFor(now)
	if wait < before+time.Second {
		return Wait{}
	}
	return Wait{reasonPause, wait}
}

// sleep waits for d, or for a message on wake. It returns false if one of the
// contexts was done first.
func sleep(fetchCtx, workCtx context.Context, d time.Duration, wake <-chan struct{}) bool {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-wake:
		case <-fetchCtx.Done():
		case <-workCtx.Done():
		}
	}
	return fetchCtx.Err() == nil && workCtx.Err() == nil
}
