package controller_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/controller"
)

// keeper keeps a rate in memory, as the journal in PostgreSQL does: it gives out turns up
// to a second ahead of its clock, which may be wrong and go wrong.
type keeper struct {
	rate  float64       // 0: no limit
	ahead time.Duration // its clock is ahead of the others'
	drift float64       // and gains so many seconds a second

	mu       sync.Mutex
	random   *rand.Rand
	began    time.Time
	next     time.Time // when the next turn is
	paused   time.Time
	away     bool
	asked    int // reservations
	given    int // turns
	pausings []time.Duration
}

func newKeeper(rate float64) *keeper {
	return &keeper{rate: rate, random: rand.New(rand.NewPCG(1, 2)), began: time.Now()}
}

const horizon = time.Second // so far ahead turns are given out

func (k *keeper) now() time.Time {
	passed := time.Since(k.began)
	return time.Date(2031, 5, 1, 0, 0, 0, 0, time.UTC).Add(passed + time.Duration(float64(passed)*k.drift) + k.ahead)
}

func (k *keeper) reserve(n int) (importer.Reservation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.away {
		return importer.Reservation{}, errors.New("the keeper is away")
	}
	k.asked++
	now := k.now()
	r := importer.Reservation{Now: now, First: now, PausedUntil: k.paused}
	if r.PausedUntil.After(now) {
		return r, nil
	}
	if k.rate == 0 {
		r.Turns = n
		return r, nil
	}
	r.Interval = time.Duration(float64(time.Second+importer.TurnMargin)/k.rate) + 1
	if last := now.Add(horizon + r.Interval); k.next.After(last) { // its clock was put back
		k.next = last
	}
	if k.next.Before(now) {
		k.next = now
	}
	if k.next.After(now.Add(horizon)) {
		r.First = k.next.Add(-horizon / 2)
		return r, nil
	}
	r.First = k.next
	r.Turns = min(n, 1+int(now.Add(horizon).Sub(k.next)/r.Interval))
	k.next = k.next.Add(time.Duration(r.Turns) * r.Interval)
	k.given += r.Turns
	return r, nil
}

// crash lets the keeper forget the turns that it has given out.
func (k *keeper) crash() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next = k.now().Add(horizon + time.Duration(float64(2*time.Second)/k.rate))
}

func (k *keeper) setAway(away bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.away = away
}

// line is a client's way to the keeper.
type line struct {
	*keeper
	least, most time.Duration        // of each way
	frozen      func() time.Duration // so much later than it came an answer is seen; nil: at once
}

func (l line) way(ctx context.Context) error {
	d := l.least
	if l.most > l.least {
		l.mu.Lock()
		d += time.Duration(l.random.Int64N(int64(l.most - l.least)))
		l.mu.Unlock()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l line) Reserve(ctx context.Context, n int) (importer.Reservation, error) {
	if err := l.way(ctx); err != nil {
		return importer.Reservation{}, err
	}
	r, err := l.reserve(n)
	if l.frozen != nil {
		time.Sleep(l.frozen())
	}
	return r, errors.Join(err, l.way(ctx))
}

func (l line) Pause(ctx context.Context, d time.Duration) error {
	if err := l.way(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return errors.New("the keeper is away")
	}
	l.pausings = append(l.pausings, d)
	if until := l.now().Add(d); until.After(l.paused) {
		l.paused = until
	}
	return nil
}

// farServer is a Controller that counts what reaches it, over a network with some jitter.
type farServer struct {
	way, jitter time.Duration
	answer      func(n int) (*http.Response, error) // nil: success

	mu     sync.Mutex
	random *rand.Rand
	at     []time.Time // when requests came
}

func newFarServer() *farServer {
	return &farServer{way: 8 * time.Millisecond, jitter: 4 * time.Millisecond, random: rand.New(rand.NewPCG(3, 4))}
}

func (s *farServer) RoundTrip(*http.Request) (*http.Response, error) {
	s.mu.Lock()
	jitter := time.Duration(s.random.Int64N(int64(s.jitter)))
	s.mu.Unlock()
	time.Sleep(s.way + jitter)
	s.mu.Lock()
	n := len(s.at)
	s.at = append(s.at, time.Now())
	s.mu.Unlock()
	time.Sleep(s.way)
	if s.answer != nil {
		return s.answer(n)
	}
	return success()
}

// check holds the requests that came against the rate: no second has more, and at least
// that share of it is used between the first and the last.
func (s *farServer) check(t *testing.T, rate float64, least float64) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.at, time.Time.Compare)
	if len(s.at) < 2 {
		t.Fatalf("%d requests came", len(s.at))
	}
	most := max(int(rate), 1)
	for i := range max(len(s.at)-most, 0) {
		if d := s.at[i+most].Sub(s.at[i]); d < time.Second {
			t.Fatalf("%d requests in %v, from %v on", most+1, d, s.at[i].Sub(s.at[0]))
		}
	}
	used := float64(len(s.at)-1) / s.at[len(s.at)-1].Sub(s.at[0]).Seconds() / rate
	t.Logf("%d requests, %.2f %% of the rate used", len(s.at), 100*used)
	if used < least {
		t.Errorf("%.2f %% of the rate was used, want %v %%", 100*used, 100*least)
	}
}

// sharing returns a client that shares a rate.
func sharing(t *testing.T, m http.RoundTripper, turns controller.Turns, adjust func(*controller.Config)) *controller.Client {
	t.Helper()
	client, err := controller.New(controllerConfig(nil, func(c *controller.Config) {
		c.Transport, c.Turns, c.MaxAttempts = m, turns, 1000
		if adjust != nil {
			adjust(c)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// pushTogether has so many clients push for a time.
func pushTogether(t *testing.T, clients int, lasts time.Duration, m http.RoundTripper, turns controller.Turns, adjust func(*controller.Config)) {
	t.Helper()
	var pushing sync.WaitGroup
	for range clients {
		pushing.Go(func() {
			workers := 0
			client := sharing(t, m, turns, func(c *controller.Config) {
				if adjust != nil {
					adjust(c)
				}
				workers = c.Workers
			})
			defer client.Close()
			pushFor(t.Context(), client, workers, lasts)
		})
	}
	pushing.Wait()
}

// TestSharedRate has several clients push at one rate.
func TestSharedRate(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name        string
		rate        float64
		clients     int
		workers     int
		least, most time.Duration // of each way to the keeper
		ahead       time.Duration
		drift       float64
		lasts       time.Duration
		used        float64
	}{
		{name: "one client", rate: 10, clients: 1, workers: 8, least: ms, most: 3 * ms, lasts: time.Minute, used: 0.97},
		{name: "one a second", rate: 1, clients: 4, workers: 8, least: ms, most: 3 * ms, lasts: 3 * time.Minute, used: 0.97},
		{name: "ten a second", rate: 10, clients: 4, workers: 8, least: ms, most: 3 * ms, lasts: time.Minute, used: 0.97},
		{name: "a hundred a second", rate: 100, clients: 4, workers: 8, least: ms, most: 3 * ms, lasts: 30 * time.Second, used: 0.97},
		{name: "a thousand a second", rate: 1000, clients: 4, workers: 32, least: ms, most: 3 * ms, lasts: 10 * time.Second, used: 0.97},
		{name: "a thousand a second by one", rate: 1000, clients: 1, workers: 64, least: ms, most: 3 * ms, lasts: 10 * time.Second, used: 0.97},
		{name: "two in five seconds", rate: 0.4, clients: 2, workers: 2, least: ms, most: 3 * ms, lasts: 3 * time.Minute, used: 0.97},
		{name: "many clients", rate: 10, clients: 20, workers: 4, least: ms, most: 3 * ms, lasts: time.Minute, used: 0.97},
		{name: "one worker each", rate: 50, clients: 10, workers: 1, least: ms, most: 3 * ms, lasts: 30 * time.Second, used: 0.97},
		{name: "it is far away", rate: 100, clients: 4, workers: 8, least: 4 * ms, most: 8 * ms, lasts: 30 * time.Second, used: 0.97},
		{name: "its answers vary", rate: 100, clients: 4, workers: 8, least: ms, most: 18 * ms, lasts: 30 * time.Second, used: 0.97},
		{name: "its clock is fast", rate: 100, clients: 4, workers: 8, least: ms, most: 3 * ms, ahead: 9 * time.Hour, drift: 300e-6, lasts: time.Minute, used: 0.97},
		{name: "its clock is slow", rate: 100, clients: 4, workers: 8, least: ms, most: 3 * ms, ahead: -9 * time.Hour, drift: -300e-6, lasts: time.Minute, used: 0.97},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, m := newKeeper(test.rate), newFarServer()
				k.ahead, k.drift = test.ahead, test.drift
				pushTogether(t, test.clients, test.lasts, m, line{keeper: k, least: test.least, most: test.most},
					func(c *controller.Config) { c.Workers = test.workers })
				m.check(t, test.rate, test.used)
				t.Logf("%d questions, %d turns", k.asked, k.given)
			})
		})
	}
}

// near returns a short way to a keeper.
func near(k *keeper) line {
	return line{keeper: k, least: time.Millisecond, most: 3 * time.Millisecond}
}

func TestSharedRateWithoutALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newFarServer()
		pushTogether(t, 2, 10*time.Second, m, near(newKeeper(0)), func(c *controller.Config) { c.Workers = 32 })
		if perSecond := len(m.at) / 10; perSecond < 3000 { // 64 workers, 18 ms a request
			t.Errorf("%d requests a second came, want about 3500", perSecond)
		}
	})
}

// TestKeeperAwayWithoutALimit has the keeper not answer for a while, and then say that there is a limit: requests stop within a
// second, and the limit holds from then on.
func TestKeeperAwayWithoutALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := newKeeper(0), newFarServer()
		began := time.Now()
		time.AfterFunc(10*time.Second, func() { k.setAway(true) })
		time.AfterFunc(20*time.Second, func() {
			k.setAway(false)
			k.mu.Lock()
			defer k.mu.Unlock()
			k.rate = 50
		})
		pushTogether(t, 2, 40*time.Second, m, near(k), nil)
		late := m.at[:0]
		for _, at := range m.at {
			since := at.Sub(began)
			if since > 11*time.Second+20*time.Millisecond && since < 20*time.Second {
				t.Fatalf("a request came %v after the keeper was away", since-10*time.Second)
			}
			if since > 20*time.Second {
				late = append(late, at)
			}
		}
		m.at = late
		m.check(t, 50, 0.97)
	})
}

// TestSlowClientLeavesTurnsToOthers has a client with more requests in flight than it can
// use turns for, beside one that can use all.
func TestSlowClientLeavesTurnsToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, fast, slow := newKeeper(200), newFarServer(), newFarServer()
		slow.way = 150 * time.Millisecond
		var pushing sync.WaitGroup
		pushing.Go(func() { pushTogether(t, 1, 30*time.Second, fast, near(k), nil) })
		pushing.Go(func() { pushTogether(t, 1, 30*time.Second, slow, near(k), nil) })
		pushing.Wait()
		used := float64(len(fast.at)+len(slow.at)) / 30 / 200
		t.Logf("%d and %d requests: %.2f %% of the rate", len(fast.at), len(slow.at), 100*used)
		if used < 0.93 { // 1 s passes before the first keeper's...
			t.Errorf("%.2f %% of the rate was used", 100*used)
		}
	})
}

// TestKeeperAway has the keeper not answer for a while: requests stop until it does.
func TestKeeperAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 100
		k, m := newKeeper(rate), newFarServer()
		began := time.Now()
		time.AfterFunc(10*time.Second, func() { k.setAway(true) })
		time.AfterFunc(100*time.Second, func() {
			k.setAway(false)
			k.crash()
		})
		var mu sync.Mutex
		waits := map[string][]time.Duration{}
		pushTogether(t, 3, 2*time.Minute, m, near(k), func(c *controller.Config) {
			c.OnWait = func(w controller.Wait) {
				mu.Lock()
				defer mu.Unlock()
				waits[w.Reason] = append(waits[w.Reason], w.For)
			}
		})
		m.check(t, rate, 0)
		early, late := 0, 0
		for _, at := range m.at {
			switch since := at.Sub(began); {
			case since > 10300*time.Millisecond && since < 100*time.Second:
				t.Fatalf("a request came %v after the keeper had gone", since-10*time.Second)
			case since > 102*time.Second:
				late++
			case since < 10*time.Second:
				early++
			}
		}
		if early < 960 || late < 1740 {
			t.Errorf("%d requests came in the 10 s before the keeper went, and %d in the 18 s from soon after it came back", early, late)
		}
		reports := waits["The shared rate limit cannot be read"]
		if len(waits) != 1 || len(reports) < 3 || len(reports) > 3*10 {
			t.Errorf("told %v, want that the rate cannot be read, now and then", waits)
		}
	})
}

// TestKeeperCrashes has the keeper forget, again and again, what turns it has given out.
func TestKeeperCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := newKeeper(50), newFarServer()
		for s := range 6 {
			time.AfterFunc(time.Duration(5*s)*time.Second+1700*time.Millisecond, k.crash)
		}
		pushTogether(t, 4, 30*time.Second, m, near(k), nil)
		m.check(t, 50, 0.7) // each crash costs somewhat more than a second in five
	})
}

// TestKeepersClockIsSet has the keeper's clock put back and forward.
func TestKeepersClockIsSet(t *testing.T) {
	for _, jump := range []time.Duration{-time.Hour, -2 * time.Second, -300 * time.Millisecond, -10 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			k, m := newKeeper(50), newFarServer()
			time.AfterFunc(10*time.Second, func() {
				k.mu.Lock()
				defer k.mu.Unlock()
				k.ahead += jump
			})
			pushTogether(t, 4, 30*time.Second, m, near(k), nil)
			m.check(t, 50, 0.9)
		})
	}
}

// TestFrozenClients has clients stop for a while, now and then, when the keeper's answer
// is on its way: they find it when they go on.
func TestFrozenClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 50
		k, m := newKeeper(rate), newFarServer()
		random := rand.New(rand.NewPCG(5, 6))
		turns := near(k)
		turns.frozen = func() time.Duration {
			k.mu.Lock()
			defer k.mu.Unlock()
			if k.asked < 10 || random.IntN(10) == 0 { // also before the keeper's clock is known
				return time.Duration(random.Float64() * float64(2900*time.Millisecond))
			}
			return 0
		}
		pushTogether(t, 4, time.Minute, m, turns, nil)
		m.check(t, rate, 0.3)
		if k.given < len(m.at)+100 {
			t.Errorf("%d turns were given and %d used: want old ones dropped", k.given, len(m.at))
		}
	})
}

// TestFirstAnswerIsLate has the first answer of a keeper that is near take long to be seen, as at the start of a busy machine, and
// none after it.
func TestFirstAnswerIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 10
		k, m := newKeeper(rate), newFarServer()
		turns := line{keeper: k, least: time.Millisecond}
		turns.frozen = func() time.Duration {
			k.mu.Lock()
			defer k.mu.Unlock()
			if k.asked == 1 {
				return 32 * time.Millisecond
			}
			return 0
		}
		pushTogether(t, 1, time.Minute, m, turns, nil)
		m.check(t, rate, 0.96)
	})
}

// TestFarKeeper has the keeper so far away that nobody knows its clock well enough.
func TestFarKeeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := newKeeper(50), newFarServer()
		told := ""
		pushTogether(t, 1, 10*time.Second, m, line{keeper: k, least: 100 * time.Millisecond}, func(c *controller.Config) {
			c.OnWait = func(w controller.Wait) { told = w.Reason }
		})
		if len(m.at) > 0 || told != "The shared rate limit takes too long to read" {
			t.Errorf("%d requests came, told: %q", len(m.at), told)
		}
	})
}

// TestPauseIsShared has the Controller ask one client for a pause.
func TestPauseIsShared(t *testing.T) {
	tests := []struct {
		name   string
		status int
		header []string
		pause  time.Duration
	}{
		{"429", 429, []string{"Retry-After", "20"}, 20 * time.Second},
		{"503", 503, []string{"Retry-After", "20"}, 20 * time.Second},
		{"longer than --max-pause", 429, []string{"Retry-After", "7200"}, time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, m := newKeeper(100), newFarServer()
				var asked time.Time
				m.answer = func(n int) (*http.Response, error) {
					if n == 500 {
						asked = time.Now()
						return answered(test.status, "", test.header...)
					}
					return success()
				}
				var mu sync.Mutex
				told := 0
				pushTogether(t, 4, 2*time.Minute, m, near(k), func(c *controller.Config) {
					c.MaxPause = time.Minute
					c.OnWait = func(w controller.Wait) {
						mu.Lock()
						defer mu.Unlock()
						if w.Reason == "The Controller asks for a pause" && w.For > test.pause-time.Second {
							told++
						}
					}
				})
				m.check(t, 100, 0)
				after := 0
				for _, at := range m.at {
					if since := at.Sub(asked); since > 300*time.Millisecond && since < test.pause-20*time.Millisecond {
						t.Fatalf("a request came %v after the Controller had asked for a pause of %v", since, test.pause)
					} else if since > test.pause {
						after++
					}
				}
				if after < 1000 {
					t.Errorf("%d requests came after the pause", after)
				}
				if told != 3 && told != 4 { // one whose pause ends the run does not wait for it
					t.Errorf("%d clients told of the pause, want all", told)
				}
				if n := len(k.pausings); n == 0 || n > 20 {
					t.Errorf("the keeper was told of a pause %d times", n)
				}
			})
		})
	}
}

// TestCircuitIsShared has the Controller turn everything away for a while, without
// saying for how long. Each of the others waits for the pauses of those that ask again.
func TestCircuitIsShared(t *testing.T) {
	for _, status := range []int{503, 500} {
		synctest.Test(t, func(t *testing.T) {
			k, m := newKeeper(100), newFarServer()
			began := time.Now()
			m.answer = func(int) (*http.Response, error) {
				if since := time.Since(began); since > 10*time.Second && since < 2*time.Minute {
					return answered(status, "")
				}
				return success()
			}
			pushTogether(t, 4, 4*time.Minute, m, near(k), nil)
			m.check(t, 100, 0)
			if shared := len(k.pausings) > 0; shared != (status == 503) {
				t.Errorf("%d: pauses told: %v", status, k.pausings)
			}
			after := slices.IndexFunc(m.at, func(at time.Time) bool { return at.Sub(began) > 2*time.Minute })
			if first := m.at[after].Sub(began); first > 3*time.Minute {
				t.Errorf("%d: the first request after the outage came %v late", status, first-2*time.Minute)
			}
			if len(m.at)-after < 3000 {
				t.Errorf("%d: %d requests came after the outage", status, len(m.at)-after)
			}
		})
	}
}

// TestLimitBelowTheSharedRate has the Controller take less than the shared rate. Each
// client finds its part by itself, and its search disturbs the others.
func TestLimitBelowTheSharedRate(t *testing.T) {
	if testing.Short() {
		t.Skip("plays an hour of virtual time: not with -short")
	}
	for clients, mostAway := range map[int]float64{1: 0.02, 2: 0.06, 4: 0.2} {
		synctest.Test(t, func(t *testing.T) {
			m := &movingLimit{limits: []int{50, 20, 100, 30}, each: 2 * time.Minute, way: 10 * time.Millisecond, status: 429, began: time.Now()}
			pushTogether(t, clients, 8*time.Minute, m, near(newKeeper(60)), nil)
			used := float64(m.taken) / m.offered(60)
			away := float64(m.away) / float64(m.away+m.taken)
			t.Logf("%d clients: %.1f %% of the limit used, %.2f %% of the requests turned away", clients, 100*used, 100*away)
			if used < 0.85 || away > mostAway {
				t.Errorf("%d clients: %.1f %% of the limit used, %.2f %% turned away", clients, 100*used, 100*away)
			}
		})
	}
}

// TestTurnsOfAWhileAgoAreDropped has the workers stop, with turns in hand, and go on.
func TestTurnsOfAWhileAgoAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 100
		k, m := newKeeper(rate), newFarServer()
		client := sharing(t, m, near(k), nil)
		defer client.Close()
		for range 20 {
			pushFor(t.Context(), client, 8, 1*time.Second)
			if k.given <= len(m.at) {
				t.Errorf("%d turns were given and %d used: none was in hand", k.given, len(m.at))
			}
			time.Sleep(100 * time.Millisecond)
		}
		m.check(t, rate, 0.7)
	})
}

// TestFewTurnsAreReservedForFewRequests has a client push much, and then little.
func TestFewTurnsAreReservedForFewRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := newKeeper(1000), newFarServer()
		client := sharing(t, m, near(k), func(c *controller.Config) { c.Workers = 64 })
		defer client.Close()
		pushFor(t.Context(), client, 64, 3*time.Second)
		before := k.given
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			_, _ = push(client)
		}
		if given := k.given - before; given > 300 {
			t.Errorf("%d turns were reserved for 100 requests", given)
		}
	})
}

// TestClientsComeAndGo has each client end after half a minute, with turns in hand, and
// another one begin. At the low rate these are some, and more of it.
func TestClientsComeAndGo(t *testing.T) {
	for rate, least := range map[float64]float64{10: 0.93, 200: 0.95} {
		synctest.Test(t, func(t *testing.T) {
			k, m := newKeeper(rate), newFarServer()
			var lanes sync.WaitGroup
			for n := range 4 {
				lanes.Go(func() {
					time.Sleep(time.Duration(n) * 7 * time.Second)
					for range 5 {
						pushTogether(t, 1, 30*time.Second, m, near(k), nil)
					}
				})
			}
			lanes.Wait()
			m.check(t, rate, least)
		})
	}
}

// TestPauseThatEndsTheRunIsTold has the Controller ask for so long a pause that the run
// ends: who tries later learns it.
func TestPauseThatEndsTheRunIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, m := newKeeper(10), newFarServer()
		m.answer = func(int) (*http.Response, error) { return answered(429, "", "Retry-After", "7200") }
		client := sharing(t, m, near(k), func(c *controller.Config) { c.MaxPause = time.Minute })
		_, err := push(client)
		client.Close()
		var pause *importer.PauseError
		if !errors.As(err, &pause) {
			t.Errorf("the push ended with %v, want that the pause is too long", err)
		}
		if len(k.pausings) != 1 || k.pausings[0] > time.Minute || k.pausings[0] < time.Minute-time.Second {
			t.Errorf("the keeper was told of pauses of %v, want one of a minute", k.pausings)
		}
	})
}

func TestRateOfClientThatShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := sharing(t, newFarServer(), near(newKeeper(40)), func(c *controller.Config) { c.Rate, c.Burst = 10, 1 })
		defer client.Close()
		if rate := client.Rate(); math.Abs(rate-10) > 0.3 {
			t.Errorf("before the first turn the rate is %v, want the one that was set", rate)
		}
		pushFor(t.Context(), client, 8, 3*time.Second)
		if rate := client.Rate(); math.Abs(rate-40) > 0.1 {
			t.Errorf("the rate is %v, want the shared one", rate)
		}
	})
}

// refusing refuses turns until it gives those of a keeper.
type refusing struct {
	controller.Turns
	gives atomic.Bool
}

func (r *refusing) Reserve(ctx context.Context, n int) (importer.Reservation, error) {
	if !r.gives.Load() {
		return importer.Reservation{}, &importer.NoTurnsError{Err: errors.New("this account may not reserve turns")}
	}
	return r.Turns.Reserve(ctx, n)
}

// TestNoTurns has a keeper that will give no turns: every request that waits ends with its reason, and nothing is sent.
// A later one asks it again.
func TestNoTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newFarServer()
		turns := &refusing{Turns: near(newKeeper(100))}
		client := sharing(t, m, turns, nil)
		defer client.Close()
		push := func() (importer.Answer, error) {
			return client.Push(t.Context(), t.Context(), []byte(`{"unique_id":"1"}`), nil)
		}
		began := time.Now()
		var pushing sync.WaitGroup
		for range 20 {
			pushing.Go(func() {
				answer, err := push()
				if !errors.As(err, new(*importer.NoTurnsError)) || answer.Status != importer.StatusNotSent {
					t.Errorf("%v, %v", answer.Status, err)
				}
			})
		}
		pushing.Wait()
		if _, err := client.UserTypes(t.Context()); !errors.As(err, new(*importer.NoTurnsError)) {
			t.Errorf("the user types: %v", err)
		}
		if waited := time.Since(began); waited > time.Second || len(m.at) > 0 {
			t.Errorf("it took %v, and %d requests were sent", waited, len(m.at))
		}
		turns.gives.Store(true)
		if answer, err := push(); err != nil || len(m.at) != 1 {
			t.Errorf("then: %v, %v", answer.Status, err)
		}
	})
}
