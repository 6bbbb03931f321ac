package controller

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// deadline is a context with a time limit that serves one request after another.
// With context.WithTimeout for each request a push takes 4 to 5 % longer when the
// Controller answers at once (BenchmarkPush).
type deadline struct {
	context.Context
	cancel context.CancelFunc
	timer  *time.Timer     // calls cancel
	parent <-chan struct{} // closed when the parent is done

	connected atomic.Bool // the request has a connection to the Controller, by way of a proxy or not
	reused    atomic.Bool // the request was sent on a connection that was kept from an earlier one
	spoken    atomic.Bool // a byte of an answer has come

	onSent atomic.Pointer[func()] // called when the request was sent; may be nil
}

// newDeadline returns a deadline for the first of its requests.
func newDeadline(parent context.Context, timeout time.Duration) *deadline {
	ctx, cancel := context.WithCancel(parent)
	d := &deadline{cancel: cancel, timer: time.AfterFunc(timeout, cancel), parent: parent.Done()}
	d.Context = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			d.connected.Store(true)
			d.reused.Store(got.Reused)
			d.spoken.Store(false)
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			if onSent := d.onSent.Load(); onSent != nil {
				(*onSent)()
			}
		},
		GotFirstResponseByte: func() { d.spoken.Store(true) },
	})
	return d
}

// deadlines keeps the deadlines that are not in use.
type deadlines chan *deadline

// begin returns a context for a request that may take so long.
func (ds deadlines) begin(parent context.Context, timeout time.Duration) *deadline {
	select {
	case d := <-ds:
		if d.parent == parent.Done() {
			d.reused.Store(false)
			d.connected.Store(false)
			d.onSent.Store(nil)
			d.timer.Reset(timeout)
			return d
		}
		d.cancel() // of an earlier run
	default:
	}
	return newDeadline(parent, timeout)
}

// end takes back the context of a request that is over. It is used again only if
// the answer was read to its end: otherwise something may still watch it.
func (ds deadlines) end(d *deadline, whole bool) {
	if d.timer.Stop() && whole {
		select {
		case ds <- d:
			return
		default:
		}
	}
	d.cancel()
}

// close releases the contexts that are kept.
func (ds deadlines) close() {
	for range len(ds) {
		(<-ds).cancel()
	}
}
