package controller

import (
	"context"
	"sync"
	"time"
)

// deadline is the context of requests, one after another, and aborts the one that
// takes too long. Its timer is armed once and looks, when it goes off, for what is
// in progress by then: a context and a timer for each request would cost a
// twentieth of the request's whole time.
type deadline struct {
	context.Context // done when a request took too long, or its parent is done
	cancel          context.CancelFunc
	parent          <-chan struct{} // closed when the parent is done

	mu    sync.Mutex
	timer *time.Timer
	armed bool      // timer will go off
	over  time.Time // when the request in progress must have ended; zero when none is
}

func newDeadline(parent context.Context) *deadline {
	ctx, cancel := context.WithCancel(parent)
	return &deadline{Context: ctx, cancel: cancel, parent: parent.Done()}
}

// begin gives a request so much time from now.
func (d *deadline) begin(timeout time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = time.Now().Add(timeout)
	switch {
	case d.armed:
	case d.timer == nil:
		d.timer = time.AfterFunc(timeout, d.expire)
	default:
		d.timer.Reset(timeout)
	}
	d.armed = true
}

// end says that the request is over.
func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = time.Time{}
}

// expire runs when the timer goes off.
func (d *deadline) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := time.Until(d.over)
	switch {
	case d.over.IsZero():
		d.armed = false
	case left > 0:
		d.timer.Reset(left)
	default:
		d.cancel()
	}
}

// deadlines keeps those that serve no request.
type deadlines chan *deadline

// begin returns a deadline for a request under parent.
func (ds deadlines) begin(parent context.Context, timeout time.Duration) *deadline {
	var d *deadline
	select {
	case d = <-ds:
		if d.parent != parent.Done() { // of an earlier run
			d.cancel()
			d = newDeadline(parent)
		}
	default:
		d = newDeadline(parent)
	}
	d.begin(timeout)
	return d
}

// end takes back the deadline of a request that is over. It serves another when
// nothing of the request is left that may still watch it: the answer was read to
// its end.
func (ds deadlines) end(d *deadline, whole bool) {
	d.end()
	if whole && d.Err() == nil {
		select {
		case ds <- d:
			return
		default:
		}
	}
	d.cancel()
}

// close lets go of the deadlines that are kept.
func (ds deadlines) close() {
	for {
		select {
		case d := <-ds:
			d.cancel()
		default:
			return
		}
	}
}
