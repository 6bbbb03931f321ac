package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/postgres/pgtest"
	"opscom-import/report"
)

// sharedJournal returns the settings of pages whose journal is in a new database of the server.
func sharedJournal(t *testing.T, server *pgtest.Server) []string {
	t.Helper()
	address := server.NewDatabase(t)
	if _, err := postgres.Migrate(t.Context(), address, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	return []string{"OPSCOM_JOURNAL=" + address, "OPSCOM_JOURNAL_KEY=first " + strings.Repeat("c0ffee00", 8)}
}

// pushes pushes a file as a command on another machine does, and returns its run.
func pushes(t *testing.T, path string, args ...string) (run int64) {
	t.Helper()
	env := load(t, t.TempDir(), args...)
	env.Notify, env.Progress, env.Stdout = func(string) {}, report.NewProgress(io.Discard, report.Quiet), io.Discard
	err := app.Push(t.Context(), t.Context(), env, []string{path}, func(r report.Receipt) error {
		run = r.Run
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// standing asks how far a run is, as its page does by itself.
func (s *site) standing(path string) (status int, body, location string) {
	s.Helper()
	r := s.request("GET", path, nil)
	r.Header.Set("HX-Target", "standing")
	response, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header.Get("HX-Location")
}

// Pages on several machines share a journal: what one pushes the others show, leave alone, and go on
// with when it has stopped.
func TestPagesShareAJournal(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	shared, real := sharedJournal(t, server), serveController(t)
	there := open(t, slices.Concat(shared, real, []string{"--rate", "5/s"})...)
	here := open(t, slices.Concat(shared, real)...)
	there.upload("students.csv", people(200, 0))
	there.post("/files/1/review", url.Values{"target": {"real"}})
	form := there.reviewed(1)
	form.Set("typed", form.Get("people"))
	there.post("/files/1/push", form)
	stranger := open(t, slices.Concat(shared, real, []string{"--client", "OTHER"})...)

	_, body := here.get("/")
	for !strings.Contains(body, "It is being sent.") {
		time.Sleep(20 * time.Millisecond) // until the plan is stored
		_, body = here.get("/")
	}
	here.wants(body, "students.csv", "See the progress of students.csv")
	here.lacks(body, "Go on with students.csv", "Forget")
	_, body = here.get("/runs/1")
	here.wants(body, "It is being sent, by another program or on another computer.", " of 200 people", `hx-get="`+here.server.link("/runs/1/standing"))
	here.lacks(body, ">Go on</button>", "/runs/1/forget", "Press Go on", "perhaps sent")
	if status, body, _ := here.standing("/runs/1/standing"); status != http.StatusOK || !strings.Contains(body, " of 200 people") {
		t.Errorf("how far it is: status %d\n%s", status, body)
	}
	_, body = there.get("/runs/1")
	there.wants(body, "It is in progress.")
	there.lacks(body, "another computer")

	_, body = stranger.get("/")
	stranger.lacks(body, "students.csv")
	for _, path := range []string{"/runs/1", "/runs/1/results.csv", "/runs/1/standing", "/runs/1/forget"} {
		if status, _ := stranger.get(path); status != http.StatusNotFound {
			t.Errorf("the page of another client: %s has status %d", path, status)
		}
	}
	if status, _ := stranger.post("/runs/1/stop", nil); status != http.StatusNotFound {
		t.Errorf("the page of another client may stop it: status %d", status)
	}

	third := open(t, slices.Concat(shared, real)...)
	third.upload("others.csv", people(1, 0))
	third.post("/files/1/review", url.Values{"target": {"real"}})
	form = third.reviewed(1)
	form.Set("typed", form.Get("people"))
	third.post("/files/1/push", form)
	third.wants(third.result(), "Nothing was sent: another run was in progress then, started elsewhere.")

	here.post("/runs/1/stop", nil)
	there.wants(there.result(), "It is not complete.", "It was stopped from elsewhere.")
	if status, _, location := here.standing("/runs/1/standing"); status != http.StatusNoContent || !strings.Contains(location, here.server.link("/runs/1")) {
		t.Errorf("after the end the page stays: status %d, location %q", status, location)
	}
	_, body = here.get("/runs/1")
	here.wants(body, "It is not complete.", ">Go on</button>")

	// One that is forgotten from another machine leaves the file where it was, which can be pushed again.
	_, body = here.get("/runs/1/forget")
	here.wants(body, "removed for everybody", "on another one it stays until it is forgotten there")
	here.post("/runs/1/forget", nil)
	_, body = there.get("/")
	there.wants(body, "students.csv", "Its results are not here any more.", there.server.link("/files/1/review")+`" aria-label="Go on with students.csv"`)
	there.lacks(body, "Nothing was sent yet.", there.server.link("/runs/1")+`"`)
	there.reviewed(1)

	// Each has a practice of its own.
	here.upload("practice.csv", people(2, 0))
	here.post("/files/1/push", here.reviewed(1))
	here.wants(here.result(), "Practice is done: 2 people were accepted.")
	_, body = here.get("/runs")
	here.wants(body, "practice.csv", "<td data-label=\"To\">Practice</td>")
	_, body = there.get("/runs")
	there.lacks(body, "practice.csv")

	// A run that a limit holds is approved where its folder is not.
	folder := filepath.Join(t.TempDir(), "exports")
	path := filepath.Join(folder, "new.csv")
	if err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(path, []byte(people(3, 0)), 0o600)); err != nil {
		t.Fatal(err)
	}
	held := pushes(t, path, slices.Concat(shared, real, []string{"--min-rows", "9"})...)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	here.post(fmt.Sprintf("/runs/%d/push", held), url.Values{"approved": {"yes"}, "typed": {"3"}})
	here.wants(here.result(), "It is done: 3 people are in OPS-COM.", "are not written")

	// A machine without the right keys says so in plain words, and to colleagues which one is wrong.
	for key, detail := range map[string]string{
		"OPSCOM_JOURNAL_KEY=": "there are no keys to encrypt the journal with",
		"OPSCOM_JOURNAL_KEY=first " + strings.Repeat("00c0ffee", 8): `the key &#34;first&#34; here is another one`,
		"OPSCOM_JOURNAL_KEY=other " + strings.Repeat("c0ffee00", 8): "which the key ring does not have",
	} {
		other := open(t, slices.Concat(shared[:1], real, []string{key})...)
		status, body := other.get("/")
		if status != http.StatusServiceUnavailable {
			t.Errorf("with %.20s: status %d", key, status)
		}
		other.wants(body, "The program cannot use the shared database", detail)
		other.lacks(body, "hx-get")
	}

	server.Stop(pgtest.Immediate)
	for _, path := range []string{"/", "/runs", fmt.Sprintf("/runs/%d", held)} {
		status, body := here.get(path)
		if status != http.StatusServiceUnavailable {
			t.Errorf("%s without a database: status %d", path, status)
		}
		here.wants(body, "does not answer now. Nothing is lost.", `hx-get="`+here.server.link("%s", path)+`"`)
	}
	if status, body, _ := here.standing("/runs/1/standing"); status != http.StatusOK || !strings.Contains(body, `id="standing"`) {
		t.Errorf("how far it is without a database: status %d\n%s", status, body)
	}
	server.Restart()
	if status, _ := here.get("/"); status != http.StatusOK {
		t.Errorf("when the database is back: status %d", status)
	}
}

// A run of another machine may have the path of a file that is prepared here.
func TestAFileOfTheSamePathElsewhere(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(2, 0))
	d := s.server.drafts.List()[0]
	hash, err := app.HashOf(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	run := importer.RunInfo{ID: 7, Source: d.Path(), StartedAt: d.Uploaded.Add(time.Second), FileHash: "of another file"}
	if !s.server.isOf(run, d) {
		t.Error("what is pushed from the only folder with that path is not the file's")
	}
	s.server.env = load(t, s.server.env.Settings.State, "--journal", "postgres://127.0.0.1/runs")
	if s.server.isOf(run, d) {
		t.Error("what was pushed from another machine is taken for the file's")
	}
	if run.FileHash = hash; !s.server.isOf(run, d) {
		t.Error("the file's own run is not found")
	}
}
