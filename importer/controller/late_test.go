package controller

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
)

// tenASecond gives out ten turns a second, on a clock that is known exactly.
type tenASecond struct {
	mu   sync.Mutex
	next time.Time
}

func (k *tenASecond) Reserve(_ context.Context, n int) (importer.Reservation, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := importer.Reservation{Now: time.Now(), Interval: 100 * time.Millisecond, Turns: n}
	if k.next.Before(r.Now) {
		k.next = r.Now
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
	transport := func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialed++
		time.Sleep(connecting)
		near, far := net.Pipe()
		go serve(far)
		return near, nil
	}
	cfg := Config{
		BaseURL: "http://127.0.0.1", Client: "OC_TEST", Token: NewToken("canary-token-7f3a"), Turns: new(tenASecond),
		Workers: 1, MaxAttempts: 1, Timeout: 30 * time.Second, Jitter: func() float64 { return 0 },
	}
	client, err := newClient(cfg, &http.Transport{DialContext: transport, MaxConnsPerHost: 1, MaxResponseHeaderBytes: maxHeader, IdleConnTimeout: time.Minute}, false)
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

// TestTurnIsOverWhileConnecting has a connection take longer than a turn may be used late: the request
// goes over it in the next turn, and it counts as one attempt.
func TestTurnIsOverWhileConnecting(t *testing.T) {
	for _, connecting := range []time.Duration{10 * time.Millisecond, 60 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			var late []time.Duration // of each request, after the turn before it
			answers, dialed := pushSlowly(t, 3, connecting, func(far net.Conn) {
				for r := bufio.NewReader(far); ; {
					request, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					late = append(late, time.Since(began)%(100*time.Millisecond))
					_, _ = io.Copy(io.Discard, request.Body)
					_, _ = io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n"+`{"status":"success","reference_id":17}`)
				}
			})
			for _, answer := range answers {
				if answer.Status != importer.StatusPushed || answer.Attempts != 1 {
					t.Errorf("%+v, want accepted at the first attempt", answer)
				}
			}
			if dialed != 1 {
				t.Errorf("%d connections were made, want one that is kept", dialed)
			}
			for _, d := range late {
				if d > mostSlack {
					t.Errorf("with connections of %v a request came %v after its turn", connecting, d)
				}
			}
		})
	}
}

// TestConnectionsThatLastNoRequest has a server that takes long to connect to and then ends each connection:
// the attempt fails all the same, after some turns.
func TestConnectionsThatLastNoRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers, dialed := pushSlowly(t, 1, 60*time.Millisecond, func(far net.Conn) { _ = far.Close() })
		if answers[0].Status != importer.StatusFailed || answers[0].Attempts != 1 {
			t.Errorf("%+v, want failed at the first attempt", answers[0])
		}
		if dialed > mostTurnsLost+2 {
			t.Errorf("%d connections were made", dialed)
		}
	})
}
