package fleet

import (
	"context"
	"errors"
	"time"
)

// ErrLeaseLost says that another worker may have what this one held.
var ErrLeaseLost = errors.New("the lease has ended: another worker may have taken over")

// keepLeases renews what the lane holds each third of the lease, until ctx ends. Where it
// cannot, it stops the push with ErrLeaseLost while a quarter of the lease is left: what is sent
// then has its answer before anyone else sends it. Only this machine's monotonic clock counts.
func keepLeases(ctx context.Context, lane Lane, lease time.Duration, stop context.CancelCauseFunc) {
	renewed := time.Now()
	next := time.NewTimer(lease / 3)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		asked := time.Now()
		renewing, done := context.WithDeadline(ctx, renewed.Add(lease*3/4))
		err := lane.Renew(renewing)
		done()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			renewed = asked
			next.Reset(lease/3 - time.Since(asked))
		case errors.Is(err, ErrLeaseLost), time.Since(renewed) >= lease*3/4:
			stop(ErrLeaseLost)
			return
		default: // the database is away: until it is too late
			next.Reset(min(lease/30, time.Until(renewed.Add(lease*3/4))))
		}
	}
}
