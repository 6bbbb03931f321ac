package controller

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestLimiterNeverExceedsTheRate lets requests start late, as timers and a busy
// machine make them, and counts how many start in any second.
func TestLimiterNeverExceedsTheRate(t *testing.T) {
	tests := []struct {
		rate  float64
		burst int
		late  time.Duration // at most, most of the time
		stall time.Duration // now and again
		least float64       // share of the rate that is used
	}{
		{rate: 10, burst: 1, late: time.Millisecond, least: 0.998},
		{rate: 10, burst: 1, late: 20 * time.Millisecond, stall: 3 * time.Second},
		{rate: 10, burst: 4, late: time.Millisecond, stall: 3 * time.Second},
		{rate: 2.5, burst: 1, late: time.Millisecond, least: 0.998},
		{rate: 100, burst: 1, late: time.Millisecond, least: 0.995},
		{rate: 1000, burst: 1, late: time.Millisecond / 2, least: 0.99},
		{rate: 1000, burst: 10, late: 5 * time.Millisecond, stall: time.Second},
		{rate: 0.2, burst: 1, late: time.Millisecond, least: 0.998},
	}
	for _, test := range tests {
		random := rand.New(rand.NewPCG(1, 2))
		l := newLimiter(test.rate, test.burst)
		now := time.Now()
		starts := []time.Time{}
		for range 5000 {
			now = now.Add(l.wait(now) + time.Duration(random.Float64()*float64(test.late)))
			if test.stall > 0 && random.IntN(100) == 0 {
				now = now.Add(test.stall)
			}
			l.start(now)
			starts = append(starts, now)
		}
		most := max(int(test.rate), 1) + test.burst - 1
		if test.rate == 2.5 {
			most = 3
		}
		for i, first := range starts[:len(starts)-most] {
			if next := starts[i+most]; next.Sub(first) < time.Second {
				t.Fatalf("rate %v, burst %d: %d requests in %v", test.rate, test.burst, most+1, next.Sub(first))
			}
		}
		if used := float64(len(starts)-1) / now.Sub(starts[0]).Seconds() / test.rate; used < test.least {
			t.Errorf("rate %v, late by %v: %.4f of it was used, want %v", test.rate, test.late, used, test.least)
		}
	}
}

// steady has the limiter see so many answers, each after latency, at its own rate.
func steady(l *limiter, now time.Time, answers int, latency time.Duration) time.Time {
	for range answers {
		now = now.Add(l.wait(now))
		l.start(now)
		l.onAnswer(now.Add(latency))
		l.onLatency(latency, now.Add(latency))
	}
	return now
}

func TestRateGrowsOnlyWhileAnswersComeFast(t *testing.T) {
	const usual = 20 * time.Millisecond
	tests := []struct {
		name    string
		latency func(n int) time.Duration
		grows   bool
	}{
		{"as ever", func(int) time.Duration { return usual }, true},
		{"one in a hundred slow", func(n int) time.Duration {
			if n%100 == 0 {
				return time.Second
			}
			return usual
		}, true},
		{"somewhat slower", func(int) time.Duration { return 3 * usual }, true},
		{"far slower", func(int) time.Duration { return 10 * usual }, false},
	}
	for _, test := range tests {
		l := newLimiter(0, 1)
		now := steady(&l, time.Now(), 1, usual)
		for range 200 { // 100 a second, and then one too many
			now = now.Add(10 * time.Millisecond)
			l.onAnswer(now.Add(usual))
			l.onLatency(usual, now.Add(usual))
		}
		l.onThrottled(now, now, 0)
		cut := l.rate(now)
		if cut < 80 || cut > 110 {
			t.Fatalf("%s: the rate was cut to %v, want about 100", test.name, cut)
		}
		for n := range 800 {
			now = steady(&l, now, 1, test.latency(n))
		}
		if rate := l.rate(now); (rate > 2*cut) != test.grows {
			t.Errorf("%s: the rate went from %v to %v, want it to grow: %v", test.name, cut, rate, test.grows)
		}
		now = steady(&l, now, 3000, usual)
		if rate := l.rate(now); rate < 10*cut {
			t.Errorf("%s, and then as ever: the rate is %v, want it to grow", test.name, rate)
		}
	}
}

// Answers of one Controller take a tenth of the usual time, or three times as long: the quickest one
// says nothing about how long they take when it has no time.
func TestRateGrowsWhereLatenciesVary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	latency := func() time.Duration {
		return time.Duration(float64(20*time.Millisecond) * math.Exp(0.7*random.NormFloat64()))
	}
	l := newLimiter(40, 1)
	now := time.Now()
	for range 400 {
		now = steady(&l, now, 1, latency())
	}
	for range 2 {
		l.onThrottled(now, now, 0)
		now = now.Add(2 * time.Second)
	}
	cut := l.rate(now)
	for range 800 {
		now = steady(&l, now, 1, latency())
	}
	if rate := l.rate(now); cut > 20 || rate < 40 {
		t.Errorf("the rate was cut to %v, and is %v long after that, want 40", cut, rate)
	}
}

func TestRateIsCutOnceARoundTrip(t *testing.T) {
	l := newLimiter(100, 1)
	now := steady(&l, time.Now(), 500, 0)
	l.onThrottled(now, now, 0)
	once := l.rate(now)
	if once >= 100 || once < 80 {
		t.Errorf("the rate was cut from 100 to %v, want what was taken", once)
	}
	later := now.Add(cutInterval + time.Millisecond)
	l.onThrottled(now.Add(cutInterval/2), now.Add(cutInterval/2), 0) // too soon for the cut to show
	l.onThrottled(now.Add(-time.Millisecond), later, 5*time.Second)  // started before the cut
	if rate := l.rate(later); rate != once {
		t.Errorf("the rate was cut again to %v, want %v", rate, once)
	}
	l.onThrottled(now.Add(time.Millisecond), later, 0)
	if rate := l.rate(later); rate < once*maxCut || rate >= once*0.9 {
		t.Errorf("the second cut, after a second without an answer, left %v of %v, want half of it at least", rate, once)
	}
	for range 100 {
		later = later.Add(2 * cutInterval)
		l.onThrottled(later, later, 0)
	}
	if rate := l.rate(later); rate != minRate {
		t.Errorf("after a hundred cuts the rate is %v, want %v", rate, minRate)
	}
	if rate := l.rate(later.Add(holdTime + 10*time.Second)); rate != 100 {
		t.Errorf("after some calm the rate is %v, want 100 again", rate)
	}
}
