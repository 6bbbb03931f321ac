package app

import (
	"context"
	"sync"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// followed is a run whose rows others push too: a function says how they ended, since it was called before.
type followed interface {
	Follow() func(ctx context.Context) (importer.Counts, error)
}

// follow shows the progress of so many rows of a run, also those that others push, until done is called. recorded,
// unless it is nil, is to be called with outcomes of this process.
func (p *pusher) follow(ctx context.Context, run journal.Run, pending int) (recorded func([]importer.Outcome), done func()) {
	p.Progress.Start(pending)
	shared, isShared := run.(followed)
	if !isShared {
		return func(outcomes []importer.Outcome) { addOutcomes(p.Progress, outcomes) }, p.Progress.Finish
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	news := shared.Follow()
	look := func() {
		counts, err := news(ctx)
		if err != nil {
			return // the next time there is more to say
		}
		for status, n := range counts {
			p.Progress.Add(status, n)
		}
	}
	var following sync.WaitGroup
	following.Go(func() {
		ticker := time.NewTicker(lookAgain)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				look()
			case <-ctx.Done():
				return
			}
		}
	})
	return nil, func() {
		stop()
		following.Wait()
		p.Progress.Finish()
	}
}
