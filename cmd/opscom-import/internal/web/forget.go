package web

import (
	"errors"
	"net/http"
	"path/filepath"
	"strconv"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/importer/journal"
)

// question is the body of a page that asks before something is done that cannot be
// undone.
type question struct {
	Texts  []string // translated, as the rest
	Button string
	Action string // where the answer is posted to, as for link
	Back   string // the page of the other answer, likewise
}

func (s *Server) ask(w http.ResponseWriter, r *http.Request, title string, q question) {
	s.show(w, r, http.StatusOK, "question.html", page{Title: title, Body: q})
}

// isPushing reports whether the draft's people, or the rest of its run, are being pushed
// from here.
func (s *Server) isPushing(d draft.Draft) bool {
	t := s.currentTask()
	return t != nil && !t.ended() && (t.key == pushKey(d) || d.Run != 0 && t.key == runKey(d.Run))
}

func (s *Server) askForgetFile(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	l := language(r)
	s.ask(w, r, l.T("Forget %s?", d.Name), question{
		Texts:  []string{l.T("The copy of the file and your answers about it are removed from this computer. Your own file stays where it is.")},
		Button: l.T("Forget this file"), Action: "/files/" + strconv.Itoa(d.ID) + "/forget", Back: "/",
	})
}

func (s *Server) forgetFile(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	if s.isPushing(d) {
		s.fail(w, r, http.StatusConflict, s.explain(language(r), errBusy))
		return
	}
	s.forgetDraft(d.ID)
	if err := s.drafts.Forget(d.ID); err != nil && !errors.Is(err, draft.ErrGone) {
		s.failed(w, r, err)
		return
	}
	s.redirect(w, r, "/")
}

func (s *Server) askForgetRun(w http.ResponseWriter, r *http.Request, v runView) {
	l := language(r)
	removed := l.T("The results of %s are removed from this computer, with the copy of the file if it is still here. Download the results first if you need them.", filepath.Base(v.Source))
	if s.isShared() && !app.IsSandbox(v.Target) {
		removed = l.T("The results of %s are removed for everybody, from the database that the computers share. The copy of the file is removed if it is on this computer; on another one it stays until it is forgotten there. Download the results first if you need them.", filepath.Base(v.Source))
	}
	s.ask(w, r, l.T("Forget run %d?", v.ID), question{
		Texts: []string{
			removed,
			l.T("In OPS-COM nothing changes. Rows that were not sent yet can then not be sent any more."),
		},
		Button: l.T("Forget this run"), Action: "/runs/" + strconv.FormatInt(v.ID, 10) + "/forget", Back: "/runs/" + strconv.FormatInt(v.ID, 10),
	})
}

func (s *Server) forgetRun(w http.ResponseWriter, r *http.Request, v runView) {
	l := language(r)
	_, err := app.Forget(r.Context(), s.quiet(draft.Draft{}), []int64{v.ID}, 0)
	switch {
	case errors.As(err, new(*journal.BusyError)):
		s.fail(w, r, http.StatusConflict, s.explain(l, err))
		return
	case err != nil && !errors.Is(err, journal.ErrNoRun): // after a double click it is gone already
		s.failed(w, r, err)
		return
	}
	s.mu.Lock()
	delete(s.endings, v.ID)
	s.mu.Unlock()
	if _, ok := s.drafts.Get(v.File); v.File != 0 && !ok { // its file went with it
		s.forgetDraft(v.File)
	}
	s.redirect(w, r, "/")
}

func (s *Server) askClearPractice(w http.ResponseWriter, r *http.Request) {
	l := language(r)
	s.ask(w, r, l.T("Clear the practice data?"), question{
		Texts:  []string{l.T("Everybody who was sent in practice is removed, and so are the practice runs. The files that you prepare stay, and so does everything in the real OPS-COM.")},
		Button: l.T("Clear practice data"), Action: "/practice/clear", Back: "/",
	})
}

// clearPractice empties the sandbox. Files whose run was there can be pushed again.
func (s *Server) clearPractice(w http.ResponseWriter, r *http.Request) {
	l := language(r)
	err := app.ResetSandbox(r.Context(), s.quiet(draft.Draft{}))
	if errors.As(err, new(*journal.BusyError)) {
		s.fail(w, r, http.StatusConflict, s.explain(l, errBusy))
		return
	}
	for _, d := range s.drafts.List() {
		if _, _, runErr := app.ShowRun(r.Context(), s.env, d.Run); d.Run != 0 && errors.Is(runErr, journal.ErrNoRun) {
			_, changeErr := s.drafts.Change(d.ID, func(d *draft.Draft) error {
				d.Run = 0
				return nil
			})
			err = errors.Join(err, changeErr)
		}
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.redirect(w, r, "/")
}

func (s *Server) askClose(w http.ResponseWriter, r *http.Request) {
	l := language(r)
	q := question{Button: l.T("Close the program"), Action: "/close", Back: "/"}
	if t := s.currentTask(); t != nil && !t.ended() {
		q.Back = "/progress"
		q.Texts = []string{
			l.T("“%s” is in progress. It is stopped when you close the program: nothing new is sent.", t.title),
			l.T("Nothing is lost: open the program again and press “Go on”."),
		}
	}
	s.ask(w, r, l.T("Close the program?"), q)
}

// closeProgram ends the program, as an interrupt does. While it pushes it asks before.
func (s *Server) closeProgram(w http.ResponseWriter, r *http.Request) {
	if t := s.currentTask(); t != nil && !t.ended() && r.FormValue("confirmed") != "yes" {
		s.redirect(w, r, "/close")
		return
	}
	s.show(w, r, http.StatusOK, "closed.html", page{Title: language(r).T("The program is closed")})
	select {
	case s.quit <- struct{}{}:
	default:
	}
}
