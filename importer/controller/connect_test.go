package controller

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
)

// TestSlowConnections has a name that is not found out, a host that does not answer,
// and a handshake of TLS that does not go on. Each time the request takes no longer
// than it may, and if it is stopped the row is certainly not sent.
func TestSlowConnections(t *testing.T) {
	tests := map[string]func(*http.Transport){
		"slow DNS": func(t *http.Transport) {
			t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				unknown := &net.DNSError{Err: "i/o timeout", Name: "controller.example", IsTimeout: true, IsTemporary: true}
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: unknown}
			}
		},
		"no connection": func(t *http.Transport) {
			t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
			}
		},
		"no handshake": func(t *http.Transport) {
			t.DialContext = func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go func() {
					defer far.Close()
					_, _ = io.Copy(io.Discard, far)
				}()
				return near, nil
			}
		},
	}
	for name, adjust := range tests {
		eachClient(t, func(t *testing.T, newClient makeClient) {
			synctest.Test(t, func(t *testing.T) {
				client, err := newClient(Config{
					BaseURL: "https://controller.example", Client: "OC_TEST", Token: NewToken("canary-token-7f3a"),
					Workers: 1, MaxAttempts: 2, Timeout: 30 * time.Second, Jitter: func() float64 { return 0 },
				}, adjust)
				if err != nil {
					t.Fatal(err)
				}
				defer client.Close()
				start := time.Now()
				answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
				took := time.Since(start)
				if err != nil || answer.Status != importer.StatusFailed || answer.Attempts != 2 || took != time.Minute {
					t.Errorf("%s: %+v, %v after %v, want failed after 2 attempts and a minute", name, answer, err, took)
				}
				said := strings.Contains(answer.Message, "each time there was no answer within 30s")
				_, own := client.exchanger.(direct)
				if !said && (own || name != "no handshake") { // net/http has a limit of its own for it, and other words
					t.Errorf("%s: %s", name, answer.Message)
				}
				for _, stop := range []time.Duration{10 * time.Second, 31 * time.Second} { // in the first attempt, or in the second
					ctx, cancel := context.WithTimeout(t.Context(), stop)
					start := time.Now()
					answer, err = client.Push(ctx, ctx, []byte(onePerson), nil)
					if took := time.Since(start); err != nil || answer.Status != importer.StatusNotSent || took > stop {
						t.Errorf("%s, stopped after %v: %+v, %v after %v, want not sent", name, stop, answer, err, took)
					}
					cancel()
				}
			})
		})
	}
}

// TestBothClientsSendTheSame compares the requests of the clients byte by byte.
func TestBothClientsSendTheSame(t *testing.T) {
	var requests [][]string // by client; the last one is a repeat
	w := &wire{end: io.EOF, speak: func(n int, conn net.Conn) {
		for sent := 0; ; sent++ {
			buffer := make([]byte, 4096)
			n, err := conn.Read(buffer)
			if err != nil || sent == 2 {
				return
			}
			requests[len(requests)-1] = append(requests[len(requests)-1], string(buffer[:n]))
			sendAll(conn, goodAnswers(44)["length"])
		}
	}}
	odd := func(c *Config) {
		c.BaseURL, c.InsecureHTTP, c.Client, c.UserAgent = "http://bücher.example:8080/a b", true, "OC%TÖMA;1", "opscom-import/Content-Length: 0"
	}
	for _, adjust := range []func(*Config){nil, odd} {
		requests = nil
		for i := range 2 {
			requests = append(requests, nil)
			onWire(t, w, adjust, func(t *testing.T, client *Client) {
				_, own := client.exchanger.(direct)
				if own != (i == 0) {
					return
				}
				for range 3 {
					if answer, err := pushAny(t, client); err != nil || answer.Status != importer.StatusPushed {
						t.Errorf("%+v, %v", answer, err)
					}
				}
			})
		}
		const last = "\r\nConnection: close\r\n" // in a repeat, at another place
		for i := range requests {
			if len(requests[i]) != 3 || !strings.Contains(requests[i][2], last) {
				t.Fatalf("the requests are %q", requests[i])
			}
			requests[i][2] = strings.Replace(requests[i][2], last, "\r\n", 1)
		}
		if !slices.Equal(requests[0], requests[1]) {
			t.Errorf("the requests are\n%q\nand\n%q", requests[0], requests[1])
		}
	}
}

func pushAny(t *testing.T, client *Client) (importer.Answer, error) {
	t.Helper()
	return client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
}

// TestIdleConnectionsAreClosed: a connection that nobody has used for 90 seconds is
// closed, whether or not there is another request.
func TestIdleConnectionsAreClosed(t *testing.T) {
	var closedAfter time.Duration
	w := &wire{end: io.EOF, speak: func(_ int, conn net.Conn) {
		r := bufio.NewReader(conn)
		last := time.Now()
		for {
			if _, ok := readRequest(r); !ok {
				closedAfter = time.Since(last)
				return
			}
			sendAll(conn, goodAnswers(44)["length"])
			last = time.Now()
		}
	}}
	onWire(t, w, nil, func(t *testing.T, client *Client) {
		for range 5 {
			if answer, err := pushAny(t, client); err != nil || answer.Attempts != 1 || answer.Status != importer.StatusPushed {
				t.Errorf("%+v, %v", answer, err)
			}
			time.Sleep(89 * time.Second)
		}
		if n := w.connections.Load(); n != 1 {
			t.Errorf("%d connections, want one", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if closedAfter != 90*time.Second {
			t.Errorf("the connection was closed after %v, want 90s", closedAfter)
		}
		if answer, err := pushAny(t, client); err != nil || answer.Attempts != 1 || w.connections.Load() != 2 {
			t.Errorf("%+v, %v", answer, err)
		}
	})
}

// TestIdleConnectionAndItsContext has the context of a request end after it. That is
// no concern of the next one.
func TestIdleConnectionAndItsContext(t *testing.T) {
	var silent atomic.Bool
	w := &wire{end: io.EOF, speak: func(_ int, conn net.Conn) {
		for r := bufio.NewReader(conn); ; {
			if _, ok := readRequest(r); !ok || silent.Load() {
				_, _ = io.Copy(io.Discard, r)
				return
			}
			sendAll(conn, goodAnswers(44)["length"])
		}
	}}
	onWire(t, w, nil, func(t *testing.T, client *Client) {
		for i := range 4 {
			ctx, cancel := context.WithCancel(t.Context())
			answer, err := client.Push(ctx, ctx, []byte(onePerson), nil)
			if err != nil || answer.Attempts != 1 || answer.Status != importer.StatusPushed {
				t.Errorf("%+v, %v", answer, err)
			}
			cancel()
			if i%2 == 0 {
				synctest.Wait()
			}
			answer, err = client.Push(ctx, ctx, []byte(onePerson), nil)
			if err != nil || answer.Attempts != 0 || answer.Status != importer.StatusNotSent {
				t.Errorf("after the end: %+v, %v", answer, err)
			}
		}
		_, _ = pushAny(t, client)
		silent.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // of the second request on its connection
		defer cancel()
		start := time.Now()
		answer, err := client.Push(ctx, ctx, []byte(onePerson), nil)
		if took := time.Since(start); err != nil || answer.Status != importer.StatusUnknown || took != time.Second {
			t.Errorf("in silence: %+v, %v after %v", answer, err, took)
		}
		silent.Store(false)
	})
}

// TestConnectionsThatAreNotKept has answers after which a connection must not be used
// again, though the server would go on.
func TestConnectionsThatAreNotKept(t *testing.T) {
	good := goodAnswers(44)["length"]
	for name, answer := range map[string]string{
		"close":             strings.Replace(good, "\r\n", "\r\nConnection: close\r\n", 1),
		"another protocol":  "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
		"too large a body":  answerOf("200 OK", strings.Repeat(" ", maxBody+1)),
		"HTTP/1.0":          strings.Replace(good, "HTTP/1.1", "HTTP/1.0", 1),
		"a malformed chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n \rX\r\n0\r\n\r\n",
	} {
		w := &wire{end: io.EOF, speak: func(n int, conn net.Conn) {
			for r := bufio.NewReader(conn); ; {
				if _, ok := readRequest(r); !ok {
					return
				}
				if n == 0 {
					sendAll(conn, answer)
				} else {
					sendAll(conn, good)
				}
			}
		}}
		onWire(t, w, nil, func(t *testing.T, client *Client) {
			_, _ = pushAny(t, client)
			got, err := pushAny(t, client)
			if err != nil || got.Status != importer.StatusPushed || got.Attempts != 1 || w.connections.Load() != 2 {
				t.Errorf("%s: %+v, %v over %d connections, want 2", name, got, err, w.connections.Load())
			}
		})
	}
}

// TestConnectionThatTakesNothing has a connection end without a word after its answer,
// or not take a byte any more. Nothing of the next request can have been received, and
// it is sent over another one.
func TestConnectionThatTakesNothing(t *testing.T) {
	w := &wire{end: io.EOF, speak: func(_ int, conn net.Conn) {
		_, _ = readRequest(bufio.NewReader(conn))
		sendAll(conn, goodAnswers(44)["length"])
	}}
	onWire(t, w, nil, func(t *testing.T, client *Client) {
		for range 5 {
			answer, err := pushAny(t, client)
			if err != nil || answer.Status != importer.StatusPushed || answer.Attempts != 1 {
				t.Errorf("%+v, %v, want pushed at once", answer, err)
			}
			w.speakers.Wait()
			synctest.Wait()
		}
		w.refuses.Store(true)
		answer, err := pushAny(t, client)
		if err != nil || answer.Status != importer.StatusFailed || !strings.Contains(answer.Message, "the connection was refused") {
			t.Errorf("%+v, %v, want failed because nobody listens", answer, err)
		}
	})
	deaf := staleAfter(100, io.EOF)
	onWire(t, deaf, nil, func(t *testing.T, client *Client) {
		for n := range int32(5) {
			deaf.deaf.Store(n)
			answer, err := pushAny(t, client)
			if err != nil || answer.Status != importer.StatusPushed || answer.Attempts != 1 {
				t.Errorf("%+v, %v, want pushed at once", answer, err)
			}
		}
	})
}
