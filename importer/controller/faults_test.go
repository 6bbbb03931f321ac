package controller_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/controller"
)

var faultSeed = flag.Uint64("fault-seed", 1, "seed of the tests with random faults")

// fault is a way in which single requests fail.
type fault struct {
	name   string
	answer func() (*http.Response, error)
	pause  bool // it asks for a pause of a second
}

func faults() []fault {
	page := func(status int, header ...string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return answered(status, "<html>", header...) }
	}
	return []fault{
		{"500", page(500), false},
		{"502", page(502), false},
		{"504", page(504), false},
		{"dropped", func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, false},
		{"garbage", page(200), false},
		{"503", page(503), false},
		{"429", page(429), false},
		{"503 with a pause", page(503, "Retry-After", "1"), true},
		{"429 with a pause", page(429, "Retry-After", "1"), true},
		{"403 with a pause", page(403, "Retry-After", "1"), true},
	}
}

// faulty returns a Controller of whose answers, each after a while, that share is one of
// the faults.
func faulty(share float64, after time.Duration, faults ...fault) *inMemory {
	random := rand.New(rand.NewPCG(*faultSeed, 4))
	var mu sync.Mutex
	return &inMemory{answer: func(int, *http.Request) (*http.Response, error) {
		mu.Lock()
		fails, which := random.Float64() < share, random.IntN(len(faults))
		mu.Unlock()
		time.Sleep(after)
		if fails {
			return faults[which].answer()
		}
		return success()
	}}
}

// pushEndless pushes rows without an end, and returns how many are pushed in each of the times.
func pushEndless(t *testing.T, client *controller.Client, workers int, times ...time.Duration) (pushed []int) {
	t.Helper()
	e := &endless{counts: importer.Counts{}}
	pusher := importer.Pusher{Queue: e, Controller: client, Workers: workers, MaxFailures: 20}
	fetchCtx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() { ended <- pusher.Push(fetchCtx, t.Context()) }()
	total := 0
	for _, d := range times {
		time.Sleep(d)
		e.mu.Lock()
		n := e.counts[importer.StatusPushed]
		e.mu.Unlock()
		pushed = append(pushed, n-total)
		total = n
	}
	cancel()
	if err := <-ended; !errors.Is(err, importer.ErrInterrupted) {
		t.Errorf("the push ended with %v", err)
	}
	return pushed
}

// TestRandomFaultsCostLittle has a share of the requests fail, whatever the rate, and
// asks for nearly all rows that could be pushed: at once, or after the time that it takes
// to learn that pauses that are asked for have nothing to do with the rate.
func TestRandomFaultsCostLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("sends a million requests: not with -short")
	}
	kinds := map[string]bool{} // that differ for the pacer
	for _, name := range []string{"dropped", "503", "429 with a pause"} {
		kinds[name] = true
	}
	settings := []struct {
		workers  int
		way      time.Duration
		rate     float64
		learning time.Duration // time to learn what pauses that are asked for mean
		d        time.Duration
	}{
		{16, 2 * time.Millisecond, 0, 20 * time.Second, 10 * time.Second},
		{16, 2 * time.Millisecond, 500, 30 * time.Second, 20 * time.Second},
		{32, 20 * time.Millisecond, 0, 30 * time.Second, 20 * time.Second},
		{8, 20 * time.Millisecond, 10, 0, 200 * time.Second},
	}
	least := map[float64]float64{0.01: 0.95, 0.05: 0.85, 0.2: 0.7} // of what could be pushed, by share of faults
	for _, s := range settings {
		for _, fault := range faults() {
			if s.rate != 10 && !kinds[fault.name] {
				continue
			}
			for share, least := range least {
				t.Run(fmt.Sprintf("%d workers, %v, rate %v, %s, %v", s.workers, s.way, s.rate, fault.name, share), func(t *testing.T) {
					most := float64(s.workers) * float64(s.d/s.way)
					if s.rate > 0 {
						most = min(most, s.rate*s.d.Seconds())
					}
					settings := func(c *controller.Config) { c.Workers, c.Rate, c.Burst = s.workers, s.rate, 1 }
					virtual(t, faulty(share, s.way, fault), settings, func(t *testing.T, client *controller.Client) {
						times := []time.Duration{s.d}
						if fault.pause {
							times = []time.Duration{s.learning, s.d}
						}
						pushed := pushEndless(t, client, s.workers, times...)
						got := float64(pushed[len(pushed)-1]) / (most * (1 - share))
						t.Logf("%.3f of the rows that could be pushed", got)
						if got < least {
							t.Errorf("%v rows were pushed, %.3f of those that could be; want %v", pushed, got, least)
						}
					})
				})
			}
		}
	}
}

// TestOnlyTheRefusedRowWaits has refusals come whatever the rate is. Once that is known,
// rows wait alone as long as they are asked to, unless that is long.
func TestOnlyTheRefusedRowWaits(t *testing.T) {
	for _, test := range []struct {
		pause    string
		d        time.Duration
		everyone bool
	}{{"2", 2 * time.Second, false}, {"60", time.Minute, false}, {"61", 61 * time.Second, true}} {
		asked := map[string]time.Time{}
		var everyone time.Time
		waitedAlone, early := 0, 0
		m := &inMemory{}
		m.answer = func(n int, r *http.Request) (*http.Response, error) {
			time.Sleep(10 * time.Millisecond)
			body, _ := r.GetBody()
			row, _ := io.ReadAll(body)
			m.mu.Lock()
			defer m.mu.Unlock()
			now := time.Now()
			if at, ok := asked[string(row)]; ok && now.Sub(at) < test.d {
				t.Errorf("%s: a row that was refused came again after %v", test.pause, now.Sub(at))
			}
			if now.Sub(everyone) < test.d {
				waitedAlone++
				if now.Sub(everyone) > 20*time.Millisecond { // it was not in flight
					early++
				}
			}
			switch {
			case n < 1000 && n%20 == 19: // noise, with short pauses
				return answered(429, "", "Retry-After", "1")
			case n == 1000:
				asked[string(row)], everyone = now, now
				return answered(429, "", "Retry-After", test.pause)
			}
			return success()
		}
		virtual(t, m, usual, func(t *testing.T, client *controller.Client) {
			pushEndless(t, client, 8, 5*time.Minute)
			if test.everyone && early > 0 || !test.everyone && waitedAlone < 10 {
				t.Errorf("%s: %d requests came in the pause, %d of them early", test.pause, waitedAlone, early)
			}
			if !test.everyone && len(asked) != 1 {
				t.Errorf("%s: %d rows were refused", test.pause, len(asked))
			}
		})
	}
}

// TestRowThatWaitsAloneCanBeInterrupted interrupts a run in which one row waits.
func TestRowThatWaitsAloneCanBeInterrupted(t *testing.T) {
	m := &inMemory{}
	m.answer = func(n int, _ *http.Request) (*http.Response, error) {
		time.Sleep(10 * time.Millisecond)
		switch {
		case n < 1000 && n%20 == 19:
			return answered(429, "", "Retry-After", "1")
		case n == 1000:
			return answered(429, "", "Retry-After", "59")
		}
		return success()
	}
	virtual(t, m, usual, func(t *testing.T, client *controller.Client) {
		e := &endless{counts: importer.Counts{}}
		pusher := importer.Pusher{Queue: e, Controller: client, Workers: 8, MaxFailures: 20}
		fetchCtx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- pusher.Push(fetchCtx, t.Context()) }()
		for requests := 0; requests < 1050; {
			time.Sleep(100 * time.Millisecond)
			m.mu.Lock()
			requests = len(m.at)
			m.mu.Unlock()
		}
		cancel()
		start := time.Now()
		if err := <-ended; !errors.Is(err, importer.ErrInterrupted) || time.Since(start) > time.Second {
			t.Errorf("the push ended with %v after %v", err, time.Since(start))
		}
		if e.counts[importer.StatusUnknown] != 1 {
			t.Errorf("%v, want one row unknown: the one that waited", e.counts)
		}
	})
}

// TestFaultsOfAllKinds pushes a plan to a Controller that fails in nine ways.
func TestFaultsOfAllKinds(t *testing.T) {
	const rows, workers, way, attempts = 3000, 16, 2 * time.Millisecond, 5
	for _, seed := range []uint64{1, 2, 3, 4, 5} {
		random := rand.New(rand.NewPCG(seed, *faultSeed))
		var mu sync.Mutex
		kinds := faults()[:9]
		tries := map[string]int{} // failed ones, by row
		m := &inMemory{}
		m.answer = func(_ int, r *http.Request) (*http.Response, error) {
			time.Sleep(way)
			body, _ := r.GetBody()
			row, _ := io.ReadAll(body)
			mu.Lock()
			defer mu.Unlock()
			if random.Float64() < 0.22 {
				tries[string(row)]++
				return kinds[random.IntN(len(kinds))].answer()
			}
			return success()
		}
		virtual(t, m, func(c *controller.Config) { c.Workers, c.MaxAttempts = workers, attempts }, func(t *testing.T, client *controller.Client) {
			p := newPlan(rows)
			start := time.Now()
			pusher := importer.Pusher{Queue: p, Controller: client, Workers: workers, MaxFailures: 20}
			if err := pusher.Push(t.Context(), t.Context()); err != nil {
				t.Errorf("the push ended with %v", err)
			}
			usedUp := 0
			for row, n := range tries {
				if n > attempts {
					t.Errorf("%d attempts for %s", n, row)
				}
				if n == attempts {
					usedUp++
				}
			}
			if p.counts[importer.StatusFailed] != usedUp || p.counts[importer.StatusPushed] != rows-usedUp {
				t.Errorf("%v, and %d rows used up their attempts", p.counts, usedUp)
			}
			took := time.Since(start)
			t.Logf("%v, %d requests, %v", took, len(m.at), p.counts)
			if took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestOnlyTheFailedRowWaits has a share of the requests fail with a page that asks for a
// pause. That is the pause of the failed rows alone, until all requests fail.
func TestOnlyTheFailedRowWaits(t *testing.T) {
	const (
		workers, way = 8, 10 * time.Millisecond
		pause        = 5 * time.Second
		noisy, away  = 1000, 21000 // the first request of which some fail, and of which all do
	)
	for share, most := range map[float64]int{0: 2, 0.01: 4, 0.05: 10, 0.2: 2 * workers} { // requests until it is seen that all fail
		for _, status := range []int{500, 502, 504} {
			t.Run(fmt.Sprint(status, ", ", share), func(t *testing.T) {
				random := rand.New(rand.NewPCG(*faultSeed, 5))
				failed := map[string]time.Time{}
				inPause := 0
				m := &inMemory{}
				m.answer = func(n int, r *http.Request) (*http.Response, error) {
					body, _ := r.GetBody()
					row, _ := io.ReadAll(body)
					sent := time.Now()
					time.Sleep(way)
					m.mu.Lock()
					defer m.mu.Unlock()
					if at, ok := failed[string(row)]; ok && sent.Sub(at) < pause {
						t.Errorf("a row that failed came again after %v", sent.Sub(at))
					}
					if began := m.at[min(n, away)]; n > away && sent.Sub(began) < pause {
						inPause++
					}
					if n >= away || n >= noisy && random.Float64() < share {
						failed[string(row)] = time.Now()
						return answered(status, "<html>", "Retry-After", "5")
					}
					return success()
				}
				virtual(t, m, func(c *controller.Config) { c.Workers = workers }, func(t *testing.T, client *controller.Client) {
					pushEndless(t, client, workers, time.Minute)
					if len(m.at) <= away {
						t.Fatalf("only %d requests in a minute", len(m.at))
					}
					took := m.at[away].Sub(m.at[noisy])
					if ideal := (away - noisy) / workers * way; took > ideal*105/100+pause { // one before the share is known
						t.Errorf("%d requests took %v, want %v", away-noisy, took, ideal)
					}
					if most += workers - 1; inPause > most { // so many are in flight
						t.Errorf("%d requests came in the pause, want %d at most", inPause, most)
					}
					t.Logf("%v, %d requests in the pause", took, inPause)
				})
			})
		}
	}
}

// TestFirstFailuresAskForEveryone has one of the first requests fail: what share fails is
// not known yet.
func TestFirstFailuresAskForEveryone(t *testing.T) {
	for n, everyone := range map[int]bool{0: true, 50: true, 500: false} {
		m := &inMemory{answer: func(i int, _ *http.Request) (*http.Response, error) {
			time.Sleep(10 * time.Millisecond)
			if i == n {
				return answered(500, "<html>", "Retry-After", "20")
			}
			return success()
		}}
		virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
			pushAll(t.Context(), client, 8, 1000)
			if waited := m.at[n+16].Sub(m.at[n]); waited > 20*time.Second != everyone {
				t.Errorf("request %d failed, and request %d came after %v", n, n+16, waited)
			}
		})
	}
}

// TestNoiseThatBecomesALimitIsFound has a fifth of the requests refused by chance until
// that is known, and from then on by a limit of four fifths of what is sent: the share
// is much the same, but a lower rate helps now. The limit has to be found and used.
func TestNoiseThatBecomesALimitIsFound(t *testing.T) {
	const workers, way, chance, limit = 8, 20 * time.Millisecond, time.Minute, 320 // the workers can send 400 a second
	random := rand.New(rand.NewPCG(*faultSeed, 4))
	var mu sync.Mutex
	var began time.Time
	var accepted []time.Time // in the last second
	refused, sent := 0, 0    // of the requests that came last
	m := &inMemory{answer: func(int, *http.Request) (*http.Response, error) {
		time.Sleep(way)
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if now.Sub(began) < chance {
			if random.Float64() < 0.2 {
				return answered(429, "")
			}
			return success()
		}
		for len(accepted) > 0 && now.Sub(accepted[0]) >= time.Second {
			accepted = accepted[1:]
		}
		sent++
		if len(accepted) >= limit {
			refused++
			return answered(429, "")
		}
		accepted = append(accepted, now)
		return success()
	}}
	virtual(t, m, func(c *controller.Config) { c.Workers = workers }, func(t *testing.T, client *controller.Client) {
		began = time.Now()
		time.AfterFunc(chance+2*time.Minute, func() { // enough for an exam
			mu.Lock()
			defer mu.Unlock()
			t.Logf("while the limit was taken for noise %d of %d requests were refused", refused, sent)
			refused, sent = 0, 0
		})
		pushEndless(t, client, workers, chance+3*time.Minute)
		mu.Lock()
		defer mu.Unlock()
		t.Logf("later %d of %d", refused, sent)
		if share := float64(refused) / float64(sent); share > 0.02 || sent < 60*limit*9/10 {
			t.Errorf("%d of %d requests were refused in the last minute; want 2 %% at most, and nine tenths of the limit of %d a second used", refused, sent, limit)
		}
	})
}
