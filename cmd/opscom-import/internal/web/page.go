package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/report"
)

// page is what every template gets.
type page struct {
	Title string // translated
	Tab   string // title of the browser's tab where it is another; translated
	Lang  lang.Lang
	Here  string       // address below the prefix
	Steps []step       // of the draft or run that the page is about; nil for others
	Draft *draft.Draft // nil when the page is about none
	Task  string       // title of the push in progress; "" for none
	Read  string       // how the draft's file is read; "" where that is not said
	Body  any
}

// step is one of the steps from a file to its result, in the bar above the page.
type step struct {
	Name   string // its template and the last part of its address
	Label  string // translated
	Path   string // of its page; "" when it cannot be opened yet
	IsHere bool
	IsDone bool
}

// The steps' names.
const (
	stepFile    = "file"
	stepColumns = "columns"
	stepValues  = "values"
	stepRows    = "rows"
	stepReview  = "review"
	stepPush    = "push"
	stepResult  = "result"
)

// steps returns the bar for a draft at one of its steps.
func (s *Server) steps(l lang.Lang, d draft.Draft, here string) []step {
	labels := []struct{ name, label string }{
		{stepFile, l.T("File")}, {stepColumns, l.T("Columns")}, {stepValues, l.T("Values")}, {stepRows, l.T("Rows")},
		{stepReview, l.T("Review")}, {stepPush, l.T("Push")}, {stepResult, l.T("Result")},
	}
	var bar []step
	isDone := true
	for _, at := range labels {
		one := step{Name: at.name, Label: at.label, IsHere: at.name == here}
		if one.IsHere {
			isDone = false
		}
		if at.name == stepColumns && d.Answers.Open() > 0 {
			isDone = false
		}
		one.IsDone = isDone
		if s.canOpen(d, at.name) {
			one.Path = s.stepPath(d, at.name)
		}
		bar = append(bar, one)
	}
	return bar
}

// canOpen reports whether the draft has come as far as the step.
func (s *Server) canOpen(d draft.Draft, name string) bool {
	switch name {
	case stepFile:
		return true
	case stepColumns, stepValues:
		return len(d.Answers.Headers) > 0
	case stepRows, stepReview:
		return len(d.Answers.Headers) > 0 && d.Answers.Open() == 0
	case stepResult:
		return d.Run != 0
	default: // a push is begun by a button, not opened
		return false
	}
}

func (s *Server) stepPath(d draft.Draft, name string) string {
	if name == stepResult {
		return s.link("/runs/%d", d.Run)
	}
	return s.link("/files/%d/%s", d.ID, name)
}

// parsePages parses the templates, once for each language.
func (s *Server) parsePages() error {
	s.pages = map[lang.Lang]*template.Template{}
	for _, l := range lang.Languages() {
		pages, err := template.New("").Funcs(s.words(l)).ParseFS(files, "templates/*.html")
		if err != nil {
			return fmt.Errorf("read the page's templates: %w", err)
		}
		s.pages[l] = pages
	}
	return nil
}

// words are the functions that the templates call.
func (s *Server) words(l lang.Lang) template.FuncMap {
	return template.FuncMap{
		"t":        l.T,                                                                                     // a text
		"plural":   func(n int, one, many string, args ...any) string { return l.N(n, one, many, args...) }, // a text with a number
		"number":   l.Number,
		"engine":   func(text string) string { return engineText(l, text) }, // a message of the engine
		"link":     s.link,
		"action":   s.action, // the address for a form
		"base":     filepath.Base,
		"practice": app.IsSandbox,
		"when":     l.DateTime,
		"day":      l.Date,
		"label":    func(a mapping.Attribute) string { return l.Engine(a.Spec().Label) },
		"letter":   mapping.ColumnLetter,
		"span": func(seconds float64) string {
			return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
		},
		"counted": counted,
		"about":   about,
		"warning": func(p importer.ProblemCount) bool { return p.Severity == mapping.SeverityWarning },
	}
}

// show answers with the page, whole or not at all.
func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Lang, p.Here = language(r), here(r)
	if t := s.currentTask(); t != nil && !t.ended() {
		p.Task = t.title
	}
	var b bytes.Buffer
	if err := s.pages[p.Lang].ExecuteTemplate(&b, name, p); err != nil {
		s.env.Log.Error("make the page", "page", name, "error", err)
		http.Error(w, p.Lang.T("The page could not be made. This is a failure of the program; please report it."), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // a browser that has gone needs no page
}

// showStep shows a draft at a step. The template has the step's name.
func (s *Server) showStep(w http.ResponseWriter, r *http.Request, d draft.Draft, name string, body any) {
	l := language(r)
	bar := s.steps(l, d, name)
	title := ""
	for _, at := range bar {
		if at.IsHere {
			title = at.Label
		}
	}
	p := page{Title: title, Steps: bar, Draft: &d, Body: body}
	if name == stepColumns {
		p.Read = s.readAs(r, l, d)
	}
	s.show(w, r, http.StatusOK, name+".html", p)
}

// message is the body of a page that says what went wrong.
type message struct {
	Text   string
	Detail string // for the colleague who looks after the program; "" where the text says it all
	Asks   string // address that the page asks for again by itself; "" where that would not help
}

// fail answers with a page that says what went wrong.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, text string) {
	s.showMessage(w, r, status, message{Text: text})
}

// failed answers with a page that says which error there was. While the database of the journal is
// away, the page goes on by itself when it is back.
func (s *Server) failed(w http.ResponseWriter, r *http.Request, err error) {
	m, status := message{Text: s.explain(language(r), err)}, http.StatusInternalServerError
	if app.IsOfDatabase(err) {
		m.Detail, status = err.Error(), http.StatusServiceUnavailable
		s.env.Log.Warn("the database of the runs cannot be used", "error", err)
	}
	if app.IsAway(err) && r.Method == http.MethodGet {
		m.Asks = s.link("%s", here(r))
	}
	s.showMessage(w, r, status, m)
}

func (s *Server) showMessage(w http.ResponseWriter, r *http.Request, status int, m message) {
	s.show(w, r, status, "message.html", page{Title: language(r).T("That did not work"), Body: m})
}

// withDraft returns a handler for the draft that the request names.
func (s *Server) withDraft(handle func(w http.ResponseWriter, r *http.Request, d draft.Draft)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("file"))
		d, ok := s.drafts.Get(id)
		if err != nil || !ok {
			s.fail(w, r, http.StatusNotFound, s.explain(language(r), draft.ErrGone))
			return
		}
		handle(w, r, d)
	}
}

// change changes a draft and leads on to a page; what failed is said on a page.
func (s *Server) change(w http.ResponseWriter, r *http.Request, d draft.Draft, next string, change func(*draft.Draft) error) {
	if _, err := s.drafts.Change(d.ID, change); err != nil {
		s.fail(w, r, http.StatusConflict, s.explain(language(r), err))
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// showNextStep leads to the step that a draft is at.
func (s *Server) showNextStep(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	http.Redirect(w, r, s.nextPath(d), http.StatusSeeOther)
}

func (s *Server) nextStep(d draft.Draft) string {
	switch {
	case d.Run != 0:
		return stepResult
	case len(d.Answers.Headers) == 0:
		return stepFile
	case d.Answers.Open() > 0:
		return stepColumns
	default:
		return stepValues
	}
}

// nextPath returns the address of the step that a draft is at. Values leads on where it
// has nothing to ask.
func (s *Server) nextPath(d draft.Draft) string {
	path := s.stepPath(d, s.nextStep(d))
	if s.nextStep(d) == stepValues {
		path += "?skip=1"
	}
	return path
}

// about returns a problem's message without its column, which is beside it.
func about(p importer.ProblemCount) string {
	if p.Column == mapping.NoColumn {
		return p.Message
	}
	name := p.Header
	if name == "" {
		name = "no header"
	}
	return strings.TrimPrefix(p.Message, fmt.Sprintf("%s (column %s): ", name, mapping.ColumnLetter(p.Column)))
}

// countTable is what the table of counts shows.
type countTable struct {
	Lines []report.CountLine
	Sum   int
}

func counted(counts importer.Counts, isHeld bool) countTable {
	return countTable{report.CountLines(counts, isHeld), counts.Sum()}
}

// errNoFile says that a form came without a file.
var errNoFile = errors.New("no file was chosen")
