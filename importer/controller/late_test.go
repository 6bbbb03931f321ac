package controller

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
)

// tenASecond gives out a turn each tenth of a second, on a clock that is known exactly.
type tenASecond struct {
	mu   sync.Mutex
	next time.Time
}

func (k *tenASecond) Reserve(_ context.Context, n int) (importer.Reservation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := importer.Reservation{Now: time.Now(), Interval: 100 * time.Millisecond, Turns: n}
	if k.next.IsZero() {
		k.next = r.Now
	}
	for k.next.Before(r.Now) {
		k.next = k.next.Add(r.Interval)
	}
	r.First = k.next
	k.next = k.next.Add(time.Duration(n) * r.Interval)
	return r, nil
}

func (*tenASecond) Pause(context.Context, time.Duration) error { return nil }

// pushSlowly pushes so many profiles, one after the other, to a server that takes a while to
// connect to. serve answers on the far end of a connection.
func pushSlowly(t *testing.T, pushes int, connecting time.Duration, serve func(net.Conn)) (answers []importer.Answer, dialed int) {
	t.Helper()
	return pushBy(t, false, pushes, connecting, serve)
}

// pushBy is pushSlowly with either way of sending requests.
func pushBy(t *testing.T, byTransport bool, pushes int, connecting time.Duration, serve func(net.Conn)) (answers []importer.Answer, dialed int) {
	t.Helper()
	transport := func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialed++
		time.Sleep(connecting)
		near, far := net.Pipe()
		go serve(far)
		return near, nil
	}
	cfg := Config{
		BaseURL: "http://127.0.0.1", Client: "OC_TEST", Token: NewToken("canary-token-7f3a"), Turns: new(tenASecond),
		Workers: 1, MaxAttempts: 1, Timeout: 30 * time.Second, Jitter: halfway,
	}
	client, err := newClient(cfg, &http.Transport{DialContext: transport, MaxConnsPerHost: 1, MaxResponseHeaderBytes: maxHeader, IdleConnTimeout: time.Minute}, byTransport)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range pushes {
		answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), func() {})
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	return answers, dialed
}

// lateness takes down how late requests come, after the turn before each.
type lateness struct {
	began time.Time
	late  []time.Duration
}

// serve answers so many requests on a connection that each come within a time, and then ends it: when another request has come if
// that is not ended by the time.
func (l *lateness) serve(far net.Conn, requests int, within time.Duration) {
	defer func() { _ = far.Close() }()
	r := bufio.NewReader(far)
	for n := 0; ; n++ {
		_ = far.SetReadDeadline(time.Now().Add(within)) // a pipe takes any
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		l.late = append(l.late, time.Since(l.began)%(100*time.Millisecond))
		if _, _ = io.Copy(io.Discard, request.Body); n == requests {
			return
		}
		_, _ = io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n"+`{"status":"success","reference_id":17}`)
	}
}

// check fails the test if a request came later than a turn may be used.
func (l *lateness) check(t *testing.T) {
	t.Helper()
	for _, d := range l.late {
		if d > mostSlack {
			t.Errorf("a request came %v after its turn", d)
		}
	}
}

// TestTurnIsOverWhileConnecting has a connection take longer than a turn may be used late: the request
// goes over it in the next turn, and it counts as one attempt.
func TestTurnIsOverWhileConnecting(t *testing.T) {
	for _, connecting := range []time.Duration{10 * time.Millisecond, 60 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			l := lateness{began: time.Now()}
			answers, dialed := pushSlowly(t, 3, connecting, func(far net.Conn) { l.serve(far, 1000, time.Hour) })
			for _, answer := range answers {
				if answer.Status != importer.StatusPushed || answer.Attempts != 1 {
					t.Errorf("%+v, want accepted at the first attempt", answer)
				}
			}
			if dialed != 1 {
				t.Errorf("%d connections were made, want one that is kept", dialed)
			}
			l.check(t)
		})
	}
}

// TestRepeatWaitsForItsTurn has each connection end when its second request comes, so that this is repeated over a new one, which
// takes longer to make than a turn may be used late: it is sent in the turn after.
func TestRepeatWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lateness{began: time.Now()}
		answers, dialed := pushSlowly(t, 4, 60*time.Millisecond, func(far net.Conn) { l.serve(far, 1, time.Hour) })
		for i, answer := range answers {
			if answer.Status != importer.StatusPushed || answer.Attempts != 1+i%2 {
				t.Errorf("push %d: %+v, want accepted, each second one after a repeat", i, answer)
			}
		}
		if dialed != 4 {
			t.Errorf("%d connections were made, want one for each answer", dialed)
		}
		l.check(t)
	})
}

// TestConnectionsThatEndTooSoon has a server that takes long to connect to, and ends a connection that has no request before the next
// turn comes: nothing is sent late, and the attempt fails after some turns.
func TestConnectionsThatEndTooSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lateness{began: time.Now()}
		answers, dialed := pushSlowly(t, 1, 60*time.Millisecond, func(far net.Conn) { l.serve(far, 1000, time.Millisecond) })
		want := "No usable answer in 1 attempt: " + missedTurns
		if a := answers[0]; a.Status != importer.StatusFailed || a.Attempts != 1 || !strings.HasPrefix(a.Message, want) {
			t.Errorf("%+v, want failed at the first attempt: %s", a, want)
		}
		if dialed != mostTurnsLost || len(l.late) > 0 {
			t.Errorf("%d connections were made, want one for each of %d turns; %d requests came, want none", dialed, mostTurnsLost, len(l.late))
		}
	})
}

// TestMissedTurnsOpenNoCircuit has so many rows miss their turns that as many unanswered requests would be an outage.
func TestMissedTurnsOpenNoCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		l := lateness{began: began}
		const rows = 3 * minThreshold
		_, _ = pushSlowly(t, rows, 60*time.Millisecond, func(far net.Conn) { l.serve(far, 1000, time.Millisecond) })
		if took := time.Since(began); took > rows*(mostTurnsLost+1)*100*time.Millisecond {
			t.Errorf("%d rows took %v, longer than their turns", rows, took)
		}
	})
}

// TestTurnIsForgoneForALateRequest has requests come after their turn all the same: the next turn is left unused.
func TestTurnIsForgoneForALateRequest(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name        string
		byTransport bool
		connecting  time.Duration
		reading     time.Duration // after so long a request is taken, if it is the third
		came        []time.Duration
	}{
		{"a processor is not to be had", false, 0, 60 * ms, []time.Duration{0, 100 * ms, 260 * ms, 400 * ms, 500 * ms}},
		{"in time", true, 0, 0, []time.Duration{0, 100 * ms, 200 * ms, 300 * ms, 400 * ms}},
		{"a proxy takes long to connect to", true, 60 * ms, 0, []time.Duration{60 * ms, 200 * ms, 300 * ms, 400 * ms, 500 * ms}},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var came []time.Duration
			_, _ = pushBy(t, test.byTransport, len(test.came), test.connecting, func(far net.Conn) {
				for r := bufio.NewReader(far); ; {
					if len(came) == 2 {
						time.Sleep(100*ms + test.reading) // the turn before and what it is late
					}
					request, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					came = append(came, time.Since(began).Round(ms))
					_, _ = io.Copy(io.Discard, request.Body)
					_, _ = io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n"+`{"status":"success","reference_id":17}`)
				}
			})
			if !slices.Equal(came, test.came) {
				t.Errorf("%s: requests came after %v, want %v", test.name, came, test.came)
			}
		})
	}
}
