package importer

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// maxParked is how many rows may wait for another attempt without a worker. Each
// has a goroutine and its profile in memory, some 10 KiB.
const maxParked = 2000

// pool is the workers of a push. A row that has to wait for another attempt is
// parked: its worker looks after this row alone from then on, and a new one takes its
// place. So there are always as many workers who take rows, while there is room to park.
type pool struct {
	*Pusher
	group    *errgroup.Group
	jobs     <-chan Job
	outcomes chan<- Outcome
	breaker  *circuitBreaker
	ask      chan<- chan struct{}    // asks the recorder to record what it has, and then to close that channel
	stop     context.CancelCauseFunc // stops the push
	parked   chan struct{}           // has one element for each parked row
}

// hire starts a worker.
func (p *pool) hire(fetchCtx, workCtx context.Context) {
	p.group.Go(func() error {
		for job := range p.jobs {
			if parked := p.push(fetchCtx, workCtx, job); parked {
				<-p.parked
				break // another worker has taken over
			}
		}
		return nil
	})
}

// push pushes one row, and reports whether it was parked. A row's failure is data; an
// error of the Controller stops the run.
func (p *pool) push(fetchCtx, workCtx context.Context, job Job) (parked bool) {
	row := job.Row
	answer, err := p.Controller.Push(fetchCtx, workCtx, job.Payload, func() {
		select {
		case p.parked <- struct{}{}:
			parked = true
			p.hire(fetchCtx, workCtx)
		default: // no room: the worker waits with its row
		}
	})
	if err != nil {
		p.stop(err)
	}
	outcome := Outcome{
		Row: row, Answer: answer,
		Retry: err != nil || answer.Status.Retryable(),
	}
	if answer.Attempts > 0 {
		outcome.FinishedAt = time.Now().UTC()
	}
	opened := p.breaker.observe(&outcome)
	if opened != nil && p.breaker.shared == nil {
		p.stop(opened)
	}
	p.outcomes <- outcome // the recorder receives until the last worker is done
	if opened != nil && p.breaker.shared != nil {
		p.awaitRecord(fetchCtx)
	}
	return parked
}

// awaitRecord waits until all outcomes until now are recorded: that stops the push if the circuit has opened.
func (p *pool) awaitRecord(fetchCtx context.Context) {
	recorded := make(chan struct{})
	select {
	case p.ask <- recorded:
		<-recorded
	case <-fetchCtx.Done():
	}
}
