package simulation_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"opscom-import/importer/sandbox"
)

// network is the way to the Controller, without sockets, so that time goes on while
// someone waits for an answer.
type network struct {
	server      *http.Server
	connections chan net.Conn
	closed      chan struct{}
	close       func()     // closes closed, once
	ended       chan error // what the server ended with
}

func newNetwork(box *sandbox.Sandbox, idle time.Duration) *network {
	n := &network{
		server:      &http.Server{Handler: box, IdleTimeout: idle, ReadHeaderTimeout: time.Hour},
		connections: make(chan net.Conn), closed: make(chan struct{}), ended: make(chan error, 1),
	}
	n.close = sync.OnceFunc(func() { close(n.closed) })
	go func() { n.ended <- n.server.Serve(n) }()
	return n
}

// Accept implements net.Listener.
func (n *network) Accept() (net.Conn, error) {
	select {
	case connection := <-n.connections:
		return connection, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (n *network) Close() error {
	n.close()
	return nil
}

// Addr implements net.Listener.
func (n *network) Addr() net.Addr { return &net.IPAddr{} }

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case n.connections <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// shutDown ends the server and waits for it.
func (n *network) shutDown() error {
	err := n.server.Close()
	if served := <-n.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// line is one process's way to the network. It notes when requests leave and what
// the answers ask for, and fails now and then.
type line struct {
	*process
	transport *http.Transport
	flying    atomic.Int64 // requests in flight
}

func newLine(p *process) *line {
	return &line{process: p, transport: &http.Transport{
		DialContext: p.network.dial, DisableCompression: true, IdleConnTimeout: 90 * time.Second,
		MaxIdleConns: p.settings.workers, MaxIdleConnsPerHost: p.settings.workers, MaxConnsPerHost: p.settings.workers,
	}}
}

// way is the longest that a request, or its answer, is on its way. Hardly two of them
// take equally long, so that it does not depend on the scheduler which is the first of
// those that set out at one instant.
const way = 50 * time.Microsecond

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	who, err := personIn(r)
	if err != nil {
		return nil, err
	}
	if flying := l.flying.Add(1); flying > int64(l.settings.workers) {
		l.violated("%d requests are in flight; there are %d workers", flying, l.settings.workers)
	}
	defer l.flying.Add(-1)
	time.Sleep(time.Duration(draw(l.seed, "way of "+who, l.number).Int64N(int64(way))))
	request, err := l.leave(who)
	if err != nil {
		return nil, err
	}
	random := draw(l.seed, "wire "+who, request.send)
	response, err := l.carry(r, random)
	time.Sleep(time.Duration(random.Int64N(int64(way))))
	what := "no answer"
	if response != nil {
		what = response.Status
	}
	l.note("%s send %d: %s", who, request.send, what)
	if err := l.arrive(request, response); err != nil {
		return nil, err
	}
	return response, err
}

// carry brings a request to the network, or fails to.
func (l *line) carry(r *http.Request, random *rand.Rand) (*http.Response, error) {
	switch at := random.Float64(); {
	case at < l.wire.refused:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case at < l.wire.refused+l.wire.cut:
		r = r.Clone(r.Context())
		r.GetBody = nil
		r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, random.Int64N(r.ContentLength)), broken{}))
	}
	return l.transport.RoundTrip(r)
}

// broken is where a connection was cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, syscall.ECONNRESET }

// personIn returns the unique id in a request for a push.
func personIn(r *http.Request) (string, error) {
	body, err := r.GetBody()
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(body)
	return uniqueID(text), err
}

// uniqueID returns the unique id in a profile's JSON.
func uniqueID(profile []byte) string {
	_, rest, _ := bytes.Cut(profile, []byte(`"unique_id":"`))
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(id)
}

// request is a request that left a process.
type request struct {
	process int
	who     string
	at      time.Time
	send    int // how often the person has been sent, with this request
}

// pause is what an answer asked of a process.
type pause struct {
	process  int
	who      string    // whose request was refused
	at       time.Time // when it was asked
	until    time.Time
	everyone bool // it certainly concerns everyone
}

// A short pause is for one row alone if refusals are no more than usual, which is known
// after some of them.
const (
	longestOwnPause    = time.Minute
	refusedBeforeNoise = 5
)

// pauseAskedFor returns until when an answer asks to be left alone.
func pauseAskedFor(response *http.Response) (until time.Time, asked bool) {
	value := response.Header.Get("Retry-After")
	now := time.Now()
	if seconds, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
		until = now.Add(time.Duration(min(seconds, 1e9)) * time.Second)
	} else if until, err = http.ParseTime(value); err != nil {
		return until, false
	}
	return until, true
}
