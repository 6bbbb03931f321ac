package web

import (
	"net/http"

	"opscom-import/cmd/opscom-import/internal/draft"
)

func (s *Server) showValues(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	s.showStep(w, r, d, stepValues, nil)
}
