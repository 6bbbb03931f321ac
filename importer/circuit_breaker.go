package importer

import (
	"cmp"
	"context"
	"fmt"
	"sync"
)

// CircuitError says that the run was stopped because row after row failed in the
// same way.
type CircuitError struct {
	Failures int
	Status   Status // Failed or Rejected
	Code     string // the Controller's ErrorCode, when it refused the rows
	HTTP     int    // the HTTP status, when the rows were refused without an ErrorCode
}

func (e *CircuitError) Error() string {
	switch {
	case e.HTTP != 0:
		return fmt.Sprintf("%d rows in a row were refused with HTTP status %d, by the Controller or by something on the way to it "+
			"(a web firewall, a proxy): check what the API token may do, and ask OPS-COM and the people who run your network; "+
			"these rows stay rejected in this run, and the same command with --fresh sends them again", e.Failures, e.HTTP)
	case e.Status == StatusRejected:
		return fmt.Sprintf("the Controller refused %d rows in a row with error code %s", e.Failures, cmp.Or(e.Code, "none"))
	}
	return fmt.Sprintf("%d rows in a row got no answer from the Controller", e.Failures)
}

// loginSourceFailures is after how many rows a run stops in which every row is
// refused for its login source: one constant is wrong, and no row will do better.
const loginSourceFailures = 5

// circuitBreaker stops the run when row after row fails in the same way: without
// an answer, or refused with the same code. Workers report each outcome at once,
// so that no request starts after the circuit has opened.
type circuitBreaker struct {
	limit int // rows in a row; 0: any number
	stop  context.CancelCauseFunc

	mu     sync.Mutex
	pushed bool // some row was
	streak CircuitError
}

func (b *circuitBreaker) observe(o *Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch o.Status {
	case StatusPushed:
		b.pushed, b.streak = true, CircuitError{}
		return
	case StatusNotSent, StatusUnknown:
		return // says nothing about the Controller
	}
	if b.streak.Status != o.Status || b.streak.Code != o.ErrorCode || b.streak.HTTP != o.HTTPStatus {
		b.streak = CircuitError{Status: o.Status, Code: o.ErrorCode, HTTP: o.HTTPStatus}
	}
	b.streak.Failures++
	limit := b.limit
	if (o.ErrorCode == "9014" || o.ErrorCode == "9015") && !b.pushed {
		limit = min(limit, loginSourceFailures)
	}
	if limit > 0 && b.streak.Failures >= limit {
		opened := b.streak
		b.stop(&opened) // the first cause counts
	}
}
