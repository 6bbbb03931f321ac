package controller

import "time"

// maxDrift is how far two clocks drift apart, per second that passes: twice what
// programs that set clocks allow themselves, so that a clock that is being set is no
// surprise.
const maxDrift = time.Millisecond

// keeperClock knows the keeper's clock by its answers: an answer tells what that clock
// was at a moment between question and answer. So the time at which an answer came less
// the time that it tells is too large by its way back, and the smallest such difference
// is the best; the time of the question gives the limit on the other side. Between
// answers both limits drift.
type keeperClock struct {
	local, keeper time.Time     // two times of the clocks; differences are relative to them
	least, most   time.Duration // by how much the local clock is ahead since then
	at            time.Time     // when that was so; zero: no answer has come
}

// learn takes an answer into account: asked and got are local times, now is the
// keeper's. It reports whether the keeper's clock is another one than before: it was
// set, or another machine has taken over.
func (c *keeperClock) learn(asked, got, now time.Time) (other bool) {
	if !c.at.IsZero() {
		shift := now.Sub(c.keeper)
		drift := driftIn(got.Sub(c.at))
		least := max(c.least-drift, asked.Sub(c.local)-shift-driftIn(got.Sub(asked)))
		most := min(c.most+drift, got.Sub(c.local)-shift)
		if least <= most {
			c.least, c.most, c.at = least, most, got
			return false
		}
		other = true
	}
	*c = keeperClock{local: got, keeper: now, least: asked.Sub(got) - driftIn(got.Sub(asked)), at: got}
	return other
}

// driftIn returns how far the clocks drift apart in a time at most.
func driftIn(d time.Duration) time.Duration {
	return time.Duration(d.Seconds() * float64(maxDrift))
}

// toLocal returns the local time of a time of the keeper's, or a later one.
func (c *keeperClock) toLocal(t, now time.Time) time.Time {
	return c.local.Add(t.Sub(c.keeper) + c.most + driftIn(now.Sub(c.at)))
}

// uncertainty returns by how much toLocal may be late at most.
func (c *keeperClock) uncertainty(now time.Time) time.Duration {
	return c.most - c.least + 2*driftIn(now.Sub(c.at))
}
