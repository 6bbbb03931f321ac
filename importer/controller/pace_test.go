package controller_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/controller"
)

// inMemory is a Controller without sockets, so that time can be virtual. It
// answers the nth request (from 0) with what answer returns, and remembers when
// each came.
type inMemory struct {
	answer func(n int, r *http.Request) (*http.Response, error)

	mu      sync.Mutex
	at      []time.Time
	flying  int // requests that have no answer yet
	highest int // most of them at a time
}

func (m *inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	m.mu.Lock()
	n := len(m.at)
	m.at = append(m.at, time.Now())
	m.flying++
	m.highest = max(m.highest, m.flying)
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.flying--
		m.mu.Unlock()
	}()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return m.answer(n, r)
}

// answered returns an answer with a status, header lines and a body.
func answered(status int, body string, header ...string) (*http.Response, error) {
	response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i < len(header); i += 2 {
		response.Header.Set(header[i], header[i+1])
	}
	return response, nil
}

func success() (*http.Response, error) {
	return answered(200, `{"status":"success","reference_id":44}`)
}

// virtual runs test in virtual time, with a client of the transport.
func virtual(t *testing.T, m *inMemory, adjust func(*controller.Config), test func(*testing.T, *controller.Client)) {
	synctest.Test(t, func(t *testing.T) {
		client, err := controller.New(controllerConfig(m, adjust))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		test(t, client)
	})
}

func controllerConfig(m *inMemory, adjust func(*controller.Config)) controller.Config {
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	cfg := controller.Config{
		BaseURL: "https://controller.example", Client: "OC_TEST", Token: controller.NewToken(secret),
		Workers: 8, MaxAttempts: 5, Timeout: 30 * time.Second, Transport: m,
		Jitter: func() float64 {
			mu.Lock()
			defer mu.Unlock()
			return random.Float64()
		},
	}
	if adjust != nil {
		adjust(&cfg)
	}
	return cfg
}

// pushAll pushes so many rows with so many workers and counts their statuses.
func pushAll(ctx context.Context, client *controller.Client, workers, rows int) importer.Counts {
	counts := importer.Counts{}
	var mu sync.Mutex
	var group sync.WaitGroup
	next := make(chan int)
	for range workers {
		group.Go(func() {
			for range next {
				answer, _ := client.Push(ctx, ctx, []byte(profile), nil)
				mu.Lock()
				counts[answer.Status]++
				mu.Unlock()
			}
		})
	}
	for n := range rows {
		next <- n
	}
	close(next)
	group.Wait()
	return counts
}

func TestBackoffGrowsToItsLimit(t *testing.T) {
	m := &inMemory{answer: func(int, *http.Request) (*http.Response, error) { return answered(500, "") }}
	most := func(c *controller.Config) {
		c.MaxAttempts = 10
		c.Workers = 100 // so that the circuit stays closed
		c.Jitter = func() float64 { return 0.999999 }
	}
	virtual(t, m, most, func(t *testing.T, client *controller.Client) {
		answer, err := push(client)
		if err != nil || answer.Status != importer.StatusFailed || answer.Attempts != 10 {
			t.Errorf("answer = %+v, %v, want failed after 10 attempts", answer, err)
		}
		var waits []time.Duration
		for i := range m.at[1:] {
			waits = append(waits, m.at[i+1].Sub(m.at[i]).Round(10*time.Millisecond))
		}
		want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
			16 * time.Second, 30 * time.Second, 30 * time.Second, 30 * time.Second}
		if !slices.Equal(waits, want) {
			t.Errorf("waits = %v, want %v", waits, want)
		}
	})
}

func TestLastOfSeveralFailuresIsTold(t *testing.T) {
	m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
		if n == 0 {
			return answered(500, "")
		}
		return nil, errors.New("something else \x1b" + secret)
	}}
	virtual(t, m, func(c *controller.Config) { c.MaxAttempts = 2 }, func(t *testing.T, client *controller.Client) {
		answer, _ := push(client)
		want := "No usable answer in 2 attempts: the last time there was no answer: something else [token]. " +
			"Push the row again later: if it did arrive, it is only updated."
		if answer.Message != want {
			t.Errorf("message = %s\nwant      %s", answer.Message, want)
		}
	})
}

func TestRetryAfterHoldsEveryWorker(t *testing.T) {
	// Virtual time begins at midnight UTC 2000-01-01.
	tests := []struct {
		name   string
		header []string
		want   time.Duration // from the answer until the next request, at least
		most   time.Duration // and at most
	}{
		{"seconds", []string{"Retry-After", "60"}, time.Minute, time.Minute},
		{"with spaces", []string{"Retry-After", " 60 "}, time.Minute, time.Minute},
		{"date", []string{"Retry-After", "Sat, 01 Jan 2000 00:01:31 GMT"}, 90 * time.Second, 91 * time.Second},
		{"date by another clock", []string{"Retry-After", "Sun, 09 Mar 2008 10:00:40 GMT", "Date", "Sun, 09 Mar 2008 10:00:00 GMT"}, 40 * time.Second, 40 * time.Second},
		{"a day", []string{"Retry-After", "86400"}, 24 * time.Hour, 24 * time.Hour},
		{"absurd", []string{"Retry-After", strings.Repeat("9", 60)}, 365 * 24 * time.Hour, 365 * 24 * time.Hour},
		{"absurd date", []string{"Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"}, 365 * 24 * time.Hour, 365 * 24 * time.Hour},
		{"Unix seconds", []string{"Retry-After", "946684860"}, time.Minute - time.Second, time.Minute},
		{"past date", []string{"Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"}, 0, time.Second},
		{"zero", []string{"Retry-After", "0"}, 0, time.Second},
		{"negative", []string{"Retry-After", "-60"}, 0, time.Second},
		{"fraction", []string{"Retry-After", "60.5"}, 60500 * time.Millisecond, 60500 * time.Millisecond},
		{"whole number with a fraction", []string{"Retry-After", "60.0"}, time.Minute, time.Minute},
		{"no number", []string{"Retry-After", "6.0.5"}, 0, time.Second},
		{"a dot", []string{"Retry-After", "."}, 0, time.Second},
		{"words", []string{"Retry-After", "a minute"}, 0, time.Second},
		{"none", nil, 0, time.Second},
		{"used up, Unix seconds", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "946684890"}, 89 * time.Second, 90 * time.Second},
		{"used up, Unix seconds by another clock", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1205056840",
			"Date", "Sun, 09 Mar 2008 10:00:00 GMT"}, 40 * time.Second, 40 * time.Second},
		{"used up, Unix milliseconds", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1205056840500",
			"Date", "Sun, 09 Mar 2008 10:00:00 GMT"}, 40500 * time.Millisecond, 40501 * time.Millisecond},
		{"used up, seconds", []string{"RateLimit-Remaining", "0", "RateLimit-Reset", "50"}, 50 * time.Second, 50 * time.Second},
		{"used up, in the past", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "946684000"}, 0, time.Second},
		{"used up, no time", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "soon"}, 0, time.Second},
		{"not used up", []string{"X-RateLimit-Remaining", "7", "X-RateLimit-Reset", "50"}, 0, time.Second},
		{"Retry-After comes first", []string{"Retry-After", "20", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "50"}, 20 * time.Second, 20 * time.Second},
		{"Retry-After of 0", []string{"Retry-After", "0", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "50"}, 0, time.Second},
	}
	for _, test := range tests {
		for _, status := range []int{429, 503} {
			t.Run(fmt.Sprint(test.name, " ", status), func(t *testing.T) {
				m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
					if n == 20 {
						return answered(status, "", test.header...)
					}
					time.Sleep(time.Millisecond)
					return success()
				}}
				virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
					counts := pushAll(t.Context(), client, 8, 100)
					if counts[importer.StatusPushed] != 100 || len(m.at) != 101 {
						t.Fatalf("counts = %v after %d requests, want 100 pushed after 101", counts, len(m.at))
					}
					asked := m.at[20]
					for _, at := range m.at {
						if wait := at.Sub(asked); wait > 0 && wait < test.want {
							t.Errorf("a request came %v after the answer, want at least %v", wait, test.want)
						}
					}
					if wait := m.at[28].Sub(asked); wait > test.most+time.Second { // 7 others were in progress
						t.Errorf("no request came until %v after the answer, want one after %v", wait, test.most)
					}
				})
			})
		}
	}
}

func TestForbiddenWithRetryAfterIsThrottling(t *testing.T) {
	took := map[int]time.Duration{}
	for _, status := range []int{403, 429, 500} {
		m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
			if n == 20 {
				return answered(status, "<html>", "Retry-After", "60")
			}
			time.Sleep(time.Millisecond)
			return success()
		}}
		virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
			counts := pushAll(t.Context(), client, 8, 100)
			if counts[importer.StatusPushed] != 100 || len(m.at) != 101 {
				t.Fatalf("%d: counts = %v after %d requests, want 100 pushed after 101", status, counts, len(m.at))
			}
			// Beyond the eight requests in progress every worker waits, not the refused row alone.
			if wait := m.at[40].Sub(m.at[20]); wait < time.Minute {
				t.Errorf("%d: request 41 came %v after the answer, want a pause of a minute", status, wait)
			}
			took[status] = m.at[100].Sub(m.at[0])
		})
	}
	if limit := took[500] + time.Second; took[403] < limit || took[429] < limit {
		t.Errorf("took %v: want a 403 to slow the run down after the pause as a 429 does, and a 500 not to", took)
	}
}

func TestRequestsKeepToTheRate(t *testing.T) {
	m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
		time.Sleep(50 * time.Millisecond)
		switch {
		case n == 40:
			return answered(429, "", "Retry-After", "10")
		case n%10 == 0: // retries count too
			return answered(500, "")
		}
		return success()
	}}
	limited := func(c *controller.Config) { c.Rate, c.Burst = 10, 1 }
	virtual(t, m, limited, func(t *testing.T, client *controller.Client) {
		start := time.Now()
		if counts := pushAll(t.Context(), client, 8, 200); counts[importer.StatusPushed] != 200 {
			t.Fatalf("counts = %v", counts)
		}
		for i, at := range m.at {
			asked := m.at[40].Add(50 * time.Millisecond)
			if wait := at.Sub(asked); i > 40 && wait >= 0 && wait < 10*time.Second {
				t.Errorf("a request came %v after the Controller had asked to wait for 10s", wait)
			}
			within := 0
			for _, at := range m.at[i:] {
				if at.Sub(m.at[i]) < time.Second {
					within++
				}
			}
			if within > 10 {
				t.Fatalf("%d requests within a second from %v on", within, m.at[i].Sub(start))
			}
		}
		if took := time.Since(start); took > 35*time.Second {
			t.Errorf("it took %v, want about 32s: 222 requests at 10 a second, and a pause of 10s", took)
		}
	})
}

// TestOutageOfAnHour holds a run against a Controller that is away for an hour
// soon after its start.
func TestOutageOfAnHour(t *testing.T) {
	const rows = 10_000
	var start time.Time
	m := &inMemory{}
	m.answer = func(int, *http.Request) (*http.Response, error) {
		if since := time.Since(start); since > 10*time.Second && since < 10*time.Second+time.Hour {
			m.mu.Lock()
			flying := m.flying
			m.mu.Unlock()
			if since > 30*time.Second && flying > 1 {
				t.Errorf("%d requests at a time in the outage", flying)
			}
			time.Sleep(5 * time.Second)
			return answered(502, "<html>")
		}
		time.Sleep(20 * time.Millisecond)
		return success()
	}
	var waits []controller.Wait
	var mu sync.Mutex
	patient := func(c *controller.Config) {
		c.MaxAttempts = 1000
		c.OnWait = func(w controller.Wait) {
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, w)
		}
	}
	virtual(t, m, patient, func(t *testing.T, client *controller.Client) {
		start = time.Now()
		counts := pushAll(t.Context(), client, 8, rows)
		if counts[importer.StatusPushed] != rows {
			t.Errorf("counts = %v, want %d pushed", counts, rows)
		}
		if n := len(m.at); n > rows*102/100 {
			t.Errorf("%d requests for %d rows", n, rows)
		}
		var during []time.Time
		for _, at := range m.at {
			if since := at.Sub(start); since > 5*time.Minute && since < time.Hour {
				during = append(during, at)
			}
		}
		if len(during) < 55 || len(during) > 120 {
			t.Errorf("%d probes in 55 minutes, want one and a half a minute", len(during))
		}
		if took := time.Since(start); took > time.Hour+3*time.Minute {
			t.Errorf("it took %v: the run did not go on at its full pace after the outage", took)
		}
		if len(waits) < 20 {
			t.Errorf("%d waits were told of", len(waits))
		}
		for _, wait := range waits {
			if wait.Reason != "The Controller does not answer" || wait.For < time.Second || wait.For > time.Minute {
				t.Errorf("told of %+v", wait)
			}
		}
	})
}

func TestRetriesKeepToTheirBudget(t *testing.T) {
	const rows, failures = 200, 3 // of each row
	attempts := map[string]int{}
	m := &inMemory{}
	m.answer = func(n int, r *http.Request) (*http.Response, error) {
		time.Sleep(10 * time.Millisecond)
		m.mu.Lock()
		defer m.mu.Unlock()
		body, _ := r.GetBody()
		text, _ := io.ReadAll(body)
		if attempts[string(text)]++; attempts[string(text)] <= failures {
			return answered(500, "")
		}
		return success()
	}
	virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
		start := time.Now()
		var group sync.WaitGroup
		next := make(chan int, rows)
		for n := range rows {
			next <- n
		}
		close(next)
		for range 8 {
			group.Go(func() {
				for n := range next {
					payload := fmt.Appendf(nil, `{"unique_id":"%d"}`, n)
					if answer, err := client.Push(t.Context(), t.Context(), payload, nil); err != nil || answer.Status != importer.StatusPushed {
						t.Errorf("answer = %+v, %v", answer, err)
					}
				}
			})
		}
		group.Wait()
		retries := float64(len(m.at) - rows)
		if retries != failures*rows {
			t.Errorf("%v retries, want %d", retries, failures*rows)
		}
		if most := rows + 10 + time.Since(start).Seconds(); retries > most+1 { // one for each answer, one a second, and ten at first
			t.Errorf("%v retries in %v, want at most %v", retries, time.Since(start), most)
		}
	})
}

func TestFirstInterrupt(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	tests := []struct {
		name     string
		answer   func() (*http.Response, error)
		want     importer.Status
		attempts int
	}{
		{"while the answer is in progress", func() (*http.Response, error) {
			time.Sleep(10 * time.Second)
			return success()
		}, importer.StatusPushed, 1},
		{"after a failure that may have arrived", func() (*http.Response, error) { return answered(500, "") }, importer.StatusUnknown, 1},
		{"after a broken connection", func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, importer.StatusUnknown, 1},
		{"after it was turned away", func() (*http.Response, error) { return answered(429, "", "Retry-After", "200") }, importer.StatusUnknown, 1},
		{"without a connection", func() (*http.Response, error) { return nil, refused }, importer.StatusNotSent, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := &inMemory{answer: func(int, *http.Request) (*http.Response, error) { return test.answer() }}
			late := func(c *controller.Config) { c.Jitter = func() float64 { return 0.99 } }
			virtual(t, m, late, func(t *testing.T, client *controller.Client) {
				feed, stop := context.WithCancel(t.Context())
				defer stop()
				time.AfterFunc(100*time.Millisecond, stop)
				start := time.Now()
				answer, err := client.Push(feed, t.Context(), []byte(profile), nil)
				if err != nil || answer.Status != test.want || answer.Attempts != test.attempts || len(m.at) != test.attempts {
					t.Errorf("answer = %+v, %v after %d requests, want %s after %d", answer, err, len(m.at), test.want, test.attempts)
				}
				if took := time.Since(start); test.want != importer.StatusPushed && took != 100*time.Millisecond {
					t.Errorf("it returned after %v, want at once", took)
				}
				answer, err = client.Push(feed, t.Context(), []byte(profile), nil)
				if err != nil || answer.Status != importer.StatusNotSent || answer.Attempts != 0 || answer.Message == "" || len(m.at) != test.attempts {
					t.Errorf("later: answer = %+v, %v, want not sent", answer, err)
				}
			})
		})
	}
}

func TestFirstInterruptEndsTheWaitForATurn(t *testing.T) {
	m := &inMemory{answer: func(int, *http.Request) (*http.Response, error) { return success() }}
	slow := func(c *controller.Config) { c.Rate, c.Burst = 0.01, 1 }
	virtual(t, m, slow, func(t *testing.T, client *controller.Client) {
		if answer, _ := push(client); answer.Status != importer.StatusPushed {
			t.Fatalf("answer = %+v", answer)
		}
		start := time.Now()
		feed, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		answer, err := client.Push(feed, t.Context(), []byte(profile), nil)
		if err != nil || answer.Status != importer.StatusNotSent || answer.Attempts != 0 || time.Since(start) != time.Second {
			t.Errorf("answer = %+v, %v after %v, want not sent after 1s", answer, err, time.Since(start))
		}
	})
}

// drip is a body that never ends and never brings anything.
type drip struct{ ctx context.Context }

func (d drip) Read([]byte) (int, error) { <-d.ctx.Done(); return 0, d.ctx.Err() }
func (drip) Close() error               { return nil }

func TestSecondInterruptAbortsTheRequest(t *testing.T) {
	for name, answer := range map[string]func(r *http.Request) (*http.Response, error){
		"before the answer": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"in the answer": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: drip{r.Context()}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := &inMemory{answer: func(_ int, r *http.Request) (*http.Response, error) { return answer(r) }}
			virtual(t, m, func(c *controller.Config) { c.MaxAttempts = 1 }, func(t *testing.T, client *controller.Client) {
				send, abort := context.WithCancel(t.Context())
				defer abort()
				time.AfterFunc(time.Second, abort)
				start := time.Now()
				answer, err := client.Push(send, send, []byte(profile), nil)
				if err != nil || answer.Status != importer.StatusUnknown || answer.Attempts != 1 || time.Since(start) != time.Second {
					t.Errorf("answer = %+v, %v after %v, want unknown after 1s", answer, err, time.Since(start))
				}
			})
		})
	}
}

func TestEveryRequestHasItsTimeout(t *testing.T) {
	var took []time.Duration
	m := &inMemory{}
	m.answer = func(n int, r *http.Request) (*http.Response, error) {
		start := time.Now()
		switch n {
		case 0, 1, 4: // answers late, but in time
			select {
			case <-time.After(25 * time.Second):
				return success()
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		case 2: // hangs
			<-r.Context().Done()
			took = append(took, time.Since(start))
			return nil, r.Context().Err()
		case 3: // hangs in the body
			context.AfterFunc(r.Context(), func() { took = append(took, time.Since(start)) })
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: drip{r.Context()}}, nil
		}
		return success()
	}
	virtual(t, m, func(c *controller.Config) { c.MaxAttempts = 3 }, func(t *testing.T, client *controller.Client) {
		for _, idle := range []time.Duration{0, 0, time.Minute} {
			time.Sleep(idle)
			if answer, err := push(client); err != nil || answer.Status != importer.StatusPushed {
				t.Errorf("answer = %+v, %v", answer, err)
			}
		}
		synctest.Wait()
		if want := []time.Duration{30 * time.Second, 30 * time.Second}; !slices.Equal(took, want) {
			t.Errorf("requests were aborted after %v, want %v", took, want)
		}
		if len(m.at) != 5 {
			t.Errorf("%d requests, want 5", len(m.at))
		}
	})
}

func TestTimeoutIsToldInPlainWords(t *testing.T) {
	m := &inMemory{answer: func(n int, r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: drip{r.Context()}}, nil
	}}
	virtual(t, m, func(c *controller.Config) { c.MaxAttempts = 1 }, func(t *testing.T, client *controller.Client) {
		answer, err := push(client)
		want := "No usable answer in 1 attempt: the Controller answered 200 OK with a body that did not end within 30s. " +
			"Push the row again later: if it did arrive, it is only updated."
		if err != nil || answer.Message != want {
			t.Errorf("message = %s, %v\nwant      %s", answer.Message, err, want)
		}
	})
}

func TestPayloadMayBeReusedByTheCaller(t *testing.T) {
	var bodies [][]byte
	m := &inMemory{answer: func(n int, r *http.Request) (*http.Response, error) {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(body)
		bodies = append(bodies, text)
		if err != nil || n == 0 {
			return nil, io.EOF
		}
		return success()
	}}
	virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
		payload := []byte(profile)
		if _, err := client.Push(t.Context(), t.Context(), payload, nil); err != nil {
			t.Fatal(err)
		}
		clear(payload)
		if len(bodies) != 2 || !bytes.Equal(bodies[0], bodies[1]) || !strings.HasSuffix(string(bodies[1]), profile[1:]) {
			t.Errorf("bodies = %q", bodies)
		}
	})
}
