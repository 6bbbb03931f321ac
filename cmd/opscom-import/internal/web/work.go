package web

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
	"opscom-import/report"
)

// errNoReal says that this launch can push to the sandbox only.
var errNoReal = errors.New("the real Controller cannot be pushed to")

// outcome is how a check or a push ended.
type outcome struct {
	report.Receipt
	Err     error
	Notes   []string
	Columns []mapping.Suggestion // of a check
	Text    string               // of a check: the suggested mapping file
}

// check checks the upload and returns the page with the verdict.
func (s *Server) check(ctx context.Context, t *task, u *upload) string {
	job := Job{File: u.path, Sandbox: u.Sandbox, Progress: t.progress, Notes: &t.notes}
	var o outcome
	o.Receipt, o.Err = s.Importer.Check(ctx, job)
	if columns, text, err := s.Suggester.Suggest(job); err == nil { // else the check has said what is wrong with the file
		o.Columns, o.Text = columns, string(text)
	}
	o.Notes = s.plain(t.notes.lines())
	s.setCheck(u, &o)
	return filePage(u.ID)
}

// push pushes the upload and returns the page of the run, or of the file when
// there is no run.
func (s *Server) push(feed, send context.Context, t *task, u *upload) string {
	var o outcome
	o.Receipt, o.Err = s.Importer.Push(feed, send, Job{File: u.path, Sandbox: u.Sandbox, Progress: t.progress, Notes: &t.notes})
	if o.Run == 0 {
		reason := s.explain(o.Err)
		s.mu.Lock()
		defer s.mu.Unlock()
		u.Pushing = reason
		return filePage(u.ID)
	}
	return s.concluded(feed, t, o.Run, &o)
}

// approve pushes what waits in the run and returns its page.
func (s *Server) approve(feed, send context.Context, t *task, run int64) string {
	var o outcome
	o.Receipt, o.Err = s.Importer.Approve(feed, send, run, Job{Progress: t.progress, Notes: &t.notes})
	return s.concluded(feed, t, run, &o)
}

// concluded keeps how the run ended, and removes the file of a finished one. A
// trial leaves the file here: the real push often follows.
func (s *Server) concluded(ctx context.Context, t *task, id int64, o *outcome) string {
	o.Notes = s.plain(t.notes.lines())
	run, _, err := s.History.Run(context.WithoutCancel(ctx), id)
	if err == nil && run.State == importer.RunFinished && run.Target != s.Sandbox {
		err = s.remove(run.Source)
	}
	o.Err = errors.Join(o.Err, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endings[id] = o
	return runPage(id)
}

func (s *Server) setCheck(u *upload, o *outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u.Check, u.Pushing = o, ""
	u.Checks++
}

func filePage(id int) string  { return fmt.Sprintf("/files/%d", id) }
func runPage(id int64) string { return fmt.Sprintf("/runs/%d", id) }

// plain takes the folders out of texts: to the person at the page a file is its
// name.
func (s *Server) plain(texts []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range texts {
		for _, u := range s.uploads {
			folder := strings.TrimSuffix(u.path, u.Name)
			texts[i] = strings.ReplaceAll(texts[i], folder, "")
		}
	}
	return texts
}

// explain says for the person at the page what ended a check or a push.
func (s *Server) explain(err error) string {
	var busy *journal.BusyError
	var refused *importer.RefusedError
	var circuit *importer.CircuitError
	switch {
	case err == nil, errors.Is(err, ErrUncertain):
		return ""
	case errors.Is(err, errBusy):
		return "Something else is in progress. Wait until it has ended, then do this again."
	case errors.Is(err, errNoReal):
		return "The real Controller cannot be pushed to from here: " + s.Real.Missing
	case errors.Is(err, errNoFile):
		return "Choose a file first."
	case errors.Is(err, importer.ErrInterrupted):
		return "It was stopped."
	case errors.As(err, &busy):
		return "Another run to " + busy.Target + " is in progress, started elsewhere. Wait until it has ended, then try again."
	case errors.As(err, &refused):
		return refused.Error()
	case errors.As(err, &circuit):
		return circuit.Error()
	default:
		return s.plain([]string{err.Error()})[0]
	}
}

// mistake is a mistake in a mapping file, with the line that holds it.
type mistake struct {
	*mapping.FileError
	Text string
}

// mistakes returns the mistakes in the mapping file that are in the error.
func mistakes(err error, text string) []mistake {
	var found []mistake
	switch e := err.(type) {
	case *mapping.FileError:
		m := mistake{FileError: e}
		if lines := strings.Split(text, "\n"); e.Line > 0 && e.Line <= len(lines) {
			m.Text = strings.TrimSpace(lines[e.Line-1])
		}
		return []mistake{m}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			found = append(found, mistakes(inner, text)...)
		}
	case interface{ Unwrap() error }:
		return mistakes(e.Unwrap(), text)
	}
	return found
}
