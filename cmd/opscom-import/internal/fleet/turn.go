package fleet

import (
	"context"
	"time"

	"opscom-import/importer"
)

// turn is the queue of a lane for as long as it may work. When it is over no row is claimed
// any more, and those that are claimed are still sent.
type turn struct {
	Lane
	length time.Duration
	until  time.Time
	left   int                                     // turns that may follow this one
	waits  func(ctx context.Context) (bool, error) // whether somebody waits for the slot
	over   bool                                    // read when the push has ended
}

// Claim is of importer.Queue.
func (t *turn) Claim(ctx context.Context, max int) ([]importer.Job, error) {
	if !time.Now().Before(t.until) {
		waits, err := true, error(nil)
		if t.left > 0 {
			waits, err = t.waits(ctx)
		}
		if t.over = waits && err == nil; err != nil || waits {
			return nil, err
		}
		t.until, t.left = time.Now().Add(t.length), t.left-1
	}
	return t.Lane.Claim(ctx, max)
}

// NextRound is of importer.Queue.
func (t *turn) NextRound() bool { return !t.over && t.Lane.NextRound() }
