package web

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
)

// push pushes the draft as it is now, and returns the page of the result.
func (s *site) push(id int) string {
	s.Helper()
	s.post(fmt.Sprintf("/files/%d/push", id), s.reviewed(id))
	return s.result()
}

// home returns the first page.
func (s *site) home() string {
	s.Helper()
	status, body := s.get("/")
	if status != http.StatusOK {
		s.Fatalf("the first page: status %d, %s", status, body)
	}
	return body
}

func TestHomeOffersWhatCanGoOn(t *testing.T) {
	s := open(t)
	s.lacks(s.home(), "Go on</h2>", "Earlier runs", "Clear practice data")
	s.upload("students.csv", people(3, 0))
	s.wants(s.home(), "<h3>students.csv</h3>", "Nothing was sent yet.", s.server.link("/files/1"), s.server.link("/files/1/forget"))

	// Of the commands, and from another computer's folder.
	pending := []importer.PlannedRow{{Row: 2, Status: importer.StatusPending, Payload: []byte("{}")}}
	held := s.storeRun(importer.RunInfo{Client: "sandbox", Target: "sandbox", Source: "/x/held.csv"}, importer.RunHeld, pending, "many")
	cut := s.storeRun(importer.RunInfo{Client: "sandbox", Target: "sandbox", Source: "/x/cut.csv"}, importer.RunPushing, pending)
	s.wants(s.home(), "<h3>held.csv</h3>", "It is held, and nothing was sent", s.server.link("/runs/%d", held),
		"<h3>cut.csv</h3>", "The program was closed while it was sent. Nothing is lost.", s.server.link("/runs/%d/forget", cut))

	s.wants(s.push(1), "Practice is done")
	body := s.home()
	s.wants(body, "Files that are kept on this computer", "Earlier runs")
	s.lacks(body, "<h3>students.csv</h3>")
}

// A run belongs to the file that it was made of, also when the program was killed before
// it noted that; an older one of the same name does not.
func TestARunBelongsToItsFile(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(3, 0))
	d, _ := s.server.drafts.Get(1)
	pending := []importer.PlannedRow{{Row: 2, Status: importer.StatusPending, Payload: []byte("{}")}}
	s.storeRun(importer.RunInfo{Client: "sandbox", Target: "sandbox", Source: d.Path()}, importer.RunPushing, pending)
	if body := s.home(); strings.Count(body, "<h3>") != 1 || !strings.Contains(body, "The program was closed while it was sent.") {
		t.Errorf("a run without its file:\n%s", body)
	}
	s.upload("students.csv", people(4, 0))
	if body := s.home(); strings.Count(body, "<h3>") != 2 || !strings.Contains(body, "Nothing was sent yet.") {
		t.Errorf("an earlier run of another file:\n%s", body)
	}
}

func TestForgettingAFileAsksAndRemovesIt(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(3, 0))
	_, body := s.get("/files/1/forget")
	s.wants(body, "<h1 id=\"title\" tabindex=\"-1\">Forget students.csv?</h1>", "Your own file stays", s.server.link("/files/1/forget"))
	if len(s.files()) == 0 {
		t.Fatal("asking has removed the file")
	}
	_, body = s.post("/files/1/forget", nil)
	s.lacks(body, "students.csv")
	if left := s.files(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if status, _ := s.get("/files/1/file"); status != http.StatusNotFound {
		t.Errorf("the page of a forgotten file: status %d", status)
	}
}

func TestForgettingARunRemovesItsFile(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(3, 0))
	s.upload("others.csv", people(3, 0))
	s.push(1)
	s.push(2)
	_, body := s.get("/runs/1/forget")
	s.wants(body, "Forget run 1?", "In OPS-COM nothing changes.")
	_, body = s.post("/runs/1/forget", nil)
	s.lacks(body, "students.csv")
	s.wants(body, "others.csv")
	for _, path := range s.files() {
		if strings.HasPrefix(path, "students.csv/") {
			t.Errorf("left: %s", path)
		}
	}
	if status, _ := s.get("/runs/1"); status != http.StatusNotFound {
		t.Errorf("the page of a forgotten run: status %d", status)
	}

	// As the command does it, beside the page.
	if _, err := app.Forget(t.Context(), s.server.quiet(draft.Draft{}), []int64{2}, 0); err != nil {
		t.Fatal(err)
	}
	s.lacks(s.home(), "others.csv")
	if left := s.files(); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if status, _ := s.get("/files/2"); status != http.StatusNotFound {
		t.Errorf("the page of a file that the command has forgotten: status %d", status)
	}
}

// The file of a later preparation under the same name is nobody's old run.
func TestForgettingAnOldRunKeepsTheNewFile(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(3, 0))
	s.push(1)
	s.upload("students.csv", people(4, 0))
	s.post("/runs/1/forget", nil)
	s.wants(s.home(), "<h3>students.csv</h3>")
}

func TestPracticeIsCleared(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(3, 0))
	s.push(1)
	people := filepath.Join(s.server.env.Settings.State, "sandbox", "people.jsonl")
	if _, err := os.Stat(people); err != nil {
		t.Fatal(err)
	}
	_, body := s.get("/practice/clear")
	s.wants(body, "Clear the practice data?", "so does everything in the real OPS-COM")
	_, body = s.post("/practice/clear", nil)
	s.wants(body, "<h3>students.csv</h3>", "Nothing was sent yet.")
	s.lacks(body, "Earlier runs")
	if _, err := os.Stat(people); !os.IsNotExist(err) {
		t.Errorf("the people of the practice are still there: %v", err)
	}
	if status, body := s.get("/files/1"); status != http.StatusOK { // not the page of its run
		t.Errorf("the file: status %d, %s", status, body)
	}
	s.wants(s.push(1), "Practice is done")
}

// While people are pushed, another file can be prepared, what is being pushed cannot be
// forgotten, and closing asks.
func TestWhileAPushIsRunning(t *testing.T) {
	s := open(t, "--rate", "20/s")
	s.upload("students.csv", people(60, 0))
	s.post("/files/1/push", s.reviewed(1))
	task := s.server.currentTask()
	if task == nil || task.ended() {
		t.Fatal("no push is running")
	}
	if status, body := s.upload("other.csv", people(2, 0)); status != http.StatusOK || strings.Contains(body, "Something else is in progress") {
		t.Errorf("another file meanwhile: status %d, %s", status, body)
	}
	s.wants(s.home(), "<h3>other.csv</h3>")
	if status, _ := s.post("/files/1/forget", nil); status != http.StatusConflict {
		t.Errorf("forgetting what is being pushed: status %d", status)
	}
	_, body := s.post("/close", nil)
	s.wants(body, "Close the program?", "Pushing students.csv", "Nothing is lost", `name="confirmed" value="yes"`)
	if task.ended() {
		t.Fatal("asking has ended the push")
	}
	_, body = s.post("/close", url.Values{"confirmed": {"yes"}})
	s.wants(body, "The program is closed")
	<-task.done
}

// What was wrong with a run is in the journal, not only in this launch's memory.
func TestOldRunsKeepWhatIsWrong(t *testing.T) {
	s := open(t, "--max-bad", "50%")
	s.upload("students.csv", people(30, 2))
	s.wants(s.push(1), "What is wrong", "Unique ID is blank")
	s.server.mu.Lock()
	clear(s.server.endings)
	s.server.mu.Unlock()
	s.wants(s.second(s.get("/runs/1")), "What is wrong", "Unique ID is blank")
}

// Whatever is written in names, headers, cells and messages, it is text.
func TestHostileTextIsShownAsText(t *testing.T) {
	const evil = `<script>alert(1)</script>"'`
	s := open(t)
	rows := []importer.PlannedRow{{Row: 2, Status: importer.StatusPending, Payload: []byte("{}")}}
	id := s.storeRun(importer.RunInfo{Client: "sandbox", Target: evil, Source: "/x/" + evil}, importer.RunHeld, rows, evil)
	quoted := `"` + strings.ReplaceAll(evil, `"`, `""`) + `"`
	s.upload("a'b&c<script>.csv", "unique_id,login_source,email,"+quoted+"\r\n1,SSO,"+quoted+","+quoted+"\r\n2,"+quoted+",a@example.ca,x\r\n")
	for _, path := range []string{
		"/", "/runs", "/files/1/file", "/files/1/columns", "/files/1/values", "/files/1/rows", "/files/1/rows?tab=" + url.QueryEscape(evil), "/files/1/review", "/files/1/forget",
		s.runPath(id), s.runPath(id) + "/approve", s.runPath(id) + "/forget", "/practice/clear", "/close", "/files/" + url.PathEscape(evil), "/runs/" + url.PathEscape(evil), "/" + url.PathEscape(evil),
	} {
		status, body := s.get(path)
		if status == http.StatusInternalServerError || strings.Contains(body, "<script>alert") || strings.Contains(body, `"'>`) || strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s: status %d, unescaped:\n%s", path, status, body)
		}
	}
	s.wants(s.second(s.get(s.runPath(id))), "&lt;script&gt;alert(1)")
	s.wants(s.second(s.get("/files/1/columns")), "&lt;script&gt;alert(1)")
	s.wants(s.home(), "a&#39;b&amp;c_script_.csv")
}

func (s *site) runPath(id int64) string {
	return strings.TrimPrefix(s.server.link("/runs/%d", id), s.server.link(""))
}

// Results have ids and no names: pushing them would change nobody, or everybody.
func TestReportsAreNotTakenForPeople(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(2, 0))
	s.post("/files/1/push", s.reviewed(1))
	s.result()
	for _, name := range []string{"results.csv", "results.xlsx"} {
		_, results := s.get("/runs/1/" + name)
		status, body := s.upload("mine-"+name, results)
		s.wants(body, "This file is a report of this program")
		if status != http.StatusUnprocessableEntity || len(s.server.drafts.List()) != 1 {
			t.Errorf("%s: status %d, %d files", name, status, len(s.server.drafts.List()))
		}
		if _, body = s.send("/files/1/file", name, results); !strings.Contains(body, "This file is a report of this program") {
			t.Errorf("%s in the place of a file: %s", name, body)
		}
	}
	if left, err := draft.Arriving(s.server.env.Settings.State); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// What a full disk or a folder that may not be written means is said in words, without paths.
func TestDiskTroubleIsSaidInWords(t *testing.T) {
	s := open(t)
	for err, want := range map[error]string{
		fmt.Errorf("keep the file: %w", &os.PathError{Op: "write", Path: "/state/web/.arriving-1", Err: syscall.ENOSPC}): "The disk of this computer is full",
		fmt.Errorf("keep the file: %w", &os.PathError{Op: "open", Path: "/state/web/.arriving-1", Err: syscall.EACCES}):  "The program may not write into its own folder",
		fmt.Errorf("begin a run: %w", &pgconn.PgError{Code: "53100", Message: `could not extend file "/state/base/1"`}):  "The disk of the shared database, where the program keeps the runs, is full",
		fmt.Errorf("push: %w", &importer.CircuitError{Failures: 20, Status: importer.StatusRejected, Code: "9031"}):      "OPS-COM refused 20 rows in a row with error code 9031.",
		&importer.CircuitError{Failures: 20, Status: importer.StatusRejected, HTTP: 403}:                                 "20 rows in a row were refused with HTTP status 403, by OPS-COM or",
	} {
		if got := s.server.explain(lang.English, err); !strings.HasPrefix(got, want) || strings.Contains(got, "/state") || strings.Contains(got, "--") {
			t.Errorf("%v is said as %q, want %q", err, got, want)
		}
	}
}
