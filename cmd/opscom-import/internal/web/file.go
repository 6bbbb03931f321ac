package web

import (
	"errors"
	"net/http"

	"opscom-import/cmd/opscom-import/internal/draft"
)

// fileStep is the body of the step File.
type fileStep struct {
	Problem string // why the file cannot be read
}

func (s *Server) showFile(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	read, err := s.readColumns(r.Context(), d)
	if err == nil {
		d = read
	}
	s.showStep(w, r, d, stepFile, fileStep{s.explain(language(r), err)})
}

// replaceFile takes a mended file in the place of the draft's.
func (s *Server) replaceFile(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	arrived, err := s.receive(w, r)
	if err == nil {
		d, err = s.drafts.Replace(d.ID, arrived, func(*draft.Draft) error { return nil })
		err = errors.Join(err, arrived.Discard())
	}
	if err != nil {
		s.fail(w, r, http.StatusUnprocessableEntity, s.explain(language(r), err))
		return
	}
	s.toColumns(w, r, d)
}
