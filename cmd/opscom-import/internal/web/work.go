package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
	"opscom-import/report"
)

// errNoReal says that this launch can push to the sandbox only.
var errNoReal = errors.New("the real Controller cannot be pushed to")

// realController is the real Controller, as far as it can be pushed to.
type realController struct {
	Name    string // for a person, such as "controller.example (client OC_TOMA)"
	Missing string // why it cannot be pushed to; "" when it can
}

// findReal says where the settings push to, without asking there.
func findReal(env app.Env) realController {
	switch {
	case env.Settings.Sandbox:
		return realController{Missing: "the program was started for the sandbox only."}
	case env.Settings.Client == "":
		return realController{Missing: "no client code is set. A colleague can set it up, with docs/guide/web.md."}
	}
	real := realController{Name: fmt.Sprintf("%s (client %s)", env.Host(), env.Settings.Client)}
	if _, err := env.Settings.FindToken(); err != nil {
		real.Missing = err.Error() + "."
	}
	return real
}

// outcome is how a check or a push ended.
type outcome struct {
	report.Receipt
	Err     error
	Notes   []string
	Columns []suggest.Suggestion // of a check
	Text    string               // of a check: the suggested mapping file
}

// environment returns what a use case works with in the task.
func (s *Server) environment(t *task, sandbox bool) app.Env {
	env := s.env
	if sandbox {
		env.Settings = env.Settings.ForSandbox()
	}
	env.Settings.MinAge = 0 // an upload is whole, however young
	none := ""
	env.Settings.Results, env.Settings.Problems, env.Settings.Fix = &none, &none, &none // they are downloaded
	env.Notify = func(note string) { t.notes = append(t.notes, note) }
	env.Progress, env.Stdout = t.progress, io.Discard
	return env
}

// keep takes in the receipt.
func (o *outcome) keep(receipt report.Receipt) error {
	o.Receipt = receipt
	return nil
}

// check checks the upload and returns the page with the verdict.
func (s *Server) check(ctx context.Context, t *task, u *upload) string {
	env := s.environment(t, u.Sandbox)
	var o outcome
	o.Err = app.Check(ctx, env, []string{u.path}, o.keep)
	if suggestion, err := app.SuggestOffline(ctx, env, u.path); err == nil { // else the check has said what is wrong with the file
		o.Columns, o.Text = suggestion.Columns, string(suggestion.Text)
	}
	o.Notes = s.plain(t.notes)
	s.setCheck(u, &o)
	return filePage(u.ID)
}

// push pushes the upload and returns the page of the run, or of the file when
// there is no run.
func (s *Server) push(fetchCtx, workCtx context.Context, t *task, u *upload) string {
	var o outcome
	o.Err = app.Push(fetchCtx, workCtx, s.environment(t, u.Sandbox), []string{u.path}, o.keep)
	if o.Run == 0 {
		reason := s.explain(o.Err)
		s.mu.Lock()
		defer s.mu.Unlock()
		u.Pushing = reason
		return filePage(u.ID)
	}
	return s.finish(fetchCtx, t, o.Run, &o)
}

// approve pushes what is pending in the run and returns its page.
func (s *Server) approve(fetchCtx, workCtx context.Context, t *task, run int64) string {
	var o outcome
	o.Err = app.Approve(fetchCtx, workCtx, s.environment(t, false), run, o.keep)
	return s.finish(fetchCtx, t, run, &o)
}

// finish keeps how the run ended, and removes the file of a finished one. That of a
// trial stays: the real push often follows.
func (s *Server) finish(ctx context.Context, t *task, id int64, o *outcome) string {
	o.Notes = s.plain(t.notes)
	run, _, err := app.ShowRun(context.WithoutCancel(ctx), s.env, id)
	if err == nil && run.State == importer.RunFinished && run.Target != app.SandboxTarget {
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
	var pause *importer.PauseError
	switch {
	case err == nil, errors.As(err, new(*app.UncertainError)):
		return ""
	case errors.Is(err, errBusy):
		return "Something else is in progress. Wait until it has ended, then do this again."
	case errors.Is(err, errNoReal):
		return "The real Controller cannot be pushed to from here: " + s.real.Missing
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
	case errors.As(err, &pause):
		return pause.Error()
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
