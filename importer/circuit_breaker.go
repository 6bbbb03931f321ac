package importer

import (
	"cmp"
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

// CircuitBreaker opens when row after row fails in the same way: without an answer, or
// refused with the same code. Pushers that push the rows of one run may share one; it stays open.
type CircuitBreaker struct {
	limit int // rows in a row; 0: any number

	mu     sync.Mutex
	pushed bool // some row was
	streak CircuitError
	opened *CircuitError // nil: it is closed
}

// NewCircuitBreaker returns one that opens after so many rows in a row that fail alike; 0 for
// never.
func NewCircuitBreaker(failures int) *CircuitBreaker { return &CircuitBreaker{limit: failures} }

// observe counts an outcome, and returns why the run has to stop, nil while it need not.
// Workers report each outcome at once, so that no request starts after the circuit has opened.
func (b *CircuitBreaker) observe(o *Outcome) *CircuitError {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch o.Status {
	case StatusPushed:
		b.pushed, b.streak = true, CircuitError{}
		return b.opened
	case StatusNotSent, StatusUnknown:
		return b.opened // says nothing about the Controller
	}
	if b.streak.Status != o.Status || b.streak.Code != o.ErrorCode || b.streak.HTTP != o.HTTPStatus {
		b.streak = CircuitError{Status: o.Status, Code: o.ErrorCode, HTTP: o.HTTPStatus}
	}
	b.streak.Failures++
	limit := b.limit
	if (o.ErrorCode == "9014" || o.ErrorCode == "9015") && !b.pushed {
		limit = min(limit, loginSourceFailures)
	}
	if b.opened == nil && limit > 0 && b.streak.Failures >= limit {
		b.opened = new(b.streak)
	}
	return b.opened
}
