package watch

import (
	"time"

	"opscom-import/cmd/opscom-import/internal/schedule"
	"opscom-import/importer"
)

// waitForFiles is how long a scheduled run without not_after waits for files that are
// still being written.
const waitForFiles = time.Hour

// window is the time in which a job may take files: always without a schedule, else from
// a time of the schedule on, until not_after.
type window struct {
	at       *schedule.Schedule
	notAfter *schedule.Clock
	zone     *time.Location
	jitter   func() time.Duration

	since  time.Time // times of the schedule up to this one are served or missed; zero before the first look
	due    time.Time // the time of the schedule that is being served; zero for none
	begins time.Time // due and some jitter
	ends   time.Time // zero for no end
	worked bool      // something was begun in it
}

// open reports whether files may be taken now, and when that may change next.
func (w *window) open(now time.Time, history []importer.JobRun) (isOpen bool, changes time.Time) {
	if w.at == nil {
		return true, time.Time{}
	}
	if w.since.IsZero() {
		w.resume(now, history)
	}
	if w.due.IsZero() || w.worked && !w.at.Next(w.due).After(now) { // a job may have several times before its not_after
		w.look(now)
	}
	for _, r := range history { // another process may have served it
		w.worked = w.worked || !w.due.IsZero() && r.DueAt.Equal(w.due)
	}
	return w.isOpen(now), w.next(now)
}

// resume finds where an earlier process was. A window that has not ended is open again.
func (w *window) resume(now time.Time, history []importer.JobRun) {
	w.since = now // without any history the schedule begins now
	for _, r := range history {
		if !r.DueAt.IsZero() {
			w.since = r.DueAt
			break
		}
	}
	if w.notAfter == nil {
		return
	}
	if last := before(*w.at, now.Add(1)); now.Before(w.endOf(last)) {
		w.due, w.begins, w.ends, w.worked = last, last, w.endOf(last), w.since.Equal(last)
		w.since = last
	}
}

// look finds the newest time of the schedule that has come: those that were missed run
// once, unless their not_after has passed too.
func (w *window) look(now time.Time) {
	due := time.Time{}
	for next := w.at.Next(w.since); !next.IsZero() && !next.After(now); next = w.at.Next(next) {
		w.since, due = next, next
	}
	ends := w.endOf(due)
	if due.IsZero() || !ends.IsZero() && !now.Before(ends) {
		return
	}
	w.due, w.begins, w.ends, w.worked = due, due.Add(w.jitter()), ends, false
}

// endOf returns when the window of a time of the schedule ends, the zero time for no end.
func (w *window) endOf(due time.Time) time.Time {
	if w.notAfter == nil || due.IsZero() {
		return time.Time{}
	}
	return w.notAfter.Next(due, w.zone)
}

// isToChange reports whether a time of the schedule has come, or the window is over.
func (w *window) isToChange(now time.Time, isWaiting bool) bool {
	return w.at != nil && (w.due.IsZero() || w.worked) && !w.at.Next(w.since).After(now) || w.isOver(now, isWaiting)
}

// isOpen reports whether files may be taken, as it was last found.
func (w *window) isOpen(now time.Time) bool {
	return w.at == nil || !w.due.IsZero() && !now.Before(w.begins)
}

// next returns when the window changes, the zero time for never.
func (w *window) next(now time.Time) time.Time {
	switch {
	case w.at == nil:
		return time.Time{}
	case w.due.IsZero():
		return w.at.Next(now)
	case now.Before(w.begins):
		return w.begins
	case w.ends.IsZero():
		return w.begins.Add(waitForFiles + time.Second)
	case w.worked:
		return earlier(w.ends, w.at.Next(w.due))
	default:
		return w.ends
	}
}

// isOver reports whether nothing more is done in the window. Until not_after a file may
// still come; without it only what is being written is waited for.
func (w *window) isOver(now time.Time, isWaiting bool) bool {
	switch {
	case w.due.IsZero():
		return false
	case !w.ends.IsZero():
		return !now.Before(w.ends)
	default:
		return !now.Before(w.begins) && (!isWaiting || now.After(w.begins.Add(waitForFiles)))
	}
}

func (w *window) close() { w.due, w.begins, w.ends = time.Time{}, time.Time{}, time.Time{} }
