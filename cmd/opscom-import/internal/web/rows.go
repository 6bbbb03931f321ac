package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
)

// rowsStep is the body of the step Rows.
type rowsStep struct {
	*verdict
	Problem string    // why the file could not be checked; "" when it was
	Page    *rowsPage // nil with a Problem
	Said    string    // what the last answer has done; "" for nothing to say
	IsBad   bool      // the last answer was not taken, or not all of it
	CanUndo bool

	OpenValues int // values of columns that are open though the rows pass

	Questions []rowsQuestion      // that keep the rows from being checked
	Refused   []refusal           // of the last push
	More      int                 // refused rows that are not listed
	AsIs      []mapping.Attribute // whose values are not doubted, because somebody said so
}

// rowsQuestion is a question about a column that only its rows raise.
type rowsQuestion struct {
	mapping.Attribute
	Text string
	Ways []mapping.Way
}

// rowsQuestions returns the questions that are in an error, in words that say nothing of
// mapping files; ok only if the error has nothing else.
func rowsQuestions(l lang.Lang, err error) (questions []rowsQuestion, ok bool) {
	switch e := err.(type) {
	case *mapping.FileError:
		text := strings.TrimSuffix(engineText(l, e.Message), ".") + "."
		return []rowsQuestion{{e.Attribute, text, e.Ways}}, true
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			more, ok := rowsQuestions(l, inner)
			if !ok {
				return nil, false
			}
			questions = append(questions, more...)
		}
		return questions, len(questions) > 0
	case interface{ Unwrap() error }:
		return rowsQuestions(l, e.Unwrap())
	}
	return nil, false
}

// answerQuestion takes an answer to a question, "unique_id.0", and reports whether it is one.
func answerQuestion(d *draft.Draft, questions []rowsQuestion, answer string) bool {
	name, number, _ := strings.Cut(answer, ".")
	at, err := strconv.Atoi(number)
	for _, q := range questions {
		if q.String() != name || err != nil || at < 0 || at >= len(q.Ways) {
			continue
		}
		switch way := q.Ways[at]; {
		case way.AsIs:
			d.Answers.SetAsIs(q.Attribute, true)
		case way.Apply != "":
			d.Answers.Apply(q.Attribute, way.Apply)
		default:
			d.Source.MissingValues = append(slices.Clone(d.Source.MissingValues), way.Missing)
		}
		return true
	}
	return false
}

// showRows shows the rows of the draft's file. The address says which: the tab, the number
// of the first row or of one to open, and where the last answer was.
func (s *Server) showRows(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	query := r.URL.Query()
	said := ""
	if n, err := strconv.Atoi(query.Get("changed")); err == nil && n > 0 {
		said = language(r).N(n, "%d cell or row was changed, and everything was checked again.", "%d cells or rows were changed, and everything was checked again.")
	}
	s.showRowsSaying(w, r, d, query, said, false)
}

func (s *Server) showRowsSaying(w http.ResponseWriter, r *http.Request, d draft.Draft, query url.Values, said string, isBad bool) {
	v, release := s.checked(w, r, d, stepRows)
	if v == nil {
		return
	}
	defer release()
	l := language(r)
	body := rowsStep{verdict: v, Problem: s.explain(l, v.Err), Said: said, IsBad: isBad, CanUndo: len(d.Corrections) > 0, AsIs: d.Answers.AsIs(), OpenValues: s.openValues(r.Context(), d)}
	body.Questions, _ = rowsQuestions(l, v.Err)
	if v.Inspection != nil {
		from, _ := strconv.Atoi(query.Get("from")) // 0 is the first
		open, _ := strconv.Atoi(query.Get("row"))  // 0 is none
		at, _, _ := parseRef(query.Get("at"))
		var err error
		if body.Page, err = newRowsPage(l, v.Inspection, d.ID, app.Tab(query.Get("tab")), from, open, at); err != nil {
			s.failed(w, r, err)
			return
		}
		if body.Refused, err = s.refusals(r.Context(), l, d, v.Inspection); err != nil && !errors.Is(err, journal.ErrNoRun) {
			s.failed(w, r, err)
			return
		}
		for at := range body.Page.Rows {
			row := &body.Page.Rows[at]
			if i := slices.IndexFunc(body.Refused, func(f refusal) bool { return f.Row == row.Number }); i >= 0 {
				row.About = append(row.About, l.T("OPS-COM refused it in the last push: %s", body.Refused[i].Text))
			}
		}
		body.More = max(len(body.Refused)-refusalsShown, 0)
		body.Refused = body.Refused[:min(len(body.Refused), refusalsShown)]
	}
	s.showStep(w, r, d, stepRows, body)
}

// answerRows takes what was said about rows, and shows what is next.
func (s *Server) answerRows(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		s.takeFix(w, r, d)
		return
	}
	l := language(r)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, http.StatusRequestEntityTooLarge, l.T("That is too much text for one page of rows."))
		return
	}
	query := url.Values{}
	for _, name := range []string{"tab", "from", "row"} {
		if value := r.PostFormValue(name); value != "" {
			query.Set(name, value)
		}
	}
	if r.PostFormValue("undo") != "" {
		s.correctRows(w, r, d, query, func(d *draft.Draft) error { d.Undo(); return nil })
		return
	}
	if doubted := mapping.AttributeNamed(r.PostFormValue("doubt")); doubted != mapping.NoAttribute {
		s.correctRows(w, r, d, query, func(d *draft.Draft) error { d.Answers.SetAsIs(doubted, false); return nil })
		return
	}
	v, release := s.awaited(r, d)
	if v == nil {
		return // the browser has gone
	}
	defer release()
	if v.Inspection == nil {
		questions, _ := rowsQuestions(l, v.Err)
		s.correctRows(w, r, d, query, func(d *draft.Draft) error {
			answerQuestion(d, questions, r.PostFormValue("way"))
			return nil
		})
		return
	}
	answer, err := readRows(v.Inspection, r.PostForm)
	switch {
	case err != nil:
		s.failed(w, r, err)
		return
	case answer.NoText:
		query.Set("at", answer.At.String())
		s.showRowsSaying(w, r, d, query, l.T("Type the new text into the cell first. Then it can be written into all that are alike."), true)
		return
	case answer.Elsewhere > 0 && len(answer.Corrections) == 0:
		s.showRowsSaying(w, r, d, query, l.T("Nothing was changed: the cell was changed in another window meanwhile. This is how it is now."), true)
		return
	}
	if answer.At.Row > 0 {
		query.Set("at", answer.At.String())
	}
	changed := len(answer.Corrections) + len(answer.Back) + len(answer.AsIs)
	query.Set("changed", strconv.Itoa(changed))
	if changed == 0 {
		s.redirect(w, r, "/files/%d/rows?%s", d.ID, query.Encode())
		return
	}
	s.correctRows(w, r, d, query, func(d *draft.Draft) error {
		d.Correct(answer.Corrections)
		for _, attribute := range answer.AsIs {
			d.Answers.SetAsIs(attribute, true)
		}
		d.PutBack(func(c importer.Correction) bool {
			return slices.Contains(answer.Back, cellRef{c.Row, max(c.Column, wholeRow)})
		})
		return nil
	})
}

// awaited returns the check of the draft as it is now, however long it takes: what was
// typed or asked for must not be lost behind a page that waits. Call release when done with
// it.
func (s *Server) awaited(r *http.Request, d draft.Draft) (v *verdict, release func()) {
	v = s.verdict(d)
	select {
	case <-v.done:
		return v, v.users.Done
	case <-r.Context().Done():
		v.users.Done()
		return nil, nil
	}
}

// correctRows changes the draft's corrections and leads back to the rows.
func (s *Server) correctRows(w http.ResponseWriter, r *http.Request, d draft.Draft, query url.Values, change func(*draft.Draft) error) {
	s.change(w, r, d, s.link("/files/%d/rows", d.ID)+"?"+query.Encode(), change)
}

// sendFix sends the workbook of the rows to fix.
func (s *Server) sendFix(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	s.sendRows(w, r, d, ".fix.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (*app.Inspection).WriteFix)
}

// sendProblems sends the list of the problems.
func (s *Server) sendProblems(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	s.sendRows(w, r, d, ".problems.csv", "text/csv; charset=utf-8", (*app.Inspection).WriteProblems)
}

func (s *Server) sendRows(w http.ResponseWriter, r *http.Request, d draft.Draft, suffix, contentType string, write func(*app.Inspection, io.Writer) error) {
	v, release := s.awaited(r, d)
	if v == nil {
		return // the browser has gone
	}
	defer release()
	if v.Inspection == nil {
		s.fail(w, r, http.StatusConflict, s.explain(language(r), v.Err))
		return
	}
	attach(w, contentType, strings.TrimSuffix(d.Name, filepath.Ext(d.Name))+suffix)
	if err := write(v.Inspection, w); err != nil {
		s.env.Log.Error("send the rows", "error", err)
		panic(http.ErrAbortHandler) // so that the browser does not take a part for the whole
	}
}

// takeFix takes back a workbook of rows to fix that somebody has edited.
func (s *Server) takeFix(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	l := language(r)
	v, release := s.awaited(r, d)
	if v == nil {
		return // the browser has gone
	}
	defer release()
	if v.Inspection == nil {
		s.redirect(w, r, "/files/%d/rows", d.ID)
		return
	}
	refuse := func(reason string) { s.showRowsSaying(w, r, d, url.Values{}, reason, true) }
	part, err := workbookPart(r)
	if err != nil {
		refuse(s.explain(l, err))
		return
	}
	arrival, err := s.drafts.Receive(part.FileName(), part, s.maxUpload)
	if err != nil {
		refuse(s.explain(l, err))
		return
	}
	corrections, err := v.ReadFix(arrival.Path())
	err = errors.Join(err, arrival.Discard())
	var wrong *app.WrongWorkbookError
	switch {
	case errors.As(err, &wrong):
		refuse(l.T("“%s” was not taken: %s", arrival.Name, l.Engine(wrong.Reason)))
	case err != nil:
		refuse(l.T("“%s” was not taken: %s", arrival.Name, l.Engine(strings.ReplaceAll(err.Error(), arrival.Path(), arrival.Name))))
	case len(corrections) == 0:
		refuse(l.T("Nothing was changed in “%s” since it was downloaded.", arrival.Name))
	default:
		s.correctRows(w, r, d, url.Values{"changed": {strconv.Itoa(len(corrections))}}, func(d *draft.Draft) error {
			d.Correct(corrections)
			return nil
		})
	}
}

// workbookPart returns the file of a form.
func workbookPart(r *http.Request) (*multipart.Part, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, errNoFile
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, errNoFile
		}
		if err != nil || part.FormName() == "fix" && part.FileName() != "" {
			return part, err
		}
	}
}
