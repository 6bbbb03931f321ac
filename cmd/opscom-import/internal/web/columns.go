package web

import (
	"mime"
	"net/http"
	"os"
	"strconv"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/mapping"
	"opscom-import/mapping/answers"
)

// columnsStep is the body of the step Columns.
type columnsStep struct {
	Lines      []answers.Line
	Cards      []answers.Card
	Open       int // questions that are left
	Attributes []mapping.AttributeSpec
}

func (s *Server) showColumns(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	table, err := app.Columns(r.Context(), s.quiet(d), d.Path())
	if err != nil {
		s.redirect(w, r, "/files/%d/file", d.ID)
		return
	}
	s.showStep(w, r, d, stepColumns, columnsStep{d.Answers.Lines(table), d.Answers.Cards(table), d.Answers.Open(), mapping.Attributes()})
}

// answerColumns takes the answer to one line, or to one card.
func (s *Server) answerColumns(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	s.change(w, r, d, s.link("/files/%d/columns", d.ID), func(d *draft.Draft) error {
		if card := r.PostFormValue("card"); card != "" {
			return d.Answers.Answer(card, r.PostFormValue("answer"))
		}
		column, err := strconv.Atoi(r.PostFormValue("column"))
		if err != nil {
			return err
		}
		if a := mapping.AttributeNamed(r.PostFormValue("becomes")); a != mapping.NoAttribute {
			d.Answers.SetColumn(column, a)
			return nil
		}
		d.Answers.SetColumn(column)
		return nil
	})
}

func (s *Server) sendMapping(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	text, err := os.ReadFile(d.MappingPath())
	if err != nil {
		s.fail(w, r, http.StatusNotFound, language(r).T("There is no such page."))
		return
	}
	attach(w, "application/yaml; charset=utf-8", d.MappingName())
	_, _ = w.Write(text) // a browser that has gone needs no file
}

// attach says that what follows is a file to save.
func attach(w http.ResponseWriter, contentType, name string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}
