package controller

import (
	"math"
	"time"
)

// docs/adr/0006-waiting.md has the measurements behind these figures.
const (
	cutFactor      = 0.99                   // share of the recently accepted rate that is sent after a cut
	maxCut         = 0.5                    // share of the base rate that a cut leaves at least
	minRate        = 0.1                    // requests a second, the least after any cut
	firstRate      = 50                     // requests a second, the least after a cut in the first second
	cutInterval    = time.Second            // between cuts at least: most limits look back that far
	fewAnswers     = 5                      // since a pause: they do not tell what rate is accepted
	holdTime       = 3 * time.Second        // from a cut until the rate grows,
	holdPerPause   = 15                     // plus so many times the pause that the Controller asks for,
	maxHold        = 5 * time.Minute        // at most: each attempt at a higher rate may cost such a pause
	growthStep     = 0.01                   // share of the base rate that is added in the first growthDoubling
	growthDoubling = 500 * time.Millisecond // each later step is twice as large as the one before
	growthTime     = 10 * time.Second       // from then on the rate is more than 10,000 times the base rate: no limit
	slowFactor     = 4                      // times the lowest smoothed latency, above which the rate does not grow
)

// A timer fires up to a millisecond late. A late start does not delay the next
// one, so that the rate is kept; intervals that are a thousandth longer ensure that
// no second has one request too many.
const (
	timerSlack  = 900 * time.Microsecond
	timerMargin = 1.001
)

// limiter decides when a request may start, by the user's rate and by what the
// Controller seems to accept:
//
//   - Refusals (HTTP 429 and 503) that are more than noise lower the rate to what the
//     Controller accepted in the last second, and by half at most: a cut. Which refusals
//     are noise is told by the trial, by whether cuts help.
//   - The rate then holds for a while, and grows after that, first in small steps and
//     then in ever larger ones (AIMD with steps that grow).
//
// Until the Controller refuses a request the limiter only counts.
type limiter struct {
	maxRate  float64       // requests a second, set by the user; +Inf: no limit
	burst    int           // requests that may start at once
	catchUp  time.Duration // so much later than it might a request may start without delaying the next one
	firstAt  time.Time     // when the first request started
	lastTurn time.Time     // when the last request was due, at the earliest: GCRA's arrival time

	base      float64   // rate after the last cut; +Inf before the first
	cutAt     time.Time // time of the last cut
	growsFrom time.Time // when the rate starts to grow from base
	noise     noise
	trial     trial

	taken      counter       // requests that were not refused
	minLatency time.Duration // lowest smoothed latency; rises slowly, so that an old one is forgotten
	latency    time.Duration // of pushes, smoothed
}

// newLimiter returns a limiter; rate is in requests a second, 0 for no limit.
func newLimiter(rate float64, burst int) limiter {
	if rate == 0 {
		rate = math.Inf(1)
	}
	return limiter{maxRate: rate, burst: max(burst, 1), catchUp: timerSlack, base: math.Inf(1)}
}

// rate returns how many requests a second may start at present.
func (l *limiter) rate(now time.Time) float64 {
	rate := l.base
	switch growing := now.Sub(l.growsFrom); {
	case growing > growthTime:
		rate = math.Inf(1)
	case growing > 0:
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
	if l.firstAt.IsZero() {
		l.firstAt = now
	}
	l.lastTurn = l.lastTurn.Add(l.interval(now))
	shortest := time.Duration(timerMargin / l.maxRate * float64(time.Second)) // at a lower rate no more is saved up
	if soonest := now.Add(-l.catchUp - time.Duration(l.burst-1)*shortest); l.lastTurn.Before(soonest) {
		l.lastTurn = soonest
	}
}

// onLatency records how long an accepted push took. How fast a list comes, or a
// rejection, would say nothing about pushes.
func (l *limiter) onLatency(latency time.Duration, now time.Time) {
	if l.minLatency == 0 {
		l.minLatency, l.latency = latency, latency
	}
	l.latency += (min(latency, 2*slowFactor*l.minLatency) - l.latency) / 16 // a single slow answer means little
	l.minLatency = min(l.latency, l.minLatency+l.minLatency/1000)           // and so does a single quick one
	if l.latency > slowFactor*l.minLatency {
		l.base = l.rate(now)
		l.growsFrom = now.Add(holdTime)
	}
}

// isNew reports whether the first second is not over, so that it is not known what is
// accepted in a second.
func (l *limiter) isNew(now time.Time) bool { return now.Sub(l.firstAt) < time.Second }

// isSteady reports whether the rate does not change.
func (l *limiter) isSteady(now time.Time) bool {
	return math.IsInf(l.base, 1) || !now.After(l.growsFrom) || l.rate(now) == l.maxRate
}

// cut lowers the rate to what the Controller accepts, and holds it. pause is the pause
// that it asks for (0: none). It reports whether the rate is that low; if not, further
// cuts will follow.
func (l *limiter) cut(now time.Time, pause time.Duration) (enough bool) {
	accepted := l.taken.rate(now)
	if pause > 0 { // during which nobody sends
		accepted = l.taken.best(now)
	}
	accepted /= 1 - l.noise.known.share()
	if rate := l.rate(now); l.trial.cuts == 0 && l.isSteady(now) && accepted > rate/2 {
		accepted = max(accepted, rate*(1-l.noise.recent.share())) // a second has few answers where the rate is low
	}
	to := cutFactor * min(l.rate(now), accepted)
	if l.isNew(now) {
		to = max(to, firstRate)
	}
	least := max(min(l.base, l.maxRate)*maxCut, minRate)
	switch {
	case math.IsInf(least, 1):
		least = 1
	case pause > 0 && l.noise.recent.seen >= fewAnswers: // the pauses hold requests back as well
		least = minRate
	}
	l.base, l.cutAt = max(to, least), now
	l.growsFrom = now.Add(min(holdTime+holdPerPause*pause, maxHold))
	l.noise.restart(now.Add(max(cutInterval, pause)))
	return to >= least || pause > 0
}
