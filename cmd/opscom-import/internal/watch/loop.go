package watch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/inbox"
	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// loop runs one job.
type loop struct {
	Options
	job    config.Job
	inbox  *inbox.Inbox  // nil for a job with a file that stays where it is
	turn   chan struct{} // held while something is pushed to the job's target
	window window
	expect expectation
	pulse  pulse

	restsTo      time.Time   // before then nothing is done, because of trouble
	waitsTo      time.Time   // before then what is in progress needs no look at the history
	retryAt      time.Time   // before then what is in progress is left alone
	failures     int         // of it in a row
	inTrouble    atomic.Bool // people know that it cannot work
	troubles     int         // that kept the job from its work, in a row
	heldSeen     time.Time   // when the held runs were last looked at
	isUnfinished bool        // the file that stays where it is, is in progress
	toldOfHost   bool        // people know that the folder of another machine is not here
	toldInUse    string      // a folder in progress that another program works on, of which people know
	refused      map[string]refusal
	untoldOf     []untoldTrouble
	untold       int       // tries to tell people of a failure, in a row
	tellAt       time.Time // when it is tried again
	began        bool      // what an earlier process left was looked at
}

// pollEvery is how often a folder is looked at without a notice from the system.
const pollEvery = 30 * time.Second

// heldEvery is how often it is looked whether a held run was approved, when the folder is looked at: together less
// than a minute.
const heldEvery = 29 * time.Second

func newLoop(options Options, job config.Job, turn chan struct{}) (*loop, error) {
	l := &loop{Options: options, job: job, turn: turn, refused: make(map[string]refusal)}
	l.window = window{at: job.At, notAfter: job.NotAfter, zone: job.TimeZone, jitter: func() time.Duration { return options.Jitter(job.Jitter) }}
	l.expect = expectation{by: job.ExpectedBy}
	if job.Folder == "" {
		return l, nil
	}
	var err error
	folder := job.Inbox()
	folder.Poll, folder.Polling = pollEvery, options.Polling
	l.inbox, err = inbox.Open(folder, options.Log.With("job", job.Name))
	return l, err
}

func (l *loop) close() {
	if l.inbox != nil {
		l.inbox.Close()
	}
}

// run works until fetchCtx ends.
func (l *loop) run(fetchCtx, workCtx context.Context) {
	var changes <-chan struct{}
	if l.inbox != nil {
		changes = l.inbox.Changes()
	}
	for fetchCtx.Err() == nil {
		l.pulse.beat(time.Now())
		next := earlier(l.pass(fetchCtx, workCtx), l.nextTelling())
		l.pulse.rest(next)
		if next.IsZero() {
			next = time.Now().Add(pollEvery)
		}
		wait := time.NewTimer(max(0, time.Until(next)))
		select {
		case <-fetchCtx.Done():
		case <-changes:
		case <-wait.C:
		}
		wait.Stop()
	}
}

// pass does what there is to do now, at most one file, and returns when to look again.
func (l *loop) pass(fetchCtx, workCtx context.Context) (next time.Time) {
	now := time.Now()
	l.tellAgain(fetchCtx, workCtx, now)
	if now.Before(l.restsTo) {
		return l.restsTo
	}
	found, err := l.look(now)
	if err != nil {
		l.expectAnyway(fetchCtx, workCtx, now)
		return l.trouble(fetchCtx, workCtx, err)
	}
	l.tellRefused(fetchCtx, workCtx, found, now)
	if !l.isNeeded(found, now) {
		l.troubles = 0
		l.inTrouble.Store(false)
		next = earlier(earlier(l.window.next(now), l.expect.next), found.Again)
		if l.inbox == nil && l.window.isOpen(now) { // nothing tells that the file comes
			next = earlier(next, now.Add(pollEvery))
		}
		if l.waitsTo.After(now) {
			next = earlier(next, l.waitsTo)
		}
		return next
	}
	release, err := l.History.Lock(fetchCtx, l.job.Name)
	if fetchCtx.Err() != nil && err != nil {
		return now
	}
	if err != nil {
		return l.trouble(fetchCtx, workCtx, err)
	}
	next, err = l.work(fetchCtx, workCtx, found, now)
	if err := errors.Join(err, release()); err != nil && fetchCtx.Err() == nil {
		return l.trouble(fetchCtx, workCtx, err)
	}
	l.troubles = 0
	l.inTrouble.Store(false)
	return next
}

// look looks into the folder, also outside the window: it learns which files stay as they
// are.
func (l *loop) look(now time.Time) (inbox.Found, error) {
	if l.inbox == nil {
		return inbox.Found{}, nil
	}
	return l.inbox.Look(now)
}

// expectAnyway tells people that no file came although the folder cannot be looked into.
func (l *loop) expectAnyway(fetchCtx, workCtx context.Context, now time.Time) {
	if !l.expect.isDue(now) {
		return
	}
	known, err := l.load(fetchCtx)
	if err != nil {
		l.Log.Error("the history cannot be read", "job", l.job.Name, "error", err)
		return
	}
	l.expect.judge(fetchCtx, workCtx, l, known.ofJob, inbox.Found{}, nil, now)
}

// isNeeded reports whether there may be something to do, for which the history is needed.
func (l *loop) isNeeded(found inbox.Found, now time.Time) bool {
	switch {
	case !l.began, l.untold > 0 && !now.Before(l.tellAt), l.expect.isDue(now), l.window.isToChange(now, len(found.Waiting) > 0):
		return true
	case l.inbox == nil:
		return l.window.isOpen(now) && l.fileIsDue() || l.isUnfinished && !now.Before(l.waitsTo)
	default:
		return l.window.isOpen(now) && len(found.Ready) > 0 || l.hasAny(inbox.InProgress) && !now.Before(l.waitsTo) ||
			now.Sub(l.heldSeen) >= heldEvery && l.hasAny(inbox.Held)
	}
}

// fileIsDue reports whether the file that stays where it is, is to be pushed in this
// window. Until not_after it may still come.
func (l *loop) fileIsDue() bool {
	return !l.window.worked && (l.window.ends.IsZero() || exists(l.job.File))
}

// owesFile reports whether the file that stays where it is, was not begun in a window that
// has no end: something kept the job from it.
func (l *loop) owesFile() bool {
	return l.inbox == nil && l.window.ends.IsZero() && !l.window.worked
}

// hasAny reports whether something lies in a place, perhaps of another job.
func (l *loop) hasAny(place inbox.Place) bool {
	if l.inbox == nil {
		return false
	}
	entries, err := os.ReadDir(filepath.Join(l.job.Folder, string(place)))
	return len(entries) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) // the next step says why
}

// manyTroubles is after how many troubles in a row people are told: what passes by itself
// within three minutes is no news.
const manyTroubles = 3

// trouble logs why the job cannot work now, tells people once if that lasts, and returns
// when to try again.
func (l *loop) trouble(fetchCtx, workCtx context.Context, err error) time.Time {
	if errors.As(err, new(*journal.BusyError)) {
		l.Log.Info("another process works for the job", "job", l.job.Name)
		l.restsTo = time.Now().Add(lockPause)
		return l.restsTo
	}
	l.troubles++
	l.restsTo = time.Now().Add(pauseAfter(l.troubles))
	l.Notify(l.job.Name, "cannot work: "+err.Error()+"; it is tried again")
	l.Log.Error("the job cannot work", "job", l.job.Name, "error", err)
	l.inTrouble.Store(l.troubles >= manyTroubles)
	if l.troubles == manyTroubles {
		l.tellTrouble(fetchCtx, workCtx, Trouble{Problem: err.Error()})
	}
	return l.restsTo
}

// work does what there is to do while no other process works for the job.
func (l *loop) work(fetchCtx, workCtx context.Context, found inbox.Found, now time.Time) (time.Time, error) {
	known, err := l.load(fetchCtx)
	if err != nil {
		return time.Time{}, err
	}
	unfinished, err := l.tidy(fetchCtx, workCtx, known)
	if err != nil {
		return time.Time{}, err
	}
	history := known.ofJob
	l.began = true
	l.expect.judge(fetchCtx, workCtx, l, history, found, unfinished, now)
	if l.window.isOver(now, true) && !l.owesFile() {
		return now, l.serve(fetchCtx)
	}
	isOpen, next := l.window.open(now, history)
	next = earlier(earlier(next, l.expect.next), found.Again)
	l.isUnfinished = len(unfinished) > 0
	if l.isUnfinished && (isOpen || l.job.NotAfter == nil) { // before anything else: oldest first
		if now.Before(l.retryAt) {
			l.waitsTo = l.retryAt
			return earlier(next, l.retryAt), nil
		}
		it := unfinished[0]
		_, err := l.handle(fetchCtx, workCtx, it, history)
		l.window.worked = l.window.worked || err == nil && it.row.DueAt.Equal(l.window.due)
		return now, err
	}
	if !isOpen {
		l.waitsTo = next
		return next, nil
	}
	it, isThere, err := l.take(found)
	if err == nil && isThere {
		_, err = l.handle(fetchCtx, workCtx, it, history)
		l.window.worked = l.window.worked || err == nil
	}
	switch {
	case err != nil || isThere:
		return now, err
	case l.window.isOver(now, len(found.Waiting) > 0):
		return now, l.serve(fetchCtx)
	case l.inbox == nil: // the file has not come
		return earlier(next, now.Add(pollEvery)), nil
	default:
		return next, nil
	}
}

// take takes the next file, if there is one.
func (l *loop) take(found inbox.Found) (it item, isThere bool, err error) {
	it.row = importer.JobRun{Job: l.job.Name, DueAt: l.window.due}
	switch {
	case l.inbox == nil && !l.fileIsDue():
		return it, false, nil
	case l.inbox == nil:
		it.row.File, it.path = l.job.File, l.job.File
	case len(found.Ready) == 0:
		return it, false, nil
	default:
		name := found.Ready[0]
		it.taken, err = l.inbox.Take(name, time.Now())
		if errors.Is(err, inbox.ErrNotComplete) { // it is looked at again
			l.Log.Info("a file is not complete after all", "job", l.job.Name, "error", err)
			return it, false, nil
		}
		if err != nil {
			return it, false, err
		}
		it.row.File, it.row.Folder, it.path = filepath.Join(l.job.Folder, name), it.taken.Folder, it.taken.Path
	}
	return it, true, nil
}

// serve ends the window. A time of the schedule at which there was nothing to do is
// remembered too.
func (l *loop) serve(ctx context.Context) error {
	worked, due := l.window.worked, l.window.due
	l.window.close()
	if worked || due.IsZero() {
		return nil
	}
	now := time.Now()
	row := importer.JobRun{Job: l.job.Name, DueAt: due, StartedAt: now, EndedAt: now, Problem: "no file was there", IsTold: true}
	id, err := l.Recorder.Begin(ctx, row)
	if err != nil {
		return err
	}
	row.ID = id
	return l.Recorder.End(ctx, row, nil)
}

// runOnce does what the job does at its time, until nothing is left to do, and returns
// the largest exit code. What cannot be completed now ends it.
func (l *loop) runOnce(fetchCtx, workCtx context.Context) (exit int, err error) {
	release, err := l.History.Lock(fetchCtx, l.job.Name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, release()) }()
	until := time.Now().Add(l.job.Settle + settleMargin)
	for count := 0; fetchCtx.Err() == nil; count++ {
		now := time.Now()
		found, err := l.look(now)
		if err != nil {
			return exit, err
		}
		known, err := l.load(fetchCtx)
		if err != nil {
			return exit, err
		}
		unfinished, err := l.tidy(fetchCtx, workCtx, known)
		if err != nil {
			return exit, err
		}
		var it item
		isThere := len(unfinished) > 0
		if isThere {
			it = unfinished[0]
		} else if it, isThere, err = l.take(found); err != nil {
			return exit, err
		}
		if isThere {
			l.window.worked = true
			end, err := l.handle(fetchCtx, workCtx, it, known.ofJob)
			exit = max(exit, end.Exit)
			if _, isOver := placeOf(end); err != nil || !isOver {
				return exit, err
			}
			continue
		}
		if len(found.Waiting) == 0 || found.Again.IsZero() || now.After(until) {
			return l.leave(fetchCtx, workCtx, found, exit, count), nil
		}
		sleep(fetchCtx, time.Until(earlier(found.Again, until.Add(time.Second))))
	}
	return max(exit, app.ExitIncomplete), nil
}

// leave says what is left that cannot be taken, and returns the exit code: it is not complete
// then.
func (l *loop) leave(fetchCtx, workCtx context.Context, found inbox.Found, exit, count int) int {
	if count == 0 || len(found.Waiting) > 0 {
		l.Notify(l.job.Name, "no file to push: "+whyNot(l.job, found))
	}
	if len(found.Waiting) == 0 {
		return exit
	}
	l.tellTrouble(fetchCtx, workCtx, Trouble{Problem: whyNot(l.job, found)})
	return max(exit, app.ExitIncomplete)
}

// settleMargin is for what comes between two looks at a file.
const settleMargin = 10 * time.Second

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(max(d, time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// earlier returns the earlier of two times; the zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
