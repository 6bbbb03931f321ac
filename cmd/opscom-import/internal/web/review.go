package web

import (
	"net/http"

	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/importer"
)

// reviewStep is the body of the step Review.
type reviewStep struct {
	*verdict
	Problem string
	Target  string // as a person knows it
	Real    realController
	Ready   int // rows that a push would send
}

func (s *Server) showReview(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	if !s.canOpen(d, stepReview) {
		s.redirect(w, r, "/files/%d/columns", d.ID)
		return
	}
	v, release := s.checked(w, r, d, stepReview)
	if v == nil {
		return
	}
	defer release()
	l := language(r)
	body := reviewStep{verdict: v, Problem: s.explain(l, v.Err), Target: s.target(l, d), Real: s.real}
	if v.Inspection != nil {
		body.Ready = v.Receipt.Counts[importer.StatusValid]
	}
	s.showStep(w, r, d, stepReview, body)
}

// changeReview takes where the people go.
func (s *Server) changeReview(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	s.change(w, r, d, s.link("/files/%d/review", d.ID), func(d *draft.Draft) error {
		d.Sandbox = r.PostFormValue("target") != "real"
		if !d.Sandbox && s.real.Missing != "" {
			return errNoReal
		}
		return nil
	})
}
