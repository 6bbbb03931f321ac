package web

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// page is what every template gets.
type page struct {
	Title string
	Task  string // title of the task in progress; "" for none
	Body  any
}

// show answers with the page, whole or not at all.
func (s *Server) show(w http.ResponseWriter, status int, name, title string, body any) {
	p := page{Title: title, Body: body}
	if t := s.currentTask(); t != nil && !t.ended() {
		p.Task = t.title
	}
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, p); err != nil {
		s.env.Log.Error("make the page", "page", name, "error", err)
		http.Error(w, "The page could not be made. This is a failure of the program; please report it.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // a browser that has gone needs no page
}

// fail answers with a page that says what went wrong.
func (s *Server) fail(w http.ResponseWriter, status int, message string) {
	s.show(w, status, "message.html", "That did not work", message)
}

// start is the body of the first page.
type start struct {
	Real  realController
	Error string
	Runs  []importer.RunInfo
}

// recentRuns is how many runs the first page shows.
const recentRuns = 5

func (s *Server) showStart(w http.ResponseWriter, r *http.Request) {
	s.showStartWith(w, r, http.StatusOK, "")
}

func (s *Server) showStartWith(w http.ResponseWriter, r *http.Request, status int, problem string) {
	runs, err := app.Runs(r.Context(), s.env)
	if err != nil {
		s.fail(w, http.StatusInternalServerError, s.explain(err))
		return
	}
	s.show(w, status, "start.html", "Push people to OPS-COM", start{s.real, problem, runs[:min(len(runs), recentRuns)]})
}

// takeFile takes an upload and begins its check.
func (s *Server) takeFile(w http.ResponseWriter, r *http.Request) {
	a, err := s.receive(w, r)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		s.showStartWith(w, r, http.StatusRequestEntityTooLarge, "The file is too large for this page: the limit is 512 MB for a file, and 1 MB for a mapping file. A colleague can push it with the command opscom-import push.")
		return
	case err != nil:
		s.showStartWith(w, r, http.StatusUnprocessableEntity, s.explain(err))
		return
	}
	sandbox := a.target != "real"
	if !sandbox && s.real.Missing != "" {
		s.fail(w, http.StatusConflict, s.explain(errors.Join(os.Remove(a.path), errNoReal)))
		return
	}
	s.mu.Lock()
	s.lastID++
	u := &upload{ID: s.lastID, Name: a.name, path: filepath.Join(s.folder, a.name, a.name), Sandbox: sandbox, Mapping: a.mapping}
	s.mu.Unlock()
	err = s.beginCheck(u, "upload", func() { s.uploads[u.ID] = u }, func() error { return s.place(u, a.path) })
	if err != nil {
		err = errors.Join(err, os.Remove(a.path))
	}
	s.toProgress(w, r, err)
}

// beginCheck begins a check of the upload, after the change and once its files are
// placed.
func (s *Server) beginCheck(u *upload, action string, change func(), place func() error) error {
	return s.begin("Checking "+u.Name, action+" "+strconv.Itoa(u.ID), func(fetchCtx, _ context.Context, t *task) string {
		s.mu.Lock()
		change()
		s.mu.Unlock()
		if err := place(); err != nil {
			s.setCheck(u, &outcome{Err: err})
			return filePage(u.ID)
		}
		return s.check(fetchCtx, t, u)
	})
}

// withUpload returns a handler for the upload that the request names: shown is a copy
// of it, and u itself is for tasks.
func (s *Server) withUpload(handle func(w http.ResponseWriter, r *http.Request, shown upload, u *upload)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var shown upload
		id, err := strconv.Atoi(r.PathValue("file"))
		s.mu.Lock()
		u, ok := s.uploads[id]
		if ok {
			shown = *u
		}
		s.mu.Unlock()
		if err != nil || !ok {
			s.fail(w, http.StatusNotFound, "This file is no longer here: it was pushed, or uploaded again. Choose it again on the first page.")
			return
		}
		handle(w, r, shown, u)
	}
}

// file is the body of the page of an upload.
type file struct {
	upload
	Real     realController
	Ready    int // rows that a push would send
	Problem  string
	Mistakes []mistake
	Text     string // of the mapping file: the given or the suggested one
	Ask      bool   // the mapping needs the person
}

func (s *Server) showFile(w http.ResponseWriter, r *http.Request, u upload, _ *upload) {
	if u.Check == nil {
		s.redirect(w, r, "/progress")
		return
	}
	f := file{upload: u, Real: s.real, Text: u.Mapping, Ready: u.Check.Counts[importer.StatusValid]}
	if f.Text == "" {
		f.Text = u.Check.Text
	}
	if f.Mistakes = mistakes(u.Check.Err, f.Text); len(f.Mistakes) == 0 {
		f.Problem = s.explain(u.Check.Err)
	}
	f.Ask = len(f.Mistakes) > 0 || errors.As(u.Check.Err, new(*app.UncertainError))
	s.show(w, http.StatusOK, "file.html", u.Name, f)
}

// recheck begins another check of the upload, after the change.
func (s *Server) recheck(w http.ResponseWriter, r *http.Request, u *upload, change func()) {
	s.toProgress(w, r, s.beginCheck(u, "check", change, func() error { return s.placeMapping(u) }))
}

func (s *Server) toProgress(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		s.fail(w, http.StatusConflict, s.explain(err))
		return
	}
	s.redirect(w, r, "/progress")
}

// checkFile checks the upload for another target.
func (s *Server) checkFile(w http.ResponseWriter, r *http.Request, _ upload, u *upload) {
	sandbox := r.FormValue("target") != "real"
	if !sandbox && s.real.Missing != "" {
		s.fail(w, http.StatusConflict, s.explain(errNoReal))
		return
	}
	s.recheck(w, r, u, func() { u.Sandbox = sandbox })
}

// takeMapping takes the mapping as the person has edited it.
func (s *Server) takeMapping(w http.ResponseWriter, r *http.Request, _ upload, u *upload) {
	const encoded = 3 // a byte takes at most so many in a form
	r.Body = http.MaxBytesReader(w, r.Body, encoded*maxMapping)
	if err := r.ParseForm(); err != nil {
		s.fail(w, http.StatusRequestEntityTooLarge, "The mapping is too long: the limit is 1 MB.")
		return
	}
	text := strings.ReplaceAll(r.PostForm.Get("mapping"), "\r\n", "\n")
	s.recheck(w, r, u, func() { u.Mapping = text })
}

func (s *Server) sendMapping(w http.ResponseWriter, _ *http.Request, u upload, _ *upload) {
	text := u.Mapping
	if text == "" && u.Check != nil {
		text = u.Check.Text
	}
	attach(w, "application/yaml; charset=utf-8", u.mappingName())
	_, _ = w.Write([]byte(text)) // a browser that has gone needs no file
}

// attach says that what follows is a file to save.
func attach(w http.ResponseWriter, contentType, name string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}

// pushFile pushes the upload as its last check has shown it.
func (s *Server) pushFile(w http.ResponseWriter, r *http.Request, shown upload, u *upload) {
	if r.FormValue("check") != strconv.Itoa(shown.Checks) {
		s.fail(w, http.StatusConflict, "The file was checked again since you saw it, perhaps in another tab. Nothing was sent. Open its page again.")
		return
	}
	s.toProgress(w, r, s.begin("Pushing "+u.Name, "push "+strconv.Itoa(u.ID), func(fetchCtx, workCtx context.Context, t *task) string {
		return s.push(fetchCtx, workCtx, t, u)
	}))
}

func (s *Server) showRuns(w http.ResponseWriter, r *http.Request) {
	runs, err := app.Runs(r.Context(), s.env)
	if err != nil {
		s.fail(w, http.StatusInternalServerError, s.explain(err))
		return
	}
	s.show(w, http.StatusOK, "runs.html", "Runs", runs)
}

// runView is the body of the page of a run.
type runView struct {
	importer.RunInfo
	Counts  importer.Counts
	Ending  *outcome // how it ended, when that was in this launch
	Problem string
	Busy    bool // it is being pushed from here
	Trial   bool // it went to the sandbox
	File    int  // the upload that is still here; 0 for none
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
		switch {
		case errors.As(err, new(*strconv.NumError)), errors.Is(err, journal.ErrNoRun):
			s.fail(w, http.StatusNotFound, "There is no such run. The page Runs lists them.")
		case err != nil:
			s.fail(w, http.StatusInternalServerError, s.explain(err))
		default:
			s.addLaunch(&v)
			handle(w, r, v)
		}
	}
}

// addLaunch adds what this launch knows of the run.
func (s *Server) addLaunch(v *runView) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v.Trial = v.Target == app.SandboxTarget
	v.Ending = s.endings[v.ID]
	v.Busy = v.State == importer.RunPushing && s.current != nil && !s.current.ended()
	for _, u := range s.uploads {
		if u.path == v.Source {
			v.File = u.ID
		}
	}
}

func (s *Server) showRun(w http.ResponseWriter, _ *http.Request, v runView) {
	if v.Ending != nil {
		v.Problem = s.explain(v.Ending.Err)
	}
	s.show(w, http.StatusOK, "run.html", "Run "+strconv.FormatInt(v.ID, 10), v)
}

func (s *Server) showApproval(w http.ResponseWriter, r *http.Request, v runView) {
	if v.State != importer.RunHeld {
		s.redirect(w, r, "/runs/%d", v.ID)
		return
	}
	s.show(w, http.StatusOK, "approve.html", "Push run "+strconv.FormatInt(v.ID, 10)+" all the same?", v)
}

// pushRun resumes a run that was held or stopped.
func (s *Server) pushRun(w http.ResponseWriter, r *http.Request, v runView) {
	if v.State == importer.RunHeld && r.FormValue("approved") != "yes" {
		s.redirect(w, r, "/runs/%d/approve", v.ID)
		return
	}
	s.toProgress(w, r, s.begin("Pushing "+filepath.Base(v.Source), "run "+strconv.FormatInt(v.ID, 10), func(fetchCtx, workCtx context.Context, t *task) string {
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

// closeProgram ends the program, as an interrupt does.
func (s *Server) closeProgram(w http.ResponseWriter, _ *http.Request) {
	s.show(w, http.StatusOK, "closed.html", "The program is closed", nil)
	select {
	case s.quit <- struct{}{}:
	default:
	}
}
