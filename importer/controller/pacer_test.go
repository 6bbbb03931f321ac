package controller

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// mustAcquire returns a permit, and how long it took to get it.
func mustAcquire(t *testing.T, p *pacer, retry bool) (permit, time.Duration) {
	t.Helper()
	start := time.Now()
	ps, ok := p.acquire(t.Context(), t.Context(), retry)
	if !ok {
		t.Fatal("no permit")
	}
	return ps, time.Since(start)
}

func halfway() float64 { return 0.5 }

func TestPauseGrowsWithProbesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(1, newLimiter(0, 1), halfway, nil)
		p.slots = 100                // that many requests may be in flight
		for range minThreshold + 3 { // all in progress when the Controller goes away
			mustAcquire(t, p, false)
		}
		for range minThreshold + 3 {
			p.release(permit{}, noAnswer, 0)
		}
		for _, want := range []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second} {
			ps, wait := mustAcquire(t, p, false)
			if !ps.probe || wait != want {
				t.Errorf("probe %v after %v, want one after %v", ps.probe, wait, want)
			}
			p.release(ps, noAnswer, 0)
		}
		for range 10 {
			ps, _ := mustAcquire(t, p, false)
			p.release(ps, noAnswer, 0)
		}
		if ps, wait := mustAcquire(t, p, false); wait != maxPause/2 {
			t.Errorf("in the end a probe %v after %v, want one after %v", ps.probe, wait, maxPause/2)
		}
	})
}

// Retries that wait for the budget get it in the order in which they came.
func TestRetriesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(1, newLimiter(0, 1), halfway, nil)
		p.slots = 100 // that many requests may be in flight
		for range firstRetries {
			mustAcquire(t, p, true)
		}
		order := make(chan int, 20)
		for i := range cap(order) {
			go func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				p.acquire(t.Context(), t.Context(), true)
				order <- i
			}()
		}
		for want := range cap(order) {
			if got := <-order; got != want {
				t.Fatalf("retry %d goes before retry %d", got, want)
			}
		}
	})
}

func TestAnyAnswerClosesTheCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(1, newLimiter(0, 1), halfway, nil)
		p.slots = 100 // that many requests may be in flight
		for range minThreshold {
			p.release(permit{}, noAnswer, 0)
		}
		probe, _ := mustAcquire(t, p, true)
		time.AfterFunc(3*time.Second, func() { p.release(permit{}, answered, 0) }) // of a request from before
		ps, wait := mustAcquire(t, p, false)
		if ps.probe || wait != 3*time.Second {
			t.Errorf("probe %v after %v, want none, after the answer of 3s", ps.probe, wait)
		}
		p.release(probe, noAnswer, 0)
		if ps, wait := mustAcquire(t, p, false); ps.probe || wait != 0 {
			t.Errorf("probe %v after %v: one failure opened the circuit again", ps.probe, wait)
		}
	})
}

func TestCircuitIsCheckedWhenTheTurnComes(t *testing.T) {
	tests := []struct{ opens, want time.Duration }{
		{900 * time.Millisecond, 1150 * time.Millisecond}, // its turn, after a second, comes in the pause of 250ms
		{100 * time.Millisecond, time.Second},             // its turn comes after the pause, when only probes pass
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			p := newPacer(1, newLimiter(1, 1), halfway, nil)
			p.slots = 100 // that many requests may be in flight
			mustAcquire(t, p, false)
			time.AfterFunc(test.opens, func() {
				for range minThreshold {
					p.release(permit{}, noAnswer, 0)
				}
			})
			ps, wait := mustAcquire(t, p, false)
			if late := wait - test.want; !ps.probe || late < 0 || late > time.Millisecond {
				t.Errorf("opened after %v: probe %v after %v, want one after %v", test.opens, ps.probe, wait, test.want)
			}
		})
	}
}

// TestReasonIsThatOfTheLongerWait has a probe fail whose answer asks for a pause.
func TestReasonIsThatOfTheLongerWait(t *testing.T) {
	for pause, want := range map[time.Duration]string{0: reasonOutage, time.Second: reasonOutage, time.Minute: reasonPause} {
		synctest.Test(t, func(t *testing.T) {
			var got Wait
			p := newPacer(1, newLimiter(0, 1), halfway, func(w Wait) { got = w })
			for range minThreshold {
				p.release(permit{}, noAnswer, 0)
			}
			for range 10 {
				probe, _ := mustAcquire(t, p, true)
				p.release(probe, noAnswer, 0)
			}
			probe, _ := mustAcquire(t, p, true)
			p.release(probe, noAnswer, pause)
			if expected := (Wait{want, max(pause, maxPause/2)}); got != expected {
				t.Errorf("a pause of %v: %v, want %v", pause, got, expected)
			}
		})
	}
}

// TestRetriesDoNotHoldUpTheQueue has retries wait for the budget while first
// attempts go on.
func TestRetriesDoNotHoldUpTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(1, newLimiter(0, 1), halfway, nil)
		p.slots = 100 // that many requests may be in flight
		for range firstRetries {
			if _, wait := mustAcquire(t, p, true); wait != 0 {
				t.Errorf("a retry within the budget waited for %v", wait)
			}
		}
		retried := make(chan time.Duration)
		go func() {
			_, wait := mustAcquire(t, p, true)
			retried <- wait
		}()
		synctest.Wait()
		if _, wait := mustAcquire(t, p, false); wait != 0 {
			t.Errorf("a first attempt waited for %v behind a retry", wait)
		}
		if wait := <-retried; wait != retryCost {
			t.Errorf("the retry waited for %v, want %v", wait, retryCost)
		}
		time.AfterFunc(retryCost/4, func() { p.release(permit{}, answered, 0) })
		if _, wait := mustAcquire(t, p, true); wait != retryCost/4 {
			t.Errorf("the next retry waited for %v, want an answer to pay for it after %v", wait, retryCost/4)
		}
	})
}

// TestRetriesGoFirst has one request in flight, which is all that may be, while others
// come: the one at the head of the queue keeps its place, then all retries go.
func TestRetriesGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(1, newLimiter(0, 1), halfway, nil)
		mustAcquire(t, p, false)
		var order []string
		for _, name := range []string{"first 1", "first 2", "first 3", "retry 1", "first 4", "retry 2"} {
			go func() {
				mustAcquire(t, p, strings.HasPrefix(name, "retry"))
				order = append(order, name)
			}()
			synctest.Wait()
		}
		for range 6 {
			p.release(permit{}, answered, 0)
			p.acquireOrQueue() // a worker that goes on at once passes nobody
			p.leaveQueue()
			synctest.Wait()
		}
		want := []string{"first 1", "retry 1", "retry 2", "first 2", "first 3", "first 4"}
		if !slices.Equal(order, want) {
			t.Errorf("the order is %q, want %q", order, want)
		}
	})
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
