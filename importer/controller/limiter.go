package controller

import (
	"math"
	"time"
)

// The limiter lowers the rate at a refusal (HTTP 429 or 503) to what the
// Controller has taken of late, and lets it grow again after a while, first in
// small steps and then in ever larger ones. docs/adr/0006-waiting.md has the
// measurements behind these figures.
const (
	cutTo       = 0.99                   // share of what the Controller takes that is sent after a cut
	mostCut     = 0.5                    // share of the level before that a cut leaves at least
	slowest     = 0.1                    // requests a second that no cut goes below
	cutEvery    = time.Second            // at least between cuts: limits look back so far, mostly
	memory      = 700 * time.Millisecond // time constant of what is taken of late
	calm        = 3 * time.Second        // after a cut, before the rate grows
	calmPerWait = 15                     // times the pause that the Controller asks for, in addition,
	maxCalm     = 5 * time.Minute        // up to so long: each attempt at more may cost such a pause
	firstStep   = 0.01                   // share of the level by which the rate grows in stepDoubles at first
	stepDoubles = 500 * time.Millisecond // later steps are twice as large as the one before
	strained    = 4                      // times the shortest latency at which the rate does not grow
)

// A timer goes off late by up to a millisecond. A late start does not put off
// the next one, so that the rate is kept; intervals that are longer by a
// thousandth make sure that a second never has one request too many.
const (
	timerSlack  = 900 * time.Microsecond
	timerMargin = 1.001
)

// limiter says when a request may start by the user's rate, and by what the
// Controller seems to take (AIMD with steps that grow). Until the Controller
// turns a request away it only counts.
type limiter struct {
	most  float64   // requests a second by the user's rate, +Inf: no limit
	burst int       // requests that may start at once
	turn  time.Time // when the last request should have started, at the earliest: GCRA's arrival time

	level float64   // rate after the last cut; +Inf before the first
	cutAt time.Time // of the last cut
	grows time.Time // from then on the rate grows from level

	taken   float64 // answers, each counted the less the longer ago it came
	takenAt time.Time
	fastest time.Duration // shortest latency, forgotten slowly
	latency time.Duration // smoothed
}

// newLimiter returns a limiter; rate is in requests a second, 0 for no limit.
func newLimiter(rate float64, burst int) limiter {
	if rate == 0 {
		rate = math.Inf(1)
	}
	return limiter{most: rate, burst: max(burst, 1), level: math.Inf(1)}
}

// rate returns how many requests a second may start.
func (l *limiter) rate(now time.Time) float64 {
	rate := l.level
	if growing := now.Sub(l.grows); growing > 0 {
		rate *= 1 + firstStep*(math.Exp2(growing.Seconds()/stepDoubles.Seconds())-1)
	}
	return min(rate, l.most)
}

// interval returns the time between two requests, 0 for none.
func (l *limiter) interval(now time.Time) time.Duration {
	return time.Duration(timerMargin / l.rate(now) * float64(time.Second))
}

// wait returns how long it is until the next request may start.
func (l *limiter) wait(now time.Time) time.Duration {
	return max(l.turn.Add(l.interval(now)).Sub(now), 0)
}

// start notes that a request starts.
func (l *limiter) start(now time.Time) {
	interval := l.interval(now)
	l.turn = l.turn.Add(interval)
	if soonest := now.Add(-timerSlack - time.Duration(l.burst-1)*interval); l.turn.Before(soonest) {
		l.turn = soonest
	}
}

// accepted notes that the Controller took a request.
func (l *limiter) accepted(started, now time.Time) {
	l.taken = l.lately(now)*memory.Seconds() + 1
	l.takenAt = now
	latency := now.Sub(started)
	if l.fastest == 0 {
		l.fastest, l.latency = latency, latency
	}
	l.fastest = min(latency, l.fastest+l.fastest/1000)
	l.latency += (min(latency, 2*strained*l.fastest) - l.latency) / 16 // one slow answer says little
	if l.latency > strained*l.fastest {
		l.level = l.rate(now)
		l.grows = now.Add(calm)
	}
}

// lately returns how many requests a second the Controller has taken of late.
func (l *limiter) lately(now time.Time) float64 {
	return l.taken / memory.Seconds() * math.Exp(-now.Sub(l.takenAt).Seconds()/memory.Seconds())
}

// refused notes that a request was turned away, and that the Controller asks for
// a pause (0: it does not). One that started before the last cut says nothing of
// the rate since.
func (l *limiter) refused(started, now time.Time, pause time.Duration) {
	if started.Before(l.cutAt) || now.Sub(l.cutAt) < cutEvery {
		return
	}
	least := 1.0
	if before := min(l.level, l.most); !math.IsInf(before, 1) {
		least = max(before*mostCut, slowest)
	}
	l.level = max(cutTo*min(l.rate(now), l.lately(now)), least)
	l.cutAt = now
	l.grows = now.Add(min(calm+calmPerWait*pause, maxCalm))
}
