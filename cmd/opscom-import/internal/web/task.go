package web

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	"opscom-import/report"
)

// task is the one piece of work in progress.
type task struct {
	title    string // for a person, such as "Pushing students.csv"
	key      string // asking twice for the same work gives the same key
	progress *report.Progress
	noting   sync.Mutex                              // guards notes: the journal has some of its own while the work goes on
	notes    []string                                // what a person should know; read it after done
	run      func(fetchCtx, workCtx context.Context) // does the work
	stop     context.CancelFunc                      // ends it early: what is in flight is awaited
	stopping atomic.Bool                             // somebody has asked for that
	done     chan struct{}                           // closed when the work has ended
	next     string                                  // address of the page with the result; read it after done
	failed   error                                   // why there is no run; read it after done
	revision int                                     // of the draft that was pushed, or for which that is so; read it after done
}

// hasPushed reports whether the task has pushed this revision of its draft.
func (t *task) hasPushed(revision string) bool {
	return t.ended() && t.failed == nil && revision == strconv.Itoa(t.revision)
}

// notify takes a note.
func (t *task) notify(note string) {
	t.noting.Lock()
	defer t.noting.Unlock()
	t.notes = append(t.notes, note)
}

// errBusy says that another task is in progress.
var errBusy = errors.New("another task is in progress")

// begin leaves a task for Serve to work on. Work that is in progress already, as
// after a double click, is not started again.
func (s *Server) begin(title, key string, work func(fetchCtx, workCtx context.Context, t *task) (next string)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && !s.current.ended() {
		if s.current.key == key {
			return nil
		}
		return errBusy
	}
	taskCtx, stop := context.WithCancel(context.Background())
	t := &task{title: title, key: key, progress: report.NewProgress(io.Discard, report.Quiet), stop: stop, done: make(chan struct{})}
	t.run = func(fetchCtx, workCtx context.Context) {
		defer stop()
		defer context.AfterFunc(fetchCtx, stop)()
		t.next = work(taskCtx, workCtx, t)
		close(t.done)
	}
	s.current = t
	s.tasks <- t // it has room for the one task that is not ended
	return nil
}

// work works on one task after the other until fetchCtx is cancelled.
func (s *Server) work(fetchCtx, workCtx context.Context) {
	for {
		select {
		case <-fetchCtx.Done():
			return
		case t := <-s.tasks:
			t.run(fetchCtx, workCtx)
		}
	}
}

func (t *task) ended() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// currentTask returns the last task; nil when there was none.
func (s *Server) currentTask() *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}
