package watch

import (
	"context"
	"time"

	"opscom-import/cmd/opscom-import/internal/inbox"
)

// refusedFor is how long a file must lie there that will not be taken, before people are
// told: its sender may still be at work.
const refusedFor = 5 * time.Minute

// refusal is a file that will not be taken as it is.
type refusal struct {
	since  time.Time // it was first seen
	isTold bool
}

// tellRefused tells people once of each file that will not be taken as it is.
func (l *loop) tellRefused(fetchCtx, workCtx context.Context, found inbox.Found, now time.Time) {
	refused := make(map[string]refusal)
	for _, w := range found.Waiting {
		if !w.Refused {
			continue
		}
		r, isKnown := l.refused[w.Name]
		if !isKnown {
			r.since = now
		}
		if !r.isTold && now.Sub(r.since) >= refusedFor {
			r.isTold = true
			l.tellTrouble(fetchCtx, workCtx, Trouble{Problem: w.Name + ": " + w.Why})
		}
		refused[w.Name] = r
	}
	l.refused = refused
}
