package controller

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
)

// wire is a Controller at the other end of pipes in memory, to which the client
// dials. So every byte is under the test's control, and time is virtual.
type wire struct {
	// speak has the nth connection (from 0) to itself. When it returns, the
	// connection is cut.
	speak    func(n int, conn net.Conn)
	end      error // that reads end with when the connection is cut
	writeErr error // that writes fail with; nil: they do not

	refuses     atomic.Bool  // new connections
	deaf        atomic.Int32 // so many of the first connections take nothing any more
	connections atomic.Int32
	read        atomic.Int64 // bytes that the client has read
	speakers    sync.WaitGroup
}

func (w *wire) dial(context.Context, string, string) (net.Conn, error) {
	if w.refuses.Load() {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	n := int(w.connections.Add(1)) - 1
	w.speakers.Go(func() {
		defer far.Close()
		w.speak(n, far)
	})
	return countedConn{near, w, n}, nil
}

// reset makes the wire as it was, for another client.
func (w *wire) reset() {
	w.refuses.Store(false)
	w.deaf.Store(0)
	w.connections.Store(0)
	w.read.Store(0)
}

// countedConn counts what is read, and fails as its wire says.
type countedConn struct {
	net.Conn
	wire *wire
	n    int
}

func (c countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.read.Add(int64(n))
	if err == io.EOF {
		err = c.wire.end
	}
	return n, err
}

func (c countedConn) Write(p []byte) (int, error) {
	if c.wire.writeErr != nil {
		return 0, c.wire.writeErr
	}
	if c.n < int(c.wire.deaf.Load()) {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	}
	return c.Conn.Write(p)
}

// onWire runs test in virtual time with each client, which reaches w.
func onWire(t *testing.T, w *wire, adjust func(*Config), test func(*testing.T, *Client)) {
	t.Helper()
	for _, kind := range makeClients {
		w.reset()
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			var mu sync.Mutex
			cfg := Config{
				BaseURL: "http://127.0.0.1", Client: "OC_TEST", Token: NewToken("canary-token-7f3a"),
				Workers: 1, MaxAttempts: 1, Timeout: 30 * time.Second,
				Jitter: func() float64 {
					mu.Lock()
					defer mu.Unlock()
					return random.Float64()
				},
			}
			if adjust != nil {
				adjust(&cfg)
			}
			client, err := kind.make(cfg, func(t *http.Transport) { t.Proxy, t.DialContext = nil, w.dial })
			if err != nil {
				t.Fatal(err)
			}
			test(t, client)
			client.Close()
			w.speakers.Wait()
			if t.Failed() {
				t.Logf("the client was the one with %s", kind.name)
			}
		})
	}
}

const onePerson = `{"unique_id":"900123456","login_source":"SSO","first_name":"Zoë"}`

// readRequest reads one request off the connection, and returns its body; ok is
// false when the connection ended before.
func readRequest(r *bufio.Reader) (body string, ok bool) {
	request, err := http.ReadRequest(r)
	if err != nil {
		return "", false
	}
	content, err := io.ReadAll(request.Body)
	return string(content), err == nil
}

// sendAll writes an answer; that the client has hung up is no concern of it.
func sendAll(conn io.Writer, answer string) { _, _ = io.WriteString(conn, answer) }

// answer200 returns a whole answer with that body.
func answer200(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// goodAnswers are the documented success, framed in the ways that HTTP has.
func goodAnswers(id int) map[string]string {
	body := fmt.Sprintf(`{"status":"success","reference_id":%d}`, id)
	chunk := func(part string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(part), part) }
	return map[string]string{
		"length":  answer200(body),
		"chunks":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(body[:20]) + chunk(body[20:]) + "0\r\n\r\n",
		"trailer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" + chunk(body) + "0\r\nX-Sum: 1\r\n\r\n",
		"close":   "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body,
		"1.0":     "HTTP/1.0 200 OK\r\n\r\n" + body,
		"early":   "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer200(body),
	}
}

// cuts are the ways in which a connection ends.
var cuts = []struct {
	name string
	err  error // that the client's reads end with
}{
	{"closed", io.EOF},
	{"reset", &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}},
}

// TestAnswerCutAtEveryByte cuts the connection after every byte of an answer that
// says 666; the attempt after it gets one that says 44.
func TestAnswerCutAtEveryByte(t *testing.T) {
	for framing, first := range goodAnswers(666) {
		for _, end := range cuts {
			for cut := range len(first) + 1 {
				w := &wire{end: end.err, speak: func(n int, conn net.Conn) {
					for r := bufio.NewReader(conn); ; {
						if _, ok := readRequest(r); !ok {
							return
						}
						if n == 0 {
							sendAll(conn, first[:cut])
							return
						}
						sendAll(conn, goodAnswers(44)["length"])
					}
				}}
				want := importer.Answer{Status: importer.StatusPushed, ReferenceID: "44", Attempts: 2}
				if cut == len(first) && (end.err == io.EOF || framing != "close" && framing != "1.0") {
					want = importer.Answer{Status: importer.StatusPushed, ReferenceID: "666", Attempts: 1}
				}
				onWire(t, w, func(c *Config) { c.MaxAttempts = 2 }, func(t *testing.T, client *Client) {
					answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
					if err != nil || answer != want {
						t.Fatalf("%s, %s after %d of %d bytes: %+v, %v, want %+v", framing, end.name, cut, len(first), answer, err, want)
					}
				})
			}
		}
	}
}

// TestRequestCutAtEveryByte cuts the connection after every byte of the request.
// The client cannot know how much of it counts; net/http does not even say that nothing
// could be sent.
func TestRequestCutAtEveryByte(t *testing.T) {
	var length int64
	measure := &wire{}
	measure.speak = func(_ int, conn net.Conn) {
		counted := countedConn{Conn: conn, wire: measure}
		_, _ = readRequest(bufio.NewReader(counted))
		length = measure.read.Swap(0)
		sendAll(conn, goodAnswers(44)["length"])
	}
	onWire(t, measure, nil, func(t *testing.T, client *Client) {
		if answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil); err != nil || answer.Status != importer.StatusPushed {
			t.Fatalf("answer = %+v, %v", answer, err)
		}
	})
	if length < int64(len(onePerson)) {
		t.Fatalf("the request has %d bytes", length)
	}
	for _, end := range cuts {
		for cut := range length + 1 {
			w := &wire{end: end.err, speak: func(n int, conn net.Conn) {
				if n%2 == 0 {
					_, _ = io.CopyN(io.Discard, conn, cut)
					return
				}
				_, _ = readRequest(bufio.NewReader(conn))
				sendAll(conn, goodAnswers(44)["length"])
			}}
			onWire(t, w, func(c *Config) { c.MaxAttempts = 2 }, func(t *testing.T, client *Client) {
				answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
				if want := (importer.Answer{Status: importer.StatusPushed, ReferenceID: "44", Attempts: 2}); err != nil || answer != want {
					t.Fatalf("%s after %d of %d bytes: %+v, %v, want %+v", end.name, cut, length, answer, err, want)
				}
			})
			stop := func(c *Config) { c.MaxAttempts, c.Jitter = 2, func() float64 { return 0.5 } }
			onWire(t, w, stop, func(t *testing.T, client *Client) {
				feed, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				answer, err := client.Push(feed, t.Context(), []byte(onePerson), nil)
				want := importer.StatusUnknown
				if _, own := client.exchanger.(direct); own && cut == 0 {
					want = importer.StatusNotSent
				}
				if err != nil || answer.Status != want || answer.Attempts != 1 || answer.ReferenceID != "" {
					t.Fatalf("%s after %d of %d bytes, and stopped: %+v, %v, want %s", end.name, cut, length, answer, err, want)
				}
			})
		}
	}
}

// TestSlowAnswers has answers that take their time, or never come, or come a byte
// a second, against a timeout of 30 seconds.
func TestSlowAnswers(t *testing.T) {
	good := goodAnswers(44)["length"]
	hold := func(d time.Duration) func(net.Conn) {
		return func(conn net.Conn) {
			time.Sleep(d)
			sendAll(conn, good)
		}
	}
	drip := func(answer string, each time.Duration) func(net.Conn) {
		return func(conn net.Conn) {
			for i := range len(answer) {
				time.Sleep(each)
				if _, err := io.WriteString(conn, answer[i:i+1]); err != nil {
					return
				}
			}
		}
	}
	late := "there was no answer within 30s"
	unfinished := "the Controller answered 200 OK with a body that did not end within 30s"
	head, _, _ := strings.Cut(good, "\r\n\r\n")
	tests := []struct {
		name   string
		answer func(net.Conn)
		took   time.Duration
		what   string // "" for a success
	}{
		{"latency", hold(29 * time.Second), 29 * time.Second, ""},
		{"too much latency", hold(31 * time.Second), 30 * time.Second, late},
		{"hang", hold(time.Hour), 30 * time.Second, late},
		{"slow drip that comes in time", drip(good, 200*time.Millisecond), time.Duration(len(good)) * 200 * time.Millisecond, ""},
		{"slow drip", drip(good, time.Second), 30 * time.Second, late},
		{"slow drip of the body", func(conn net.Conn) {
			sendAll(conn, head+"\r\n\r\n")
			drip(good[len(head)+4:], time.Second)(conn)
		}, 30 * time.Second, unfinished},
		{"hang in the middle of the body", func(conn net.Conn) {
			sendAll(conn, good[:len(good)-1])
			time.Sleep(time.Hour)
		}, 30 * time.Second, unfinished},
		{"endless hints", func(conn net.Conn) {
			for range 100 {
				time.Sleep(time.Second)
				if _, err := io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
					return
				}
			}
		}, 30 * time.Second, late},
	}
	for _, test := range tests {
		w := &wire{end: io.EOF, speak: func(_ int, conn net.Conn) {
			_, _ = readRequest(bufio.NewReader(conn))
			test.answer(conn)
		}}
		onWire(t, w, nil, func(t *testing.T, client *Client) {
			start := time.Now()
			answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
			if took := time.Since(start); err != nil || took != test.took {
				t.Errorf("%s: an error, %v, or it took %v, want %v", test.name, err, took, test.took)
			}
			if answer.Status != importer.StatusPushed && test.what == "" || !strings.Contains(answer.Message, test.what) {
				t.Errorf("%s: %+v, want %q", test.name, answer, test.what)
			}
		})
	}
}

// TestHalfClosedConnections has connections that work in one direction only.
func TestHalfClosedConnections(t *testing.T) {
	broken := &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	for name, w := range map[string]*wire{
		"nothing is read":       {end: io.EOF, speak: func(int, net.Conn) { time.Sleep(time.Hour) }},
		"nothing can be sent":   {end: io.EOF, writeErr: broken, speak: func(int, net.Conn) { time.Sleep(time.Hour) }},
		"an answer, then a cut": {end: io.EOF, writeErr: broken, speak: func(_ int, conn net.Conn) { sendAll(conn, goodAnswers(666)["length"][:70]) }},
	} {
		onWire(t, w, func(c *Config) { c.MaxAttempts = 2 }, func(t *testing.T, client *Client) {
			answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
			if err != nil || answer.Status != importer.StatusFailed || answer.Attempts != 2 {
				t.Errorf("%s: %+v, %v, want failed after 2 attempts", name, answer, err)
			}
		})
	}
}

// TestAnswersAreNeverMixedUp pushes many people over connections that break in
// every way, and holds each reference id against the person it was given for.
func TestAnswersAreNeverMixedUp(t *testing.T) {
	const workers, people = 8, 1500
	idOf := func(body string) int {
		_, after, _ := strings.Cut(body, `"unique_id":"`)
		id, _ := strconv.Atoi(after[:9])
		return id
	}
	for seed := range uint64(3) {
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(seed, 9))
		draw := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return random.IntN(n)
		}
		w := &wire{end: cuts[seed%2].err, speak: func(_ int, conn net.Conn) {
			for r := bufio.NewReader(conn); ; {
				if draw(40) == 0 { // an idle connection is cut, or the request that comes on it
					_, _ = io.CopyN(io.Discard, r, int64(draw(300)))
					return
				}
				body, ok := readRequest(r)
				if !ok {
					return
				}
				answer := goodAnswers(idOf(body))["length"]
				switch draw(20) {
				case 0:
					sendAll(conn, answer[:draw(len(answer))])
					return
				case 1:
					time.Sleep(time.Duration(draw(60)) * time.Second) // after 30 s nobody waits for it any more
				case 2:
					sendAll(conn, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
					continue
				case 3:
					answer = goodAnswers(idOf(body))["close"]
					sendAll(conn, answer)
					return
				}
				sendAll(conn, answer)
			}
		}}
		many := func(c *Config) { c.Workers, c.MaxAttempts = workers, 20 }
		onWire(t, w, many, func(t *testing.T, client *Client) {
			var group sync.WaitGroup
			next := make(chan int)
			for range workers {
				group.Go(func() {
					for id := range next {
						answer, err := client.Push(t.Context(), t.Context(), fmt.Appendf(nil, `{"unique_id":"%d","login_source":"SSO"}`, id), nil)
						if err != nil || answer.Status != importer.StatusPushed || answer.ReferenceID != strconv.Itoa(id) {
							t.Errorf("the answer for %d is %+v, %v", id, answer, err)
						}
					}
				})
			}
			for n := range people {
				next <- 100_000_000 + n
			}
			close(next)
			group.Wait()
		})
	}
}
