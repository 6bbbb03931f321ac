package web

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// reviewStep is the body of the step Review.
type reviewStep struct {
	*verdict
	Problem string // why there is nothing to review
	Wrong   string // why the last push did not begin
	Target  string // as a person knows it
	Real    realController
	Ready   int // people whom a push would send
	ToFix   int
	LeftOut int
	Same    int    // people who are up to date
	Held    []hold // what needs an approval
	Again   bool   // the file was pushed before
}

// hold is a reason why a safety limit holds a push.
type hold struct {
	Reason string // as the engine says it
	Text   string // in plain words
}

// CanPush reports whether the page has the button.
func (b *reviewStep) CanPush(sandbox bool) bool {
	return b.Ready > 0 && (sandbox || b.Real.Missing == "")
}

func (s *Server) showReview(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	wrong := ""
	if t := s.currentTask(); t != nil && t.key == pushKey(d) && t.ended() && t.revision == d.Revision {
		wrong = s.explainPush(language(r), t.failed)
	}
	s.showReviewWith(w, r, d, http.StatusOK, wrong)
}

func (s *Server) showReviewWith(w http.ResponseWriter, r *http.Request, d draft.Draft, status int, wrong string) {
	v, release := s.checked(w, r, d, stepReview)
	if v == nil {
		return
	}
	defer release()
	l := language(r)
	body := reviewStep{verdict: v, Problem: s.explain(l, v.Err), Wrong: wrong, Target: s.target(l, d), Real: s.real, Again: d.Run != 0}
	if v.Inspection != nil {
		counts := v.Receipt.Counts
		body.Ready, body.ToFix = counts[importer.StatusValid], counts.Of(importer.KindToFix)
		body.Same = v.Changes.Unchanged
		body.LeftOut = counts[importer.StatusSkipped] + counts[importer.StatusDuplicate]
		body.Held = holds(l, v.Receipt.Held)
	}
	s.show(w, r, status, "review.html", page{Title: l.T("Review"), Steps: s.steps(l, d, stepReview), Draft: &d, Body: &body})
}

// changeReview takes where the people go, and who of them.
func (s *Server) changeReview(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	target, who := r.PostFormValue("target"), r.PostFormValue("who")
	s.change(w, r, d, s.link("/files/%d/review", d.ID), func(d *draft.Draft) error {
		if sandbox := target != "real"; target != "" && sandbox != d.Sandbox {
			if !sandbox && s.real.Missing != "" {
				return errNoReal
			}
			d.Sandbox = sandbox
			d.OnlyChanges = s.env.Settings.OnlyChanges // the other target has its own people
		} else if who != "" {
			d.OnlyChanges = who == "changes"
		}
		return nil
	})
}

// pushKey names the push of a draft.
func pushKey(d draft.Draft) string { return "push " + strconv.Itoa(d.ID) }

// approvedPush returns what the person has reviewed, or what is still missing to push it.
func (s *Server) approvedPush(l lang.Lang, d draft.Draft, r *http.Request) (reviewed app.Reviewed, wrong string) {
	if err := r.ParseForm(); err != nil {
		return reviewed, l.T("The form could not be read. Nothing was sent.")
	}
	if r.PostForm.Get("revision") != strconv.Itoa(d.Revision) {
		return reviewed, l.T("The file has changed since you saw it, perhaps in another tab. Nothing was sent. Look at the numbers again.")
	}
	reviewed = app.Reviewed{Digest: r.PostForm.Get("digest"), Held: r.PostForm["approved"]}
	for _, reason := range r.PostForm["held"] {
		if !slices.Contains(reviewed.Held, reason) {
			return reviewed, l.T("Nothing was sent. Tick the box beside what needs a second look, or fix the file.")
		}
	}
	if d.Sandbox {
		return reviewed, ""
	}
	if s.real.Missing != "" {
		return reviewed, s.explain(l, errNoReal)
	}
	if people := r.PostForm.Get("people"); digits(r.PostForm.Get("typed")) != people || people == "" {
		return reviewed, l.T("Nothing was sent. To send to the real OPS-COM, type the number of people: %s.", people)
	}
	return reviewed, ""
}

// digits takes out what people write between the digits of a number.
func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" ,.'\u00a0\u202f\u2009", r) {
			return -1
		}
		return r
	}, text)
}

// explainPush says why a push did not begin.
func (s *Server) explainPush(l lang.Lang, err error) string {
	var changed *app.ChangedError
	switch {
	case errors.As(err, new(*journal.BusyError)): // the page may be looked at again long after that
		return l.T("Nothing was sent: another run was in progress then, started elsewhere. When it has ended, try again.")
	case errors.As(err, &changed) && len(changed.Held) > 0:
		return l.T("Nothing was sent: something needs a second look that you have not seen yet.")
	case errors.As(err, &changed):
		return l.T("Nothing was sent: it would no longer be what you saw, perhaps because another job has sent some of these people. The numbers below are new.")
	default:
		return s.explain(l, err)
	}
}

var (
	invalidHold = regexp.MustCompile(`^(\d+) of (\d+) rows are invalid; the limit \(max-bad\) is (.+)$`)
	leaversHold = regexp.MustCompile(`^(\d+) of the (\d+) people of run (\d+) are not in the file; the limit \(max-leavers\) is (.+)$`)
	shrunkHold  = regexp.MustCompile(`^the file has (\d+) rows, and the one of run (\d+) had (\d+); with a larger difference than .+ \(max-leavers\) nobody is taken for a leaver`)
	changedHold = regexp.MustCompile(`^(\d+) of (\d+) rows are new or changed; the limit \(max-changed\) is (.+)$`)
	shortHold   = regexp.MustCompile(`^the file has (\d+) rows; at least (\S+) are expected \(min-rows\)(?: of the (\d+) in the last run)?; was the export cut short\?$`)
)

// holds says the reasons in plain words.
func holds(l lang.Lang, reasons []string) []hold {
	var list []hold
	for _, reason := range reasons {
		list = append(list, hold{reason, holdText(l, reason)})
	}
	return list
}

func holdText(l lang.Lang, reason string) string {
	number := func(text string) string {
		n, err := strconv.Atoi(text)
		if err != nil {
			return text
		}
		return l.Number(n)
	}
	if m := invalidHold.FindStringSubmatch(reason); m != nil {
		return l.T("%s of %s rows need fixing and would be left out. That is more than usual: the limit is %s.", number(m[1]), number(m[2]), number(m[3]))
	}
	if m := changedHold.FindStringSubmatch(reason); m != nil {
		return l.T("%s of %s people are new or changed. That is more than usual: the limit is %s.", number(m[1]), number(m[2]), number(m[3]))
	}
	if m := shortHold.FindStringSubmatch(reason); m != nil && m[3] != "" {
		return l.T("The file has only %s rows; the last one had %s. Was the export cut short?", number(m[1]), number(m[3]))
	} else if m != nil {
		return l.T("The file has only %s rows; at least %s are expected. Was the export cut short?", number(m[1]), number(m[2]))
	}
	if m := leaversHold.FindStringSubmatch(reason); m != nil {
		return l.T("%s of the %s people of run %s are not in this file any more. That is more than usual: the limit is %s.", number(m[1]), number(m[2]), m[3], number(m[4]))
	}
	if m := shrunkHold.FindStringSubmatch(reason); m != nil {
		return l.T("The file has only %s rows; the one of run %s had %s. Was the export cut short? Nobody is taken for someone who left.", number(m[1]), m[2], number(m[3]))
	}
	return l.Engine(reason)
}
