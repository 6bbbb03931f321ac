package web

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// runView is the body of the page of a run.
type runView struct {
	importer.RunInfo
	Counts   importer.Counts
	Problems []importer.ProblemCount
	Ending   *ending // how it ended, when that was in this launch
	Problem  string
	Busy     bool // it is being pushed from here
	Trial    bool // it went to the sandbox
	File     int  // the draft of its file; 0 for none
}

// withRun returns a handler for the run that the request names.
func (s *Server) withRun(handle func(w http.ResponseWriter, r *http.Request, v runView)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(r.PathValue("run"), 10, 64)
		var v runView
		if err == nil {
			var receipt report.Receipt
			v.RunInfo, receipt, err = app.ShowRun(r.Context(), s.env, id)
			v.Counts = receipt.Counts
		}
		l := language(r)
		switch {
		case errors.As(err, new(*strconv.NumError)), errors.Is(err, journal.ErrNoRun):
			s.fail(w, r, http.StatusNotFound, l.T("There is no such run. The page Runs lists them."))
		case err != nil:
			s.fail(w, r, http.StatusInternalServerError, s.explain(l, err))
		default:
			s.addLaunch(&v)
			handle(w, r, v)
		}
	}
}

// addLaunch adds what this launch knows of the run.
func (s *Server) addLaunch(v *runView) {
	if d, ok := s.drafts.OfSource(v.Source); ok {
		v.File = d.ID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v.Trial = v.Target == app.SandboxTarget
	v.Ending = s.endings[v.ID]
	v.Busy = v.State == importer.RunPushing && s.current != nil && !s.current.ended()
}

func (s *Server) showRuns(w http.ResponseWriter, r *http.Request) {
	l := language(r)
	runs, err := app.Runs(r.Context(), s.env)
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, s.explain(l, err))
		return
	}
	s.show(w, r, http.StatusOK, "runs.html", page{Title: l.T("Runs"), Body: runs})
}

func (s *Server) showRun(w http.ResponseWriter, r *http.Request, v runView) {
	l := language(r)
	var err error
	if v.Problems, err = app.Problems(r.Context(), s.env, v.ID); err != nil {
		s.fail(w, r, http.StatusInternalServerError, s.explain(l, err))
		return
	}
	if v.Ending != nil {
		v.Problem = s.explain(l, v.Ending.Err)
	}
	p := page{Title: l.T("Run %d", v.ID), Body: v}
	if d, ok := s.drafts.Get(v.File); ok && d.Run == v.ID {
		p.Draft, p.Steps = &d, s.steps(l, d, stepResult)
	}
	s.show(w, r, http.StatusOK, "result.html", p)
}

func (s *Server) showApproval(w http.ResponseWriter, r *http.Request, v runView) {
	if v.State != importer.RunHeld {
		s.redirect(w, r, "/runs/%d", v.ID)
		return
	}
	s.show(w, r, http.StatusOK, "approve.html", page{Title: language(r).T("Push run %d all the same?", v.ID), Body: v})
}

// pushRun resumes a run that was held or stopped.
func (s *Server) pushRun(w http.ResponseWriter, r *http.Request, v runView) {
	if v.State == importer.RunHeld && r.FormValue("approved") != "yes" {
		s.redirect(w, r, "/runs/%d/approve", v.ID)
		return
	}
	title := language(r).T("Pushing %s", filepath.Base(v.Source))
	s.toProgress(w, r, s.begin(title, "run "+strconv.FormatInt(v.ID, 10), func(fetchCtx, workCtx context.Context, t *task) string {
		return s.approve(fetchCtx, workCtx, t, v.ID)
	}))
}

func (s *Server) sendResults(w http.ResponseWriter, r *http.Request, v runView) {
	name := filepath.Base(v.Source)
	attach(w, "text/csv; charset=utf-8", strings.TrimSuffix(name, filepath.Ext(name))+".results.csv")
	if err := app.WriteResults(r.Context(), s.env, v.ID, w); err != nil {
		s.env.Log.Error("send the results", "run", v.ID, "error", err)
		panic(http.ErrAbortHandler) // so that the browser does not take a part for the whole
	}
}
