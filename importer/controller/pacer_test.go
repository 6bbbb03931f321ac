package controller

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"
)

// mustEnter returns a pass, and how long it took to get it.
func mustEnter(t *testing.T, p *pacer, retry bool) (pass, time.Duration) {
	t.Helper()
	start := time.Now()
	ps, ok := p.enter(t.Context(), t.Context(), retry)
	if !ok {
		t.Fatal("no pass")
	}
	return ps, time.Since(start)
}

func halfway() float64 { return 0.5 }

func TestPauseGrowsWithProbesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(1, nil, halfway, nil)
		for range minTrip + 3 { // all under way when the Controller goes away
			mustEnter(t, p, false)
		}
		for range minTrip + 3 {
			p.leave(pass{}, failed, 0)
		}
		for _, want := range []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second} {
			ps, wait := mustEnter(t, p, false)
			if !ps.probe || wait != want {
				t.Errorf("probe %v after %v, want one after %v", ps.probe, wait, want)
			}
			p.leave(ps, failed, 0)
		}
		for range 10 {
			ps, _ := mustEnter(t, p, false)
			p.leave(ps, failed, 0)
		}
		if ps, wait := mustEnter(t, p, false); wait != maxPause/2 {
			t.Errorf("in the end a probe %v after %v, want one after %v", ps.probe, wait, maxPause/2)
		}
	})
}

func TestAnyAnswerOpensTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(1, nil, halfway, nil)
		for range minTrip {
			p.leave(pass{}, failed, 0)
		}
		probe, _ := mustEnter(t, p, true)
		time.AfterFunc(3*time.Second, func() { p.leave(pass{}, answered, 0) }) // of a request from before
		ps, wait := mustEnter(t, p, false)
		if ps.probe || wait != 3*time.Second {
			t.Errorf("probe %v after %v, want none, after the answer of 3s", ps.probe, wait)
		}
		p.leave(probe, failed, 0)
		if ps, wait := mustEnter(t, p, false); ps.probe || wait != 0 {
			t.Errorf("probe %v after %v: one failure closed the gate again", ps.probe, wait)
		}
	})
}

func TestPassIsLostWhenTheGateClosesMeanwhile(t *testing.T) {
	tests := []struct{ closes, want time.Duration }{
		{900 * time.Millisecond, 2 * time.Second}, // its turn, at 1s, comes in the pause: it waits for the next one
		{100 * time.Millisecond, 2 * time.Second}, // its turn comes after the pause, when only probes pass
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			p := newPacer(1, rate.NewLimiter(1, 1), halfway, nil)
			mustEnter(t, p, false)
			time.AfterFunc(test.closes, func() {
				for range minTrip {
					p.leave(pass{}, failed, 0)
				}
			})
			if ps, wait := mustEnter(t, p, false); !ps.probe || wait != test.want {
				t.Errorf("closed after %v: probe %v after %v, want one after %v", test.closes, ps.probe, wait, test.want)
			}
		})
	}
}

func TestBackoffStaysBelowItsLimit(t *testing.T) {
	for n, want := range map[int]time.Duration{1: 500 * time.Millisecond, 2: time.Second, 6: 16 * time.Second, 7: 30 * time.Second, 1 << 40: 30 * time.Second} {
		if got := backoff(n, maxBackoff, 1); got != want {
			t.Errorf("backoff(%d) = %v, want %v", n, got, want)
		}
		if got := backoff(n, maxBackoff, 0); got != 0 {
			t.Errorf("backoff(%d) without jitter = %v, want 0", n, got)
		}
	}
}
