package controller

import (
	"math"
	"time"
)

// The limiter lowers the rate after HTTP 429 or 503 to what the Controller has
// recently accepted, and after a while lets it grow again, first in small steps and
// then in ever larger ones. docs/adr/0006-waiting.md has the measurements behind
// these figures.
const (
	cutFactor      = 0.99                   // share of the recently accepted rate that is sent after a cut
	maxCut         = 0.5                    // share of the base rate that a cut leaves at least
	minRate        = 0.1                    // requests a second, the least after any cut
	cutInterval    = time.Second            // between cuts at least: most limits look back that far
	recentWindow   = 700 * time.Millisecond // time constant of the recent rate
	holdTime       = 3 * time.Second        // from a cut until the rate grows,
	holdPerPause   = 15                     // plus so many times the pause that the Controller asks for,
	maxHold        = 5 * time.Minute        // at most: each attempt at a higher rate may cost such a pause
	growthStep     = 0.01                   // share of the base rate that is added in the first growthDoubling
	growthDoubling = 500 * time.Millisecond // each later step is twice as large as the one before
	slowFactor     = 4                      // times the lowest latency, above which the rate does not grow
)

// A timer fires up to a millisecond late. A late start does not delay the next
// one, so that the rate is kept; intervals that are a thousandth longer ensure that
// no second has one request too many.
const (
	timerSlack  = 900 * time.Microsecond
	timerMargin = 1.001
)

// limiter decides when a request may start, by the user's rate and by what the
// Controller seems to accept (AIMD with steps that grow). Until the Controller
// turns a request away it only counts.
type limiter struct {
	maxRate  float64   // requests a second, set by the user; +Inf: no limit
	burst    int       // requests that may start at once
	lastTurn time.Time // when the last request was due, at the earliest: GCRA's arrival time

	base      float64   // rate after the last cut; +Inf before the first
	cutAt     time.Time // time of the last cut
	growsFrom time.Time // when the rate starts to grow from base

	recent     float64       // recent answers, with weights that decay exponentially
	recentAt   time.Time     // when the last of them came
	minLatency time.Duration // lowest latency of a push; rises slowly, so that an old one is forgotten
	latency    time.Duration // smoothed
}

// newLimiter returns a limiter; rate is in requests a second, 0 for no limit.
func newLimiter(rate float64, burst int) limiter {
	if rate == 0 {
		rate = math.Inf(1)
	}
	return limiter{maxRate: rate, burst: max(burst, 1), base: math.Inf(1)}
}

// rate returns how many requests a second may start at present.
func (l *limiter) rate(now time.Time) float64 {
	rate := l.base
	if growing := now.Sub(l.growsFrom); growing > 0 {
		rate *= 1 + growthStep*(math.Exp2(growing.Seconds()/growthDoubling.Seconds())-1)
	}
	return min(rate, l.maxRate)
}

// interval returns the time between two requests; 0 means no limit.
func (l *limiter) interval(now time.Time) time.Duration {
	return time.Duration(timerMargin / l.rate(now) * float64(time.Second))
}

// wait returns how long it is until the next request may start.
func (l *limiter) wait(now time.Time) time.Duration {
	return max(l.lastTurn.Add(l.interval(now)).Sub(now), 0)
}

// start records that a request starts.
func (l *limiter) start(now time.Time) {
	interval := l.interval(now)
	l.lastTurn = l.lastTurn.Add(interval)
	if soonest := now.Add(-timerSlack - time.Duration(l.burst-1)*interval); l.lastTurn.Before(soonest) {
		l.lastTurn = soonest
	}
}

// onAnswer records that the Controller answered a request.
func (l *limiter) onAnswer(now time.Time) {
	l.recent = l.recentRate(now)*recentWindow.Seconds() + 1
	l.recentAt = now
}

// onLatency records how long an accepted push took. How fast a list comes, or a
// rejection, would say nothing about pushes.
func (l *limiter) onLatency(latency time.Duration, now time.Time) {
	if l.minLatency == 0 {
		l.minLatency, l.latency = latency, latency
	}
	l.minLatency = min(latency, l.minLatency+l.minLatency/1000)
	l.latency += (min(latency, 2*slowFactor*l.minLatency) - l.latency) / 16 // a single slow answer means little
	if l.latency > slowFactor*l.minLatency {
		l.base = l.rate(now)
		l.growsFrom = now.Add(holdTime)
	}
}

// recentRate returns how many requests a second the Controller has answered recently.
func (l *limiter) recentRate(now time.Time) float64 {
	return l.recent / recentWindow.Seconds() * math.Exp(-now.Sub(l.recentAt).Seconds()/recentWindow.Seconds())
}

// onThrottled records that a request was turned away, and the pause that the
// Controller asks for (0: none). A request that started before the last cut says
// nothing about the rate since.
func (l *limiter) onThrottled(started, now time.Time, pause time.Duration) {
	if started.Before(l.cutAt) || now.Sub(l.cutAt) < cutInterval {
		return
	}
	least := 1.0
	if before := min(l.base, l.maxRate); !math.IsInf(before, 1) {
		least = max(before*maxCut, minRate)
	}
	l.base = max(cutFactor*min(l.rate(now), l.recentRate(now)), least)
	l.cutAt = now
	l.growsFrom = now.Add(min(holdTime+holdPerPause*pause, maxHold))
}
