package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// errNoReal says that this launch can push to the sandbox only.
var errNoReal = errors.New("the real Controller cannot be pushed to")

// errReport says that a file is one that this program wrote about another.
var errReport = errors.New("the file is a report")

// realController is the real Controller, as far as it can be pushed to.
type realController struct {
	Name    string // for a person, such as "controller.example (client OC_TOMA)"
	Missing string // why it cannot be pushed to; "" when it can
}

// findReal says where the settings push to, without asking there.
func findReal(ctx context.Context, env app.Env) realController {
	switch {
	case env.Settings.Sandbox:
		return realController{Missing: "the program was started for practice only."}
	case env.Settings.Client == "":
		return realController{Missing: "no client code is set. A colleague can set it up."}
	}
	real := realController{Name: fmt.Sprintf("%s (client %s)", env.Host(), env.Settings.Client)}
	if _, err := env.Settings.FindToken(ctx); err != nil {
		real.Missing = err.Error() + "."
	}
	return real
}

// target names where the draft's people go.
func (s *Server) target(l lang.Lang, d draft.Draft) string {
	if d.Sandbox {
		return l.T("Practice")
	}
	return s.real.Name
}

// explain says for the person at the page what ended a check or a push; "" for no
// error.
func (s *Server) explain(l lang.Lang, err error) string {
	var busy *journal.BusyError
	var refused *importer.RefusedError
	var circuit *importer.CircuitError
	var pause *importer.PauseError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, draft.ErrGone):
		return l.T("This file is no longer here. Choose it again on the first page.")
	case errors.Is(err, draft.ErrTooLarge), errors.As(err, new(*http.MaxBytesError)):
		return l.T("The file is too large for this page: the limit is %d MB.", s.maxUpload>>20)
	case errors.Is(err, errBusy):
		return l.T("Something else is in progress. Wait until it has ended, then do this again.")
	case errors.Is(err, errNoReal):
		return l.T("Nothing can be sent to the real OPS-COM from here: %s", l.Engine(s.real.Missing))
	case errors.Is(err, errNoAnswer):
		return l.T("This answer does not belong to the file as it is now. The page was opened before something else was changed: open it again.")
	case errors.Is(err, errNoFile):
		return l.T("Choose a file first.")
	case errors.Is(err, importer.ErrInterrupted):
		return l.T("It was stopped.")
	case errors.As(err, &busy) && app.IsSandbox(busy.Target):
		return l.T("Another practice run is in progress, started elsewhere. Wait until it has ended, then try again.")
	case errors.As(err, &busy):
		return l.T("Another run to OPS-COM is in progress, started elsewhere. Wait until it has ended, then try again.")
	case app.IsStoppedElsewhere(err):
		return l.T("It was stopped from elsewhere.")
	case errors.As(err, &refused):
		return engineSentence(l, refused)
	case errors.As(err, &circuit):
		return engineSentence(l, circuit)
	case errors.As(err, &pause):
		return engineSentence(l, pause)
	case errors.Is(err, errReport):
		return l.T("This file is a report of this program, with the results or problems of a file, and not a list of people. Choose the file with the people.")
	case app.IsDatabaseFull(err):
		return l.T("The disk of the shared database, where the program keeps the runs, is full, so nothing more can be kept. Tell the colleague who set up the program: some space has to be freed there. Nothing is lost.")
	case app.IsAway(err):
		return l.T("The shared database, where the program keeps the runs, does not answer now. Nothing is lost. Wait a little; if it lasts, tell the colleague who set up the program.")
	case app.IsOfDatabase(err):
		return l.T("The program cannot use the shared database, where it keeps the runs. Nothing is lost. The colleague who set up the program can help.")
	case app.IsFull(err):
		return l.T("The disk of this computer is full, so nothing more can be kept. Free some space, then try again.")
	case app.IsUnwritable(err):
		return l.T("The program may not write into its own folder on this computer, so nothing can be kept. A colleague who sets up the program can help.")
	default:
		return engineText(l, s.plain(err.Error()))
	}
}

// engineSentence is an error of the engine as a sentence of the page.
func engineSentence(l lang.Lang, err error) string {
	clauses := strings.Split(ofOPSCOM(l.Engine(err.Error())), "; ")
	clauses = slices.DeleteFunc(clauses, func(clause string) bool { return ofMappings.MatchString(clause) }) // what to do at a terminal
	return strings.TrimSuffix(strings.Join(clauses, "; "), ".") + "."
}

// plain takes the folders out of a text: to the person at the page a file is its name.
func (s *Server) plain(text string) string {
	for _, d := range s.drafts.List() {
		text = strings.ReplaceAll(text, strings.TrimSuffix(d.Path(), d.Name), "")
	}
	return text
}
