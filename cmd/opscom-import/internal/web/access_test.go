package web

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// visit gets an address as a browser that has no cookies, and follows nothing.
func visit(t *testing.T, address string) (status int, body string, cookies []*http.Cookie) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Cookies()
}

// Browsers don't keep the ports of a host apart: a program at another port was sent
// the cookie, and read the runs with it.
func TestOtherPortsAreSentNoCookie(t *testing.T) {
	s := open(t)
	var sent []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent = append(sent, r.Header.Get("Cookie")) }))
	defer other.Close()
	for _, path := range []string{"/", "/runs", "/progress/events"} {
		r := s.request("GET", "", nil)
		var err error
		if r.URL, err = url.Parse(other.URL + path); err != nil {
			t.Fatal(err)
		}
		r.Host = ""
		s.do(r)
	}
	if got := strings.Join(sent, ""); len(sent) != 3 || got != "" {
		t.Errorf("a program at another port was sent %q", sent)
	}
}

// A page at another port can set a cookie of the same name, if it could guess it, and the
// browser then sends both.
func TestCookiesOfOthersLockNobodyOut(t *testing.T) {
	s := open(t)
	r := s.request("GET", "/runs", nil)
	for _, value := range []string{"theirs", s.server.secret, ""} {
		r.AddCookie(&http.Cookie{Name: s.server.address.Cookie, Value: value})
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("with another cookie of the same name: status %d", response.StatusCode)
	}
}

func TestNothingIsOutsideThePrefix(t *testing.T) {
	s := open(t)
	host := "http://" + s.server.address.Host
	for path, want := range map[string]int{
		"/": 404, "/runs": 404, "/static/style.css": 404, "/favicon.ico": 404, "/?token=" + s.server.token: 404,
		"/AAAAAAAAAAAAAAAAAAAAAAAAAA/runs":                   404,
		"/" + strings.ToLower(s.server.address.Prefix) + "/": 404,
		"//" + s.server.address.Prefix + "/":                 404,
		"/" + s.server.address.Prefix:                        303,
		"/" + s.server.address.Prefix + "/runs":              403,
		"/" + s.server.address.Prefix + "/static/style.css":  403,
		"/" + s.server.address.Prefix + "/alive":             403,
		"/" + s.server.address.Prefix + "/alive/x":           200, // gives away nothing
	} {
		status, body, cookies := visit(t, host+path)
		if status != want || len(cookies) > 0 || status > 400 && !strings.Contains(body, "Open the program again") {
			t.Errorf("%s: status %d, cookies %v, %s; want %d", path, status, cookies, body, want)
		}
	}
}

var inFile = regexp.MustCompile(`url=(http://[^"]+)"`)

// openedBy returns the address to which an opening file leads.
func openedBy(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := inFile.FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s leads nowhere:\n%s", path, text)
	}
	return string(found[1])
}

// Everybody can see the command line that starts a browser: it names a file, which only
// this user can read, and not the address.
func TestTheBrowsersAddressWorksOnce(t *testing.T) {
	s := open(t)
	path, err := s.server.OpeningFile()
	if err != nil {
		t.Fatal(err)
	}
	address := openedBy(t, path)
	_, token, _ := strings.Cut(address, "token=")
	for _, secret := range []string{token, s.server.address.Prefix, s.server.secret, s.server.token} {
		if secret == "" || strings.Contains(path, secret) {
			t.Errorf("the name %s tells %q", path, secret)
		}
	}
	if file, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && file.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", file, err)
	}
	if folder, err := os.Stat(filepath.Dir(path)); err != nil || runtime.GOOS != "windows" && folder.Mode().Perm() != 0o700 {
		t.Errorf("its folder: %v, %v", folder, err)
	}
	status, body, cookies := visit(t, address)
	if status != http.StatusOK || len(cookies) != 1 || !strings.Contains(body, s.server.link("/")) {
		t.Fatalf("first visit: status %d, cookies %v, %s", status, cookies, body)
	}
	if c := cookies[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != s.server.link("/") || c.Value == token || c.Value == s.server.token {
		t.Errorf("cookie %+v: want HttpOnly, SameSite=Strict, a path and a secret of its own", c)
	}
	if status, _, cookies := visit(t, address); status != http.StatusForbidden || len(cookies) != 0 {
		t.Errorf("second visit: status %d, cookies %v", status, cookies)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	for _, token := range []string{"", ".", "..", "../web.address.json", strings.Repeat("A", 1<<16)} {
		if status, _, cookies := visit(t, s.base+"/?token="+url.QueryEscape(token)); status != http.StatusForbidden || len(cookies) != 0 {
			t.Errorf("token %.20q: status %d, cookies %v", token, status, cookies)
		}
	}
}

// listen makes a server with the state folder, and lets it listen.
func listen(t *testing.T, state, address string) (*Server, net.Listener) {
	t.Helper()
	server, err := New(t.Context(), load(t, state))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := server.Listen(t.Context(), address)
	if err != nil {
		t.Fatal(errors.Join(err, server.Close()))
	}
	return server, listener
}

// The pages that a browser has open are there again after the next start; anyone who has
// taken the port meanwhile learned no secret that is still good.
func TestAddressesOutliveTheProgram(t *testing.T) {
	state := t.TempDir()
	end := func(server *Server, listener net.Listener) {
		t.Helper()
		if err := errors.Join(listener.Close(), server.Close()); err != nil {
			t.Fatal(err)
		}
	}
	first, listener := listen(t, state, "127.0.0.1:0")
	end(first, listener)
	file := filepath.Join(state, "web.address.json")
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Fatalf("the address file: %v, %v", info, err)
	}

	second, listener := listen(t, state, "127.0.0.1:0")
	if a, b := first.address, second.address; a.Host != b.Host || a.Prefix != b.Prefix || a.Cookie != b.Cookie {
		t.Errorf("another start, another address: %+v, then %+v", a, b)
	}
	if first.secret == second.secret || first.token == second.token || first.address.Key == second.address.Key {
		t.Error("a secret of the first start is good in the second")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}

	third, other := listen(t, state, "127.0.0.1:0") // another program has the port
	if a, b := second.address, third.address; a.Host == b.Host || a.Prefix == b.Prefix || a.Cookie == b.Cookie {
		t.Errorf("with the port taken: %+v, then %+v", a, b)
	}
	end(third, other)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}

	for _, text := range []string{"", "{", `{"host":"192.0.2.1:80","prefix":"../../etc","cookie":"a b","key":""}`, strings.Repeat("x", 1<<20)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		server, listener := listen(t, state, "127.0.0.1:0")
		if !server.address.isWhole() || readAddress(file) != server.address {
			t.Errorf("after %.20q: %+v", text, server.address)
		}
		end(server, listener)
	}
}

func TestAnotherStartFindsThePage(t *testing.T) {
	s := open(t)
	state := s.server.env.Settings.State
	running, found := FindRunning(t.Context(), state)
	if !found {
		t.Fatal("the page is not found")
	}
	address, err := running.OnceURL()
	if err != nil {
		t.Fatal(err)
	}
	path, err := running.OpeningFile()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{address, openedBy(t, path)} {
		for i, want := range []int{http.StatusOK, http.StatusForbidden} {
			if status, _, cookies := visit(t, address); status != want || len(cookies) != 1-i {
				t.Errorf("visit %d: status %d, cookies %v", i+1, status, cookies)
			}
		}
	}
	if _, found := FindRunning(t.Context(), t.TempDir()); found {
		t.Error("found a page where there is none")
	}

	// A program that has taken the port of a page that died.
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, filepath.Base(r.URL.Path)) }))
	defer echo.Close()
	a := readAddress(filepath.Join(state, "web.address.json"))
	a.Host = strings.TrimPrefix(echo.URL, "http://")
	other := t.TempDir()
	if err := a.write(filepath.Join(other, "web.address.json")); err != nil {
		t.Fatal(err)
	}
	if _, found := FindRunning(context.Background(), other); found {
		t.Error("took another program for the page")
	}
}

func TestOnlyStaticFilesAreServed(t *testing.T) {
	s := open(t)
	for path, want := range map[string]int{
		"/static/style.css": 200, "/static/icon.svg": 200,
		"/static/": 404, "/static": 404, "/static/%2e%2e/templates/layout.html": 404, "/static/..%2ftemplates%2flayout.html": 404,
		"/static/%2e%2e%2ftemplates%2flayout.html": 404, "/static/static/style.css": 404, "/templates/layout.html": 404, "/static/..%5ctemplates%5clayout.html": 404,
	} {
		status, body := s.get(path)
		if strings.Contains(body, "{{") || want == 200 != (status == 200) {
			t.Errorf("%s: status %d\n%.200s", path, status, body)
		}
	}
}

// Old browsers do not say from where a form comes: then it has to have the form token.
func TestFormsShowWhereTheyAreFrom(t *testing.T) {
	s := open(t)
	own := "http://" + s.server.address.Host
	action := strings.TrimPrefix(s.server.action("/progress/stop"), s.server.link(""))
	for _, c := range []struct {
		name, path string
		headers    []string
		want       int
	}{
		{"nothing says it", "/progress/stop", nil, 403},
		{"wrong token", "/progress/stop?form=AAAA", nil, 403},
		{"empty token", "/progress/stop?form=", nil, 403},
		{"token", action, nil, 200},
		{"our origin", "/progress/stop", []string{"Origin", own}, 200},
		{"an origin without a name", "/progress/stop", []string{"Origin", "null"}, 403},
		{"a token from another site", action, []string{"Origin", "http://evil.example"}, 403},
		{"a token from another port", action, []string{"Sec-Fetch-Site", "same-site"}, 403},
	} {
		r := s.request("POST", c.path, nil)
		r.Header.Del("Sec-Fetch-Site")
		if len(c.headers) > 0 {
			r.Header.Set(c.headers[0], c.headers[1])
		}
		if status, body := s.do(r); status != c.want {
			t.Errorf("%s: status %d, %s", c.name, status, body)
		}
	}
	err := filepath.WalkDir("templates", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, form := range regexp.MustCompile(`<form[^>]*method="post"(?:\{\{[^}]*\}\}|[^>])*>`).FindAllString(string(text), -1) {
			if !strings.Contains(form, `action="{{action "`) {
				t.Errorf("%s: %s is not posted to {{action …}}", path, form)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
