package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/report"
)

// home is the body of the first page.
type home struct {
	Error string
	Cards []card        // what somebody can go on with
	Kept  []draft.Draft // files whose run is finished
	Runs  []importer.RunInfo
}

// card is a file or a run that somebody can go on with.
type card struct {
	Name  string
	State string // translated
	When  time.Time
	Path  string // of the page to go on at
	File  int    // the draft; 0 for none
	Run   int64  // 0 for none
	Busy  bool   // somebody works on it, or will: there is nothing to go on with
}

// recentRuns is how many runs the first page shows.
const recentRuns = 5

func (s *Server) showHome(w http.ResponseWriter, r *http.Request) {
	s.showHomeWith(w, r, http.StatusOK, "")
}

func (s *Server) showHomeWith(w http.ResponseWriter, r *http.Request, status int, problem string) {
	l := language(r)
	runs, err := s.runs(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	unfinished, err := app.Unfinished(r.Context(), s.env)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	unfinished = slices.DeleteFunc(unfinished, func(u app.UnfinishedRun) bool { return !s.shows(u.RunInfo) })
	body := s.goOn(l, runs, unfinished)
	body.Error, body.Runs = problem, runs[:min(len(runs), recentRuns)]
	s.show(w, r, status, "home.html", page{Title: l.T("Bring people into OPS-COM"), Body: body})
}

// goOn returns the cards: a file with its last run, if it has one, and each run that
// is not finished, also of the commands.
func (s *Server) goOn(l lang.Lang, runs []importer.RunInfo, unfinished []app.UnfinishedRun) (h home) {
	for _, d := range s.drafts.List() {
		c := card{Name: d.Name, State: l.T("Nothing was sent yet."), When: d.Uploaded, Path: s.link("/files/%d", d.ID), File: d.ID}
		isDone := false
		if i := slices.IndexFunc(runs, func(r importer.RunInfo) bool { return s.isOf(r, d) }); i >= 0 {
			isDone = runs[i].State == importer.RunFinished
			if k := slices.IndexFunc(unfinished, func(u app.UnfinishedRun) bool { return u.ID == runs[i].ID }); k >= 0 {
				s.addRun(l, &c, unfinished[k])
				unfinished = slices.Delete(unfinished, k, k+1)
			}
		} else if d.Run != 0 { // forgotten on another machine, lost when the journal was restored, or another client's
			c.State, c.Path = l.T("Its results are not here any more. The file and your corrections still are."), s.stepPath(d, stepReview)
		}
		if isDone {
			h.Kept = append(h.Kept, d)
		} else {
			h.Cards = append(h.Cards, c)
		}
	}
	for _, u := range unfinished {
		c := card{Name: filepath.Base(u.Source)}
		s.addRun(l, &c, u)
		h.Cards = append(h.Cards, c)
	}
	return h
}

// isOf reports whether the run is one of the draft's: one of the same name may have been
// there before it, and in a journal of many machines the same path may be of another one.
func (s *Server) isOf(r importer.RunInfo, d draft.Draft) bool {
	return r.ID == d.Run || r.Source == d.Path() && !r.StartedAt.Before(d.Uploaded) && (!s.isShared() || isFileOf(r, d))
}

// isFileOf reports whether the draft's file is the very one that was pushed in the run.
func isFileOf(r importer.RunInfo, d draft.Draft) bool {
	hash, err := app.HashOf(d.Path())
	return err == nil && hash == r.FileHash
}

// isShared reports whether other machines use the journal too.
func (s *Server) isShared() bool { return !s.env.Settings.Journal.IsZero() }

// runs returns the runs that the page shows, the newest first.
func (s *Server) runs(ctx context.Context) ([]importer.RunInfo, error) {
	runs, err := app.Runs(ctx, s.env)
	return slices.DeleteFunc(runs, func(r importer.RunInfo) bool { return !s.shows(r) }), err
}

// shows reports whether the page shows the run. In a journal of many machines those of other
// clients are not for who is at this page.
func (s *Server) shows(r importer.RunInfo) bool {
	return !s.isShared() || r.Client == s.env.Settings.Client || r.Target == s.env.SandboxTarget()
}

// addRun adds a run that is not finished to its card.
func (s *Server) addRun(l lang.Lang, c *card, u app.UnfinishedRun) {
	c.Run, c.When, c.Path, c.Busy = u.ID, u.StartedAt, s.link("/runs/%d", u.ID), u.Activity != app.Idle
	switch {
	case u.State == importer.RunHeld:
		c.State = l.T("It is held, and nothing was sent: look at it first.")
	case u.Activity == app.Working:
		c.State = l.T("It is being sent.")
	case u.Activity == app.Waiting:
		c.State = l.T("It waits for its turn to be sent.")
	case u.Activity == app.NoWorker:
		c.State = l.T("It waits: the program that sends it does not run.")
	case u.State == importer.RunStopped:
		c.State = l.T("It was stopped. Some rows are still to be sent.")
	default:
		c.State = l.T("The program was closed while it was sent. Nothing is lost.")
	}
}

// takeFile takes an upload and leads to its columns, or to the file when it cannot be
// read.
func (s *Server) takeFile(w http.ResponseWriter, r *http.Request) {
	l := language(r)
	arrived, err := s.receive(r)
	if err != nil {
		status := http.StatusUnprocessableEntity
		if errors.Is(err, draft.ErrTooLarge) || errors.As(err, new(*http.MaxBytesError)) {
			status = http.StatusRequestEntityTooLarge
		}
		s.showHomeWith(w, r, status, s.explain(l, err))
		return
	}
	replaced, isReplaced := s.drafts.Named(arrived.Name)
	d, err := s.drafts.Add(arrived, func(d *draft.Draft) error {
		d.Sandbox, d.OnlyChanges = true, s.env.Settings.OnlyChanges
		return nil
	})
	if err = errors.Join(err, arrived.Discard()); err != nil {
		s.showHomeWith(w, r, http.StatusInternalServerError, s.explain(l, err))
		return
	}
	if isReplaced {
		s.forgetDraft(replaced.ID)
	}
	s.toColumns(w, r, d)
}

// toColumns reads the columns of a file that has arrived and leads to its next step: to the
// file, when it is not certain how to read it, or when it has other columns than the one
// whose place it took.
func (s *Server) toColumns(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	p, err := s.preview(r.Context(), d)
	if err != nil || isInDoubt(p) || len(d.Answers.Headers) > 0 && !d.Answers.IsFor(p.Header.Names) {
		s.redirect(w, r, "/files/%d/file", d.ID)
		return
	}
	read, err := s.readColumns(r.Context(), d)
	if err != nil {
		s.redirect(w, r, "/files/%d/file", d.ID)
		return
	}
	http.Redirect(w, r, s.nextPath(read), http.StatusSeeOther)
}

// receive reads a form with a file in it, straight to the disk.
func (s *Server) receive(r *http.Request) (*draft.Arrival, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("read the form: %w", err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, errNoFile
		}
		if err != nil {
			return nil, fmt.Errorf("read the form: %w", err)
		}
		if part.FormName() == "file" && part.FileName() != "" {
			arrived, err := s.drafts.Receive(part.FileName(), part, s.maxUpload)
			if err == nil && report.Recognize(arrived.Path()) != "" {
				return nil, errors.Join(errReport, arrived.Discard())
			}
			return arrived, err
		}
	}
}
