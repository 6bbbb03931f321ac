package importer

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
)

// Queue is a stored plan from which rows are claimed and in which their outcomes
// are recorded.
type Queue interface {
	// Claim returns about max further rows that wait, none when there are no more.
	// The claim is on the disk before Claim returns.
	Claim(ctx context.Context, max int) ([]Job, error)
	// Record has put the outcomes on the disk when it returns.
	Record(ctx context.Context, outcomes []Outcome) error
}

// Pusher pushes a plan's waiting rows.
type Pusher struct {
	Queue       Queue
	Controller  Controller
	Workers     int // requests in flight at most
	MaxFailures int // rows in a row that may fail alike before the run stops; 0: any number
	// OnRecorded is told of outcomes once they are on the disk, by one goroutine;
	// it keeps nothing of the slice. May be nil.
	OnRecorded func(outcomes []Outcome)
}

// How often outcomes are put on the disk: what a crash can cost. An outcome waits
// for company no longer than recordDelay, and for no more than recordBatch others;
// recordAhead more are taken while a batch is on its way, then the workers wait.
const (
	recordDelay = 100 * time.Millisecond
	recordBatch = 400
	recordAhead = 100
)

// ErrInterrupted says that someone stopped the run.
var ErrInterrupted = errors.New("the run was interrupted")

// Push pushes every row that waits, and returns nil when none is left. Once feed
// is done no request starts any more, what is in flight is awaited until send is
// done, and the error is ErrInterrupted. The other errors that end a run early:
// *RefusedError, *CircuitError, and what the queue returns. Whatever the error,
// every outcome that became known was offered to the queue.
func (p *Pusher) Push(feed, send context.Context) error {
	feed, stop := context.WithCancelCause(feed)
	defer stop(nil)
	claims := make(chan []Job)
	jobs := make(chan Job, max(p.Workers, minClaim))
	outcomes := make(chan Outcome, recordAhead)
	drained := false
	recorder := recorder{Pusher: p, stop: stop}
	breaker := breaker{limit: p.MaxFailures, stop: stop}

	var workers, run errgroup.Group
	workers.Go(func() (err error) {
		defer close(claims)
		if drained, err = p.claim(feed, claims, outcomes); err != nil {
			stop(err)
		}
		return err
	})
	workers.Go(func() error {
		defer close(jobs)
		feedJobs(feed, claims, jobs, outcomes)
		return nil
	})
	for range p.Workers {
		workers.Go(func() error {
			p.work(feed, send, jobs, outcomes, &breaker)
			return nil
		})
	}
	run.Go(func() error {
		defer close(outcomes)
		return workers.Wait()
	})
	run.Go(func() error { return recorder.record(outcomes) })
	if err := run.Wait(); err != nil {
		return err
	}
	cause := context.Cause(feed)
	switch {
	case drained && recorder.unsettled == 0 && !errors.As(cause, new(*RefusedError)):
		return nil // an interrupt or a circuit that came after the last row changes nothing
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded):
		return ErrInterrupted
	default:
		return cause
	}
}

// A claim should last a while, since each is synced to the disk, but not for long:
// rows that are claimed and not yet pushed are unknown after a crash.
const (
	minClaim   = 64
	maxClaim   = 1024
	shortClaim = 100 * time.Millisecond // one that lasts less is followed by a larger one
	longClaim  = time.Second            // one that lasts longer by a smaller one
)

// claim claims rows, one claim ahead of the feeder, so that no worker waits for
// the disk. It reports whether every row was claimed and handed on. Whether any row
// is left only a claim can tell, so that there is one even when the context is done:
// its rows are given up.
func (p *Pusher) claim(ctx context.Context, claims chan<- []Job, outcomes chan<- Outcome) (drained bool, err error) {
	for size := minClaim; ; {
		began := time.Now()
		// A claim that was cut off could be on the disk without anyone knowing.
		claimed, err := p.Queue.Claim(context.WithoutCancel(ctx), size)
		if err != nil || len(claimed) == 0 {
			return err == nil, err
		}
		if ctx.Err() != nil {
			giveUp(claimed, outcomes)
			return false, nil
		}
		select {
		case claims <- claimed:
		case <-ctx.Done():
			giveUp(claimed, outcomes)
			return false, nil
		}
		switch lasted := time.Since(began); {
		case lasted < shortClaim:
			size = min(2*size, maxClaim)
		case lasted > longClaim:
			size = max(size/2, minClaim)
		}
	}
}

// feedJobs hands claimed rows to the workers.
func feedJobs(ctx context.Context, claims <-chan []Job, jobs chan<- Job, outcomes chan<- Outcome) {
	for claimed := range claims {
		for i, job := range claimed {
			select {
			case jobs <- job:
				continue
			case <-ctx.Done():
			}
			giveUp(claimed[i:], outcomes)
			break
		}
	}
}

// giveUp says of rows that were claimed in vain that they are not sent.
func giveUp(claimed []Job, outcomes chan<- Outcome) {
	for _, job := range claimed {
		outcomes <- Outcome{Row: job.Row, Status: StatusNotSent, Open: true}
	}
}

// work pushes rows until there are no more. A row's failure is data; an error of
// the Controller stops the run.
func (p *Pusher) work(feed, send context.Context, jobs <-chan Job, outcomes chan<- Outcome, breaker *breaker) {
	for job := range jobs {
		answer, err := p.Controller.Push(feed, send, job.Payload)
		if err != nil {
			breaker.stop(err)
		}
		outcome := Outcome{
			Row: job.Row, Status: answer.Status, ReferenceID: answer.ReferenceID, ErrorCode: answer.ErrorCode,
			Field: answer.Field, Message: answer.Message, Attempts: answer.Attempts,
			Open: err != nil || answer.Status == StatusFailed || answer.Status == StatusUnknown || answer.Status == StatusNotSent,
		}
		if answer.Attempts > 0 {
			outcome.FinishedAt = time.Now().UTC()
		}
		breaker.watch(outcome)
		outcomes <- outcome // the recorder takes every outcome until the last worker is done
	}
}
