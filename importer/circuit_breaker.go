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

// Streak is how rows in a row failed alike: without an answer, or refused with the same code.
type Streak struct {
	Failures int
	Status   Status
	Code     string
	HTTP     int
	Pushed   bool // some row before, or among them, was pushed
}

// After returns the streak after one more outcome.
func (s Streak) After(o *Outcome) Streak {
	switch {
	case o.Status == StatusPushed:
		return Streak{Pushed: true}
	case o.Status == StatusNotSent, o.Status == StatusUnknown: // says nothing about the Controller
		return s
	case s.Status != o.Status || s.Code != o.ErrorCode || s.HTTP != o.HTTPStatus:
		s = Streak{Status: o.Status, Code: o.ErrorCode, HTTP: o.HTTPStatus, Pushed: s.Pushed}
	}
	s.Failures++
	return s
}

// tooLong returns why the run has to stop, if so many rows in a row may fail alike; nil while it
// need not. 0 is any number.
func (s Streak) tooLong(limit int) *CircuitError {
	if (s.Code == "9014" || s.Code == "9015") && !s.Pushed {
		limit = min(limit, loginSourceFailures)
	}
	if limit > 0 && s.Failures >= limit {
		return &CircuitError{Failures: s.Failures, Status: s.Status, Code: s.Code, HTTP: s.HTTP}
	}
	return nil
}

// circuitBreaker opens when too many rows in a row fail alike, and stays open. Where others push the
// run too it only suspects that: how many it are is known when the outcomes are recorded.
type circuitBreaker struct {
	limit  int         // rows in a row; 0: any number
	shared SharedQueue // nil: nobody else pushes the run

	mu     sync.Mutex
	streak Streak
	opened *CircuitError // nil: it is closed
}

// observe counts an outcome, and returns why the run has to stop, nil while it need not.
// Workers report each outcome at once, so that no request starts after the circuit has opened.
func (b *circuitBreaker) observe(o *Outcome) *CircuitError {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.streak = b.streak.After(o)
	if suspected := b.streak.tooLong(b.limit); b.opened == nil || b.shared != nil {
		b.opened = suspected
	}
	return b.opened
}

// judge counts outcomes that were just recorded after those of everybody else, and returns why the
// run has to stop.
func (b *circuitBreaker) judge(outcomes []Outcome) (opened *CircuitError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.streak = b.shared.StreakBefore()
	for i := range outcomes {
		b.streak = b.streak.After(&outcomes[i])
		if opened == nil {
			opened = b.streak.tooLong(b.limit)
		}
	}
	return opened
}
