package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/goleak"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/importer"
	"opscom-import/importer/journal/sqlite"
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

// load loads settings from the flags and OPSCOM_… variables alone, with the state in that folder.
func load(t *testing.T, state string, args ...string) app.Env {
	t.Helper()
	var environment config.Environment
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		isVariable := strings.HasPrefix(arg, "OPSCOM_")
		if isVariable {
			environment.Variables = append(environment.Variables, arg)
		}
		return isVariable
	})
	flags := pflag.NewFlagSet("web", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse(append([]string{"--config", "", "--state", state, "--rate", "0"}, args...)); err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load(flags, environment)
	if err != nil {
		t.Fatal(err)
	}
	return app.Env{Settings: settings, Log: slog.New(slog.DiscardHandler)}
}

// serveController serves a mock Controller as a real one, and returns the flags with
// which it is pushed to.
func serveController(t *testing.T) (flags []string) { return serveControllerWith(t, sandbox.Faults{}) }

// serveControllerWith serves one with faults.
func serveControllerWith(t *testing.T, faults sandbox.Faults) (flags []string) {
	t.Helper()
	box, err := sandbox.New(sandbox.Config{Client: "TOMA", Token: "t", Faults: faults})
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
	server, err := New(t.Context(), load(t, t.TempDir(), args...))
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
func (s *site) upload(name, text string) (status int, body string) {
	s.Helper()
	return s.send("/files", name, text)
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
	err := filepath.WalkDir(draft.Folder(s.server.env.Settings.State), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(draft.Folder(s.server.env.Settings.State), path)
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

// storeRun stores a run in the journal, as another command would, and returns its
// number.
func (s *site) storeRun(run importer.RunInfo, state importer.RunState, rows []importer.PlannedRow, held ...string) int64 {
	s.Helper()
	j, err := sqlite.Open(s.Context(), s.server.env.Settings.State)
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

func (s *site) second(_ int, body string) string { return body }

func TestUploadIsKeptPrivateAndSurvivesARestart(t *testing.T) {
	s := open(t)
	s.upload("students.csv", "unique_id\r\n1\r\n")
	_, body := s.upload("students.csv", people(2, 0))
	s.wants(body, "<h1 id=\"title\" tabindex=\"-1\">Rows</h1>", "All 2 rows are fine.")
	want := []string{"students.csv/draft.json", "students.csv/students.csv", "students.csv/students.mapping.yaml"}
	if got := s.files(); !slices.Equal(got, want) {
		t.Errorf("files %q; want the second in the place of the first: %q", got, want)
	}
	folder := draft.Folder(s.server.env.Settings.State)
	path := filepath.Join(folder, "students.csv", "students.csv")
	if text, err := os.ReadFile(path); err != nil || string(text) != people(2, 0) {
		t.Errorf("the file holds %q, %v", text, err)
	}
	for path, want := range map[string]os.FileMode{folder: 0o700, filepath.Dir(path): 0o700, path: 0o600, filepath.Join(filepath.Dir(path), "draft.json"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	if status, _ := s.get("/files/1/rows"); status != http.StatusNotFound {
		t.Errorf("the replaced upload: status %d", status)
	}
	if _, err := New(t.Context(), s.server.env); !errors.Is(err, ErrOpen) {
		t.Errorf("a second page with the same folder: %v", err)
	}
	again, err := draft.Open(s.server.env.Settings.State)
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := again.Get(2); !ok || d.Name != "students.csv" || d.Path() != path {
		t.Errorf("after a restart the draft is %+v, %v", d, ok)
	}
}

func TestANewFileIsPushedAsTheSettingsSay(t *testing.T) {
	for _, flags := range [][]string{nil, {"--only-changes"}} {
		s := open(t, flags...)
		s.upload("students.csv", people(2, 0))
		if d, ok := s.server.drafts.Get(1); !ok || d.OnlyChanges != (flags != nil) || !d.Sandbox {
			t.Errorf("with %q the draft is %+v", flags, d)
		}
	}
}
