package controller

import (
	"context"
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
}

// deadlines keeps the deadlines that are not in use.
type deadlines chan *deadline

// begin returns a context for a request that may take so long.
func (ds deadlines) begin(parent context.Context, timeout time.Duration) *deadline {
	select {
	case d := <-ds:
		if d.parent == parent.Done() {
			d.timer.Reset(timeout)
			return d
		}
		d.cancel() // of an earlier run
	default:
	}
	ctx, cancel := context.WithCancel(parent)
	return &deadline{ctx, cancel, time.AfterFunc(timeout, cancel), parent.Done()}
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
