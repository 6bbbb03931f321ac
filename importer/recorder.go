package importer

import (
	"cmp"
	"context"
	"time"
)

// recorder puts outcomes on the disk in batches.
type recorder struct {
	*Pusher
	ctx        context.Context // of what is recorded
	breaker    *circuitBreaker
	asked      chan chan struct{} // to record what there is, and then to close that channel
	stop       context.CancelCauseFunc
	pending    []Outcome
	err        error // the first that the queue returned
	unanswered int   // claimed rows without an answer, because the run was stopped
}

// record receives outcomes until the channel is closed. When the queue fails it
// stops the run, keeps what it could not record, and tries again later.
func (r *recorder) record(outcomes <-chan Outcome) error {
	collect := cmp.Or(r.RecordDelay, recordDelay)
	delay := time.NewTimer(collect)
	defer delay.Stop()
	take := func(outcome Outcome) {
		if outcome.Status.Spec().Kind == KindOpen {
			r.unanswered++
		}
		if r.pending = append(r.pending, outcome); len(r.pending) == 1 {
			delay.Reset(collect)
		}
		if len(r.pending) >= recordBatch && r.err == nil {
			r.flush()
		}
	}
	for {
		select {
		case outcome, open := <-outcomes:
			if !open {
				r.flush()
				return r.err
			}
			take(outcome)
		case recorded := <-r.asked:
			for len(outcomes) > 0 { // nobody else receives them
				take(<-outcomes)
			}
			if r.err == nil {
				r.flush()
			}
			close(recorded)
		case <-delay.C:
			r.flush()
		}
	}
}

func (r *recorder) flush() {
	if len(r.pending) == 0 {
		return
	}
	if err := r.Queue.Record(r.ctx, r.pending); err != nil {
		if r.err == nil {
			r.err = err
			r.stop(err)
		}
		return
	}
	if r.breaker.shared != nil {
		if opened := r.breaker.judge(r.pending); opened != nil {
			r.stop(opened)
		}
	}
	if r.OnRecorded != nil {
		r.OnRecorded(r.pending)
	}
	r.pending = r.pending[:0]
}
