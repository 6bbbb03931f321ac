package watch

import (
	"context"
	"time"
)

// untoldTrouble is a trouble that people could not be told of.
type untoldTrouble struct {
	Trouble
	since, nextAt time.Time
	tries         int
}

// tellTrouble tells people of a trouble, also later if they cannot be told now.
func (l *loop) tellTrouble(fetchCtx, workCtx context.Context, trouble Trouble) {
	if !l.Pusher.TellTrouble(fetchCtx, workCtx, l.job, trouble) {
		now := time.Now()
		l.untoldOf = append(l.untoldOf, untoldTrouble{Trouble: trouble, since: now, nextAt: now.Add(pauseAfter(1)), tries: 1})
	}
}

// nextTelling returns when it is next tried to tell people what they could not be told, the
// zero time for never.
func (l *loop) nextTelling() (next time.Time) {
	if l.untold > 0 {
		next = l.tellAt
	}
	for _, u := range l.untoldOf {
		next = earlier(next, u.nextAt)
	}
	return next
}

// tellAgain tells people what they could not be told before, for a day.
func (l *loop) tellAgain(fetchCtx, workCtx context.Context, now time.Time) {
	var left []untoldTrouble
	for _, u := range l.untoldOf {
		if now.Before(u.nextAt) {
			left = append(left, u)
			continue
		}
		if now.Sub(u.since) < tellFor && !l.Pusher.TellTrouble(fetchCtx, workCtx, l.job, u.Trouble) {
			u.tries++
			u.nextAt = now.Add(pauseAfter(u.tries))
			left = append(left, u)
		}
	}
	l.untoldOf = left
}
