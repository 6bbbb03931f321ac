package web

import (
	"net/http"
	"strconv"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// standing is how far a run is that another program pushes, here or on another computer.
type standing struct {
	Run         int64
	CanStop     bool   // from here
	Said        string // who pushes it
	Done, Total int    // people; 0 when that is not known
	Text        string // how many
}

func newStanding(l lang.Lang, run int64, activity app.Activity, counts importer.Counts) *standing {
	v := &standing{Run: run, Done: counts[importer.StatusPushed] + counts[importer.StatusRejected]}
	v.Total = v.Done + counts.Of(importer.KindFailed, importer.KindOpen)
	v.Text = l.T("%s of %s people", l.Number(v.Done), l.Number(v.Total))
	switch activity {
	case app.Waiting:
		v.Said = l.T("It waits for its turn to be sent. It goes on by itself.")
	case app.NoWorker:
		v.Said = l.T("It waits: the program that sends it does not run. A colleague who looks after the servers can start it; then it goes on by itself.")
	default:
		v.Said = l.T("It is being sent, by another program or on another computer.")
	}
	return v
}

// stopRun stops a run wherever it is pushed.
func (s *Server) stopRun(w http.ResponseWriter, r *http.Request, id int64) {
	if _, _, err := app.StopRun(r.Context(), s.quiet(draft.Draft{}), id); err != nil {
		if run, findErr := app.FindRun(r.Context(), s.env, id); findErr != nil || run.State == importer.RunPushing { // else it ended meanwhile
			s.failRun(w, r, err)
			return
		}
	}
	s.redirect(w, r, "/runs/%d", id)
}

// showStanding shows how far a run is that is pushed elsewhere, and leads on to its page when
// that has ended.
func (s *Server) showStanding(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.ParseInt(r.PathValue("run"), 10, 64) // there is no run 0
	run, receipt, err := app.ShowRun(r.Context(), s.env, id)
	if err == nil && !s.shows(run) {
		err = journal.ErrNoRun
	}
	activity := app.Idle
	if err == nil {
		activity, err = app.ActivityOf(r.Context(), s.env, run)
	}
	l := language(r)
	body := newStanding(l, id, activity, receipt.Counts)
	switch {
	case app.IsAway(err): // the page goes on asking
		body = &standing{Run: id, Said: s.explain(l, err)}
		fallthrough
	case err == nil && activity != app.Idle:
		s.show(w, r, http.StatusOK, "standing.html", page{Title: l.T("Result"), Body: body})
	case err != nil:
		s.failRun(w, r, err)
	default:
		s.leadOn(w, r, s.link("/runs/%d", id))
	}
}
