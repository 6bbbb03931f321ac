package web

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"opscom-import/report"
)

// task is the one piece of work in progress.
type task struct {
	title    string // for a person, such as "Pushing students.csv"
	key      string // asking twice for the same work gives the same key
	progress *report.Progress
	notes    notes
	work     func(fetchCtx, workCtx context.Context, t *task) (next string)
	stop     chan struct{} // takes one request to stop
	done     chan struct{} // closed when the work has ended
	next     string        // page with the result; read it after done
}

// errBusy says that another task is in progress.
var errBusy = errors.New("another task is in progress")

// begin leaves a task for Serve to work on. Work that is in progress already, as
// after a double click, is not begun again.
func (s *Server) begin(title, key string, work func(fetchCtx, workCtx context.Context, t *task) string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && !s.current.ended() {
		if s.current.key == key {
			return nil
		}
		return errBusy
	}
	s.current = &task{
		title: title, key: key, work: work, progress: report.NewProgress(io.Discard, report.Quiet),
		stop: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.tasks <- s.current // it has room for the one task that is not ended
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

// run does the work. A request to stop cancels its fetchCtx: what is in flight is
// awaited.
func (t *task) run(fetchCtx, workCtx context.Context) {
	fetchCtx, cancel := context.WithCancel(fetchCtx)
	var watcher sync.WaitGroup
	watcher.Go(func() {
		select {
		case <-t.stop:
			cancel()
		case <-fetchCtx.Done():
		}
	})
	t.next = t.work(fetchCtx, workCtx, t)
	cancel()
	watcher.Wait()
	close(t.done)
}

// halt asks the task to stop; asking again changes nothing.
func (t *task) halt() {
	select {
	case t.stop <- struct{}{}:
	default:
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

// underWay returns the last task; nil when there was none.
func (s *Server) underWay() *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// notes collects what a task has for a person.
type notes struct {
	mu    sync.Mutex
	texts []string
}

func (n *notes) add(note string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.texts = append(n.texts, note)
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.texts)
}
