package importer

import (
	"context"
	"time"
)

// recorder puts outcomes on the disk in batches, and watches for rows that fail
// alike one after the other.
type recorder struct {
	*Pusher
	stop      context.CancelCauseFunc
	pending   []Outcome
	err       error // the first that the queue returned
	unsettled int   // rows that were claimed and have no answer since the run was stopped
	pushed    int
	circuit   CircuitError
}

// record takes outcomes until the channel is closed. When the queue fails it
// stops the run, keeps what it could not record, and tries again with the rest.
func (r *recorder) record(outcomes <-chan Outcome) error {
	delay := time.NewTimer(recordDelay)
	defer delay.Stop()
	for {
		select {
		case outcome, open := <-outcomes:
			if !open {
				r.flush()
				return r.err
			}
			r.watch(outcome)
			if r.pending = append(r.pending, outcome); len(r.pending) == 1 {
				delay.Reset(recordDelay)
			}
			if len(r.pending) >= recordBatch && r.err == nil {
				r.flush()
			}
		case <-delay.C:
			r.flush()
		}
	}
}

func (r *recorder) flush() {
	if len(r.pending) == 0 {
		return
	}
	// An interrupt must not lose what is known already.
	if err := r.Queue.Record(context.Background(), r.pending); err != nil {
		if r.err == nil {
			r.err = err
			r.stop(err)
		}
		return
	}
	if r.OnRecorded != nil {
		r.OnRecorded(r.pending)
	}
	r.pending = r.pending[:0]
}

// loginSourceFailures is after how many rows a run stops whose every row is
// refused for its login source: one constant is wrong, and no row will fare better.
const loginSourceFailures = 5

// watch opens the circuit when MaxFailures rows in a row failed alike: without an
// answer, or refused with one and the same code.
func (r *recorder) watch(o Outcome) {
	switch o.Status {
	case Pushed:
		r.pushed++
		r.circuit = CircuitError{}
		return
	case NotSent, Unknown:
		r.unsettled++
		return
	}
	if r.circuit.Status != o.Status || r.circuit.Code != o.ErrorCode {
		r.circuit = CircuitError{Status: o.Status, Code: o.ErrorCode}
	}
	r.circuit.Failures++
	r.circuit.Message = o.Message
	limit := r.MaxFailures
	if (o.ErrorCode == "9014" || o.ErrorCode == "9015") && r.pushed == 0 && limit > 0 {
		limit = min(limit, loginSourceFailures)
	}
	if limit > 0 && r.circuit.Failures == limit {
		opened := r.circuit
		r.stop(&opened)
	}
}
