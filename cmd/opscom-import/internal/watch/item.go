package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/inbox"
	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// item is a file to work on.
type item struct {
	row   importer.JobRun
	path  string
	taken inbox.Taken // the zero value for a file that stays where it is
}

// handle has a file pushed, and moves it to where its end belongs.
func (l *loop) handle(fetchCtx, workCtx context.Context, it item, history []importer.JobRun) (End, error) {
	l.pulse.work() // waiting for its turn may take as long as another push
	defer func() { l.pulse.beat(time.Now()) }()
	select { // runs to one target exclude each other
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-fetchCtx.Done():
		return End{Exit: app.ExitIncomplete}, nil
	}
	if l.inbox != nil {
		release, err := it.taken.Lock()
		if errors.Is(err, inbox.ErrInUse) {
			return End{}, l.leaveInUse(it)
		}
		if err != nil {
			return End{}, err
		}
		defer func() { _ = release() }() // it ends with the process in any case
	}
	file := File{Path: it.path, Arrived: it.row.File, Since: it.row.BegunAt}
	if err := l.start(fetchCtx, &it); err != nil {
		return End{}, err
	}
	file.Hash, file.Repeat = it.row.FileHash, isRepeat(it.row, history)
	pushCtx := fetchCtx
	if ends := l.window.ends; !ends.IsZero() {
		var cancel context.CancelFunc
		pushCtx, cancel = context.WithDeadline(fetchCtx, ends)
		defer cancel()
	}
	end := l.sinceTaken(it, l.Pusher.Push(pushCtx, workCtx, l.job, file))
	if end.Run == 0 { // it has come less far than an earlier try
		end.Run = it.row.Run
	}
	if end.Exit == app.ExitIncomplete && pushCtx.Err() != nil && fetchCtx.Err() == nil {
		end.Problem = fmt.Sprintf("stopped at %s (not_after): the run goes on at the job's next time", l.job.NotAfter)
	}
	return end, l.finish(fetchCtx, workCtx, it, end)
}

// leaveInUse tells people, once, that a program with another history works on a file of the job's
// folder, and returns the error for a job that others work for.
func (l *loop) leaveInUse(it item) error {
	if l.toldInUse != it.taken.Folder {
		l.toldInUse = it.taken.Folder
		l.Notify(l.job.Name, fmt.Sprintf("another program works on %s, which is in progress in this folder; let one program take the files of a folder, or several that share a journal", it.taken.Name))
	}
	return &journal.BusyError{Target: it.taken.Path}
}

// sinceTaken returns the end of a push, corrected if its file is not what it was when it
// was taken.
func (l *loop) sinceTaken(it item, end End) End {
	switch now, err := app.HashOf(it.path); {
	case errors.Is(err, fs.ErrNotExist) && l.inbox != nil:
		end.OfFile, end.Problem = true, "the file was removed while it was in progress"
		if end.Exit > app.ExitRows {
			end.Exit = app.ExitIncomplete
		}
	case err == nil && now != it.row.FileHash && (end.Exit <= app.ExitRows || end.Exit == app.ExitHeld || end.OfFile):
		end.OfFile, end.Exit, end.Problem = false, app.ExitIncomplete, "the file changed after it was taken: it was still being written, and what it is now is pushed again"
	}
	return end
}

// start stores that the work on the file begins.
func (l *loop) start(ctx context.Context, it *item) (err error) {
	now := time.Now()
	it.row.StartedAt = now
	if it.row.FileHash, err = app.HashOf(it.path); err != nil && !errors.Is(err, fs.ErrNotExist) { // the push says that it is missing
		return err
	}
	if it.row.ID != 0 {
		return l.Recorder.Restart(ctx, it.row.ID, now)
	}
	it.row.BegunAt = now
	it.row.ID, err = l.Recorder.Begin(ctx, it.row)
	return err
}

// isRepeat reports whether the file has the bytes of the last one that the job completed.
func isRepeat(row importer.JobRun, history []importer.JobRun) bool {
	for _, r := range history {
		if r.ID != row.ID && r.IsEnded() && !r.Retry && r.Run != 0 && r.Exit <= app.ExitRows {
			return row.FileHash != "" && r.FileHash == row.FileHash
		}
	}
	return false
}

// finish stores how the work on the file ended, moves it, and tells people.
func (l *loop) finish(fetchCtx, workCtx context.Context, it item, end End) error {
	ctx := context.WithoutCancel(fetchCtx) // an interrupt does not keep it from that
	isStopping := fetchCtx.Err() != nil && end.Exit == app.ExitIncomplete
	row := it.row
	row.Run, row.Exit, row.Counts, row.Problem, row.EndedAt = end.Run, end.Exit, end.Counts, end.Problem, time.Now()
	place, isOver := placeOf(end)
	row.Retry = !isOver
	row.IsTold = isStopping || end.Exit == app.ExitBusy // who stopped it knows, and the other run tells
	var relocate *importer.Relocation
	if isOver && l.inbox != nil {
		relocate = &importer.Relocation{From: it.taken.Folder, To: it.taken.In(place)}
		l.leaveMessage(it.taken, place, end.Problem)
	}
	if err := l.Recorder.End(ctx, row, relocate); err != nil {
		return err
	}
	l.pause(end, row.Retry)
	if relocate != nil && exists(it.taken.Folder) {
		row.Folder = relocate.To
		if _, err := l.inbox.Finish(it.taken, place); err != nil {
			return err
		}
	}
	return l.tell(fetchCtx, workCtx, row, end)
}

// tellFor is how long it is tried to tell people of a failure.
const tellFor = 24 * time.Hour

// tell tells people how the work on a file ended, and stores that it did.
func (l *loop) tell(fetchCtx, workCtx context.Context, row importer.JobRun, end End) error {
	isTold := l.Pusher.Tell(fetchCtx, workCtx, l.job, row, end)
	if row.IsTold {
		return nil
	}
	if now := time.Now(); !isTold && now.Sub(row.EndedAt) < tellFor {
		l.untold++
		l.tellAt = now.Add(pauseAfter(l.untold))
		return nil
	}
	l.untold = 0
	row.IsTold = true
	return l.Recorder.End(context.WithoutCancel(fetchCtx), row, nil)
}

// placeOf returns where a file belongs whose work ended so, and false when it is tried
// again.
func placeOf(end End) (place inbox.Place, isOver bool) {
	switch {
	case end.Exit <= app.ExitRows:
		return inbox.Done, true
	case end.Exit == app.ExitHeld, end.Stopped:
		return inbox.Held, true
	case end.OfFile:
		return inbox.Failed, true
	default:
		return "", false
	}
}

// pause sets when what is in progress is tried again.
func (l *loop) pause(end End, retry bool) {
	switch {
	case !retry:
		l.failures, l.retryAt = 0, time.Time{}
	case end.Exit == app.ExitBusy:
		l.retryAt = time.Now().Add(busyPause)
	default:
		l.failures++
		l.retryAt = time.Now().Add(pauseAfter(l.failures))
	}
}

// leaveMessage leaves a text beside a file that somebody has to look at: who sent it may
// see nothing but the folder. That it cannot be written changes nothing.
func (l *loop) leaveMessage(taken inbox.Taken, place inbox.Place, problem string) {
	if place == inbox.Done || problem == "" || !exists(taken.Folder) {
		return
	}
	if err := os.WriteFile(messageOf(taken), []byte(taken.Name+": "+problem+"\n"), 0o600); err != nil {
		l.Log.Warn("the message beside a file is not written", "job", l.job.Name, "error", err)
	}
}

// messageOf is the path of the text beside a file that was taken.
func messageOf(taken inbox.Taken) string {
	return strings.TrimSuffix(taken.Path, filepath.Ext(taken.Path)) + ".message.txt"
}

// tidy completes what an earlier process, or a person, has left, and returns what is in
// progress, the oldest first.
func (l *loop) tidy(fetchCtx, workCtx context.Context, history history) (unfinished []item, err error) {
	for _, row := range history.ofJob {
		if row.IsEnded() && !row.IsTold && !time.Now().Before(l.tellAt) {
			if err := l.tell(fetchCtx, workCtx, row, endOf(row)); err != nil {
				return nil, err
			}
		}
		isOpen := row.Retry || !row.IsEnded()
		if isOpen && l.isElsewhere(row) { // that machine knows what became of it
			continue
		}
		if isGone := row.Folder != "" && isOpen && !exists(row.Folder); isGone {
			row.Exit, row.Retry, row.IsTold, row.EndedAt = app.ExitUsage, false, true, time.Now()
			row.Problem = "the file is not in progress any more: it was put back, or removed"
			if err := l.Recorder.End(fetchCtx, row, nil); err != nil {
				return nil, err
			}
		}
	}
	if l.inbox == nil {
		return l.unfinishedFile(history.ofJob), nil
	}
	l.tellElsewhere(history.ofJob)
	taken, err := l.inbox.InProgress()
	if err != nil {
		return nil, err
	}
	for _, t := range taken {
		row, isKnown := history.byFolder[filepath.Base(t.Folder)]
		if isKnown && row.IsEnded() && !row.Retry {
			if place := inbox.Place(filepath.Base(filepath.Dir(row.Folder))); place != inbox.InProgress {
				_, err = l.inbox.Finish(t, place) // only the move is missing
			} else {
				err = l.hold(fetchCtx, workCtx, t, row)
			}
			if err != nil {
				return nil, err
			}
			continue
		}
		if !isKnown {
			row = importer.JobRun{Job: l.job.Name, File: filepath.Join(l.job.Folder, t.Name), Folder: t.Folder, DueAt: l.window.due}
		}
		unfinished = append(unfinished, item{row: row, path: t.Path, taken: t})
	}
	l.holdBack(unfinished)
	return unfinished, l.tidyHeld(fetchCtx, workCtx, history.byFolder)
}

// hold moves a file whose run a person has stopped while nobody pushed it.
func (l *loop) hold(fetchCtx, workCtx context.Context, t inbox.Taken, row importer.JobRun) error {
	l.leaveMessage(t, inbox.Held, row.Problem)
	row.IsTold = false
	if err := l.Recorder.End(fetchCtx, row, &importer.Relocation{From: t.Folder, To: t.In(inbox.Held)}); err != nil {
		return err
	}
	if _, err := l.inbox.Finish(t, inbox.Held); err != nil {
		return err
	}
	row.Folder = t.In(inbox.Held)
	return l.tell(fetchCtx, workCtx, row, endOf(row))
}

// isElsewhere reports whether a run of the job was begun by another machine, in a folder that is
// not here.
func (l *loop) isElsewhere(row importer.JobRun) bool {
	return row.Host != l.Host && row.Folder != "" && !exists(row.Folder)
}

// tellElsewhere says once that the job's folder is not the one in which another machine has
// worked for it last.
func (l *loop) tellElsewhere(history []importer.JobRun) {
	for _, row := range history {
		if row.Folder == "" {
			continue
		}
		if l.isElsewhere(row) && !l.toldOfHost {
			l.toldOfHost = true
			l.Notify(l.job.Name, fmt.Sprintf("%s has worked for this job too, in a folder that is not here: %s. Machines that share a job share its folder; "+
				"where each has a folder of its own, give the jobs different names", row.Host, row.Folder))
		}
		return
	}
}

// unfinishedFile returns the file that stays where it is, if the work on it is to go on.
func (l *loop) unfinishedFile(history []importer.JobRun) []item {
	for _, row := range history {
		if row.File == "" {
			continue
		}
		if row.IsEnded() && !row.Retry {
			return nil
		}
		unfinished := []item{{row: row, path: row.File}}
		l.holdBack(unfinished)
		return unfinished
	}
	return nil
}

// holdBack makes the next try wait if processes have died while they worked on the file: it
// may be the cause.
func (l *loop) holdBack(unfinished []item) {
	if len(unfinished) == 0 || !l.retryAt.IsZero() {
		return
	}
	if row := unfinished[0].row; row.ID != 0 && !row.IsEnded() && row.Starts > 1 {
		l.retryAt = row.StartedAt.Add(pauseAfter(row.Starts - 1))
		l.Notify(l.job.Name, fmt.Sprintf("the program has ended %d times while it worked on %s: it is tried again at %s",
			row.Starts, row.File, l.retryAt.Local().Format("15:04:05")))
	}
}

// tidyHeld moves the files of held runs that were approved since, replaced or forgotten.
func (l *loop) tidyHeld(fetchCtx, workCtx context.Context, rows map[string]importer.JobRun) error {
	held, err := l.inbox.In(inbox.Held)
	if err != nil {
		return err
	}
	l.heldSeen = time.Now()
	for _, t := range held {
		row, isKnown := rows[filepath.Base(t.Folder)]
		if !isKnown {
			continue
		}
		run, receipt, err := l.History.Outcome(fetchCtx, row.Run)
		place := inbox.Failed
		switch {
		case errors.Is(err, journal.ErrNoRun), err == nil && run.State == importer.RunSuperseded:
			row.Exit, row.Problem = app.ExitUsage, "the held run was not approved: a newer run took its place, or it was forgotten"
		case err != nil:
			return err
		case run.State != importer.RunFinished:
			continue
		default:
			hash, err := app.HashOf(t.Path)
			if errors.Is(err, fs.ErrNotExist) { // somebody has removed it; its rows are sent all the same
				hash, err = run.FileHash, nil
			}
			if err != nil {
				return err
			}
			place, row.Exit, row.Counts, row.Problem = inbox.Done, receipt.Exit, receipt.Counts, ""
			if hash != run.FileHash {
				place, row.Exit, row.IsTold = inbox.Failed, app.ExitIncomplete, false
				row.Problem = fmt.Sprintf("the file changed after run %d was held, and what was approved is not what it is now: put the file into the folder again", row.Run)
			}
		}
		if err := os.Remove(messageOf(t)); err != nil && !errors.Is(err, fs.ErrNotExist) { // that it is held
			return err
		}
		l.leaveMessage(t, place, row.Problem)
		if err := l.Recorder.End(fetchCtx, row, &importer.Relocation{From: t.Folder, To: t.In(place)}); err != nil {
			return err
		}
		if _, err := l.inbox.Finish(t, place); err != nil {
			return err
		}
		if row.Folder = t.In(place); !row.IsTold {
			if err := l.tell(fetchCtx, workCtx, row, endOf(row)); err != nil {
				return err
			}
		}
	}
	return nil
}

// endOf is the end that the history remembers.
func endOf(row importer.JobRun) End {
	return End{Run: row.Run, Exit: row.Exit, Counts: row.Counts, Problem: row.Problem, OfFile: row.Exit == app.ExitUsage && !row.Retry}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return path != "" && err == nil
}
