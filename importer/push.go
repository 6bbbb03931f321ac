package importer

import (
	"cmp"
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
)

// Queue is a stored plan: rows are claimed from it, and their outcomes recorded.
type Queue interface {
	// Claim returns up to max more pending rows of a round, none when it has no more. The
	// claim is on the disk before Claim returns.
	Claim(ctx context.Context, max int) ([]Job, error)
	// Record puts the outcomes on the disk before it returns.
	Record(ctx context.Context, outcomes []Outcome) error
	// NextRound begins the next round, and reports whether there is one.
	NextRound() bool
}

// SharedQueue is what the Queue of a run is too whose rows others push at the same time. Rows that fail
// in a row are counted over all of them, in the order in which they are recorded.
type SharedQueue interface {
	// StreakBefore returns the streak before the outcomes that were recorded last.
	StreakBefore() Streak
}

// Pusher pushes a plan's pending rows.
type Pusher struct {
	Queue       Queue
	Controller  Controller
	Workers     int // requests in flight at most
	MaxFailures int // rows in a row that may fail in the same way before the run stops; 0: any number. See SharedQueue
	// MinClaim is how few rows a claim may have; 0 for 64. What is claimed and not sent yet has
	// to be sent before a queue that gives no more is left.
	MinClaim int
	// RecordDelay is how long outcomes are collected before they are put on the disk; 0 for 100 ms.
	RecordDelay time.Duration
	// OnRecorded is called with outcomes once they are on the disk, by one goroutine
	// at a time; it must not keep the slice. May be nil.
	OnRecorded func(outcomes []Outcome)
}

// How often outcomes are put on the disk, which is what a crash can cost. A batch is
// written some time after its first outcome, or when it has recordBatch of them;
// recordAhead more are buffered meanwhile, then the workers wait.
const (
	recordDelay = 100 * time.Millisecond // unless the pusher has another
	recordBatch = 400
	recordAhead = 100
)

// ErrInterrupted says that someone stopped the run.
var ErrInterrupted = errors.New("the run was interrupted")

// lingering is how long what an interrupt must not lose may still take.
const lingering = 3 * time.Second

// Linger returns a context that goes on for some seconds when ctx is done, or was before. Its
// cause is then ErrInterrupted. release frees what it holds.
func Linger(ctx context.Context) (longer context.Context, release func()) {
	longer, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(lingering):
			end(ErrInterrupted)
		case <-longer.Done():
		}
	})
	return longer, func() {
		stop()
		end(nil)
	}
}

// Push pushes every pending row, and returns nil when none is left. Rows of a round wait
// until the outcomes of all rows of earlier rounds are on the disk. Once fetchCtx
// is done no further request starts, requests in flight are awaited until workCtx
// is done, and the error is ErrInterrupted. The other errors that end a run early
// are *RefusedError, *PauseError, *CircuitError, and those of the queue. Whatever the error,
// every outcome that is known was offered to the queue, which has some seconds for the last of
// them after workCtx is done.
func (p *Pusher) Push(fetchCtx, workCtx context.Context) error {
	fetchCtx, stop := context.WithCancelCause(fetchCtx)
	defer stop(nil)
	breaker := &circuitBreaker{limit: p.MaxFailures}
	breaker.shared, _ = p.Queue.(SharedQueue)
	for {
		if err := p.pushRound(fetchCtx, workCtx, breaker, stop); err != nil || !p.Queue.NextRound() {
			return err
		}
	}
}

// pushRound pushes the pending rows of a round, and returns nil when none is left.
func (p *Pusher) pushRound(fetchCtx, workCtx context.Context, breaker *circuitBreaker, stop context.CancelCauseFunc) error {
	claims := make(chan []Job)
	jobs := make(chan Job, max(p.Workers, p.minClaim()))
	outcomes := make(chan Outcome, recordAhead)
	drained := false
	recording, recorded := Linger(workCtx) // an interrupt must not lose what is already known
	defer recorded()
	recorder := recorder{Pusher: p, ctx: recording, breaker: breaker, asked: make(chan chan struct{}), stop: stop}

	var workers, run errgroup.Group
	workers.Go(func() (err error) {
		defer close(claims)
		if drained, err = p.claim(fetchCtx, claims, outcomes); err != nil {
			stop(err)
		}
		return err
	})
	workers.Go(func() error {
		defer close(jobs)
		distribute(fetchCtx, claims, jobs, outcomes)
		return nil
	})
	pool := pool{Pusher: p, group: &workers, jobs: jobs, outcomes: outcomes, breaker: breaker, ask: recorder.asked, stop: stop, parked: make(chan struct{}, maxParked)}
	for range p.Workers {
		pool.hire(fetchCtx, workCtx)
	}
	run.Go(func() error {
		defer close(outcomes)
		return workers.Wait()
	})
	run.Go(func() error { return recorder.record(outcomes) })
	if err := run.Wait(); err != nil {
		return err
	}
	cause := context.Cause(fetchCtx)
	switch {
	case drained && recorder.unanswered == 0 && !errors.As(cause, new(*RefusedError)):
		return nil // an interrupt after the last row, or a circuit that it opened, changes nothing
	case errors.Is(cause, context.Canceled), errors.Is(cause, context.DeadlineExceeded):
		return ErrInterrupted
	default:
		return cause
	}
}

// A claim should last a while, because each is synced to the disk, but not long:
// rows that are claimed and not yet pushed are unknown after a crash.
const (
	minClaim   = 64 // unless the pusher has another
	maxClaim   = 1024
	shortClaim = 100 * time.Millisecond // after a claim that lasts less comes a larger one
	longClaim  = time.Second            // after one that lasts longer a smaller one
)

func (p *Pusher) minClaim() int { return cmp.Or(p.MinClaim, minClaim) }

// claim claims rows one claim ahead, so that no worker waits for the disk, and
// reports whether every row was claimed and passed on. Only a claim can tell whether
// a row is left, so it claims once more when the context is done, and releases those
// rows.
func (p *Pusher) claim(ctx context.Context, claims chan<- []Job, outcomes chan<- Outcome) (drained bool, err error) {
	for size := p.minClaim(); ; {
		began := time.Now()
		// A claim that was cut off could be on the disk without anyone knowing.
		claimed, err := p.Queue.Claim(context.WithoutCancel(ctx), size)
		if err != nil || len(claimed) == 0 {
			return err == nil, err
		}
		if ctx.Err() != nil {
			release(claimed, outcomes)
			return false, nil
		}
		select {
		case claims <- claimed:
		case <-ctx.Done():
			release(claimed, outcomes)
			return false, nil
		}
		switch lasted := time.Since(began); {
		case lasted < shortClaim:
			size = min(2*size, maxClaim)
		case lasted > longClaim:
			size = max(size/2, p.minClaim())
		}
	}
}

// distribute passes claimed rows to the workers.
func distribute(ctx context.Context, claims <-chan []Job, jobs chan<- Job, outcomes chan<- Outcome) {
	for claimed := range claims {
		for i, job := range claimed {
			select {
			case jobs <- job:
				continue
			case <-ctx.Done():
			}
			release(claimed[i:], outcomes)
			break
		}
	}
}

// release records that claimed rows were not sent.
func release(claimed []Job, outcomes chan<- Outcome) {
	for _, job := range claimed {
		outcomes <- Outcome{Row: job.Row, Answer: Answer{Status: StatusNotSent}, Retry: true}
	}
}
