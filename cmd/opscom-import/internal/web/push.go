package web

import (
	"context"
	"net/http"
	"strconv"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/report"
)

// ending is how a push ended.
type ending struct {
	report.Receipt
	Err   error
	Notes []string
}

func (e *ending) keep(receipt report.Receipt) error {
	e.Receipt = receipt
	return nil
}

// pushFile pushes the draft as its review has shown it.
func (s *Server) pushFile(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	l := language(r)
	if r.FormValue("revision") != strconv.Itoa(d.Revision) {
		s.fail(w, r, http.StatusConflict, l.T("The file has changed since you saw it, perhaps in another tab. Nothing was sent. Open its page again."))
		return
	}
	s.toProgress(w, r, s.begin(l.T("Pushing %s", d.Name), "push "+strconv.Itoa(d.ID), func(fetchCtx, workCtx context.Context, t *task) string {
		return s.push(fetchCtx, workCtx, t, d)
	}))
}

func (s *Server) toProgress(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		s.fail(w, r, http.StatusConflict, s.explain(language(r), err))
		return
	}
	s.redirect(w, r, "/progress")
}

// push pushes the draft and returns the page of the run, or of the review when there is
// no run.
func (s *Server) push(fetchCtx, workCtx context.Context, t *task, d draft.Draft) string {
	var e ending
	env := s.environment(d, t.notify, t.progress)
	s.remember(d)
	e.Err = app.Push(fetchCtx, workCtx, env, []string{d.Path()}, e.keep)
	if e.Run == 0 {
		t.failed = e.Err
		return s.stepPath(d, stepReview)
	}
	_, err := s.drafts.Change(d.ID, func(d *draft.Draft) error {
		d.Run = e.Run
		return nil
	})
	if e.Err == nil {
		e.Err = err
	}
	return s.finish(t, e.Run, &e)
}

// approve pushes what is pending in the run and returns its page.
func (s *Server) approve(fetchCtx, workCtx context.Context, t *task, run int64) string {
	var e ending
	e.Err = app.Approve(fetchCtx, workCtx, s.environment(draft.Draft{}, t.notify, t.progress), run, e.keep)
	return s.finish(t, run, &e)
}

// finish keeps how the run ended, and returns its page.
func (s *Server) finish(t *task, run int64, e *ending) string {
	e.Notes = t.notes
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endings[run] = e
	return s.link("/runs/%d", run)
}
