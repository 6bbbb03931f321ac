package notify

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// How often a target is tried, and how long one try may take.
const (
	maxAttempts    = 4
	firstPause     = 2 * time.Second
	attemptTimeout = 20 * time.Second
)

// attempt tries to tell a target until that works, cannot work, or its time is over. The
// error is that of the last try.
func (n *Notifier) attempt(ctx context.Context, try func(ctx context.Context) error) error {
	var left time.Duration // 0 for no end
	if end, ok := ctx.Deadline(); ok {
		left = max(1, time.Until(end))
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.Multiplier = n.pause, 3
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := n.once(ctx, try)
		if last == nil || ctx.Err() == nil { // the end of the time hides what was wrong
			last = err
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(maxAttempts), backoff.WithMaxElapsedTime(left),
		backoff.WithNotify(func(err error, pause time.Duration) {
			n.options.Log.Info("a target of notify is tried again", "error", err, "pause", pause.String())
		}))
	if err == nil {
		return nil
	}
	return last
}

// once tries within the time for one try. A try that panics has failed: the run has ended,
// and its exit code says how.
func (n *Notifier) once(ctx context.Context, try func(ctx context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	defer func() {
		if recover() != nil { // with what may be a secret
			err = permanent(errors.New("this is a failure of the program; please report it"))
		}
	}()
	return try(ctx)
}

// permanent marks an error that another try will not change.
func permanent(err error) error { return backoff.Permanent(err) }
