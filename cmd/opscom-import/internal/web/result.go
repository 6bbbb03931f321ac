package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
)

// resultsShown is how many results a page has.
const resultsShown = 100

// runView is the body of the page of a run.
type runView struct {
	app.RunResults
	Tab      app.ResultTab
	Tabs     []resultTab
	Lines    []resultLine
	From, To int       // of the lines shown, counted from 1
	Before   string    // address of the page before; "" for none
	After    string    // and of that after it
	Ending   *ending   // how it ended, when that was in this launch
	Problem  string    // what ended it early
	Wrong    string    // why it was not pushed just now
	Wrongs   []problem // what was wrong, by kind
	Holds    []hold
	Busy     bool      // it is being pushed from here
	Standing *standing // of one that is pushed elsewhere; nil for others
	Trial    bool      // it went to the sandbox
	File     int       // the draft of its file; 0 for none
	IsLast   bool      // of that draft
	CanReal  bool      // the draft can be pushed to the real OPS-COM next
	Pushed   int       // people whom OPS-COM, or the sandbox, accepted
	Left     int       // people who are sent when it goes on
	Leavers  string    // who left; "" when they were not looked for
}

// problem is a kind of thing that was wrong.
type problem struct {
	Count  int
	Column string
	Row    int
	Text   string
}

// resultTab is a tab of the results.
type resultTab struct {
	Label  string
	Path   string
	Count  int
	IsHere bool
}

// resultLine is a row of the results as the page shows it.
type resultLine struct {
	importer.Result
	Person  string // by the file; "" when that is not known
	Outcome string
	Kind    importer.StatusKind
	Said    string // what OPS-COM said, or what is wrong
	Advice  string // what to do
	Fix     string // address where the row can be fixed; "" when there is none
}

// withRun returns a handler for the run that the request names.
func (s *Server) withRun(handle func(w http.ResponseWriter, r *http.Request, id int64)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseInt(r.PathValue("run"), 10, 64)
		if err != nil {
			s.failRun(w, r, journal.ErrNoRun)
			return
		}
		if s.isShared() {
			run, err := app.FindRun(r.Context(), s.env, id)
			if err == nil && !s.shows(run) {
				err = journal.ErrNoRun
			}
			if err != nil {
				s.failRun(w, r, err)
				return
			}
		}
		handle(w, r, id)
	}
}

// withView returns a handler that is given what is known of the run, without its results.
func (s *Server) withView(handle func(w http.ResponseWriter, r *http.Request, v runView)) func(w http.ResponseWriter, r *http.Request, id int64) {
	return func(w http.ResponseWriter, r *http.Request, id int64) {
		var v runView
		var err error
		if v.RunResults, err = app.Results(r.Context(), s.env, id, app.ResultsAll, 0, 0); err != nil {
			s.failRun(w, r, err)
			return
		}
		s.addLaunch(language(r), &v)
		handle(w, r, v)
	}
}

func (s *Server) failRun(w http.ResponseWriter, r *http.Request, err error) {
	l := language(r)
	if errors.Is(err, journal.ErrNoRun) {
		s.fail(w, r, http.StatusNotFound, l.T("There is no such run. The page Runs lists them."))
		return
	}
	s.failed(w, r, err)
}

func (s *Server) showRuns(w http.ResponseWriter, r *http.Request) {
	l := language(r)
	runs, err := s.runs(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "runs.html", page{Title: l.T("Runs"), Body: runs})
}

func (s *Server) showRun(w http.ResponseWriter, r *http.Request, id int64) {
	s.showRunWith(w, r, id, http.StatusOK, "")
}

func (s *Server) showRunWith(w http.ResponseWriter, r *http.Request, id int64, status int, wrong string) {
	l := language(r)
	tab := app.ResultTab(r.URL.Query().Get("tab"))
	offset, _ := strconv.Atoi(r.URL.Query().Get("from"))
	v := runView{Tab: tab, Wrong: wrong}
	if tab == "" { // what needs a person comes first
		v.Tab = app.ResultsToFix
	}
	var err error
	v.RunResults, err = app.Results(r.Context(), s.env, id, v.Tab, max(offset, 0), resultsShown)
	if err == nil && tab == "" && v.Count(v.Tab) == 0 {
		v.Tab = app.ResultsAll
		v.RunResults, err = app.Results(r.Context(), s.env, id, v.Tab, 0, resultsShown)
	}
	if err != nil {
		s.failRun(w, r, err)
		return
	}
	activity, err := app.ActivityOf(r.Context(), s.env, v.RunInfo)
	if err != nil {
		s.failRun(w, r, err)
		return
	}
	v.addTabs(s, l, max(offset, 0))
	v.Wrongs = problemsOf(l, &v.RunResults)
	d, isDraft := s.addLaunch(l, &v)
	if activity != app.Idle && !v.Busy {
		v.Standing = newStanding(l, v.ID, activity, v.Counts)
		v.Standing.CanStop = s.isShared()
	}
	p := page{Title: l.T("Result"), Body: &v}
	if isDraft && v.IsLast {
		p.Draft, p.Steps = &d, s.steps(l, d, stepResult)
	}
	v.Leavers = saidOfLeavers(l, v.RunInfo.Leavers)
	names := s.namesFor(r, &v, d)
	for i := range v.Rows {
		v.Lines = append(v.Lines, s.resultLine(l, &v, &v.Rows[i], names))
	}
	s.show(w, r, status, "result.html", p)
}

// addTabs adds the tabs, and the addresses of the pages before and after.
func (v *runView) addTabs(s *Server, l lang.Lang, offset int) {
	path := func(tab app.ResultTab, from int) string {
		query := url.Values{"tab": {string(tab)}}
		if from > 0 {
			query.Set("from", strconv.Itoa(from))
		}
		return s.link("/runs/%d?%s", v.ID, query.Encode())
	}
	labels := map[app.ResultTab]string{
		app.ResultsAll: l.T("All"), app.ResultsPushed: l.T("In OPS-COM"), app.ResultsToFix: l.T("To fix"),
		app.ResultsAgain: l.T("Still to send"), app.ResultsLeft: l.T("Left out or unchanged"),
	}
	if app.IsSandbox(v.Target) {
		labels[app.ResultsPushed] = l.T("Accepted in practice")
	}
	for _, tab := range app.ResultTabs() {
		v.Tabs = append(v.Tabs, resultTab{labels[tab], path(tab, 0), v.Count(tab), tab == v.Tab})
	}
	if len(v.Rows) > 0 {
		v.From, v.To = offset+1, offset+len(v.Rows)
	}
	if offset > 0 {
		v.Before = path(v.Tab, max(offset-resultsShown, 0))
	}
	if v.To > 0 && v.To < v.Count(v.Tab) {
		v.After = path(v.Tab, v.To)
	}
}

// problemsOf returns what was wrong in the run, by kind.
func problemsOf(l lang.Lang, results *app.RunResults) (list []problem) {
	for _, p := range results.Problems {
		if p.Severity != mapping.SeverityWarning {
			list = append(list, problem{p.Count, p.Header, p.Row, l.Engine(ofOPSCOM(about(p)))})
		}
	}
	if n := results.Counts[importer.StatusRejected]; n > 0 {
		list = append(list, problem{n, "", results.Refused, l.T("OPS-COM refused it; its reason is beside each row.")})
	}
	return list
}

// addLaunch adds what this launch knows of the run, and returns the draft of its file.
func (s *Server) addLaunch(l lang.Lang, v *runView) (d draft.Draft, ok bool) {
	if d, ok = s.drafts.OfSource(v.Source); ok && s.isShared() && d.Run != v.ID && !isFileOf(v.RunInfo, d) {
		d, ok = draft.Draft{}, false // the same path on another machine
	}
	if ok {
		v.File, v.IsLast = d.ID, d.Run == v.ID
	}
	v.Trial = app.IsSandbox(v.Target)
	v.Pushed = v.Counts[importer.StatusPushed]
	v.Left = v.Counts.Of(importer.KindFailed, importer.KindOpen)
	v.CanReal = v.Trial && v.IsLast && v.State == importer.RunFinished && s.real.Missing == "" && v.Pushed > 0
	v.Holds = holds(l, v.Held)
	s.mu.Lock()
	defer s.mu.Unlock()
	v.Ending = s.endings[v.ID]
	v.Busy = v.State == importer.RunPushing && s.current != nil && !s.current.ended() &&
		(s.current.key == runKey(v.ID) || ok && s.current.key == pushKey(d))
	if v.Ending != nil && v.State != importer.RunFinished {
		v.Problem = s.explain(l, v.Ending.Err)
	}
	return d, ok
}

// namePatience is how long a page waits for the names of its people.
const namePatience = 1500 * time.Millisecond

// namesFor returns a function that names the person of a row, by the draft's file. The
// journal keeps no names once a run has ended.
func (s *Server) namesFor(r *http.Request, v *runView, d draft.Draft) func(row int) string {
	none := func(int) string { return "" }
	if v.File == 0 || !v.StartedAt.After(d.Uploaded) || !s.canOpen(d, stepRows) { // another file by now
		return none
	}
	check := s.verdict(d)
	defer check.users.Done()
	timer := time.NewTimer(namePatience)
	defer timer.Stop()
	select {
	case <-check.done:
	case <-timer.C:
		return none
	case <-r.Context().Done():
		return none
	}
	if check.Inspection == nil {
		return none
	}
	names := map[int]string{}
	for i := range v.Rows {
		row, ok, err := check.Row(v.Rows[i].Row)
		if err == nil && ok {
			names[row.Number] = nameOf(check.Inspection, &row)
		}
	}
	return func(row int) string { return names[row] }
}

// nameOf returns the first and last name in the row's own cells.
func nameOf(i *app.Inspection, row *app.InspectedRow) string {
	var words []string
	for _, a := range []mapping.Attribute{mapping.FirstName, mapping.LastName} {
		for _, column := range i.Columns[a] {
			if text := strings.TrimSpace(row.Cell(column)); text != "" {
				if !slices.Contains(words, text) { // a full name that both are made of
					words = append(words, text)
				}
				break
			}
		}
	}
	return strings.Join(words, " ")
}

// saidOfLeavers says how many people left, or why that is not known.
func saidOfLeavers(l lang.Lang, leavers *importer.Leavers) string {
	switch {
	case leavers == nil:
		return ""
	case !leavers.Compared():
		return l.T("It is not known who left: %s.", l.Engine(leavers.Why))
	}
	said := l.T("%s of the %s people of run %d are not in this file.", l.Number(leavers.Found), l.Number(leavers.People), leavers.Run)
	if leavers.Found > 0 && leavers.Why != "" {
		said += " " + l.T("Perhaps they have not all left: %s.", l.Engine(leavers.Why))
	}
	return said
}

// resultLine says how a row ended.
func (s *Server) resultLine(l lang.Lang, v *runView, result *importer.Result, name func(int) string) resultLine {
	spec := result.Status.Spec()
	line := resultLine{Result: *result, Person: name(result.Row), Kind: spec.Kind, Said: l.Engine(ofOPSCOM(result.Message))}
	switch result.Status {
	case importer.StatusPushed:
		line.Outcome = l.T("in OPS-COM")
		if v.Trial {
			line.Outcome = l.T("accepted in practice")
		}
	case importer.StatusUnchanged:
		line.Outcome = l.T("up to date, not sent")
	case importer.StatusDuplicate:
		line.Outcome = l.T("the same as an earlier row")
	case importer.StatusSkipped:
		line.Outcome = l.T("left out")
	case importer.StatusLeaver:
		line.Outcome = l.T("left, not sent")
	case importer.StatusInvalid:
		line.Outcome = l.T("to fix, not sent")
	case importer.StatusRejected:
		line.Outcome = l.T("OPS-COM refused it")
		line.Advice = l.T("Correct the row, then push again.")
	case importer.StatusFailed:
		line.Outcome, line.Advice = l.T("no answer"), l.T("Press Go on to send it again.")
		if v.State == importer.RunFinished {
			line.Advice = l.T("Push the file again: it sends only what is missing.")
		}
	case importer.StatusUnknown:
		line.Outcome, line.Advice = l.T("perhaps sent"), l.T("Press Go on: it is sent again, which does no harm.")
	case importer.StatusNotSent:
		line.Outcome = l.T("not sent yet")
	}
	if v.Busy || v.Standing != nil { // nobody has to go on
		line.Advice = ""
		if result.Status == importer.StatusUnknown {
			line.Outcome = l.T("on its way")
		}
	}
	if result.Leaver && line.Said == "" {
		line.Said = l.T("This person is not in the file any more.")
	}
	if v.File > 0 && !result.Leaver && spec.Kind == importer.KindToFix {
		tab := app.TabAll
		if result.Status == importer.StatusInvalid {
			tab = app.TabToFix
		}
		line.Fix = s.rowPath(v.File, tab, result.Row)
	}
	return line
}

// runKey names the work that goes on with a run.
func runKey(run int64) string { return "run " + strconv.FormatInt(run, 10) }

// pushRun goes on with a run that was held or stopped.
func (s *Server) pushRun(w http.ResponseWriter, r *http.Request, id int64) {
	l := language(r)
	run, receipt, err := app.ShowRun(r.Context(), s.env, id)
	if err != nil {
		s.failRun(w, r, err)
		return
	}
	if run.State == importer.RunHeld {
		left := receipt.Counts.Of(importer.KindFailed, importer.KindOpen)
		wrong := ""
		switch {
		case r.PostFormValue("approved") != "yes":
			wrong = l.T("Nothing was sent. Tick the box beside what needs a second look, or fix the file.")
		case !app.IsSandbox(run.Target) && digits(r.PostFormValue("typed")) != strconv.Itoa(left):
			wrong = l.T("Nothing was sent. To send to the real OPS-COM, type the number of people: %s.", l.Number(left))
		}
		if wrong != "" {
			s.showRunWith(w, r, id, http.StatusUnprocessableEntity, wrong)
			return
		}
	}
	title := l.T("Pushing %s", filepath.Base(run.Source))
	s.toProgress(w, r, s.begin(title, runKey(id), s.approval(id)))
}

// sendFile answers with a file about a run to save.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, id int64, contentType, suffix string, write func(io.Writer) error) {
	run, _, err := app.ShowRun(r.Context(), s.env, id)
	if err != nil {
		s.failRun(w, r, err)
		return
	}
	name := filepath.Base(run.Source)
	attach(w, contentType, strings.TrimSuffix(name, filepath.Ext(name))+suffix)
	if err := write(w); err != nil {
		s.env.Log.Error("send a report", "run", id, "kind", suffix, "error", err)
		panic(http.ErrAbortHandler) // so that the browser does not take a part for the whole
	}
}

func (s *Server) sendResults(w http.ResponseWriter, r *http.Request, id int64) {
	s.sendFile(w, r, id, "text/csv; charset=utf-8", ".results.csv", func(w io.Writer) error {
		return app.WriteResults(r.Context(), s.env, id, w)
	})
}

func (s *Server) sendResultsWorkbook(w http.ResponseWriter, r *http.Request, id int64) {
	s.sendFile(w, r, id, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".results.xlsx", func(w io.Writer) error {
		return app.WriteResultsWorkbook(r.Context(), s.env, id, w)
	})
}

func (s *Server) sendSummary(w http.ResponseWriter, r *http.Request, id int64) {
	s.sendFile(w, r, id, "text/html; charset=utf-8", ".summary.html", func(w io.Writer) error {
		return app.WriteSummary(r.Context(), s.env, id, w)
	})
}
