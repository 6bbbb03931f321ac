package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"opscom-import/importer"
)

// Claim returns the next pending rows of the round, at most max, in row order, and none when
// nothing of it is to be had. That they may have been sent is on the disk before it returns.
func (r *Run) Claim(ctx context.Context, max int) ([]importer.Job, error) {
	lane, err := r.lane()
	if err != nil {
		return nil, err
	}
	return lane.Claim(ctx, max)
}

// Record stores the outcomes of claimed rows. They are on the disk when it returns. The attempts
// of a row that is pushed again add up.
func (r *Run) Record(ctx context.Context, outcomes []importer.Outcome) error {
	lane, err := r.lane()
	if err != nil {
		return err
	}
	return lane.Record(ctx, outcomes)
}

// StreakBefore returns how rows of the run had failed in a row before the outcomes that this process
// recorded last, also those that others pushed.
func (r *Run) StreakBefore() importer.Streak {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.own == nil {
		return importer.Streak{}
	}
	return r.own.StreakBefore()
}

// NextRound begins the next round if rows of it can be had, and reports whether it did.
func (r *Run) NextRound() bool {
	lane, err := r.lane()
	return err == nil && lane.NextRound()
}

// lane returns the lane of this process.
func (r *Run) lane() (*Lane, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.record.require(importer.RunPushing); err != nil {
		return nil, err
	}
	if r.own == nil {
		r.own = r.newLane()
	}
	return r.own, nil
}

// lookAgain is how often a process looks whether others are done with what they hold.
const lookAgain = 500 * time.Millisecond

// Work works on the run as one of those who push it, and returns when nothing of it is left, in
// nobody's hands. work pushes what it can claim; while it does, the leases are renewed, and its
// context ends when they cannot be. It is called again when there is more to do: rows that
// somebody else has given back, or lost, or this process when it was away for too long.
//
// While the database is away it waits, and goes on by itself. Another error of work ends it, and
// so does another process that stops the run. When ctx ends the others are told at once that the run is
// about to be stopped, and not only when the answers to this process have come.
func (r *Run) Work(ctx context.Context, work func(ctx context.Context) error) error {
	announced := make(chan bool, 1)
	interrupted := context.AfterFunc(ctx, func() { announced <- r.announceInterrupt() })
	err := r.work(ctx, work)
	isStopped := errors.As(err, new(*StoppedError))
	if interrupted() || err != nil && !isStopped || !<-announced {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if isStopped { // it has met with its own announcement
		if record, free, held, err := r.look(ctx); err != nil || record.State != importer.RunPushing || free || held {
			return importer.ErrInterrupted
		}
	}
	return r.takeBackInterrupt(ctx) // after the last row it changes nothing
}

// announceInterrupt tells everybody that the run is about to be stopped, and reports whether nobody
// else was first. This process keeps what it holds. If the database is away, Stop tells them later:
// then the run may have been started again, so only who still holds what it held now counts.
func (r *Run) announceInterrupt() bool {
	ctx, stop := context.WithTimeout(context.Background(), r.journal.term/3)
	defer stop()
	r.mu.Lock()
	lane := r.own
	r.mu.Unlock()
	if lane == nil { // interrupted before it began
		return false
	}
	held := columnsOf(lane.all())
	tag, err := r.journal.pool.Exec(ctx, `UPDATE opscom.run SET stopping = '' WHERE id = $1 AND state = 'pushing' AND stopping IS NULL
		AND EXISTS (SELECT FROM unnest($2::int[], $3::int[]) AS c (chunk, epoch) JOIN opscom.chunk_state s ON s.run = $1 AND s.chunk = c.chunk AND s.epoch = c.epoch)`,
		r.id, held.chunk, held.epoch)
	return err == nil && tag.RowsAffected() == 1
}

func (r *Run) takeBackInterrupt(ctx context.Context) error {
	_, err := r.journal.pool.Exec(ctx, "UPDATE opscom.run SET stopping = NULL WHERE id = $1 AND state = 'pushing' AND stopping = ''", r.id)
	return r.journal.failed(fmt.Sprintf("go on with run %d", r.id), err)
}

func (r *Run) work(ctx context.Context, work func(ctx context.Context) error) error {
	for {
		r.mu.Lock()
		lane := r.newLane()
		r.own = lane
		r.mu.Unlock()
		err := lane.Work(ctx, work)
		if err != nil && !IsAway(err) && !errors.Is(err, ErrLeaseLost) {
			return err
		}
		if more, err := r.awaitRows(ctx); err != nil || !more {
			return err
		}
	}
}

// awaitRows waits until there are rows that this process can have, or none any more, and reports
// which. While the database is away it waits too.
func (r *Run) awaitRows(ctx context.Context) (more bool, err error) {
	for {
		record, free, held, err := r.look(context.WithoutCancel(ctx)) // an interrupt after the last row changes nothing
		r.journal.heard(err)
		switch {
		case err == nil && record.State == importer.RunFinished, err == nil && record.State == importer.RunPushing && !free && !held:
			return false, nil
		case ctx.Err() != nil:
			return false, importer.ErrInterrupted
		case err != nil && !IsTransient(err):
			return false, err
		case err != nil:
		case record.State != importer.RunPushing, record.stopping != nil:
			return false, &StoppedError{Run: r.id, Reason: r.Reason()}
		case free:
			return true, nil
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return false, importer.ErrInterrupted
		}
	}
}

// heard is told how attempts to reach the database end, and tells a person when it is away, and
// when it is back.
func (j *Journal) heard(err error) {
	isAway := IsTransient(err)
	if err != nil && !isAway || !j.isAway.CompareAndSwap(!isAway, isAway) {
		return
	}
	if j.away != nil {
		j.away(j.wrap("", err))
	}
	switch {
	case j.say == nil:
	case isAway:
		j.say(fmt.Sprintf("Nothing is sent for now: %v. The push goes on by itself when the database is back.", j.wrap("", err)))
	default:
		j.say("The database of the journal is back: the push goes on.")
	}
}

// StoppedError says that another process has stopped a run that this one works on, or is about to.
type StoppedError struct {
	Run    int64
	Reason string // "" if nobody said
}

func (e *StoppedError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("run %d was stopped by another process", e.Run)
	}
	if strings.HasPrefix(e.Reason, `"`) { // a command
		return fmt.Sprintf("run %d was stopped by %s", e.Run, e.Reason)
	}
	return fmt.Sprintf("run %d was stopped by another process: %s", e.Run, e.Reason)
}

// look reads the run again, and whether rows of it wait that nobody holds, or that somebody holds.
func (r *Run) look(ctx context.Context) (record runRecord, free, held bool, err error) {
	ctx, stop := context.WithTimeout(ctx, leaseTerm)
	defer stop()
	record, err = loadRun(ctx, r.journal.pool, r.id)
	if err == nil {
		err = r.journal.pool.QueryRow(ctx, `SELECT coalesce(bool_or(lease_until IS NULL OR lease_until < now()), false), coalesce(bool_or(lease_until >= now()), false)
			FROM opscom.chunk_state WHERE run = $1 AND rounds <> '{}'`, r.id).Scan(&free, &held)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.isEnded = r.isEnded || r.record.State == importer.RunPushing && record.State != importer.RunPushing
		err = r.know(record)
	}
	return record, free, held, r.journal.failed(fmt.Sprintf("look at run %d", r.id), err)
}
