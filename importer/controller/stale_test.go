package controller

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"opscom-import/importer"
)

// staleAfter returns a wire to a server that answers so many requests on a
// connection, and then closes it only once the next request has come.
func staleAfter(requests int, end error) *wire {
	return &wire{end: end, speak: func(_ int, conn net.Conn) {
		r := bufio.NewReader(conn)
		for range requests {
			if _, ok := readRequest(r); !ok {
				return
			}
			sendAll(conn, goodAnswers(44)["length"])
		}
		_, _ = readRequest(r)
	}}
}

// TestStaleConnectionCostsNoPause: a kept connection that turns out to be closed is
// no fault. The request is repeated at once on a new one, which counts as a request.
func TestStaleConnectionCostsNoPause(t *testing.T) {
	for _, end := range append(cuts, struct {
		name string
		err  error
	}{"reset on Windows", &net.OpError{Op: "read", Net: "tcp", Err: syscall.Errno(10054)}}) {
		once := func(c *Config) { c.Jitter = func() float64 { return 0.99 } } // one attempt, and long pauses
		onWire(t, staleAfter(1, end.err), once, func(t *testing.T, client *Client) {
			start := time.Now()
			for i := range 10 {
				answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
				want := importer.Answer{Status: importer.StatusPushed, ReferenceID: "44", Attempts: 1 + i%2}
				if err != nil || answer != want {
					t.Errorf("%s, push %d: %+v, %v, want %+v", end.name, i, answer, err, want)
				}
			}
			if took := time.Since(start); took != 0 {
				t.Errorf("%s: ten pushes took %v, want no pause", end.name, took)
			}
		})
	}
}

// TestRepeatKeepsTheRate: a repeat is a request like others as far as --rate goes.
func TestRepeatKeepsTheRate(t *testing.T) {
	slow := func(c *Config) { c.Rate, c.Burst = 1, 1 }
	onWire(t, staleAfter(1, io.EOF), slow, func(t *testing.T, client *Client) {
		start := time.Now()
		attempts := 0
		for range 10 {
			answer, _ := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
			attempts += answer.Attempts
		}
		if took := time.Since(start).Round(time.Second); attempts != 15 || took != 14*time.Second {
			t.Errorf("%d requests took %v, want 15 in 14s", attempts, took)
		}
	})
}

// TestManyStaleConnections has a pool full of them: the repeat must not meet the next.
func TestManyStaleConnections(t *testing.T) {
	const workers = 8
	many := func(c *Config) { c.Workers, c.Jitter = workers, func() float64 { return 0.99 } }
	onWire(t, staleAfter(1, io.EOF), many, func(t *testing.T, client *Client) {
		start := time.Now()
		for round := range 6 {
			answers := make(chan importer.Answer)
			for range workers {
				go func() {
					answer, _ := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
					answers <- answer
				}()
			}
			for range workers {
				if answer := <-answers; answer.Status != importer.StatusPushed || answer.Attempts > 2 {
					t.Errorf("round %d: %+v", round, answer)
				}
			}
		}
		if took := time.Since(start); took != 0 || client.pacer.failures != 0 {
			t.Errorf("it took %v, and %d failures were counted, want none", took, client.pacer.failures)
		}
	})
}

// TestStaleConnectionIsNoExcuse: what goes wrong on a new connection, after a byte of
// an answer, or by the clock is a fault as before.
func TestStaleConnectionIsNoExcuse(t *testing.T) {
	good := goodAnswers(44)["length"]
	tests := []struct {
		name     string
		speak    func(n int, r *bufio.Reader, conn net.Conn) // after the first answer
		attempts int                                         // of the second row, which may fail twice
		failures int
		took     time.Duration
	}{
		{"no connection answers", func(int, *bufio.Reader, net.Conn) {}, 3, 2, 250 * time.Millisecond},
		{"a byte of an answer", func(_ int, _ *bufio.Reader, conn net.Conn) { sendAll(conn, good[:1]) }, 2, 2, 250 * time.Millisecond},
		{"a hint", func(_ int, _ *bufio.Reader, conn net.Conn) { sendAll(conn, "HTTP/1.1 103 Early Hints\r\n\r\n") }, 2, 2, 250 * time.Millisecond},
		{"silence", func(int, *bufio.Reader, net.Conn) { time.Sleep(time.Hour) }, 2, 2, time.Minute + 250*time.Millisecond},
	}
	for _, test := range tests {
		w := &wire{end: io.EOF, speak: func(n int, conn net.Conn) {
			r := bufio.NewReader(conn)
			if n == 0 {
				_, _ = readRequest(r)
				sendAll(conn, good)
			}
			_, _ = readRequest(r)
			test.speak(n, r, conn)
		}}
		twice := func(c *Config) { c.MaxAttempts, c.Jitter = 2, func() float64 { return 0.5 } }
		onWire(t, w, twice, func(t *testing.T, client *Client) {
			_, _ = client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
			start := time.Now()
			answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
			if err != nil || answer.Status != importer.StatusFailed || answer.Attempts != test.attempts {
				t.Errorf("%s: %+v, %v, want failed after %d requests", test.name, answer, err, test.attempts)
			}
			if took := time.Since(start); took != test.took || client.pacer.failures != test.failures {
				t.Errorf("%s: it took %v with %d failures, want %v and %d", test.name, took, client.pacer.failures, test.took, test.failures)
			}
		})
	}
}

// TestStoppedBeforeTheRepeat: the request on the stale connection may have been
// received, whatever becomes of the repeat.
func TestStoppedBeforeTheRepeat(t *testing.T) {
	slow := func(c *Config) { c.Rate, c.Burst = 1, 1 }
	onWire(t, staleAfter(1, io.EOF), slow, func(t *testing.T, client *Client) {
		_, _ = client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
		feed, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond) // the request at 1 s, its repeat at 2 s
		defer cancel()
		answer, err := client.Push(feed, t.Context(), []byte(onePerson), nil)
		if err != nil || answer.Status != importer.StatusUnknown || answer.Attempts != 1 {
			t.Errorf("answer = %+v, %v, want unknown after 1 request", answer, err)
		}
	})
	w := staleAfter(1, io.EOF)
	onWire(t, w, nil, func(t *testing.T, client *Client) {
		_, _ = client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
		w.refuses.Store(true)
		answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
		want := importer.Answer{Status: importer.StatusFailed, Attempts: 2, Message: "No usable answer in 2 attempts: the last time the connection was refused. " +
			"Push the row again later: if it did arrive, it is only updated."}
		if err != nil || answer != want {
			t.Errorf("answer = %+v, %v, want %+v", answer, err, want)
		}
	})
}

// TestStaleConnectionsOfARealServer closes kept connections in silence, on loopback.
func TestStaleConnectionsOfARealServer(t *testing.T) {
	eachClient(t, testStaleConnectionsOfARealServer)
}

func testStaleConnectionsOfARealServer(t *testing.T, newClient makeClient) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(conn)
			_, _ = readRequest(r)
			sendAll(conn, goodAnswers(44)["length"])
			_, _ = http.ReadRequest(r) // its body is left unread: the client may see a reset
			_ = conn.Close()
		}
	}()
	client, err := newClient(Config{
		BaseURL: fmt.Sprintf("http://%s", listener.Addr()), Client: "OC_TEST", Token: NewToken("canary-token-7f3a"),
		Workers: 1, MaxAttempts: 1, Timeout: 30 * time.Second,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
		if err != nil || answer.Status != importer.StatusPushed || answer.Attempts != 1+i%2 {
			t.Errorf("push %d: %+v, %v", i, answer, err)
		}
	}
	client.Close()
	_ = listener.Close()
	<-served
}
