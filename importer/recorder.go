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
	shared     SharedQueue     // nil: nobody else pushes the run
	stop       context.CancelCauseFunc
	pending    []Outcome
	err        error  // the first that the queue returned
	unanswered int    // claimed rows without an answer, because the run was stopped
	streak     Streak // of the run, as far as this process knows it
}

// record receives outcomes until the channel is closed. When the queue fails it
// stops the run, keeps what it could not record, and tries again later.
func (r *recorder) record(outcomes <-chan Outcome) error {
	collect := cmp.Or(r.RecordDelay, recordDelay)
	delay := time.NewTimer(collect)
	defer delay.Stop()
	for {
		select {
		case outcome, open := <-outcomes:
			if !open {
				r.flush()
				return r.err
			}
			if outcome.Status.Spec().Kind == KindOpen {
				r.unanswered++
			}
			if r.pending = append(r.pending, outcome); len(r.pending) == 1 {
				delay.Reset(collect)
			}
			r.streak = r.streak.After(&outcome)
			failing := r.shared != nil && r.streak.tooLong(r.MaxFailures) != nil // together with others it may be otherwise
			if (len(r.pending) >= recordBatch || failing) && r.err == nil {
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
	if err := r.Queue.Record(r.ctx, r.pending); err != nil {
		if r.err == nil {
			r.err = err
			r.stop(err)
		}
		return
	}
	if r.shared != nil {
		r.judge()
	}
	if r.OnRecorded != nil {
		r.OnRecorded(r.pending)
	}
	r.pending = r.pending[:0]
}

// judge stops the run when too many rows of it have failed alike, with those that were just recorded.
func (r *recorder) judge() {
	r.streak = r.shared.StreakBefore()
	for i := range r.pending {
		r.streak = r.streak.After(&r.pending[i])
		if opened := r.streak.tooLong(r.MaxFailures); opened != nil {
			r.stop(opened)
		}
	}
}
