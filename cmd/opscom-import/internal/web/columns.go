package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/layouts"
	"opscom-import/mapping"
	"opscom-import/mapping/answers"
)

// columnTable is what was read of a draft's columns, and of which file.
type columnTable struct {
	answers.Table
	uploaded time.Time
	source   mapping.SourceSection
}

// columnsOf reads what the columns of the draft's file seem to be, once for each way to
// read it.
func (s *Server) columnsOf(ctx context.Context, d draft.Draft) (answers.Table, error) {
	s.mu.Lock()
	known, ok := s.tables[d.ID]
	s.mu.Unlock()
	if ok && known.uploaded.Equal(d.Uploaded) && reflect.DeepEqual(known.source, d.Source) {
		return known.Table, nil
	}
	table, err := app.Columns(ctx, s.quiet(d), d.Path())
	if err != nil {
		return table, err
	}
	s.mu.Lock()
	s.tables[d.ID] = columnTable{table, d.Uploaded, d.Source}
	s.mu.Unlock()
	return table, nil
}

func (s *Server) showColumns(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	table, err := s.columnsOf(r.Context(), d)
	if err != nil {
		s.redirect(w, r, "/files/%d/file", d.ID)
		return
	}
	if !d.Answers.IsFor(table.Header) {
		d, err = s.drafts.Change(d.ID, func(d *draft.Draft) error {
			d.Answers, _ = d.Answers.Fit(table)
			return nil
		})
		if err != nil {
			s.fail(w, r, http.StatusConflict, s.explain(language(r), err))
			return
		}
	}
	l := speaker{language(r)}
	nth, err := strconv.Atoi(r.URL.Query().Get("person"))
	if err != nil || nth < 0 {
		nth = 0
	}
	person, err := app.Example(r.Context(), s.quiet(d), d.Path(), d.Answers.File(d.Source), nth)
	step := newColumnsStep(l, &d.Answers, table, answers.Mistakes(err))
	step.Nth, step.Columns = nth, columnsKey(d, table)
	if err == nil {
		step.Person = l.person(person, nth, step.Cards)
	}
	if !d.Answers.IsTouched() {
		if step.Offer, err = s.offer(l, table); err != nil {
			s.env.Log.Warn("look for remembered answers", "error", err)
		}
	}
	s.showStep(w, r, d, stepColumns, step)
}

// offer finds the answers that were given for such a table before; nil for none.
func (s *Server) offer(l speaker, table answers.Table) (*columnOffer, error) {
	layout, ok, err := layouts.Open(s.env.Settings.State).Find(table.Header)
	if err != nil || !ok {
		return nil, err
	}
	_, changes := remembered(layout.Mapping, table)
	return &columnOffer{Layout: layout.ID, Kept: layout.Kept, Changes: l.changes(&changes)}, nil
}

// remembered makes the answers of a mapping that was used before fit a table, and says
// what is different.
func remembered(m *mapping.File, table answers.Table) (answers.Answers, answers.Changes) {
	then, _ := answers.FromFile(m, answers.Table{Header: m.Source.Headers, LoginSource: table.LoginSource}, true)
	return then.Fit(table)
}

// errNoAnswer says that a form does not belong to the file, such as one that was opened
// before the file was replaced.
var errNoAnswer = errors.New("this answer does not belong to the file as it is now")

// columnsKey identifies the columns of the draft's file: an answer names a column by its
// place, and another tab may show the file that was there before.
func columnsKey(d draft.Draft, table answers.Table) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %q", d.Started.UnixNano(), table.Header))
	return hex.EncodeToString(sum[:8])
}

// answerColumns takes the answer to one line, to one card, or the offer of earlier
// answers.
func (s *Server) answerColumns(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	table, err := s.columnsOf(r.Context(), d)
	if err != nil {
		s.redirect(w, r, "/files/%d/file", d.ID)
		return
	}
	next := s.link("/files/%d/columns", d.ID)
	if person := r.PostFormValue("person"); person != "" && person != "0" {
		next += "?" + url.Values{"person": {person}}.Encode()
	}
	s.change(w, r, d, next, func(d *draft.Draft) error {
		if seen := r.PostFormValue("columns"); !d.Answers.IsFor(table.Header) || seen != "" && seen != columnsKey(*d, table) {
			return errNoAnswer
		}
		switch r.PostFormValue("do") {
		case "seen":
			d.Answers.Changed = nil
			return nil
		case "remember":
			return s.useLayout(d, table, r.PostFormValue("layout"))
		}
		if err := readAnswer(&d.Answers, r.PostFormValue); err != nil {
			return err
		}
		if d.Answers.Open() == 0 {
			s.remember(*d)
		}
		return nil
	})
}

// remember keeps the answers for the next file with the same columns. Without them the
// questions are asked again.
func (s *Server) remember(d draft.Draft) {
	if err := layouts.Open(s.env.Settings.State).Keep(d.Answers.File(d.Source)); err != nil {
		s.env.Log.Warn("remember the answers", "error", err)
	}
}

// useLayout takes the answers that were given for such a file before.
func (s *Server) useLayout(d *draft.Draft, table answers.Table, id string) error {
	m, err := layouts.Open(s.env.Settings.State).Get(id)
	if err != nil {
		return errNoAnswer
	}
	d.Answers, _ = remembered(m, table)
	takeSource(d, m, table)
	return nil
}

// takeSource takes what a mapping says about rows and values, as far as it fits.
func takeSource(d *draft.Draft, m *mapping.File, table answers.Table) {
	source := (&layouts.Layout{Mapping: m}).Source(table.Header)
	d.Source.Where, d.Source.MissingValues = source.Where, source.MissingValues
}

// readAnswer takes what a form of the page says about a line or a card.
func readAnswer(a *answers.Answers, form func(string) string) error {
	if card := form("card"); card != "" {
		if a.Answer(card, form("answer")) != nil {
			return errNoAnswer
		}
		return nil
	}
	column, err := strconv.Atoi(form("column"))
	if err != nil || column < 0 || column >= len(a.Headers) {
		return errNoAnswer
	}
	switch becomes := form("becomes"); becomes {
	case noChoice:
		return nil
	case leftOut:
		a.SetColumn(column)
		return nil
	case fullNameHere:
		a.AskFullName(column)
		return nil
	default:
		var attributes []mapping.Attribute
		for _, name := range append(strings.Split(becomes, attributeList), form("also")) {
			attribute := mapping.AttributeNamed(name)
			switch {
			case name == leftOut || name == "" || slices.Contains(attributes, attribute):
			case attribute == mapping.NoAttribute:
				return errNoAnswer
			default:
				attributes = append(attributes, attribute)
			}
		}
		a.SetColumn(column, attributes...)
		return nil
	}
}

// sendMapping sends the answers as a mapping file.
func (s *Server) sendMapping(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	text, err := d.Answers.File(d.Source).Format()
	if err != nil {
		s.failed(w, r, err)
		return
	}
	attach(w, "application/yaml; charset=utf-8", d.MappingName())
	_, _ = w.Write(text) // a browser that has gone needs no file
}

// takeMapping takes a colleague's mapping file: what it says are answers.
func (s *Server) takeMapping(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	const most = 1 << 20 // as mapping.Parse takes
	l := language(r)
	r.Body = http.MaxBytesReader(w, r.Body, most+64<<10)
	file, _, err := r.FormFile("mapping")
	if err != nil {
		s.fail(w, r, http.StatusUnprocessableEntity, s.explain(l, errNoFile))
		return
	}
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err = errors.Join(err, file.Close()); err != nil {
		s.fail(w, r, http.StatusUnprocessableEntity, s.explain(l, err))
		return
	}
	m, err := mapping.Parse("", text)
	if err != nil {
		s.fail(w, r, http.StatusUnprocessableEntity, l.T("The mapping file cannot be used: %s", l.Engine(err.Error())))
		return
	}
	table, err := s.columnsOf(r.Context(), d)
	if err != nil {
		s.redirect(w, r, "/files/%d/file", d.ID)
		return
	}
	s.change(w, r, d, s.link("/files/%d/columns", d.ID), func(d *draft.Draft) error {
		var lost []mapping.Attribute
		d.Answers, lost = answers.FromFile(m, table, false)
		if len(lost) > 0 {
			d.Answers.Changed = &answers.Changes{Lost: lost}
		}
		takeSource(d, m, table)
		return nil
	})
}

// attach says that what follows is a file to save.
func attach(w http.ResponseWriter, contentType, name string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}
