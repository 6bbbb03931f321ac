package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/goleak"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a page in use: its server, and a browser that was let in.
type site struct {
	*testing.T
	server *Server
	base   string
	client *http.Client
}

// load loads settings from the flags alone, with the state in that folder.
func load(t *testing.T, state string, args ...string) app.Env {
	t.Helper()
	flags := pflag.NewFlagSet("web", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse(append([]string{"--config", "", "--state", state, "--rate", "0"}, args...)); err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load(flags, config.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return app.Env{Settings: settings, Log: slog.New(slog.DiscardHandler)}
}

// serveController serves a mock Controller as a real one, and returns the flags with
// which it is pushed to.
func serveController(t *testing.T) (flags []string) {
	t.Helper()
	box, err := sandbox.New(sandbox.Config{Client: "TOMA", Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	server, err := box.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("t"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--url", server.URL, "--client", "TOMA", "--token-file", token}
}

// people is a file of n people, of whom the first bad ones have no unique id.
func people(n, bad int) string {
	var b strings.Builder
	b.WriteString("unique_id,login_source,first_name,last_name,email\r\n")
	for i := range n {
		id := fmt.Sprint(900000 + i)
		if i < bad {
			id = ""
		}
		fmt.Fprintf(&b, "%s,SSO,Ann,Lee,p%d@example.ca\r\n", id, i)
	}
	return b.String()
}

// open serves the page until the test ends.
func open(t *testing.T, args ...string) *site {
	t.Helper()
	server, err := New(load(t, t.TempDir(), args...))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := server.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fetchCtx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(fetchCtx, context.Background(), listener) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t, server, "http://" + listener.Addr().String() + server.link(""), &http.Client{Jar: jar}}
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		cancel()
		if err := errors.Join(<-ended, server.Close()); err != nil {
			t.Error(err)
		}
		if left := s.files(); len(left) > 0 {
			t.Errorf("after closing there is still %q", left)
		}
	})
	if status, _ := s.do(s.request("GET", strings.TrimPrefix(server.URL(), s.base), nil)); status != http.StatusOK {
		t.Fatalf("the page's own address: status %d", status)
	}
	return s
}

func (s *site) request(method, path string, body io.Reader) *http.Request {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.base+path, body)
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin") // as of a browser
	return r
}

func (s *site) do(r *http.Request) (status int, body string) {
	s.Helper()
	response, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (s *site) get(path string) (status int, body string) {
	s.Helper()
	return s.do(s.request("GET", path, nil))
}

func (s *site) post(path string, form url.Values) (status int, body string) {
	s.Helper()
	r := s.request("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(r)
}

// upload sends the form of the first page.
func (s *site) upload(name, text, mappingText, target string) (status int, body string) {
	s.Helper()
	var form strings.Builder
	w := multipart.NewWriter(&form)
	file, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(file, text)
	}
	if err = errors.Join(err, w.WriteField("mapping", mappingText), w.WriteField("target", target), w.Close()); err != nil {
		s.Fatal(err)
	}
	r := s.request("POST", "/files", strings.NewReader(form.String()))
	r.Header.Set("Content-Type", w.FormDataContentType())
	return s.do(r)
}

// result waits for the end of the task in progress and returns the page it leads to.
func (s *site) result() string {
	s.Helper()
	if t := s.server.currentTask(); t != nil {
		<-t.done
	}
	_, body := s.get("/progress")
	return body
}

func (s *site) wants(body string, texts ...string) {
	s.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			s.Errorf("the page lacks %q:\n%s", text, body)
		}
	}
}

// files lists all that lies in the folder of uploads.
func (s *site) files() (found []string) {
	s.Helper()
	err := filepath.WalkDir(s.server.folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(s.server.folder, path)
			found = append(found, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return found
}

func TestOnlyThisBrowserIsLetIn(t *testing.T) {
	s := open(t)
	stranger := &http.Client{}
	defer stranger.CloseIdleConnections()
	meantFor := func(host string) func(*http.Request) {
		return func(r *http.Request) {
			for _, cookie := range s.client.Jar.Cookies(r.URL) { // before the host is another
				r.AddCookie(cookie)
			}
			r.Host = strings.Replace(host, "PORT", r.URL.Port(), 1)
		}
	}
	for _, c := range []struct {
		name   string
		client *http.Client
		change func(*http.Request)
		method string
		path   string
		want   int
	}{
		{"with the cookie", s.client, nil, "GET", "/", 200},
		{"without it", stranger, nil, "GET", "/", 403},
		{"without it, to a file", stranger, nil, "GET", "/static/style.css", 403},
		{"without it, posting", stranger, nil, "POST", "/close", 403},
		{"wrong token", stranger, nil, "GET", "/?token=AAAA", 403},
		{"empty token", stranger, nil, "GET", "/?token=", 403},
		{"token on another page", stranger, nil, "GET", "/runs?token=" + s.server.token, 403},
		{"wrong cookie", stranger, func(r *http.Request) {
			r.AddCookie(&http.Cookie{Name: s.server.address.Cookie, Value: s.server.token})
		}, "GET", "/", 403},
		{"a rebound name", s.client, meantFor("evil.example"), "GET", "/", 421},
		{"a rebound name with the port", s.client, meantFor("evil.example:PORT"), "GET", "/", 421},
		{"another port", s.client, meantFor("127.0.0.1:1"), "GET", "/", 421},
		{"localhost", s.client, meantFor("localhost:PORT"), "GET", "/", 200},
		{"posted by another site", s.client, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, "POST", "/progress/stop", 403},
		{"posted by another port", s.client, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, "POST", "/progress/stop", 403},
		{"posted by another site, old browser", s.client, func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "http://evil.example") }, "POST", "/progress/stop", 403},
		{"posted by the page", s.client, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, "POST", "/progress/stop", 200},
		{"no such page", s.client, nil, "GET", "/etc/passwd", 404},
		{"a run that changes by GET", s.client, nil, "GET", "/runs/1/push", 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.request(c.method, c.path, nil)
			if c.change != nil {
				c.change(r)
			}
			response, err := c.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != c.want {
				t.Errorf("status %d, want %d", response.StatusCode, c.want)
			}
			for header, want := range map[string]string{
				"Content-Security-Policy": securityPolicy, "X-Content-Type-Options": "nosniff",
				"Referrer-Policy": "same-origin", "Cache-Control": "no-store",
				"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			} {
				if got := response.Header.Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
		})
	}
}

func TestUploadIsKeptPrivateAndRemoved(t *testing.T) {
	s := open(t)
	s.upload("students.csv", "unique_id\r\n1\r\n", "version: 1\r\nfields: {}\r\n", "sandbox")
	s.result()
	s.upload("students.csv", people(2, 0), "", "sandbox")
	s.wants(s.result(), "All 2 rows are fine.", "Push 2 people to the sandbox")
	if got := s.files(); len(got) != 1 || got[0] != "students.csv/students.csv" {
		t.Errorf("files %q; want the second in the place of the first", got)
	}
	path := filepath.Join(s.server.folder, "students.csv", "students.csv")
	if text, err := os.ReadFile(path); err != nil || string(text) != people(2, 0) {
		t.Errorf("the file holds %q, %v", text, err)
	}
	for path, want := range map[string]os.FileMode{s.server.folder: 0o700, filepath.Dir(path): 0o700, path: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	if status, _ := s.get("/files/1"); status != http.StatusNotFound {
		t.Errorf("the replaced upload: status %d", status)
	}
	if _, err := New(s.server.env); !errors.Is(err, ErrOpen) {
		t.Errorf("a second page with the same folder: %v", err)
	}
}

func TestNewRemovesWhatADeadLaunchLeft(t *testing.T) {
	state := t.TempDir()
	left := filepath.Join(state, "web", "students.csv", "students.csv")
	if err := errors.Join(os.MkdirAll(filepath.Dir(left), 0o700), os.WriteFile(left, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	server, err := New(load(t, state))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", left, err)
	}
}

// What a mapping and a file cannot be read for is said without the folders of this
// computer.
func TestErrorsNameNoFolder(t *testing.T) {
	s := open(t)
	s.upload("students.csv", "\x89PNG\r\n\x1a\n\x00\x00", "", "sandbox")
	body := s.result()
	s.wants(body, "The file could not be checked completely.", "students.csv")
	if strings.Contains(body, s.server.folder) {
		t.Errorf("the page names the folder:\n%s", body)
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	s := open(t)
	s.server.maxUpload = 1000
	status, body := s.upload("big.csv", strings.Repeat("x", 1001), "", "sandbox")
	s.wants(body, "too large")
	if status != http.StatusRequestEntityTooLarge {
		t.Errorf("oversized file: status %d", status)
	}
	if status, _ = s.upload("huge.csv", strings.Repeat("x", 3<<20), "", "sandbox"); status != http.StatusRequestEntityTooLarge {
		t.Errorf("oversized form: status %d", status)
	}
	if status, _ = s.upload("a.csv", "x", strings.Repeat("x", maxMapping+1), "sandbox"); status != http.StatusRequestEntityTooLarge {
		t.Errorf("oversized mapping: status %d", status)
	}
	status, body = s.upload("", "", "", "sandbox")
	s.wants(body, "Choose a file first.", `role="alert"`)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("no file: status %d", status)
	}
	status, body = s.upload("a.csv", "x", "", "real")
	s.wants(body, "no client code is set. A colleague can set it up")
	if status != http.StatusConflict {
		t.Errorf("to a Controller that is not set up: status %d", status)
	}
	if status, _ = s.post("/files", url.Values{"file": {"x"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a form without files: status %d", status)
	}
	if got := s.files(); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}

func TestCleanName(t *testing.T) {
	for name, want := range map[string]string{
		"students.csv":                   "students.csv",
		`C:\Users\Ann\Term start.xlsx`:   "Term start.xlsx",
		"../../etc/passwd":               "passwd",
		"..":                             "file ",
		"":                               "file ",
		".arriving-1":                    "arriving-1",
		"a<b>:c|d?.csv":                  "a_b__c_d_.csv",
		"né\x00\x1b[2K\u202e.csv":        "né__[2K_.csv",
		"bad\xff.csv":                    "bad_.csv",
		strings.Repeat("ä", 80) + ".csv": strings.Repeat("ä", 46) + ".csv",
	} {
		if got := cleanName(name); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", name, got, want)
		}
	}
}

// storeRun stores a run in the journal, as another command would, and returns its
// number.
func (s *site) storeRun(run importer.RunInfo, state importer.RunState, rows []importer.PlannedRow, held ...string) int64 {
	s.Helper()
	j, err := journal.Open(s.Context(), s.server.env.Settings.State)
	if err != nil {
		s.Fatal(err)
	}
	run.StartedAt = time.Now()
	stored, err := j.Begin(s.Context(), run)
	if err != nil {
		s.Fatal(err)
	}
	if err := errors.Join(stored.Append(s.Context(), rows), stored.Seal(s.Context(), state, len(rows), held), j.Close()); err != nil {
		s.Fatal(err)
	}
	return stored.Info().ID
}

func TestHostileTextIsShownAsText(t *testing.T) {
	const evil = `<script>alert(1)</script>"'`
	s := open(t)
	id := s.storeRun(importer.RunInfo{Client: "sandbox", Target: evil, Source: "/x/" + evil}, importer.RunHeld,
		[]importer.PlannedRow{{Row: 2, Status: importer.StatusPending, Payload: []byte("{}")}}, evil)
	quoted := `"` + strings.ReplaceAll(evil, `"`, `""`) + `"`
	s.upload("a'b&c<script>.csv", "unique_id,login_source,"+quoted+"\r\n1,SSO,"+quoted+"\r\n", "", "sandbox")
	pages := []string{s.result()}
	s.post("/files/1/mapping", url.Values{"mapping": {"version: 1\nfields:\n  unique_id: unique_id\n  login_source: login_source\n  email: '" + strings.ReplaceAll(evil, "'", "''") + "'\n"}})
	pages = append(pages, s.result())
	for _, path := range []string{"/", "/runs", runPage(id), runPage(id) + "/approve"} {
		_, body := s.get(path)
		pages = append(pages, body)
	}
	s.post("/files/1/mapping", url.Values{"mapping": {"# </textarea>" + evil + "\n" + evil}})
	pages = append(pages, s.result())
	for _, body := range pages {
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "</textarea>"+"<") {
			t.Errorf("unescaped:\n%s", body)
		}
		s.wants(body, "&lt;script&gt;alert(1)")
	}
	s.wants(pages[0], "<h1>a&#39;b&amp;c_script_.csv</h1>")
}

func TestMappingIsFixedOnThePage(t *testing.T) {
	s := open(t)
	s.upload("students.csv", "Banner ID,E-mail\r\n900001,a@example.ca\r\n900002,b@example.ca\r\n", "", "sandbox")
	s.wants(s.result(), "Some headers are unclear.", "E-mail", "login_source", "<details open", "version: 1\n")

	s.post("/files/1/mapping", url.Values{"mapping": {"version: 1\r\nfieldz: {}\r\n"}})
	s.wants(s.result(), "Line 2:", "there is no key &#34;fieldz&#34; here", "<code>fieldz: {}</code>")
	path := filepath.Join(s.server.folder, "students.csv", "students.mapping.yaml")
	if text, err := os.ReadFile(path); err != nil || string(text) != "version: 1\nfieldz: {}\n" {
		t.Errorf("the mapping beside the file: %q, %v", text, err)
	}

	response, err := s.client.Do(s.request("GET", "/files/1/mapping", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if got := response.Header.Get("Content-Disposition"); string(text) != "version: 1\nfieldz: {}\n" || got != "attachment; filename=students.mapping.yaml" {
		t.Errorf("download of the mapping: %q as %q", text, got)
	}

	s.post("/files/1/mapping", url.Values{"mapping": {"version: 1\nfields:\n  unique_id: Banner ID\n  login_source: {value: SSO}\n  email: E-mail\n"}})
	s.wants(s.result(), "Push 2 people to the sandbox")
	s.post("/files/1/mapping", url.Values{"mapping": {""}})
	s.wants(s.result(), "Some headers are unclear.")
	if got := s.files(); len(got) != 1 {
		t.Errorf("files %q; the mapping was taken away", got)
	}
}

// A page seen before the file was checked for another target must not push.
func TestPushIsOfWhatThePersonSaw(t *testing.T) {
	s := open(t, serveController(t)...)
	s.upload("students.csv", people(2, 0), "", "sandbox")
	s.wants(s.result(), `name="check" value="1"`)
	s.post("/files/1/check", url.Values{"target": {"real"}})
	s.wants(s.result(), "Push 2 people to 127.0.0.1:", "(client TOMA)", `name="check" value="2"`)
	if status, body := s.post("/files/1/push", url.Values{"check": {"1"}}); status != http.StatusConflict || !strings.Contains(body, "Nothing was sent") {
		t.Errorf("push of an old page: status %d, %s", status, body)
	}
	s.wants(s.second(s.get("/runs")), "There are no runs yet")
	s.post("/files/1/push", url.Values{"check": {"2"}})
	s.wants(s.result(), "<h1>Run 1</h1>", "The run is complete.", "Every row ended well.", "TOMA at http://127.0.0.1:")
	if got := s.files(); len(got) != 0 {
		t.Errorf("files %q; want none after a real run that is finished", got)
	}
}

func (s *site) second(_ int, body string) string { return body }

func TestTheRealControllerCanBeMissing(t *testing.T) {
	s := open(t, "--client", "TOMA", "--token-file", filepath.Join(t.TempDir(), "none"))
	s.upload("students.csv", people(2, 0), "", "sandbox")
	s.result()
	if status, body := s.post("/files/1/check", url.Values{"target": {"real"}}); status != http.StatusConflict || !strings.Contains(body, "the token file") {
		t.Errorf("a check for a Controller that is not set up: status %d, %s", status, body)
	}
}

func TestProgressIsLiveAndCanBeStopped(t *testing.T) {
	s := open(t, "--rate", "40/s")
	s.upload("students.csv", people(90, 0), "", "sandbox")
	s.result()
	s.post("/files/1/push", url.Values{"check": {"1"}})

	response, err := s.client.Do(s.request("GET", "/progress/events", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	events := bufio.NewScanner(response.Body)
	until := func(pattern string) {
		t.Helper()
		for events.Scan() {
			if regexp.MustCompile(pattern).MatchString(events.Text()) {
				return
			}
		}
		t.Fatalf("no event like %s: %v", pattern, events.Err())
	}
	until(`"Done":[1-9]\d*,"Total":90`)
	_, body := s.get("/progress")
	s.wants(body, "Pushing students.csv", `<progress id="bar" max="90" value="`, " of 90 rows", `http-equiv="refresh"`, `aria-live="polite"`)

	if status, body := s.upload("other.csv", "x", "", "sandbox"); status != http.StatusConflict || !strings.Contains(body, "Something else is in progress") {
		t.Errorf("an upload meanwhile: status %d, %s", status, body)
	}
	if status, _ := s.post("/files/1/push", url.Values{"check": {"1"}}); status != http.StatusOK {
		t.Errorf("a double click: status %d", status)
	}
	s.post("/progress/stop", nil)
	until("event: end")
	s.wants(s.result(), "The run is not complete.", "It was stopped.")
	if got := s.files(); len(got) != 1 {
		t.Errorf("files %q", got)
	}
}

func TestApprovalIsConfirmed(t *testing.T) {
	s := open(t)
	s.upload("students.csv", people(30, 20), "", "sandbox")
	s.result()
	s.post("/files/1/push", url.Values{"check": {"1"}})
	s.wants(s.result(), "The run is held, and nothing was sent.", "20 of 30 rows are invalid", `/runs/1/approve"`)
	before := s.server.currentTask()
	_, body := s.post("/runs/1/push", nil)
	s.wants(body, "Push run 1 all the same?", "10 people are pushed to <strong>the sandbox</strong>")
	if s.server.currentTask() != before {
		t.Fatal("a held run was pushed without a confirmation")
	}
	s.post("/runs/1/push", url.Values{"approved": {"yes"}})
	s.wants(s.result(), "The run is complete.")
	if status, _ := s.get("/runs/2"); status != http.StatusNotFound {
		t.Errorf("a run that is not there: status %d", status)
	}
}
