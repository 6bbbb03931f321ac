package web

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/report"
)

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// reviewed returns what the form of the review sends when nothing is typed or ticked.
func (s *site) reviewed(file int) url.Values {
	s.Helper()
	_, body := s.get(fmt.Sprintf("/files/%d/review", file))
	form := url.Values{}
	for _, input := range hiddenInput.FindAllStringSubmatch(body, -1) {
		form.Add(input[1], html.UnescapeString(input[2]))
	}
	if form.Get("digest") == "" {
		s.Fatalf("the review has no button to push:\n%s", body)
	}
	return form
}

// runs returns how many runs the journal has.
func (s *site) runs() int {
	s.Helper()
	runs, err := app.Runs(s.Context(), s.server.env)
	if err != nil {
		s.Fatal(err)
	}
	return len(runs)
}

func TestReviewCountsAndNames(t *testing.T) {
	s := open(t, "--max-bad", "1")
	s.upload("students.csv", people(4, 2))
	_, body := s.get("/files/1/review")
	s.wants(body, "Practice: nothing reaches OPS-COM.", "2 of 4 rows need fixing", "I have looked at it", "Push 2 people in practice", "fix these",
		"Not possible from here: ", "Every column is sent.")
	s.lacks(regexp.MustCompile(`value="[^"]*"`).ReplaceAllString(body, ""), "max-bad", "--")
}

// A push that a limit holds needs its box ticked, and then goes without another question.
func TestHoldIsApprovedBesideIt(t *testing.T) {
	s := open(t, "--max-bad", "1")
	s.upload("students.csv", people(4, 2))
	form := s.reviewed(1)
	status, body := s.post("/files/1/push", form)
	if status != http.StatusUnprocessableEntity || s.runs() != 0 {
		t.Errorf("without the box: status %d, %d runs", status, s.runs())
	}
	s.wants(body, "Nothing was sent. Tick the box")
	form["approved"] = form["held"]
	s.post("/files/1/push", form)
	s.wants(s.result(), "Practice is done: 2 people were accepted.", "2 rows need fixing.", "Fix these")
}

// To push to the real OPS-COM the number of people has to be typed.
func TestRealPushIsConfirmedByTyping(t *testing.T) {
	s := open(t, serveController(t)...)
	s.upload("students.csv", people(1200, 0))
	_, body := s.post("/files/1/review", url.Values{"target": {"real"}})
	s.wants(body, "This is the real OPS-COM", "type the number of people: 1,200", "Push 1,200 people to the real OPS-COM")
	form := s.reviewed(1)
	for _, typed := range []string{"", "12", "yes"} {
		form.Set("typed", typed)
		if status, body := s.post("/files/1/push", form); status != http.StatusUnprocessableEntity || s.runs() != 0 || !strings.Contains(body, "Nothing was sent.") {
			t.Errorf("typed %q: status %d, %d runs", typed, status, s.runs())
		}
	}
	form.Set("typed", "1 200")
	s.post("/files/1/push", form)
	s.wants(s.result(), "It is done: 1,200 people are in OPS-COM.")
}

// Whatever changes between review and push, nothing is sent but what was seen.
func TestNothingIsSentThatWasNotSeen(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(3, 0))
	old := s.reviewed(1)
	if _, err := s.server.drafts.Change(1, func(d *draft.Draft) error {
		d.Corrections = []importer.Correction{{Row: 2, Column: 2, Old: "Ann", New: "Anne"}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	status, body := s.post("/files/1/push", old)
	if status != http.StatusUnprocessableEntity || s.runs() != 0 {
		t.Errorf("another revision: status %d, %d runs", status, s.runs())
	}
	s.wants(body, "The file has changed since you saw it")
	// The revision is the same, but the people are up to date by now.
	s.post("/files/1/review", url.Values{"who": {"changes"}})
	form := s.reviewed(1)
	d, _ := s.server.drafts.Get(1)
	env := s.server.quiet(d)
	if err := app.Push(t.Context(), t.Context(), env, []string{d.Path()}, func(report.Receipt) error { return nil }); err != nil {
		t.Fatal(err)
	}
	before := s.runs()
	s.post("/files/1/push", form)
	s.wants(s.result(), "Nothing was sent: it would no longer be what you saw", "Everybody is up to date")
	if s.runs() != before {
		t.Errorf("%d runs, want %d", s.runs(), before)
	}
}

// After the rows that were to fix are fixed, only they are sent.
func TestSecondPushSendsWhatWasFixed(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(5, 1))
	s.post("/files/1/push", s.reviewed(1))
	body := s.result()
	s.wants(body, "4 people were accepted", "1 row needs fixing.", "to fix, not sent", "/files/1/rows?tab=fix&amp;from=2&amp;row=2#row-2")
	if _, err := s.server.drafts.Change(1, func(d *draft.Draft) error {
		d.Corrections = []importer.Correction{{Row: 2, Column: 0, New: "900000"}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, body = s.get("/files/1/review")
	s.wants(body, "Push 1 person in practice", "This file was pushed before, so only what was fixed or changed since is sent.", "up to date, not sent")
	s.post("/files/1/push", s.reviewed(1))
	s.wants(s.result(), "1 person was accepted", "Left out or unchanged <span class=\"n\">4</span>")
}

// Every refusal is shown with the person's name and OPS-COM's own reason, also after the
// program was started again.
func TestResultShowsEachRefusal(t *testing.T) {
	faults, err := sandbox.ParseFaults("require=city")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, serveControllerWith(t, faults)...)
	s.upload("students.csv", "unique_id,login_source,first_name,last_name,city\r\n1,SSO,Ann,Lee,Hull\r\n2,SSO,Bo,<b>Ng</b>,\r\n")
	s.post("/files/1/review", url.Values{"target": {"real"}})
	form := s.reviewed(1)
	form.Set("typed", form.Get("people"))
	s.post("/files/1/push", form)
	body := s.result()
	for range 2 {
		s.wants(body, "1 person is in OPS-COM", "1 row needs fixing.", "Bo &lt;b&gt;Ng&lt;/b&gt;", "OPS-COM refused it", "OPS-COM says", "A value is required", "/files/1/rows?tab=all&amp;from=3&amp;row=3#row-3")
		s.lacks(body, "the Controller", "The Controller", "the results say why")
		s.server.mu.Lock()
		s.server.endings = map[int64]*ending{}
		s.server.mu.Unlock()
		_, body = s.get("/runs/1")
	}
}

// A row that OPS-COM has refused is shown with the reason where it can be corrected, until
// it is.
func TestRefusalsAreAtTheRows(t *testing.T) {
	faults, err := sandbox.ParseFaults("require=city")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, serveControllerWith(t, faults)...)
	s.upload("students.csv", "unique_id,login_source,first_name,last_name,city\r\n1,SSO,Ann,Lee,Hull\r\n2,SSO,Bo,Ng,\r\n3,SSO,Cy,Roy,\r\n")
	s.post("/files/1/review", url.Values{"target": {"real"}})
	form := s.reviewed(1)
	form.Set("typed", form.Get("people"))
	s.post("/files/1/push", form)
	s.result()
	_, body := s.get("/files/1/rows?tab=all&from=3&row=3")
	s.wants(body, "OPS-COM refused these rows in the last push.", "Row 3, Bo Ng", "Row 4, Cy Roy", "OPS-COM refused it in the last push: OPS-COM says", `name="v.3.4"`)
	if _, err := s.server.drafts.Change(1, func(d *draft.Draft) error {
		d.Corrections = append(d.Corrections, importer.Correction{Row: 3, Column: 4, New: "Hull"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, body = s.get("/files/1/rows")
	s.wants(body, "Row 4, Cy Roy")
	s.lacks(body, "Row 3, Bo Ng")
	s.get("/files/1/review")
	form = s.reviewed(1)
	if form.Get("people") != "2" {
		t.Errorf("the second push is of %s people, want those who were refused", form.Get("people"))
	}
	form.Set("typed", "2")
	s.post("/files/1/push", form)
	s.result()
	_, body = s.get("/files/1/rows")
	s.wants(body, "Row 4, Cy Roy")
	s.lacks(body, "Row 3, Bo Ng")
}

func TestResultsArePaged(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(250, 0))
	s.post("/files/1/push", s.reviewed(1))
	s.wants(s.result(), "1 to 100 of 250", "from=100", "Ann Lee")
	_, body := s.get("/runs/1?tab=pushed&from=200")
	s.wants(body, "201 to 250 of 250", ">900249<", "from=100")
	s.lacks(body, "from=250")
	for _, path := range []string{"?tab=pushed&from=900", "?tab=nonsense", "?from=-3", "?from=x"} {
		if status, _ := s.get("/runs/1" + path); status != http.StatusOK {
			t.Errorf("%s: status %d", path, status)
		}
	}
	for path, want := range map[string]string{"results.csv": "900249,SSO,pushed", "results.xlsx": "PK", "summary.html": "<!DOCTYPE html>"} {
		if status, body := s.get("/runs/1/" + path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: status %d, %q", path, status, body)
		}
	}
	if status, _ := s.get("/runs/7/results.csv"); status != http.StatusNotFound {
		t.Errorf("the results of no run: status %d", status)
	}
}

// After practice the same file goes to the real OPS-COM by the review.
func TestNowForReal(t *testing.T) {
	s := open(t, serveController(t)...)
	s.upload("students.csv", people(2, 0))
	s.post("/files/1/push", s.reviewed(1))
	s.wants(s.result(), "Practice is done", "Now for real")
	_, body := s.post("/files/1/review", url.Values{"target": {"real"}})
	s.wants(body, "This is the real OPS-COM", "Push 2 people to the real OPS-COM")
}

func TestHeldRunOfACommandIsApproved(t *testing.T) {
	s := open(t)
	row := importer.PlannedRow{Row: 2, UniqueID: "1", LoginSource: "SSO", Status: importer.StatusPending, Payload: []byte(`{"unique_id":"1","login_source":"SSO"}`)}
	id := s.storeRun(importer.RunInfo{Client: s.server.env.SandboxTarget(), Target: s.server.env.SandboxTarget(), Source: "/nowhere/a.csv"}, importer.RunHeld,
		[]importer.PlannedRow{row}, "5 of 9 rows are invalid; the limit (max-bad) is 10%")
	_, body := s.get(fmt.Sprintf("/runs/%d", id))
	s.wants(body, "This needs a second look, and nothing was sent", "5 of 9 rows need fixing", "Push 1 person")
	if status, _ := s.post(fmt.Sprintf("/runs/%d/push", id), nil); status != http.StatusUnprocessableEntity {
		t.Errorf("without the box: status %d", status)
	}
	s.post(fmt.Sprintf("/runs/%d/push", id), url.Values{"approved": {"yes"}})
	s.wants(s.result(), "Practice is done: 1 person was accepted.")
}

// While people are pushed the page says how far it is, and asks again by itself; another
// file can be prepared.
func TestProgressAndStop(t *testing.T) {
	s := open(t)
	started := make(chan struct{})
	err := s.server.begin("Pushing students.csv", "push 9 9", func(fetchCtx, _ context.Context, task *task) string {
		task.progress.Start(200)
		task.progress.Add(importer.StatusPushed, 50)
		close(started)
		<-fetchCtx.Done()
		return s.server.link("/runs")
	})
	if err != nil {
		t.Fatal(err)
	}
	<-started
	_, body := s.get("/progress")
	s.wants(body, "<title>25 % – Pushing students.csv", `max="200" value="50"`, "50 of 200 people", `http-equiv="refresh"`, `hx-trigger="load delay:1s`, "20 % done", "Stop</button>")
	_, body = s.upload("other.csv", people(2, 0))
	s.wants(body, "All 2 rows are fine.", "Pushing students.csv…")
	if status, body := s.post("/files/1/push", s.reviewed(1)); status != http.StatusConflict {
		t.Errorf("a second push: status %d, %s", status, body)
	}
	s.post("/progress/stop", nil)
	s.wants(s.result(), "Runs</h1>")
	r := s.request("GET", "/progress", nil)
	r.Header.Set("HX-Target", "standing") // the part that asks by itself
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("HX-Location"); !strings.Contains(got, `"path":"`+s.server.link("/runs")+`"`) || !strings.Contains(got, `"target":"#page"`) {
		t.Errorf("at the end it leads to %q", got)
	}
}

func TestPaceInWords(t *testing.T) {
	for _, tc := range []struct {
		at   report.Snapshot
		want string
	}{
		{report.Snapshot{}, "Reading the file and checking every row. Nothing is sent yet. "},
		{report.Snapshot{Total: 4000, Done: 1000, Rate: 98.4, Left: 6 * time.Minute}, "1,000 of 4,000 people 98 people a second. About 6 minutes left."},
		{report.Snapshot{Total: 4000, Done: 3990, Rate: 98.4, Left: time.Second, ToFix: 3}, "3,990 of 4,000 people 98 people a second. Less than a minute left. OPS-COM refused 3 so far."},
		{report.Snapshot{Total: 400, Done: 3, Rate: .5, Left: 3 * time.Hour}, "3 of 400 people 30 people a minute. About 3 hours left."},
		{report.Snapshot{Total: 400, Done: 3, IsAway: true, IsFull: true}, "3 of 400 people Nothing is sent for now: the disk of the shared database, where the program keeps the runs, is full. " +
			"Tell the colleague who set up the program: some space has to be freed there. It goes on by itself then."},
		{report.Snapshot{Total: 400, Done: 3, Rate: .5, Reason: "the Controller asks for a pause", Wait: 28 * time.Second}, "3 of 400 people It waits for 28 seconds: OPS-COM asks for a pause."},
	} {
		p := newPushStep(lang.English, tc.at, false)
		if got := p.Text + " " + strings.Join(p.Pace, " "); got != tc.want {
			t.Errorf("%+v:\n got %q\nwant %q", tc.at, got, tc.want)
		}
	}
}

func TestHoldsInPlainWords(t *testing.T) {
	last := importer.RunInfo{ID: 3, Rows: 900, LineEnded: true}
	limits := importer.Limits{MaxBad: importer.Limit{Set: true, Count: 1}, MaxChanged: importer.Limit{Set: true, Percent: 10}, MinRows: importer.Limit{Set: true, Percent: 90}}
	plan := importer.Plan{Rows: 100, Counts: importer.Counts{importer.StatusInvalid: 5, importer.StatusPending: 95}}
	var got []string
	for _, h := range holds(lang.English, limits.Judge(plan, last)) {
		got = append(got, h.Text)
	}
	want := "5 of 100 rows need fixing and would be left out. That is more than usual: the limit is 1.\n" +
		"95 of 100 people are new or changed. That is more than usual: the limit is 10%.\n" +
		"The file has only 100 rows; the last one had 900. Was the export cut short?"
	if strings.Join(got, "\n") != want {
		t.Errorf("got %q", got)
	}
}

// The page says nothing of the files in which it keeps a file and its answers.
func TestResultNamesNoFileOfThePage(t *testing.T) {
	s := open(t, "--sandbox")
	s.upload("people.csv", people(3, 0))
	s.push(1)
	_, body := s.get("/runs/1")
	s.wants(body, "people.csv")
	if strings.Contains(body, ".yaml") || strings.Contains(body, s.server.folder) {
		t.Errorf("the result names the page's own files:\n%s", body)
	}
}

// A file that takes the place of one that is being pushed was not sent.
func TestFileReplacedDuringItsPushWasNotPushed(t *testing.T) {
	s := open(t, "--rate", "100/s")
	s.upload("students.csv", people(200, 0)) // two seconds
	s.post("/files/1/push", s.reviewed(1))
	isPushing := func() bool { // and not only planned: then it would be noticed that the file changes
		runs, err := app.Runs(t.Context(), s.server.env)
		return err == nil && len(runs) > 0 && runs[0].State == importer.RunPushing
	}
	for !isPushing() {
		time.Sleep(5 * time.Millisecond)
	}
	s.send("/files/1/file", "other.csv", people(3, 0))
	s.wants(s.result(), "Practice is done: 200 people were accepted.")
	if d, _ := s.server.drafts.Get(1); d.Run != 0 || d.OnlyChanges {
		t.Errorf("the file that was not sent has run %d, only changes %t", d.Run, d.OnlyChanges)
	}
	_, body := s.get("/")
	s.wants(body, "Nothing was sent yet.")
}

// A person who clicks twice is led to what became of the first click.
func TestSecondClickOnPushShowsTheResult(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(3, 0))
	form := s.reviewed(1)
	s.post("/files/1/push", form)
	s.result()
	status, body := s.post("/files/1/push", form)
	if status != http.StatusOK || s.runs() != 1 {
		t.Errorf("status %d, %d runs", status, s.runs())
	}
	s.wants(body, "Practice is done: 3 people were accepted.")
}

// After a kill during a push the file leads to its run, and goes with it.
func TestRunThatWasCutOffIsTheFilesAfterARestart(t *testing.T) {
	env := load(t, t.TempDir())
	first, err := New(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	arrived, err := first.drafts.Receive("students.csv", strings.NewReader(people(2, 0)), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	d, err := first.drafts.Add(arrived, func(d *draft.Draft) error { d.Sandbox = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, server: first}
	run := s.storeRun(importer.RunInfo{Source: d.Path(), Target: s.server.env.SandboxTarget()}, importer.RunPushing, nil)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := New(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}()
	if d, ok := again.drafts.Get(d.ID); !ok || d.Run != run || again.nextStep(d) != stepResult {
		t.Errorf("the file has run %d, want %d, and leads to %s", d.Run, run, again.nextStep(d))
	}
	if err := draft.ForgetRuns(env.Settings.State, []int64{run}); err != nil {
		t.Fatal(err)
	}
	if _, ok := again.drafts.Get(d.ID); ok {
		t.Error("the file stays when its run is forgotten")
	}
}
