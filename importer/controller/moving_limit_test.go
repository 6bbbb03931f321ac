package controller_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/controller"
)

// movingLimit is a Controller that takes only so many requests in any second,
// and changes its mind.
type movingLimit struct {
	limits []int         // requests a second, one after the other
	each   time.Duration // how long each holds
	way    time.Duration // a request's way to the Controller, and an answer's back
	status int           // of an answer that turns a request away
	header []string      // of it

	mu           sync.Mutex
	began        time.Time
	window       []time.Time // requests taken in the last second
	taken, away  int
	lastAway     time.Time     // when the last request was turned away, as the client learns it
	paused       time.Duration // time in which the client was asked to pause
	pause        time.Duration // what header asks for
	tooEarly     int           // requests in it
	perSecondTop int           // most requests that came in any second
	recent       []time.Time
}

func (m *movingLimit) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	m.note(time.Now())
	m.mu.Unlock()
	time.Sleep(m.way)
	m.mu.Lock()
	taken := m.take(time.Now())
	m.mu.Unlock()
	time.Sleep(m.way)
	if taken {
		return success()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.paused += min(now.Sub(m.lastAway), m.pause)
	m.lastAway = now
	return answered(m.status, "", m.header...)
}

// note holds the start of a request against what the client promises.
func (m *movingLimit) note(now time.Time) {
	if !m.lastAway.IsZero() && m.lastAway.Before(now) && now.Sub(m.lastAway) < m.pause {
		m.tooEarly++
	}
	for len(m.recent) > 0 && now.Sub(m.recent[0]) >= time.Second {
		m.recent = m.recent[1:]
	}
	m.recent = append(m.recent, now)
	m.perSecondTop = max(m.perSecondTop, len(m.recent))
}

func (m *movingLimit) take(now time.Time) bool {
	limit := m.limits[int(now.Sub(m.began)/m.each)%len(m.limits)]
	for len(m.window) > 0 && now.Sub(m.window[0]) >= time.Second {
		m.window = m.window[1:]
	}
	if len(m.window) >= limit {
		m.away++
		return false
	}
	m.window = append(m.window, now)
	m.taken++
	return true
}

// offered returns how many requests could have been taken under the user's rate,
// on average while nobody had asked for a pause.
func (m *movingLimit) offered(rate float64) float64 {
	requests, whole := 0.0, 0.0
	for _, limit := range m.limits {
		if rate > 0 {
			limit = min(limit, int(rate))
		}
		requests += float64(limit) * m.each.Seconds()
		whole += m.each.Seconds()
	}
	return requests * (1 - m.paused.Seconds()/whole)
}

// TestMovingLimitIsFollowed lets the Controller's limit jump, and asks for nine
// tenths of it with hardly a request turned away.
func TestMovingLimitIsFollowed(t *testing.T) {
	if testing.Short() {
		t.Skip("plays an hour of virtual time: not with -short")
	}
	limits := []int{50, 10, 100, 20}
	tests := []struct {
		name    string
		rate    float64
		workers int
		m       *movingLimit
		away    float64 // most requests that are turned away, as a share
	}{
		{name: "429", workers: 8, away: 0.02,
			m: &movingLimit{limits: limits, each: time.Minute, way: 10 * time.Millisecond, status: 429}},
		{name: "429, far away", workers: 32, away: 0.02,
			m: &movingLimit{limits: limits, each: 2 * time.Minute, way: 75 * time.Millisecond, status: 429}},
		{name: "429 below the user's rate", rate: 60, workers: 8, away: 0.02,
			m: &movingLimit{limits: limits, each: time.Minute, way: 10 * time.Millisecond, status: 429}},
		{name: "429 with a pause", workers: 8, away: 0.02,
			m: &movingLimit{limits: limits, each: 3 * time.Minute, way: 10 * time.Millisecond, status: 429,
				header: []string{"Retry-After", "1"}, pause: time.Second}},
		{name: "503 with a pause", rate: 60, workers: 32, away: 0.02,
			m: &movingLimit{limits: limits, each: 3 * time.Minute, way: 10 * time.Millisecond, status: 503,
				header: []string{"Retry-After", "2"}, pause: 2 * time.Second}},
		{name: "503", workers: 8, away: 0.02,
			m: &movingLimit{limits: limits, each: time.Minute, way: 10 * time.Millisecond, status: 503}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := test.m
				cfg := controllerConfig(nil, func(c *controller.Config) {
					c.Transport, c.Workers, c.MaxAttempts, c.Rate, c.Burst = m, test.workers, 1000, test.rate, 1
				})
				client, err := controller.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				m.began = time.Now()
				pushFor(t.Context(), client, test.workers, m.each*time.Duration(len(m.limits)))

				used := float64(m.taken) / m.offered(test.rate)
				away := float64(m.away) / float64(m.away+m.taken)
				t.Logf("%.1f %% of the limit used, %.2f %% of the requests turned away, %v of pauses", 100*used, 100*away, m.paused)
				const least = 0.9
				if used < least || away > test.away {
					t.Errorf("%.1f %% of the limit used, %.2f %% turned away; want at least %v %% and at most %v %%",
						100*used, 100*away, 100*least, 100*test.away)
				}
				if m.tooEarly > 0 {
					t.Errorf("%d requests came before the pause was over", m.tooEarly)
				}
				if test.rate > 0 && m.perSecondTop > int(test.rate) {
					t.Errorf("%d requests came in a second, the rate is %v", m.perSecondTop, test.rate)
				}
			})
		})
	}
}

// pushFor keeps so many workers pushing for a time.
func pushFor(ctx context.Context, client *controller.Client, workers int, d time.Duration) (pushed int) {
	feed, stop := context.WithTimeout(ctx, d)
	defer stop()
	var mu sync.Mutex
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for feed.Err() == nil {
				if answer, _ := client.Push(feed, ctx, []byte(profile), nil); answer.Status == importer.StatusPushed {
					mu.Lock()
					pushed++
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return pushed
}

// TestNobodyIsThrottledWithoutALimit holds the client against workers that do
// nothing but send, with a Controller that now and again is slow or stumbles.
func TestNobodyIsThrottledWithoutALimit(t *testing.T) {
	const workers, d = 32, 10 * time.Second
	tests := []struct {
		name  string
		slow  int     // one in so many answers takes a second; 0: none
		share float64 // of the answers that are a 503
		least float64 // of the bare workers' rows
	}{
		{name: "answers in 20 ms", least: 0.999},
		{name: "one in a hundred takes a second", slow: 100, least: 0.99},
		{name: "one in a thousand is a 503", share: 0.001, least: 0.95},
		{name: "one in a hundred is a 503", share: 0.01, least: 0.8}, // rows wait before they are sent again
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := func() func(int, *http.Request) (*http.Response, error) {
				random := rand.New(rand.NewPCG(3, 4))
				var mu sync.Mutex
				answers := 0
				return func(int, *http.Request) (*http.Response, error) {
					mu.Lock()
					answers++
					slow := test.slow > 0 && answers%test.slow == 0
					stumbles := random.Float64() < test.share
					mu.Unlock()
					if slow {
						time.Sleep(time.Second)
					}
					time.Sleep(20 * time.Millisecond)
					if stumbles {
						return answered(503, "")
					}
					return success()
				}
			}
			bare := 0
			synctest.Test(t, func(t *testing.T) {
				send := answer()
				end := time.Now().Add(d)
				var mu sync.Mutex
				var group sync.WaitGroup
				for range workers {
					group.Go(func() {
						for time.Now().Before(end) {
							if response, _ := send(0, nil); response.StatusCode == 200 {
								mu.Lock()
								bare++
								mu.Unlock()
							}
						}
					})
				}
				group.Wait()
			})
			virtual(t, &inMemory{answer: answer()}, func(c *controller.Config) { c.Workers = workers }, func(t *testing.T, client *controller.Client) {
				pushed := pushFor(t.Context(), client, workers, d)
				if share := float64(pushed) / float64(bare); share < test.least {
					t.Errorf("%d rows where bare workers send %d: %.3f, want %v", pushed, bare, share, test.least)
				}
			})
		})
	}
}

// TestRateRecoversWhenOtherAnswersAreFaster has one request turned away, before much
// is known of the rate, by a Controller that answers something else far faster than
// a push.
func TestRateRecoversWhenOtherAnswersAreFaster(t *testing.T) {
	const list, rejection = `{"status":"success","user_types":[]}`, `{"ErrorCode":9022,"ErrorMessage":"First name is missing."}`
	tests := []struct {
		name   string
		body   string           // of the other answer
		isFast func(n int) bool // whether the nth request gets it
	}{
		{"the list of user types", list, func(n int) bool { return n == 0 }},
		{"one rejection", rejection, func(n int) bool { return n == 1 }},
		{"a rejection in a hundred", rejection, func(n int) bool { return n%100 == 1 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
				if test.isFast(n) {
					time.Sleep(time.Millisecond)
					return answered(200, test.body)
				}
				time.Sleep(20 * time.Millisecond)
				if n == 5 {
					return answered(429, "")
				}
				return success()
			}}
			virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
				if test.body == list {
					if _, err := client.UserTypes(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				pushAll(t.Context(), client, 8, 1000)
				if took := m.at[700].Sub(m.at[500]); took > time.Second { // the workers can send 400 a second
					t.Errorf("200 requests took %v, 500 answers after the 429: want less than a second", took)
				}
			})
		})
	}
}
