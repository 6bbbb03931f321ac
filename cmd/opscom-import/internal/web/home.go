package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/importer"
)

// home is the body of the first page.
type home struct {
	Error  string
	Drafts []draft.Draft
	Runs   []importer.RunInfo
}

// recentRuns is how many runs the first page shows.
const recentRuns = 5

func (s *Server) showHome(w http.ResponseWriter, r *http.Request) {
	s.showHomeWith(w, r, http.StatusOK, "")
}

func (s *Server) showHomeWith(w http.ResponseWriter, r *http.Request, status int, problem string) {
	l := language(r)
	runs, err := app.Runs(r.Context(), s.env)
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, s.explain(l, err))
		return
	}
	s.show(w, r, status, "home.html", page{Title: l.T("Bring people into OPS-COM"), Body: home{problem, s.drafts.List(), runs[:min(len(runs), recentRuns)]}})
}

// takeFile takes an upload and leads to its columns, or to the file when it cannot be
// read.
func (s *Server) takeFile(w http.ResponseWriter, r *http.Request) {
	l := language(r)
	arrived, err := s.receive(w, r)
	if err != nil {
		status := http.StatusUnprocessableEntity
		if errors.Is(err, draft.ErrTooLarge) || errors.As(err, new(*http.MaxBytesError)) {
			status = http.StatusRequestEntityTooLarge
		}
		s.showHomeWith(w, r, status, s.explain(l, err))
		return
	}
	d, err := s.drafts.Add(arrived, func(d *draft.Draft) error {
		d.Sandbox = true
		return nil
	})
	if err = errors.Join(err, arrived.Discard()); err != nil {
		s.showHomeWith(w, r, http.StatusInternalServerError, s.explain(l, err))
		return
	}
	s.toColumns(w, r, d)
}

// toColumns reads the columns of a file that has arrived and leads to its next step.
func (s *Server) toColumns(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	read, err := s.readColumns(r.Context(), d)
	if err != nil {
		s.redirect(w, r, "/files/%d/file", d.ID)
		return
	}
	http.Redirect(w, r, s.nextPath(read), http.StatusSeeOther)
}

// receive reads a form with a file in it, straight to the disk.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (*draft.Arrival, error) {
	const fieldsAndFrames = 64 << 10
	r.Body = http.MaxBytesReader(w, r.Body, s.maxUpload+fieldsAndFrames)
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
			return s.drafts.Receive(part.FileName(), part, s.maxUpload)
		}
	}
}

// closeProgram ends the program, as an interrupt does.
func (s *Server) closeProgram(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "closed.html", page{Title: language(r).T("The program is closed")})
	select {
	case s.quit <- struct{}{}:
	default:
	}
}
