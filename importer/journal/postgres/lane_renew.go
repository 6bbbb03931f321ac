package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer/journal/internal/format"
)

// Renew renews the leases on all that the lane holds; ErrLeaseLost if one was lost.
func (l *Lane) Renew(ctx context.Context) error {
	asked := time.Now()
	held := l.all()
	if len(held) == 0 {
		return nil
	}
	kept, err := l.leases.renew(ctx, held)
	if err != nil {
		return l.journal.failed(fmt.Sprintf("renew the leases on rows of run %d", l.leases.run), err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range held {
		c := l.held[one.chunk]
		switch {
		case c == nil || c.epoch != one.epoch: // given back meanwhile
		case kept[one.chunk]:
			c.renewed = asked
		default:
			l.drop(one.chunk)
		}
	}
	if l.isLost {
		return ErrLeaseLost
	}
	return nil
}

// Release gives back all that the lane holds. Rows that it has claimed and not recorded are
// unknown then.
func (l *Lane) Release(ctx context.Context) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	held := l.all()
	l.mu.Lock()
	clear(l.held)
	l.ready = nil
	l.mu.Unlock()
	if len(held) == 0 {
		return nil
	}
	return l.journal.failed(fmt.Sprintf("give rows of run %d back", l.leases.run), l.leases.giveBack(ctx, held))
}

// all returns the numbers and epochs of the chunks that are held, in their order.
func (l *Lane) all() (held []change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.inOrder() {
		held = append(held, change{chunk: c.chunk, epoch: c.epoch, over: notOver})
	}
	return held
}

// oldest returns when the lease was asked for that ends first; false when none is held.
func (l *Lane) oldest() (asked time.Time, isHeld bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.held {
		if !isHeld || c.renewed.Before(asked) {
			asked, isHeld = c.renewed, true
		}
	}
	return asked, isHeld
}

// heal returns ErrLeaseLost if another timeline has begun since the run was opened. Then
// everything is unknown that the last one may have lost, and who held rows in it holds them
// no more. If somebody is about to stop the run it returns a *StoppedError.
func (l *Lane) heal(ctx context.Context) error {
	var timeline string
	var stopping *string
	err := pgx.BeginFunc(ctx, l.leases.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "UPDATE opscom.run SET timeline = opscom.timeline() WHERE id = $1 AND state = 'pushing' AND timeline <> opscom.timeline()", l.leases.run)
		if err == nil && tag.RowsAffected() == 1 {
			_, err = tx.Exec(ctx, "UPDATE opscom.chunk_state SET epoch = epoch + $2, claimed = $3, lease_until = NULL WHERE run = $1 AND rounds <> '{}'",
				l.leases.run, epochsOfTimeline, format.Everything)
			if err == nil {
				err = followTimeline(ctx, tx)
			}
		}
		if err == nil {
			err = tx.QueryRow(ctx, "SELECT timeline, stopping FROM opscom.run WHERE id = $1", l.leases.run).Scan(&timeline, &stopping)
		}
		return err
	})
	if err == nil && timeline != l.leases.timeline {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.isLost = true
		return ErrLeaseLost
	}
	if err == nil && stopping != nil {
		l.leases.stopping.Store(stopping)
		return l.stopped()
	}
	return err
}

// Work renews the leases while work pushes rows of the lane, and then gives them back. The
// context of work ends, with ErrLeaseLost, when a lease cannot be renewed in time: only this
// machine's monotonic clock counts. It ends with a *StoppedError when somebody is about to stop
// the run; until work returns the leases are still renewed.
func (l *Lane) Work(ctx context.Context, work func(ctx context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan struct{})
	var renewing sync.WaitGroup
	renewing.Go(func() { l.renewUntil(ended, stop) })
	err := work(ctx)
	close(ended)
	renewing.Wait()
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.leases.term)
	defer cancel()
	if given := l.Release(leaving); err == nil && !IsTransient(given) { // otherwise they end by themselves
		err = given
	}
	return err
}

// renewUntil renews each lease when a third of it is over.
func (l *Lane) renewUntil(ended <-chan struct{}, stop context.CancelCauseFunc) {
	term := l.leases.term
	tick := time.NewTicker(term / 30)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ended:
			return
		}
		if err := l.stopped(); err != nil {
			stop(err)
		}
		asked, isHeld := l.oldest()
		if !isHeld || time.Since(asked) < term/3 {
			continue
		}
		until := asked.Add(usable(term))
		ctx, cancel := context.WithDeadline(context.Background(), until)
		err := l.Renew(ctx)
		cancel()
		if errors.Is(err, ErrLeaseLost) || err != nil && !time.Now().Before(until) {
			stop(ErrLeaseLost)
			return
		}
	}
}
