package web

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/report"
)

// ending is how a push ended.
type ending struct {
	report.Receipt
	Err   error
	Notes []string
}

func (e *ending) keep(receipt report.Receipt) error {
	e.Receipt = receipt
	return nil
}

// pushFile pushes the draft as its review has shown it.
func (s *Server) pushFile(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	l := language(r)
	if t := s.currentTask(); t != nil && t.key == pushKey(d) && t.hasPushed(r.PostFormValue("revision")) {
		http.Redirect(w, r, t.next, http.StatusSeeOther) // a second click
		return
	}
	reviewed, wrong := s.approvedPush(l, d, r)
	if wrong != "" {
		s.showReviewWith(w, r, d, http.StatusUnprocessableEntity, wrong)
		return
	}
	s.toProgress(w, r, s.begin(l.T("Pushing %s", d.Name), pushKey(d), func(fetchCtx, workCtx context.Context, t *task) string {
		return s.push(fetchCtx, workCtx, t, d, reviewed)
	}))
}

// showPush leads to what became of the push.
func (s *Server) showPush(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	if s.isPushing(d) {
		s.redirect(w, r, "/progress")
		return
	}
	s.redirect(w, r, "/files/%d/review", d.ID)
}

func (s *Server) toProgress(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		s.fail(w, r, http.StatusConflict, s.explain(language(r), err))
		return
	}
	s.redirect(w, r, "/progress")
}

// push pushes what was reviewed of the draft and returns the page of the run, or of the
// review when there is no run.
func (s *Server) push(fetchCtx, workCtx context.Context, t *task, d draft.Draft, reviewed app.Reviewed) string {
	var e ending
	env := s.environment(d, t.notify, t.progress)
	s.remember(d)
	env.Reviewed = &reviewed
	e.Err = app.Push(fetchCtx, workCtx, env, []string{d.Path()}, e.keep)
	defer s.forgetVerdicts() // what is new or changed is another by now
	if e.Run == 0 {
		t.failed, t.revision = e.Err, d.Revision
		return s.stepPath(d, stepReview)
	}
	t.revision = d.Revision
	sent, uploaded := len(d.Corrections), d.Uploaded
	_, err := s.drafts.Change(d.ID, func(d *draft.Draft) error {
		if !d.Uploaded.Equal(uploaded) { // it is another file by now, of which nothing was sent
			return draft.ErrGone
		}
		d.SetRun(e.Run, sent)
		return nil
	})
	if !errors.Is(err, draft.ErrGone) {
		e.Err = errors.Join(e.Err, err)
	}
	return s.finish(t, e.Run, &e)
}

// approve pushes what is pending in the run and returns its page.
func (s *Server) approve(fetchCtx, workCtx context.Context, t *task, run int64) string {
	var e ending
	e.Err = app.Approve(fetchCtx, workCtx, s.environment(draft.Draft{}, t.notify, t.progress), run, e.keep)
	defer s.forgetVerdicts()
	return s.finish(t, run, &e)
}

// approval returns the work that goes on with a run.
func (s *Server) approval(run int64) func(fetchCtx, workCtx context.Context, t *task) string {
	return func(fetchCtx, workCtx context.Context, t *task) string { return s.approve(fetchCtx, workCtx, t, run) }
}

// finish keeps how the run ended, and returns its page.
func (s *Server) finish(t *task, run int64, e *ending) string {
	for _, note := range t.notes {
		if !strings.HasPrefix(note, "Reading ") && !slices.ContainsFunc(ofAway, func(start string) bool { return strings.HasPrefix(note, start) }) { // what the answers are kept in is the page's own affair
			e.Notes = append(e.Notes, s.plain(note))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endings[run] = e
	return s.link("/runs/%d", run)
}

// forgetVerdicts has every draft checked again: what was pushed has changed which people
// are new.
func (s *Server) forgetVerdicts() {
	for _, d := range s.drafts.List() {
		s.forgetVerdict(d.ID)
	}
}

// pushStep is the body of the step Push.
type pushStep struct {
	report.Snapshot
	Percent  int
	Tenths   int      // the percentage rounded down to tens, which is read aloud
	Text     string   // how many
	Pace     []string // rate and time left, a sentence each
	Stopping bool
}

// ofAway begin the notes that the database is away, and that it is back: the page says so meanwhile.
var ofAway = []string{"Nothing is sent for now:", "The database of the journal is back:"}

// showProgress shows the task in progress, and leads on when it has ended.
func (s *Server) showProgress(w http.ResponseWriter, r *http.Request) {
	t := s.currentTask()
	switch {
	case t == nil:
		s.leadOn(w, r, s.link("/"))
	case t.ended():
		s.leadOn(w, r, t.next)
	default:
		l := language(r)
		body := newPushStep(l, t.progress.Snapshot(), t.stopping.Load())
		p := page{Title: t.title, Body: body}
		if body.Total > 0 {
			p.Tab = l.T("%d %% – %s", body.Percent, t.title)
		}
		for _, d := range s.drafts.List() {
			if s.isPushing(d) {
				p.Draft, p.Steps = &d, s.steps(l, d, stepPush)
			}
		}
		s.show(w, r, http.StatusOK, "push.html", p)
	}
}

// leadOn leads to a page. Where only a part of the page has asked how far the push is,
// the whole page is to be another.
func (s *Server) leadOn(w http.ResponseWriter, r *http.Request, path string) {
	if r.Header.Get("HX-Target") != "standing" {
		http.Redirect(w, r, path, http.StatusSeeOther)
		return
	}
	location, err := json.Marshal(map[string]string{"path": path, "target": "#page", "select": "#page", "swap": "outerHTML show:none"})
	if err != nil {
		s.failed(w, r, err)
		return
	}
	w.Header().Set("HX-Location", string(location))
	w.WriteHeader(http.StatusNoContent)
}

func newPushStep(l lang.Lang, at report.Snapshot, stopping bool) pushStep {
	p := pushStep{Snapshot: at, Stopping: stopping}
	if at.Total == 0 {
		p.Text = l.T("Reading the file and checking every row. Nothing is sent yet.")
		return p
	}
	p.Percent = 100 * at.Done / at.Total
	p.Tenths = p.Percent / 10 * 10
	p.Text = l.T("%s of %s people", l.Number(at.Done), l.Number(at.Total))
	if at.IsFull {
		p.Pace = append(p.Pace, l.T("Nothing is sent for now: the disk of the shared database, where the program keeps the runs, is full. Tell the colleague who set up the program: some space has to be freed there. It goes on by itself then."))
		return p
	}
	if at.IsAway {
		p.Pace = append(p.Pace, l.T("Nothing is sent for now: the shared database, where the program keeps the runs, does not answer. It goes on by itself when that is back."))
		return p
	}
	switch {
	case at.Reason != "":
		p.Pace = append(p.Pace, l.N(int(math.Ceil(at.Wait.Seconds())), "It waits for %s second: %s.", "It waits for %s seconds: %s.", l.Engine(ofOPSCOM(at.Reason))))
	case at.Rate >= 1:
		p.Pace = append(p.Pace, l.N(int(at.Rate+0.5), "%s person a second.", "%s people a second."))
	case at.Rate > 0:
		p.Pace = append(p.Pace, l.N(int(60*at.Rate+0.5), "%s person a minute.", "%s people a minute."))
	}
	if at.Left > 0 && at.Reason == "" {
		p.Pace = append(p.Pace, timeLeft(l, at.Left))
	}
	if at.ToFix > 0 {
		p.Pace = append(p.Pace, l.N(at.ToFix, "OPS-COM refused %s so far.", "OPS-COM refused %s so far."))
	}
	if at.Failed > 0 {
		p.Pace = append(p.Pace, l.N(at.Failed, "No answer for %s so far.", "No answer for %s so far."))
	}
	return p
}

func timeLeft(l lang.Lang, left time.Duration) string {
	switch {
	case left < time.Minute:
		return l.T("Less than a minute left.")
	case left < 90*time.Minute:
		return l.N(int(left.Round(time.Minute).Minutes()), "About %s minute left.", "About %s minutes left.")
	default:
		return l.N(int(left.Round(time.Hour).Hours()), "About %s hour left.", "About %s hours left.")
	}
}

// stop asks the task in progress to stop.
func (s *Server) stop(w http.ResponseWriter, r *http.Request) {
	if t := s.currentTask(); t != nil && !t.ended() {
		t.stopping.Store(true)
		t.stop()
	}
	s.redirect(w, r, "/progress")
}
