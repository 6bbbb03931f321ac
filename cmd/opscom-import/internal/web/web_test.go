package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
	"opscom-import/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stub stands in for the commands, whose work with the page is tested in package
// main. What it answers is set by each test.
type stub struct {
	check   func(ctx context.Context, job Job) (report.Receipt, error)
	push    func(feed context.Context, job Job) (report.Receipt, error)
	columns []mapping.Suggestion
	run     importer.RunInfo
	counts  importer.Counts
}

func (s *stub) Check(ctx context.Context, job Job) (report.Receipt, error) { return s.check(ctx, job) }
func (s *stub) Push(feed, _ context.Context, job Job) (report.Receipt, error) {
	return s.push(feed, job)
}
func (s *stub) Approve(feed, _ context.Context, _ int64, job Job) (report.Receipt, error) {
	return s.push(feed, job)
}
func (s *stub) Suggest(Job) ([]mapping.Suggestion, []byte, error) {
	return s.columns, []byte("version: 1\n"), nil
}
func (s *stub) Runs(context.Context) ([]importer.RunInfo, error) { return []importer.RunInfo{s.run}, nil }
func (s *stub) Run(_ context.Context, id int64) (importer.RunInfo, importer.Counts, error) {
	if id != s.run.ID {
		return importer.RunInfo{}, nil, journal.ErrNoRun
	}
	return s.run, s.counts, nil
}
func (s *stub) WriteResults(_ context.Context, _ int64, w io.Writer) error {
	_, err := io.WriteString(w, "row,unique_id\r\n")
	return err
}

func fine(context.Context, Job) (report.Receipt, error) {
	return report.Receipt{Command: "check", Rows: 2, Counts: importer.Counts{importer.StatusValid: 2}}, nil
}

// site is a page in use: its server, and a browser that was let in.
type site struct {
	*testing.T
	server *Server
	base   string
	client *http.Client
}

// open serves the page until the test ends.
func open(t *testing.T, work *stub) *site {
	t.Helper()
	server, err := New(Config{
		Importer: work, Suggester: work, History: work, Folder: filepath.Join(t.TempDir(), "web"),
		Real: Real{Name: "controller.example (client TOMA)"}, Sandbox: "sandbox", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	feed, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(feed, context.Background(), listener) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t, server, "http://" + listener.Addr().String(), &http.Client{Jar: jar}}
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
	if status, _ := s.do(s.request("GET", strings.TrimPrefix(server.URL(listener.Addr()), s.base), nil)); status != http.StatusOK {
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
	if t := s.server.underWay(); t != nil {
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
	err := filepath.WalkDir(s.server.Folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(s.server.Folder, path)
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
	s := open(t, &stub{})
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
			r.AddCookie(&http.Cookie{Name: "opscom-import-" + r.URL.Port(), Value: s.server.token})
		}, "GET", "/", 403},
		{"a rebound name", s.client, meantFor("evil.example"), "GET", "/", 421},
		{"a rebound name with the port", s.client, meantFor("evil.example:PORT"), "GET", "/", 421},
		{"another port", s.client, meantFor("127.0.0.1:1"), "GET", "/", 421},
		{"localhost", s.client, meantFor("localhost:PORT"), "GET", "/", 200},
		{"posted by another site", s.client, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, "POST", "/progress/stop", 403},
		{"posted by another port", s.client, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, "POST", "/progress/stop", 403},
		{"posted by another site, old browser", s.client, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, "POST", "/progress/stop", 403},
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
				"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff",
				"Referrer-Policy": "same-origin", "Cache-Control": "no-store",
			} {
				if got := response.Header.Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
		})
	}
}

func TestTheBrowsersAddressWorksOnce(t *testing.T) {
	s := open(t, &stub{})
	visit := func() (int, []*http.Cookie) {
		response, err := http.DefaultTransport.RoundTrip(s.request("GET", "/?token="+s.server.once, nil))
		if err != nil {
			t.Fatal(err)
		}
		defer http.DefaultClient.CloseIdleConnections()
		defer response.Body.Close()
		return response.StatusCode, response.Cookies()
	}
	status, cookies := visit()
	if status != http.StatusOK || len(cookies) != 1 {
		t.Fatalf("first visit: status %d, cookies %v", status, cookies)
	}
	if c := cookies[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Value == s.server.once || c.Value == s.server.token {
		t.Errorf("cookie %+v: want HttpOnly, SameSite=Strict and a secret of its own", c)
	}
	if status, cookies := visit(); status != http.StatusForbidden || len(cookies) != 0 {
		t.Errorf("second visit: status %d, cookies %v", status, cookies)
	}
}

func TestUploadIsKeptPrivateAndRemoved(t *testing.T) {
	var paths []string
	s := open(t, &stub{check: func(ctx context.Context, job Job) (report.Receipt, error) {
		paths = append(paths, job.File)
		return fine(ctx, job)
	}})
	s.upload("students.csv", "unique_id\r\n1\r\n", "version: 1\r\nfields: {}\r\n", "sandbox")
	s.result()
	s.upload("students.csv", "unique_id\r\n2\r\n", "", "sandbox")
	s.wants(s.result(), "All 2 rows are fine.", "Push 2 people to the sandbox")
	if len(paths) != 2 || paths[0] != paths[1] {
		t.Errorf("paths of one file uploaded twice: %q; want the same", paths)
	}
	if got := s.files(); len(got) != 1 || got[0] != "students.csv/students.csv" {
		t.Errorf("files %q", got)
	}
	if text, err := os.ReadFile(paths[0]); err != nil || string(text) != "unique_id\r\n2\r\n" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	for path, want := range map[string]os.FileMode{s.server.Folder: 0o700, filepath.Dir(paths[0]): 0o700, paths[0]: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	if status, _ := s.get("/files/1"); status != http.StatusNotFound {
		t.Errorf("the replaced upload: status %d", status)
	}
	if _, err := New(s.server.Config); !errors.Is(err, ErrOpen) {
		t.Errorf("a second page with the same folder: %v", err)
	}
}

func TestNewRemovesWhatADeadLaunchLeft(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "web")
	left := filepath.Join(folder, "students.csv", "students.csv")
	if err := errors.Join(os.MkdirAll(filepath.Dir(left), 0o700), os.WriteFile(left, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	server, err := New(Config{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", left, err)
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	s := open(t, &stub{check: fine})
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
	s.server.Real.Missing = "no client code is set."
	status, body = s.upload("a.csv", "x", "", "real")
	s.wants(body, "no client code is set.")
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

func TestHostileTextIsShownAsText(t *testing.T) {
	const evil = `<script>alert(1)</script>"'`
	work := &stub{
		columns: []mapping.Suggestion{{Header: evil, Why: evil, Samples: []string{evil}}},
		run:     importer.RunInfo{ID: 7, State: importer.RunHeld, Source: "/x/" + evil, Target: evil, Held: []string{evil}},
	}
	work.check = func(_ context.Context, job Job) (report.Receipt, error) {
		_, err := io.WriteString(job.Notes, evil+"\n")
		return report.Receipt{
			Rows: 1, Counts: importer.Counts{importer.StatusValid: 1}, Held: []string{evil},
			Problems: []importer.ProblemCount{{Rule: evil, Header: evil, Message: evil}},
		}, err
	}
	s := open(t, work)
	s.upload("a'b&c<script>.csv", "x", "# </textarea>"+evil, "sandbox")
	pages := []string{s.result()}
	for _, path := range []string{"/", "/runs", "/runs/7", "/runs/7/approve"} {
		_, body := s.get(path)
		pages = append(pages, body)
	}
	work.check = func(context.Context, Job) (report.Receipt, error) {
		return report.Receipt{}, &mapping.FileError{Line: 1, Key: evil, Message: evil}
	}
	s.post("/files/1/mapping", url.Values{"mapping": {evil}})
	pages = append(pages, s.result())
	for _, body := range pages {
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "</textarea>"+"<") {
			t.Errorf("unescaped:\n%s", body)
		}
		s.wants(body, "&lt;script&gt;alert(1)")
	}
	s.wants(pages[0], "<h1>a&#39;b&amp;c_script_.csv</h1>")
}

func TestMappingIsMendedOnThePage(t *testing.T) {
	work := &stub{check: func(context.Context, Job) (report.Receipt, error) { return report.Receipt{}, ErrUncertain }}
	work.columns = []mapping.Suggestion{{Header: "Banner ID", Attribute: mapping.UniqueID, Confidence: mapping.Likely, Why: "it sounds like it"}}
	s := open(t, work)
	s.upload("students.csv", "x", "", "sandbox")
	s.wants(s.result(), "The headers leave questions.", "Banner ID", "likely", "it sounds like it", "<details open", "version: 1\n</textarea>")

	work.check = func(_ context.Context, job Job) (report.Receipt, error) {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(job.File), "students.mapping.yaml"))
		if err != nil || string(text) != "version: 1\nfieldz: {}\n" {
			t.Errorf("the mapping beside the file: %q, %v", text, err)
		}
		return report.Receipt{}, errors.Join(&mapping.FileError{File: "m", Line: 2, Key: "fieldz", Message: "unknown key"})
	}
	s.post("/files/1/mapping", url.Values{"mapping": {"version: 1\r\nfieldz: {}\r\n"}})
	s.wants(s.result(), "Line 2, fieldz:", "unknown key", "<code>fieldz: {}</code>")

	response, err := s.client.Do(s.request("GET", "/files/1/mapping", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if got := response.Header.Get("Content-Disposition"); string(text) != "version: 1\nfieldz: {}\n" || got != "attachment; filename=students.mapping.yaml" {
		t.Errorf("download of the mapping: %q as %q", text, got)
	}

	work.check = fine
	s.post("/files/1/mapping", url.Values{"mapping": {""}})
	s.wants(s.result(), "Push 2 people to the sandbox")
	if got := s.files(); len(got) != 1 {
		t.Errorf("files %q; the mapping was taken away", got)
	}
}

// A page seen before the file was checked for another target must not push.
func TestPushIsOfWhatThePersonSaw(t *testing.T) {
	pushed := make(chan Job, 1)
	s := open(t, &stub{check: fine, push: func(_ context.Context, job Job) (report.Receipt, error) {
		pushed <- job
		return report.Receipt{}, errors.New("the token is wrong in " + job.File)
	}})
	s.upload("students.csv", "x", "", "sandbox")
	s.wants(s.result(), `name="check" value="1"`)
	s.post("/files/1/check", url.Values{"target": {"real"}})
	s.wants(s.result(), "Push 2 people to controller.example (client TOMA)", `name="check" value="2"`)
	if status, body := s.post("/files/1/push", url.Values{"check": {"1"}}); status != http.StatusConflict || len(pushed) != 0 {
		t.Errorf("push of an old page: status %d, %s", status, body)
	}
	s.post("/files/1/push", url.Values{"check": {"2"}})
	s.wants(s.result(), "Nothing was pushed.", "the token is wrong in students.csv")
	if job := <-pushed; job.Sandbox {
		t.Error("the push went to the sandbox")
	}
	s.server.Real.Missing = "the token is gone."
	if status, body := s.post("/files/1/check", url.Values{"target": {"real"}}); status != http.StatusConflict || !strings.Contains(body, "the token is gone.") {
		t.Errorf("a check for a Controller that is not set up: status %d, %s", status, body)
	}
}

func TestProgressIsLiveAndCanBeStopped(t *testing.T) {
	work := &stub{check: fine, run: importer.RunInfo{ID: 3, State: importer.RunStopped, Source: "/x/students.csv", Target: "sandbox"},
		counts: importer.Counts{importer.StatusPushed: 1, importer.StatusNotSent: 1}}
	work.push = func(feed context.Context, job Job) (report.Receipt, error) {
		job.Progress.Start(2)
		job.Progress.Add(importer.StatusPushed, 1)
		<-feed.Done()
		return report.Receipt{Run: 3}, importer.ErrInterrupted
	}
	s := open(t, work)
	s.upload("students.csv", "x", "", "sandbox")
	s.result()
	s.post("/files/1/push", url.Values{"check": {"1"}})

	response, err := s.client.Do(s.request("GET", "/progress/events", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	events := bufio.NewScanner(response.Body)
	until := func(text string) {
		t.Helper()
		for events.Scan() {
			if strings.Contains(events.Text(), text) {
				return
			}
		}
		t.Fatalf("no event with %q: %v", text, events.Err())
	}
	until(`"Done":1,"Total":2`)
	_, body := s.get("/progress")
	s.wants(body, "Pushing students.csv", `<progress id="bar" max="2" value="1">`, "1 of 2 rows", `http-equiv="refresh"`, `aria-live="polite"`)

	if status, body := s.upload("other.csv", "x", "", "sandbox"); status != http.StatusConflict || !strings.Contains(body, "Something else is in progress") {
		t.Errorf("an upload meanwhile: status %d, %s", status, body)
	}
	if status, _ := s.post("/files/1/push", url.Values{"check": {"1"}}); status != http.StatusOK {
		t.Errorf("a double click: status %d", status)
	}
	s.post("/progress/stop", nil)
	until("event: end")
	s.wants(s.result(), "The run is not complete.", "1 row waits to be sent.", "It was stopped.", "Go on")
	if got := s.files(); len(got) != 1 {
		t.Errorf("files %q", got)
	}
}

func TestFileOfAFinishedRealRunIsRemoved(t *testing.T) {
	work := &stub{check: fine}
	work.push = func(_ context.Context, job Job) (report.Receipt, error) {
		work.run = importer.RunInfo{ID: 4, State: importer.RunFinished, Source: job.File, Client: "TOMA", Target: "TOMA at https://controller.example"}
		work.counts = importer.Counts{importer.StatusPushed: 2}
		return report.Receipt{Run: 4}, nil
	}
	s := open(t, work)
	s.upload("students.csv", "x", "", "real")
	s.result()
	s.post("/files/1/push", url.Values{"check": {"1"}})
	s.wants(s.result(), "The run is complete.", "Every row ended well.", "TOMA at https://controller.example")
	if got := s.files(); len(got) != 0 {
		t.Errorf("files %q; want none", got)
	}
}

func TestApprovalIsConfirmed(t *testing.T) {
	pushes := 0
	work := &stub{run: importer.RunInfo{ID: 5, State: importer.RunHeld, Source: "/x/students.csv", Target: "sandbox", Held: []string{"20 of 30 rows are invalid"}},
		counts: importer.Counts{importer.StatusNotSent: 10, importer.StatusInvalid: 20}}
	work.push = func(context.Context, Job) (report.Receipt, error) { pushes++; return report.Receipt{}, nil }
	s := open(t, work)
	_, body := s.get("/runs/5")
	s.wants(body, "The run is held, and nothing was sent.", "20 of 30 rows are invalid", `href="/runs/5/approve"`)
	_, body = s.post("/runs/5/push", nil)
	s.wants(body, "Push run 5 all the same?", "10 people are pushed to <strong>the sandbox</strong>")
	if s.server.underWay() != nil {
		t.Fatal("a held run was pushed without a confirmation")
	}
	s.post("/runs/5/push", url.Values{"approved": {"yes"}})
	s.result()
	if pushes != 1 {
		t.Errorf("%d pushes", pushes)
	}
	if status, _ := s.get("/runs/6"); status != http.StatusNotFound {
		t.Errorf("a run that is not there: status %d", status)
	}
}
