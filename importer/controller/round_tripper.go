package controller

import (
	"context"
	"net/http"
	"time"
)

// roundTripper sends requests by a http.RoundTripper: through a proxy, or as a caller
// has it.
type roundTripper struct {
	transport http.RoundTripper
	own       *http.Transport // transport, if it has to be closed; else nil
	fresh     *http.Transport // like own, but with a new connection for each request
	deadlines deadlines
	timeout   time.Duration
	late      func() // called when a request was sent after its notAfter
}

// newRoundTripper returns a roundTripper whose transport is transport, or own.
func newRoundTripper(cfg Config, own *http.Transport, late func()) *roundTripper {
	r := &roundTripper{transport: cfg.Transport, deadlines: make(deadlines, cfg.Workers), timeout: cfg.Timeout, late: late}
	if r.transport == nil {
		r.transport, r.own, r.fresh = own, own, own.Clone()
		r.fresh.DisableKeepAlives = true
	}
	return r
}

func (t *roundTripper) exchange(ctx context.Context, e *endpoint, body []byte, fresh bool, notAfter time.Time, buffer []byte) exchange {
	d := t.deadlines.begin(ctx, t.timeout)
	whole := false
	defer func() { t.deadlines.end(d, whole) }()
	if !notAfter.IsZero() {
		onSent := func() {
			if time.Now().After(notAfter) {
				t.late()
			}
		}
		d.onSent.Store(&onSent)
	}
	transport := t.transport
	if fresh && t.fresh != nil {
		transport = t.fresh
	}
	timedOut := func() bool { return d.Err() != nil }
	response, err := transport.RoundTrip(e.post(d, body)) // unlike http.Client it follows no redirect
	if err != nil {
		connected := d.connected.Load()
		// Another's transport need not say when it has a connection.
		return exchange{
			err: err, timedOut: timedOut(), connected: connected, unsent: t.own != nil && !connected || neverConnected(err),
			reused: !fresh && d.reused.Load(), spoken: d.spoken.Load(),
		}
	}
	x := read(response, buffer, timedOut, t.timeout)
	whole = x.problem == ""
	return x
}

func (t *roundTripper) close() {
	t.deadlines.close()
	if t.own != nil {
		t.own.CloseIdleConnections()
	}
}
