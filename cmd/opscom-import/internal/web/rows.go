package web

import (
	"net/http"

	"opscom-import/cmd/opscom-import/internal/draft"
)

// rowsStep is the body of the step Rows.
type rowsStep struct {
	*verdict
	Problem string
}

func (s *Server) showRows(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	if !s.canOpen(d, stepRows) {
		s.redirect(w, r, "/files/%d/columns", d.ID)
		return
	}
	v, release := s.checked(w, r, d, stepRows)
	if v == nil {
		return
	}
	defer release()
	s.showStep(w, r, d, stepRows, rowsStep{v, s.explain(language(r), v.Err)})
}
