package controller

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"opscom-import/importer"
)

// Turns is one client's share of a rate that several processes keep together. A keeper
// that all of them reach, such as a database, gives out the turns. Its methods are
// called by one goroutine each.
type Turns interface {
	// Reserve returns at most n turns, n from 1. They belong to the caller: a turn that
	// it does not use is lost.
	// The error is an importer.NoTurnsError if it is of no use to ask again.
	Reserve(ctx context.Context, n int) (importer.Reservation, error)

	// Pause tells all processes that no request may start for d.
	Pause(ctx context.Context, d time.Duration) error
}

// By the keeper's clock a turn may be used latestUse late: what importer.TurnMargin
// allows, less what is left for the network between here and the Controller. That clock
// is known only up to an uncertainty, less than the round trip to the keeper, by which
// the local clock has to be stricter. With an uncertainty of up to exactUnsure the rate is
// exact; with one of up to mostUnsure it is, if an answer of the keeper takes no longer than
// the question. That is so of the quickest of several answers when the keeper is far away.
// It is not of a single one that came late because a machine is busy.
const (
	latestUse   = importer.TurnMargin - 5*time.Millisecond
	mostSlack   = 15 * time.Millisecond // by the local clock; an older turn is dropped
	leastSlack  = 2 * time.Millisecond  // for a timer that fires late
	exactUnsure = latestUse - leastSlack
	mostUnsure  = 2 * exactUnsure
	nearUnsure  = exactUnsure / 2 // known better than that the clock is of a keeper that is near
	farAnswers  = 5               // in a row that leave it worse known are of a keeper that is far away
)

const (
	turnsAhead    = 200 * time.Millisecond // of turns in hand at most, at the shared rate: for as long the keeper may be slow, and so much is lost at the end
	fewTurns      = 3                      // in hand at most, if these are more: at a low rate each would be a question otherwise
	mostTurns     = 1000                   // in hand
	unlimitedFor  = time.Second            // after a question whose answer was that there is no limit
	sharedCatchUp = 10 * time.Millisecond  // of the limiter, where requests also wait for turns
)

const (
	keeperTimeout = 3 * time.Second        // for an answer of the keeper: turns are given out a second ahead
	keeperRetry   = 250 * time.Millisecond // after a failure, at least, and at most twice that
	shortestAsk   = 5 * time.Millisecond   // from an answer without turns to the next question, at least
	troubleTold   = time.Second            // failures of the keeper that are shorter are not told
)

const (
	reasonNoKeeper   = "The shared rate limit cannot be read"
	reasonSlowKeeper = "The shared rate limit takes too long to read"
)

// sharedRate gives the pacer its turns when a rate is shared. They are reserved ahead of
// need: as many as there are requests waiting, and some more where the keeper's answers
// would otherwise come too late. It also tells the others of pauses, and keeps to
// theirs. While the keeper does not answer there are no turns: no request starts.
type sharedRate struct {
	turns   Turns
	pacer   *pacer
	wanted  chan struct{} // full when turns are to be reserved
	news    chan struct{} // full when there is a pause to tell
	stop    context.CancelFunc
	running sync.WaitGroup

	// The pacer's mu guards these.
	clock    keeperClock
	inHand   []time.Time   // turns by the keeper's clock, the next one first
	ahead    int           // turns to have in hand even if no request waits for them
	unused   int           // turns that were too old, since the last reservation
	owed     int           // turns to leave unused
	interval time.Duration // from one turn to the next, of all processes; 0: no limit
	refused  error         // why there will be no turns; nil: there will
	freeFrom time.Time     // when the keeper was asked that last said that there is no limit; zero: it did not
	pause    time.Time     // end of the longest pause of our own
	told     time.Time     // end of the one that the others know of

	// Only the goroutine that reserves has these.
	far          int       // answers in a row after which the keeper's clock was known worse than nearUnsure
	failingSince time.Time // zero: the keeper answers
	tellAt       time.Time // when to tell that it does not
}

// newSharedRate returns the turns for a pacer and begins to reserve, when they are
// wanted, until close is called. rate is a guess at the shared rate, for the time until
// the keeper says it: requests a second, 0 for no limit.
func newSharedRate(turns Turns, p *pacer, rate float64) *sharedRate {
	s := &sharedRate{turns: turns, pacer: p, wanted: make(chan struct{}, 1), news: make(chan struct{}, 1)}
	if rate > 0 {
		s.interval = time.Duration(float64(time.Second) / rate)
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	s.running.Go(func() { s.reserveTurns(ctx) })
	s.running.Go(func() { s.tellPauses(ctx) })
	return s
}

// close ends reserving, and gives a pause that was not told yet a last chance.
func (s *sharedRate) close() {
	s.stop()
	s.running.Wait()
}

// rate returns how many requests a second all processes may start, +Inf for any number.
// The caller holds the pacer's mu.
func (s *sharedRate) rate() float64 {
	if s.interval == 0 {
		return math.Inf(1)
	}
	return float64(time.Second+importer.TurnMargin) / float64(s.interval)
}

// take uses a turn for a request that nothing else keeps from starting, and returns when
// that is over, the zero time if the rate has no limit; or how long to wait at most before
// asking again, less than 0 if that is of no use. The caller holds the pacer's mu.
func (s *sharedRate) take(now time.Time) (notAfter time.Time, wait time.Duration) {
	if s.refused != nil {
		return time.Time{}, -1
	}
	if since := now.Sub(s.freeFrom); since < unlimitedFor {
		if since >= unlimitedFor/2 {
			signal(s.wanted)
		}
		return time.Time{}, 0
	}
	s.dropOld(now)
	wait = maxPause // or until there are turns
	if len(s.inHand) > 0 {
		turn := s.clock.toLocal(s.inHand[0], now)
		notAfter, wait = turn.Add(s.slack(now)), max(turn.Sub(now), 0)
	}
	waiting := max(s.pacer.queued, 1)
	if wait == 0 {
		s.inHand = s.inHand[1:]
		waiting--
	}
	if need := s.need(waiting, now); len(s.inHand) < need && len(s.inHand) <= min(need, s.inTime())/2 {
		signal(s.wanted)
	}
	return notAfter, wait
}

// forgo leaves the next turn unused: a request was sent late. Together with the requests that follow it, there
// would be one too many in a second. The caller holds the pacer's mu.
func (s *sharedRate) forgo() {
	s.owed++
	if s.pay(); s.owed > 0 {
		signal(s.wanted)
	}
}

// pay drops as many of the turns in hand as are owed.
func (s *sharedRate) pay() {
	n := min(s.owed, len(s.inHand))
	s.inHand = s.inHand[n:]
	s.owed -= n
}

// slack returns how late a turn may be used by the local clock.
func (s *sharedRate) slack(now time.Time) time.Duration {
	return min(mostSlack, max(leastSlack, latestUse-s.clock.uncertainty(now)))
}

// dropOld drops the turns that are too old to be used.
func (s *sharedRate) dropOld(now time.Time) {
	slack := s.slack(now)
	for len(s.inHand) > 0 && now.Sub(s.clock.toLocal(s.inHand[0], now)) > slack {
		s.inHand = s.inHand[1:]
		s.unused++
	}
}

// need returns how many turns to have in hand while so many requests wait.
func (s *sharedRate) need(waiting int, now time.Time) int {
	waiting = min(waiting, s.pacer.slots)
	if s.pacer.pauses > 0 || s.pacer.limiter.interval(now) > s.interval {
		waiting = min(waiting, 1) // the others start later than turns that follow each other
	}
	return min(max(waiting, s.ahead), s.most())
}

// most returns how many turns to have in hand at most.
func (s *sharedRate) most() int { return max(s.inTime(), fewTurns) }

// inTime returns how many turns there are in turnsAhead.
func (s *sharedRate) inTime() int {
	if s.interval == 0 {
		return mostTurns
	}
	return min(int(turnsAhead/s.interval), mostTurns)
}

// missing returns how many turns to reserve now.
func (s *sharedRate) missing() int {
	p := s.pacer
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch {
	case now.Sub(s.freeFrom) < unlimitedFor/2:
		return 0
	case !s.freeFrom.IsZero():
		return 1 // it may be that there is a limit now
	}
	s.dropOld(now)
	return s.need(p.queued, now) - len(s.inHand) + s.owed
}

// reserveTurns reserves turns whenever they are wanted.
func (s *sharedRate) reserveTurns(ctx context.Context) {
	for {
		select {
		case <-s.wanted:
		case <-ctx.Done():
			return
		}
		for again := s.reserve(ctx); again > 0 && sleep(ctx, ctx, again, nil); {
			again = s.reserve(ctx)
		}
	}
}

// reserve reserves the turns that are missing. It returns when to try again, 0 for when
// they are wanted.
func (s *sharedRate) reserve(ctx context.Context) (again time.Duration) {
	n := s.missing()
	if n <= 0 {
		return 0
	}
	if s.far > 0 && s.far < farAnswers {
		n = 1 // it may be lost
	}
	asked := time.Now()
	asking, cancel := context.WithTimeout(ctx, keeperTimeout)
	r, err := s.turns.Reserve(asking, n)
	cancel()
	got := time.Now()
	if errors.As(err, new(*importer.NoTurnsError)) {
		s.refuse(err)
		return 0
	}
	if err != nil {
		return s.failed(got, reasonNoKeeper)
	}
	switch {
	case s.accept(asked, got, r):
	case s.far < farAnswers:
		return shortestAsk // the next one may be quicker
	default:
		return s.failed(got, reasonSlowKeeper)
	}
	s.failingSince = time.Time{}
	if r.Turns == 0 && !r.PausedUntil.After(r.Now) {
		return max(r.First.Sub(r.Now), shortestAsk)
	}
	return 0
}

// refuse lets requests end that wait for turns: there will be none.
func (s *sharedRate) refuse(err error) {
	s.pacer.mu.Lock()
	defer s.pacer.mu.Unlock()
	s.refused = err
	signal(s.pacer.wake)
}

// accept takes the turns of a reservation in hand, and keeps to its pause. It returns
// false if the keeper's clock is not certain enough for turns.
func (s *sharedRate) accept(asked, got time.Time, r importer.Reservation) bool {
	p := s.pacer
	p.mu.Lock()
	if !r.Asked.IsZero() {
		asked = r.Asked
	}
	answered := got
	if !r.Answered.IsZero() {
		answered = r.Answered
	}
	if s.clock.learn(asked, answered, r.Now) {
		s.inHand = nil // nobody knows any more when they are
	}
	unsure := s.clock.uncertainty(got)
	if s.far++; unsure <= nearUnsure {
		s.far = 0
	}
	certain := unsure <= exactUnsure || unsure <= mostUnsure && s.far >= farAnswers
	switch {
	case s.unused > 0: // there were more than requests
		s.ahead = max(s.ahead-s.unused, 0)
	case r.Turns > 0 && !r.First.After(r.Now): // it would have been free before
		s.ahead = max(2*s.ahead, 1)
	}
	s.interval, s.unused = r.Interval, 0
	s.ahead = min(s.ahead, s.most())
	s.freeFrom = time.Time{}
	if r.Interval == 0 && r.Turns > 0 {
		certain, s.freeFrom, r.Turns = true, asked, 0
	}
	for i := range r.Turns {
		if certain {
			s.inHand = append(s.inHand, r.First.Add(time.Duration(i)*r.Interval))
		}
	}
	s.pay()
	var wait Wait
	if r.PausedUntil.After(r.Now) {
		wait = p.keepPause(got, s.clock.toLocal(r.PausedUntil, got))
	}
	if p.queued > 0 {
		signal(p.wake)
	}
	p.mu.Unlock()
	if wait.For > 0 && p.onWait != nil {
		p.onWait(wait)
	}
	return certain
}

// failed returns when to ask the keeper again, and tells now and then why there are no
// turns.
func (s *sharedRate) failed(now time.Time, reason string) (again time.Duration) {
	if s.failingSince.IsZero() {
		s.failingSince, s.tellAt = now, now.Add(troubleTold)
	}
	if !now.Before(s.tellAt) {
		wait := min(now.Sub(s.failingSince), maxPause)
		s.tellAt = now.Add(wait)
		if s.pacer.onWait != nil {
			s.pacer.onWait(Wait{reason, wait})
		}
	}
	return keeperRetry + time.Duration(s.pacer.jitter()*float64(keeperRetry))
}

// tell has the others told of a pause. The caller holds the pacer's mu.
func (s *sharedRate) tell(until time.Time) {
	if until.After(s.pause) {
		s.pause = until
		signal(s.news)
	}
}

// tellPauses tells the others of pauses, also of one that ends the run.
func (s *sharedRate) tellPauses(ctx context.Context) {
	for over := false; !over; {
		select {
		case <-s.news:
		case <-ctx.Done():
			over = true
		}
		for !s.tellPause(ctx) && sleep(ctx, ctx, keeperRetry, nil) {
		}
	}
}

// tellPause tells the others of what is left of the pause. It returns whether they know.
func (s *sharedRate) tellPause(ctx context.Context) bool {
	s.pacer.mu.Lock()
	until, told := s.pause, s.told
	s.pacer.mu.Unlock()
	left := time.Until(until)
	if left <= 0 || !until.After(told) {
		return true
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keeperTimeout)
	defer cancel()
	if s.turns.Pause(ctx, left) != nil {
		return false
	}
	s.pacer.mu.Lock()
	defer s.pacer.mu.Unlock()
	s.told = until
	return true
}
