package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"opscom-import/report"
)

// progressInterval is the time from one state of the progress to the next.
const progressInterval = 500 * time.Millisecond

// showProgress shows the task in progress, and leads on when it has ended.
func (s *Server) showProgress(w http.ResponseWriter, r *http.Request) {
	t := s.currentTask()
	switch {
	case t == nil:
		s.redirect(w, r, "/")
	case t.ended():
		http.Redirect(w, r, t.next, http.StatusSeeOther)
	default:
		s.show(w, r, http.StatusOK, "push.html", page{Title: t.title, Body: t.standing()})
	}
}

// standing is how far the task has come.
func (t *task) standing() report.Snapshot {
	standing := t.progress.Snapshot()
	if standing.Total == 0 {
		standing.Text = "Reading the file and checking every row. Nothing is sent yet."
	}
	return standing
}

// streamProgress sends the standing of the task as server-sent events, and an
// event end after it.
func (s *Server) streamProgress(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	flush := http.NewResponseController(w).Flush
	t := s.currentTask()
	for t != nil && !t.ended() {
		standing, err := json.Marshal(t.standing())
		if err == nil {
			_, err = fmt.Fprintf(w, "data: %s\n\n", standing)
		}
		if err != nil || flush() != nil {
			return // the browser has gone
		}
		select {
		case <-ticker.C:
		case <-t.done:
		case <-r.Context().Done():
			return
		}
	}
	fmt.Fprint(w, "event: end\ndata:\n\n")
}

// stop asks the task in progress to stop.
func (s *Server) stop(w http.ResponseWriter, r *http.Request) {
	if t := s.currentTask(); t != nil && !t.ended() {
		t.stop()
	}
	s.redirect(w, r, "/progress")
}
