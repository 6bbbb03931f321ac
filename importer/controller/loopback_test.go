//go:build unix

package controller

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"opscom-import/importer"
)

// loopback is a Controller at the other end of real sockets, each of which speak has
// to itself.
type loopback struct {
	listener net.Listener
	tls      *tls.Config // nil for http
	roots    *x509.CertPool
	serving  sync.WaitGroup

	mu    sync.Mutex
	conns []*watchedConn // the client's ends, in the order in which they were made
	peak  int            // most of them that were open at a time
}

// watchedConn is the client's end of a connection.
type watchedConn struct {
	*net.TCPConn
	once   sync.Once
	closed chan struct{}
}

func (c *watchedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.TCPConn.Close()
}

// await waits until the client can know that the other end has closed the connection,
// or has sent something: the system has it, or net/http, which reads all the time, has
// closed the connection.
func (c *watchedConn) await(t *testing.T) {
	t.Helper()
	socket, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		defer close(ready)
		_ = socket.Read(func(fd uintptr) bool { // an error: it is closed
			_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			return err != syscall.EAGAIN
		})
	}()
	<-ready
}

// newLoopback returns a Controller whose nth connection (from 0) speak has to itself,
// and closes.
func newLoopback(t *testing.T, scheme, address string, speak func(n int, conn net.Conn)) *loopback {
	t.Helper()
	l := &loopback{}
	if scheme == "https" {
		a := newAuthority(t)
		l.roots = x509.NewCertPool()
		l.roots.AddCert(a.certificate)
		l.tls = &tls.Config{Certificates: []tls.Certificate{*a.sign(t, certificateFor(net.IPv4(127, 0, 0, 1), net.IPv6loopback))}}
	}
	var err error
	if l.listener, err = net.Listen("tcp", net.JoinHostPort(address, "0")); err != nil {
		t.Skipf("NO LOOPBACK at %s: %v", address, err)
	}
	l.serving.Go(func() {
		for n := 0; ; n++ {
			conn, err := l.listener.Accept()
			if err != nil {
				return
			}
			if l.tls != nil {
				conn = tls.Server(&gatheredConn{Conn: conn}, l.tls)
			}
			l.serving.Go(func() {
				defer conn.Close()
				speak(n, conn)
			})
		}
	})
	return l
}

// dial connects to the Controller.
func (l *loopback) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &watchedConn{TCPConn: conn.(*net.TCPConn), closed: make(chan struct{})}
	l.conns = append(l.conns, w)
	open := 0
	for _, c := range l.conns {
		select {
		case <-c.closed:
		default:
			open++
		}
	}
	l.peak = max(l.peak, open)
	return w, nil
}

// conn returns the client's end of the nth connection.
func (l *loopback) conn(n int) *watchedConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conns[n]
}

// onLoopback runs test with each client, over http and https, which reaches a
// Controller that speaks like speak.
func onLoopback(t *testing.T, speak func(n int, conn net.Conn), adjust func(*Config), test func(*testing.T, *Client, *loopback)) {
	t.Helper()
	for _, kind := range makeClients {
		for _, scheme := range []string{"http", "https"} {
			t.Run(kind.name+", "+scheme, func(t *testing.T) {
				l := newLoopback(t, scheme, "127.0.0.1", speak)
				cfg := Config{
					BaseURL: scheme + "://" + l.listener.Addr().String(), Client: "OC_TEST", Token: NewToken("canary-token-7f3a"),
					Workers: 1, MaxAttempts: 1, Timeout: 30 * time.Second, Jitter: func() float64 { return 0 },
				}
				if adjust != nil {
					adjust(&cfg)
				}
				client, err := kind.make(cfg, func(t *http.Transport) { t.DialContext, t.TLSClientConfig.RootCAs = l.dial, l.roots })
				if err != nil {
					t.Fatal(err)
				}
				test(t, client, l)
				client.Close()
				_ = l.listener.Close()
				l.serving.Wait()
			})
		}
	}
}

// pushOne pushes the person with that id.
func pushOne(t *testing.T, client *Client, id int) (importer.Answer, error) {
	t.Helper()
	return client.Push(t.Context(), t.Context(), fmt.Appendf(nil, `{"unique_id":"%d","login_source":"SSO"}`, id), nil)
}

// idOf returns the id of the person in a request's body.
func idOf(body string) (id int) {
	_, after, _ := strings.Cut(body, `"unique_id":"`)
	_, _ = fmt.Sscanf(after, "%d", &id)
	return id
}

// TestEveryFraming has answers framed in every way that HTTP has, one after the other.
func TestEveryFraming(t *testing.T) {
	for framing := range goodAnswers(0) {
		speak := func(_ int, conn net.Conn) {
			for r := bufio.NewReader(conn); ; {
				body, ok := readRequest(r)
				if !ok {
					return
				}
				sendAll(conn, goodAnswers(idOf(body))[framing])
				if framing == "close" || framing == "1.0" {
					return
				}
			}
		}
		onLoopback(t, speak, nil, func(t *testing.T, client *Client, l *loopback) {
			for id := 100; id < 110; id++ {
				answer, err := pushOne(t, client, id)
				if want := (importer.Answer{Status: importer.StatusPushed, ReferenceID: fmt.Sprint(id), Attempts: 1}); err != nil || answer != want {
					t.Errorf("%s: %+v, %v, want %+v", framing, answer, err, want)
				}
			}
			want := 1
			if framing == "close" || framing == "1.0" {
				want = 10
			}
			if len(l.conns) != want {
				t.Errorf("%s: %d connections for ten rows, want %d", framing, len(l.conns), want)
			}
		})
	}
}

// TestIdleConnectionsThatEnd has the server end a connection, or say something unasked,
// between two rows. The next row is sent over another one, once, and gets an answer of
// its own.
func TestIdleConnectionsThatEnd(t *testing.T) {
	lie := goodAnswers(666)["length"]
	ends := map[string]func(net.Conn){
		"end": func(conn net.Conn) { _ = conn.Close() },
		"reset": func(conn net.Conn) {
			_ = socketOf(conn).SetLinger(0)
			_ = socketOf(conn).Close()
		},
		"end of one direction": func(conn net.Conn) { _ = conn.(interface{ CloseWrite() error }).CloseWrite() },
		"an answer unasked":    func(conn net.Conn) { sendAll(conn, lie) },
		"a byte unasked":       func(conn net.Conn) { sendAll(conn, "\n") },
		"408": func(conn net.Conn) {
			sendAll(conn, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			_ = conn.Close()
		},
	}
	for name, end := range ends {
		ended := make(chan struct{}, 1)
		speak := func(n int, conn net.Conn) {
			r := bufio.NewReader(conn)
			for requests := 0; ; requests++ {
				body, ok := readRequest(r)
				if !ok {
					return
				}
				if n == 0 && requests > 0 {
					t.Errorf("%s: a request came over the connection that had ended", name)
				}
				sendAll(conn, goodAnswers(idOf(body))["length"])
				if n == 0 {
					<-ended
					end(conn)
				}
			}
		}
		onLoopback(t, speak, nil, func(t *testing.T, client *Client, l *loopback) {
			for id := 101; id < 105; id++ {
				answer, err := pushOne(t, client, id)
				if want := (importer.Answer{Status: importer.StatusPushed, ReferenceID: fmt.Sprint(id), Attempts: 1}); err != nil || answer != want {
					t.Errorf("%s: %+v, %v, want %+v", name, answer, err, want)
				}
				if id == 101 {
					ended <- struct{}{}
					l.conn(0).await(t)
					if _, own := client.exchanger.(direct); !own {
						<-l.conn(0).closed
					}
				}
			}
			if len(l.conns) != 2 {
				t.Errorf("%s: %d connections, want another one", name, len(l.conns))
			}
		})
	}
}

// socketOf returns the socket of a connection.
func socketOf(conn net.Conn) *net.TCPConn {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn().(*gatheredConn).Conn
	}
	return conn.(*net.TCPConn)
}

// TestMoreThanAnAnswer has something follow an answer at once. It is no answer to the
// next row, nor is anything after it. With net/http it may be: a connection is kept
// before what is left of its buffer is looked at.
func TestMoreThanAnAnswer(t *testing.T) {
	for name, more := range map[string]string{
		"an answer": goodAnswers(666)["length"], "a byte": "\n", "half an answer": goodAnswers(666)["length"][:30],
		"a long answer": answerOf("200 OK", strings.Repeat(" ", 100_000)+`{"status":"success","reference_id":666}`),
	} {
		for _, apart := range []bool{false, true} { // in a write of its own: another record of TLS
			speak := func(_ int, conn net.Conn) {
				for r := bufio.NewReader(conn); ; {
					body, ok := readRequest(r)
					if !ok {
						return
					}
					answer := goodAnswers(idOf(body))["length"]
					if apart {
						secure, ok := conn.(*tls.Conn)
						if !ok {
							return // the client may have the answer before there is more
						}
						sendRecords(secure, answer, more)
					} else {
						sendAll(conn, answer+more)
					}
				}
			}
			onLoopback(t, speak, nil, func(t *testing.T, client *Client, l *loopback) {
				if _, own := client.exchanger.(direct); !own || apart && l.tls == nil {
					return
				}
				for id := 101; id < 106; id++ {
					answer, err := pushOne(t, client, id)
					if want := (importer.Answer{Status: importer.StatusPushed, ReferenceID: fmt.Sprint(id), Attempts: 1}); err != nil || answer != want {
						t.Errorf("%s, apart: %v: %+v, %v, want %+v", name, apart, answer, err, want)
					}
				}
			})
		}
	}
}

// sendRecords sends each text in a record of its own, but all in one piece.
func sendRecords(conn *tls.Conn, texts ...string) {
	gathered := conn.NetConn().(*gatheredConn)
	gathered.hold()
	for _, text := range texts {
		sendAll(conn, text)
	}
	gathered.flush()
}

// gatheredConn can hold back what is written, to send it in one piece.
type gatheredConn struct {
	net.Conn
	holds bool
	held  []byte
}

func (c *gatheredConn) hold() { c.holds = true }

func (c *gatheredConn) flush() {
	c.holds = false
	sendAll(c.Conn, string(c.held))
	c.held = nil
}

func (c *gatheredConn) Write(p []byte) (int, error) {
	if c.holds {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// TestRefusedBeforeItWasRead has the server refuse a request that is too large for the
// buffers of the system, and close the connection, before it has read all of it.
func TestRefusedBeforeItWasRead(t *testing.T) {
	for _, status := range []string{"413 Content Too Large", "200 OK"} {
		speak := func(_ int, conn net.Conn) {
			_, _ = io.ReadFull(conn, make([]byte, 1000))
			sendAll(conn, answerOf(status, `{"status":"success","reference_id":666}`, "Connection: close"))
			_ = socketOf(conn).Close()
		}
		onLoopback(t, speak, nil, func(t *testing.T, client *Client, l *loopback) {
			large := []byte(`{"unique_id":"` + strings.Repeat("9", 16<<20) + `"}`)
			answer, err := client.Push(t.Context(), t.Context(), large, nil)
			want := importer.StatusFailed
			if status[0] == '4' {
				want = importer.StatusRejected
			}
			// net/http may have the answer before it knows that the request cannot be sent, or the other way round.
			own := readsRefusals(client)
			if err != nil || own && answer.Status != want || answer.Status == importer.StatusPushed && want == importer.StatusRejected {
				t.Errorf("%s: %s, %s, %v; want %s", status, answer.Status, answer.Message, err, want)
			}
		})
	}
}

// readsRefusals reports whether the client reads all that came before a reset. Linux
// keeps that, other systems need not.
func readsRefusals(client *Client) bool {
	_, own := client.exchanger.(direct)
	return own && runtime.GOOS == "linux"
}

// TestRefusedOnAKeptConnection is the same, after another row. What the server says
// then may be about the connection; the row is sent again on a new one.
func TestRefusedOnAKeptConnection(t *testing.T) {
	speak := func(n int, conn net.Conn) {
		r := bufio.NewReader(conn)
		refusal := "413 Content Too Large"
		if n == 0 {
			_, _ = readRequest(r)
			sendAll(conn, goodAnswers(44)["length"])
			refusal = "400 Bad Request"
		}
		_, _ = io.ReadFull(r, make([]byte, 1000))
		sendAll(conn, answerOf(refusal, "", "Connection: close"))
		_ = socketOf(conn).Close()
	}
	onLoopback(t, speak, nil, func(t *testing.T, client *Client, l *loopback) {
		if answer, err := pushOne(t, client, 44); err != nil || answer.Status != importer.StatusPushed {
			t.Errorf("%+v, %v", answer, err)
		}
		large := []byte(`{"unique_id":"` + strings.Repeat("9", 16<<20) + `"}`)
		answer, err := client.Push(t.Context(), t.Context(), large, nil)
		own := readsRefusals(client)
		if err != nil || answer.Status == importer.StatusPushed || own && (answer.HTTPStatus != 413 || answer.Attempts != 2) {
			t.Errorf("%s with %d after %d requests, %v: %s", answer.Status, answer.HTTPStatus, answer.Attempts, err, answer.Message)
		}
	})
}

// TestConnectionsAreLimited has many kept connections be closed at a time, in the
// middle of requests. No more are open than there are workers, though every repeat
// goes over a new one.
func TestConnectionsAreLimited(t *testing.T) {
	const workers = 6
	speak := func(n int, conn net.Conn) {
		r := bufio.NewReader(conn)
		for range 1 + n%3 {
			body, ok := readRequest(r)
			if !ok {
				return
			}
			sendAll(conn, goodAnswers(idOf(body))["length"])
		}
		_, _ = readRequest(r)
	}
	many := func(c *Config) { c.Workers = workers }
	onLoopback(t, speak, many, func(t *testing.T, client *Client, l *loopback) {
		var group sync.WaitGroup
		for w := range workers {
			group.Go(func() {
				for n := range 20 {
					id := 1000 + 100*w + n
					if answer, err := pushOne(t, client, id); err != nil || answer.ReferenceID != fmt.Sprint(id) || answer.Attempts > 2 {
						t.Errorf("%+v, %v, want %d", answer, err, id)
					}
				}
			})
		}
		group.Wait()
		most := workers
		if _, own := client.exchanger.(direct); !own {
			most *= 2 // those for repeats come on top
		}
		if l.peak > most {
			t.Errorf("%d connections were open at a time, want at most %d", l.peak, most)
		}
	})
}

// TestAbort ends a run while a request is connecting, in the handshake of TLS, without
// an answer, or in the middle of one. It ends at once, and what cannot have arrived is
// said not to be sent.
func TestAbort(t *testing.T) {
	tests := map[string]struct {
		speak func(net.Conn)
		want  importer.Status
	}{
		"in the handshake": {nil, importer.StatusNotSent},
		"in silence":       {func(net.Conn) {}, importer.StatusUnknown},
		"in the header":    {func(conn net.Conn) { sendAll(conn, "HTTP/1.1 200 OK\r\nContent-") }, importer.StatusUnknown},
		"in the body":      {func(conn net.Conn) { sendAll(conn, goodAnswers(1)["length"][:70]) }, importer.StatusUnknown},
	}
	for name, test := range tests {
		reached := make(chan struct{}, 1)
		speak := func(_ int, conn net.Conn) {
			if test.speak != nil {
				_, _ = readRequest(bufio.NewReader(conn))
				test.speak(conn)
			} else if secure, ok := conn.(*tls.Conn); ok {
				conn = secure.NetConn()
			}
			reached <- struct{}{}
			_, _ = io.Copy(io.Discard, conn)
		}
		onLoopback(t, speak, nil, func(t *testing.T, client *Client, l *loopback) {
			if test.speak == nil && l.tls == nil {
				return
			}
			ctx, abort := context.WithCancel(t.Context())
			go func() {
				<-reached
				abort()
			}()
			answer, err := client.Push(ctx, ctx, []byte(onePerson), nil)
			if err != nil || answer.Status != test.want || answer.Attempts != 1 {
				t.Errorf("%s: %+v, %v, want %s", name, answer, err, test.want)
			}
		})
	}
}

// TestIPv6 has the Controller at an address of IPv6.
func TestIPv6(t *testing.T) {
	speak := func(_ int, conn net.Conn) {
		for r := bufio.NewReader(conn); ; {
			if _, ok := readRequest(r); !ok {
				return
			}
			sendAll(conn, goodAnswers(44)["length"])
		}
	}
	for _, scheme := range []string{"http", "https"} {
		eachClient(t, func(t *testing.T, newClient makeClient) {
			l := newLoopback(t, scheme, "::1", speak)
			for range 2 {
				answer, err := pushTo(t, newClient, scheme+"://"+l.listener.Addr().String(), l.roots)
				if err != nil || answer.Status != importer.StatusPushed || answer.Attempts != 1 {
					t.Errorf("%s: %+v, %v", scheme, answer, err)
				}
			}
			_ = l.listener.Close()
			l.serving.Wait()
		})
	}
}

// TestHTTP2IsNotSpoken offers HTTP/2, which could end a connection with requests in
// flight (GOAWAY). Neither client asks for it.
func TestHTTP2IsNotSpoken(t *testing.T) {
	eachClient(t, func(t *testing.T, newClient makeClient) {
		a := newAuthority(t)
		roots := x509.NewCertPool()
		roots.AddCert(a.certificate)
		var protocol string
		server := newRecorded(t, a.sign(t, certificateFor(net.IPv4(127, 0, 0, 1))), func(w http.ResponseWriter, r *http.Request) {
			protocol = r.Proto + " " + r.TLS.NegotiatedProtocol
			success(w, r)
		}, "h2", "http/1.1")
		answer, err := pushTo(t, newClient, server.URL, roots)
		if err != nil || answer.Status != importer.StatusPushed || protocol != "HTTP/1.1 " {
			t.Errorf("%+v, %v over %s", answer, err, protocol)
		}
	})
}

// TestAnswersAreNeverMixedUpOnSockets pushes many people over sockets that break in
// every way, also while they are idle, and holds each reference id against the person
// it was given for.
func TestAnswersAreNeverMixedUpOnSockets(t *testing.T) {
	if testing.Short() {
		t.Skip("takes over a second")
	}
	const workers, people = 8, 400
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(7, 9))
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n)
	}
	speak := func(_ int, conn net.Conn) {
		for r := bufio.NewReader(conn); ; {
			if draw(40) == 0 { // an idle connection is cut, or the request that comes on it
				_, _ = io.CopyN(io.Discard, r, int64(draw(200)))
				if draw(2) == 0 {
					_ = socketOf(conn).SetLinger(0)
					_ = socketOf(conn).Close()
				}
				return
			}
			body, ok := readRequest(r)
			if !ok {
				return
			}
			answer := goodAnswers(idOf(body))["length"]
			switch draw(30) {
			case 0:
				sendAll(conn, answer[:draw(len(answer))])
				return
			case 1:
				sendAll(conn, answer[:30])
				_ = socketOf(conn).SetLinger(0)
				_ = socketOf(conn).Close()
				return
			case 2:
				sendAll(conn, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
			case 3:
				sendAll(conn, goodAnswers(idOf(body))["close"])
				return
			case 4:
				sendAll(conn, answer)
				return // without a word
			case 5:
				sendAll(conn, goodAnswers(idOf(body))["early"])
			case 6:
				sendAll(conn, goodAnswers(idOf(body))["trailer"])
			default:
				sendAll(conn, answer)
			}
		}
	}
	many := func(c *Config) { c.Workers, c.MaxAttempts = workers, 50 }
	onLoopback(t, speak, many, func(t *testing.T, client *Client, l *loopback) {
		var group sync.WaitGroup
		next := make(chan int)
		for range workers {
			group.Go(func() {
				for id := range next {
					answer, err := pushOne(t, client, id)
					if err != nil || answer.Status != importer.StatusPushed || answer.ReferenceID != fmt.Sprint(id) {
						t.Errorf("the answer for %d is %+v, %v", id, answer, err)
					}
				}
			})
		}
		for n := range people {
			next <- 100_000 + n
		}
		close(next)
		group.Wait()
	})
}
