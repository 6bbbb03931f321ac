package watch

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/inbox"
	"opscom-import/cmd/opscom-import/internal/schedule"
	"opscom-import/importer"
)

// tellLate is how long after the time it is still told that no file came, by a process that
// began later.
const tellLate = 6 * time.Hour

// expectation is by when a file should come, again and again.
type expectation struct {
	by   *schedule.Schedule // nil for none
	next time.Time          // that is not judged yet; zero before the first look
	last time.Time          // the one before

	began time.Time // the first look
}

// isDue reports whether a time is to be judged.
func (e *expectation) isDue(now time.Time) bool { return e.by != nil && !e.next.After(now) }

// judge tells people that no file came by the time, once that has passed.
func (e *expectation) judge(fetchCtx, workCtx context.Context, l *loop, history []importer.JobRun, found inbox.Found, unfinished []item, now time.Time) {
	if e.by == nil {
		return
	}
	if e.next.IsZero() {
		e.began = now
		e.next = e.by.Next(now.Add(-tellLate))
		e.last = before(*e.by, e.next)
	}
	for !e.next.After(now) {
		last, by := e.last, e.next
		e.last, e.next = by, e.by.Next(by)
		if !e.next.After(now) || hasCome(l, e.since(last, by, history), history, found, unfinished) {
			continue // only the newest time is news
		}
		if len(history) == 0 && by.Before(e.began) {
			continue // the job has just been set up
		}
		l.tellTrouble(fetchCtx, workCtx, Trouble{By: by, Problem: whyNot(l.job, found)})
	}
}

// since returns since when a file counts for a time: the last time, or if none came by that,
// halfway, as one that came shortly after it was that one, late.
func (e *expectation) since(last, by time.Time, history []importer.JobRun) time.Time {
	previous := before(*e.by, last)
	for _, r := range history {
		switch {
		case r.File == "" || r.BegunAt.After(last):
		case r.BegunAt.After(previous):
			return last
		default:
			return last.Add(by.Sub(last) / 2)
		}
	}
	return last
}

// hasCome reports whether a file has come since then.
func hasCome(l *loop, since time.Time, history []importer.JobRun, found inbox.Found, unfinished []item) bool {
	if l.inbox == nil { // that it was pushed says nothing: an old one is pushed too
		return modified(l.job.File).After(since)
	}
	if len(found.Ready) > 0 || newestFile(history).After(since) {
		return true
	}
	for _, it := range unfinished { // the history may not know it, as with a full disk
		if it.taken.At.After(since) {
			return true
		}
	}
	return false
}

// newestFile returns when the job took its newest file, the zero time for never.
func newestFile(history []importer.JobRun) time.Time {
	for _, r := range history {
		if r.File != "" {
			return r.BegunAt
		}
	}
	return time.Time{}
}

// whyNot says what is there that is no complete file.
func whyNot(job config.Job, found inbox.Found) string {
	if at := modified(job.File); !at.IsZero() {
		return "the file has not changed since " + at.In(job.TimeZone).Format("2006-01-02 15:04 MST")
	}
	if len(found.Waiting) == 0 {
		return "nothing is there"
	}
	var texts []string
	for _, w := range found.Waiting {
		texts = append(texts, fmt.Sprintf("%s: %s", w.Name, w.Why))
	}
	return strings.Join(texts, "; ")
}

// before returns the last time of the schedule before one of its times.
func before(s schedule.Schedule, then time.Time) (last time.Time) {
	for _, days := range []int{1, 8, 32, 367, 5 * 367} {
		for t := s.Next(then.AddDate(0, 0, -days)); t.Before(then); t = s.Next(t) {
			last = t
		}
		if !last.IsZero() {
			break
		}
	}
	return last
}

// modified returns when the file was changed last, the zero time when it is not there.
func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
