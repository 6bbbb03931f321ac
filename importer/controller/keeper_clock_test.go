package controller

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestKeeperClock asks a clock that is wrong and drifts, over a network that is slow at
// times: what is derived from it is never before the true time, and after it by the
// uncertainty at most.
func TestKeeperClock(t *testing.T) {
	for _, drift := range []float64{0, 500e-6, -500e-6, 990e-6, -990e-6} {
		random := rand.New(rand.NewPCG(1, 2))
		took := func() time.Duration {
			d := 100*time.Microsecond + time.Duration(random.ExpFloat64()*float64(2*time.Millisecond))
			if random.IntN(20) == 0 { // the process was stopped
				d += time.Duration(random.Float64() * float64(5*time.Second))
			}
			return d
		}
		began := time.Now()
		keeperAt := func(now time.Time) time.Time {
			passed := now.Sub(began)
			return time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC).Add(passed + time.Duration(float64(passed)*drift))
		}
		var c keeperClock
		now, best := began, time.Hour
		for n := range 2000 {
			now = now.Add(time.Duration(random.Float64() * float64(time.Second)))
			there, back := took(), took()
			if c.learn(now, now.Add(there+back), keeperAt(now.Add(there))) {
				t.Fatalf("drift %v, answer %d: taken for another clock", drift, n)
			}
			now = now.Add(there + back)
			later := now.Add(time.Duration(random.Float64() * float64(time.Second)))
			got := c.toLocal(keeperAt(later), later)
			if early := later.Sub(got); early > time.Microsecond { // keeperAt is not exact
				t.Fatalf("drift %v, answer %d: early by %v", drift, n, early)
			}
			if late := got.Sub(later); late > c.uncertainty(later)+time.Microsecond {
				t.Fatalf("drift %v, answer %d: late by %v, which is more than the uncertainty, %v", drift, n, late, c.uncertainty(later))
			}
			best = min(best, c.uncertainty(now))
			if n > 10 && c.uncertainty(now) > 40*time.Millisecond {
				t.Fatalf("drift %v, answer %d: uncertain by %v", drift, n, c.uncertainty(now))
			}
		}
		if best > 3*time.Millisecond {
			t.Errorf("drift %v: uncertain by %v at best", drift, best)
		}
	}
}

func TestKeeperClockIsAnother(t *testing.T) {
	for _, jump := range []time.Duration{-time.Hour, -20 * time.Millisecond, 20 * time.Millisecond, time.Hour} {
		var c keeperClock
		now := time.Now()
		for range 5 {
			now = now.Add(time.Second)
			if c.learn(now, now.Add(4*time.Millisecond), now.Add(2*time.Millisecond)) {
				t.Error("the same clock was taken for another")
			}
		}
		now = now.Add(time.Second)
		if !c.learn(now, now.Add(4*time.Millisecond), now.Add(jump+2*time.Millisecond)) {
			t.Errorf("a clock that was set by %v was taken for the same", jump)
		}
		if got := c.toLocal(now.Add(jump+10*time.Millisecond), now.Add(4*time.Millisecond)).Sub(now); got < 10*time.Millisecond || got > 14*time.Millisecond {
			t.Errorf("after it was set by %v, a time of the keeper's is %v away, want 10 to 14 ms", jump, got)
		}
	}
}
