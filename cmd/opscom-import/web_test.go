package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
)

// webPage is the command web in progress, and a browser at its page.
type webPage struct {
	*testing.T
	client *http.Client
	base   string
	said   *bytes.Buffer
	ended  chan int
}

// startWeb starts the command with a state folder and further flags.
func startWeb(t *testing.T, state string, flags ...string) *webPage {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	read, write := io.Pipe()
	w := &webPage{T: t, client: &http.Client{Jar: jar}, said: &bytes.Buffer{}, ended: make(chan int, 1)}
	args := append([]string{"web", "--no-open", "--config", "", "--state", state}, flags...)
	go func() {
		code := run(t.Context(), args, streams{stdin: strings.NewReader(""), stdout: write, stderr: w.said})
		_ = write.CloseWithError(fmt.Errorf("web ended with code %d", code))
		w.ended <- code
	}()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %s", err, w.said)
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	address, err := url.Parse(regexp.MustCompile(`http://\S+`).FindString(line))
	if err != nil {
		t.Fatal(err)
	}
	w.base = "http://" + address.Host + strings.TrimSuffix(address.Path, "/")
	w.get("/?" + address.RawQuery)
	return w
}

// close ends the command as a person does, from the page.
func (w *webPage) close() {
	w.Helper()
	w.wants(w.post("/close", nil), "The program is closed")
	w.client.CloseIdleConnections()
	if code := <-w.ended; code != app.ExitDone {
		w.Errorf("web ended with code %d: %s", code, w.said)
	}
}

func (w *webPage) read(response *http.Response, err error) string {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	return string(body)
}

func (w *webPage) get(path string) string {
	w.Helper()
	return w.read(w.client.Get(w.base + path))
}

func (w *webPage) post(path string, form url.Values) string {
	w.Helper()
	return w.send(path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// send posts a form as a browser does.
func (w *webPage) send(path, contentType string, body io.Reader) string {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.base+path, body)
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return w.read(w.client.Do(r))
}

func (w *webPage) upload(name, text string) {
	w.Helper()
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	file, err := parts.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(file, text)
	}
	if err = errors.Join(err, parts.Close()); err != nil {
		w.Fatal(err)
	}
	w.send("/files", parts.FormDataContentType(), &form)
}

// result follows the progress to its end and returns the page of the result.
func (w *webPage) result() string {
	w.Helper()
	for {
		page := w.get("/progress") // leads to the result when there is one
		if !strings.Contains(page, `hx-get="`) {
			return page
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// push pushes the file as its review offers it, with every box ticked, and returns the
// review.
func (w *webPage) push(file int) (review string) {
	w.Helper()
	review = w.get(fmt.Sprintf("/files/%d/review", file))
	form := url.Values{}
	for _, input := range regexp.MustCompile(`<input type="(?:hidden|checkbox)" name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(review, -1) {
		form.Add(input[1], html.UnescapeString(input[2]))
	}
	if form.Get("digest") == "" {
		w.Fatalf("no button to push:\n%s", review)
	}
	w.post(fmt.Sprintf("/files/%d/push", file), form)
	return review
}

func (w *webPage) wants(body string, texts ...string) {
	w.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			w.Errorf("the page lacks %q:\n%s", text, body)
		}
	}
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

func TestWebPushesLikeTheCommand(t *testing.T) {
	skipShort(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	state := t.TempDir()
	w := startWeb(t, state, "--rate", "0")
	w.upload("students.csv", people(30, 2))
	w.wants(w.get("/files/1/rows"), "2 rows", "Unique ID is blank")
	w.wants(w.push(1), "Push 28 people in practice")
	w.wants(w.result(), "Result</h1>", "28 people were accepted", "2 rows need fixing", "students.csv")
	w.wants(w.get("/runs"), "students.csv", "finished")
	downloaded := w.get("/runs/1/results.csv")
	w.close()

	var reported bytes.Buffer
	if code := run(t.Context(), []string{"runs", "report", "1", "--results", "-", "--config", "", "--state", state}, streams{stdout: &reported, stderr: io.Discard}); code != app.ExitDone {
		t.Fatalf("runs report ended with code %d", code)
	}
	if downloaded != reported.String() || strings.Count(downloaded, ",pushed,") != 28 {
		t.Errorf("downloaded:\n%s\nreported by the command:\n%s", downloaded, reported.String())
	}
	if w.said.Len() > 0 {
		t.Errorf("said on standard error: %s", w.said)
	}
}

func TestWebHoldsAndApproves(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w := startWeb(t, t.TempDir(), "--rate", "0")
	defer w.close()
	w.upload("students.csv", people(30, 12))
	w.wants(w.push(1), "12 of 30 rows need fixing", "I have looked at it")
	w.wants(w.result(), "18 people were accepted")
}

// A held run of the command is approved on its page.
func TestWebApprovesRunsOfTheCommand(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	state, file := t.TempDir(), t.TempDir()+"/students.csv"
	if err := os.WriteFile(file, []byte(people(30, 12)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"push", file, "--sandbox", "--rate", "0", "--config", "", "--state", state}, streams{stdout: io.Discard, stderr: io.Discard}); code != app.ExitHeld {
		t.Fatalf("the push ended with code %d", code)
	}
	w := startWeb(t, state, "--rate", "0")
	defer w.close()
	w.wants(w.get("/runs/1"), "12 of 30 rows need fixing", "Push 18 people")
	w.post("/runs/1/push", url.Values{"approved": {"yes"}})
	w.wants(w.result(), "18 people were accepted")
}

// A stopped run goes on from its page, also after the program was closed.
func TestWebStopsAndGoesOn(t *testing.T) {
	skipShort(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	state := t.TempDir()
	w := startWeb(t, state, "--rate", "60/s")
	w.upload("students.csv", people(90, 0))
	w.push(1)
	w.stopOnceSent()
	w.wants(w.result(), "Result</h1>", "It is not complete.", "It was stopped.", "Go on")
	w.post("/runs/1/push", nil)
	w.stopOnceSent()
	w.wants(w.result(), "It is not complete.")
	w.close()

	w = startWeb(t, state, "--rate", "0")
	defer w.close()
	w.wants(w.get("/"), "stopped early")
	w.wants(w.get("/runs/1"), "It is not complete.", "Go on")
	w.post("/runs/1/push", nil)
	w.wants(w.result(), "90 people were accepted")
}

// stopOnceSent stops the push when its progress shows that rows were sent.
func (w *webPage) stopOnceSent() {
	w.Helper()
	sent := regexp.MustCompile(`<p class="live">[1-9]\d* of \d+ people`)
	for {
		switch page := w.get("/progress"); {
		case sent.MatchString(page):
			w.post("/progress/stop", nil)
			return
		case !strings.Contains(page, `hx-get="`):
			w.Fatalf("the push ended before it was stopped:\n%s", page)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A second start opens the page of the first.
func TestWebStartsOnce(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	state := t.TempDir()
	w := startWeb(t, state)
	var said, failed bytes.Buffer
	args := []string{"web", "--no-open", "--config", "", "--state", state}
	if code := run(t.Context(), args, streams{stdout: &said, stderr: &failed}); code != app.ExitDone || failed.Len() > 0 {
		t.Fatalf("the second start: code %d: %s", code, &failed)
	}
	w.wants(said.String(), "The program is running already.")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	other := &http.Client{Jar: jar}
	w.read(other.Get(regexp.MustCompile(`http://\S+`).FindString(said.String())))
	w.wants(w.read(other.Get(w.base+"/runs")), "There are no runs yet")
	other.CloseIdleConnections()
	base := w.base
	w.close()
	if w = startWeb(t, state); w.base != base {
		w.Errorf("another start, another address: %s, then %s", base, w.base)
	}
	w.close()
}

func TestWebRemovesNothingOfAnotherPage(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	state := t.TempDir()
	w := startWeb(t, state)
	half := filepath.Join(state, "web", ".arriving-1")
	list := func() bool {
		if code := run(t.Context(), []string{"runs", "--config", "", "--state", state}, streams{stdout: io.Discard, stderr: io.Discard}); code != app.ExitDone {
			t.Fatalf("runs: code %d", code)
		}
		_, err := os.Stat(half)
		return err == nil
	}
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !list() {
		t.Error("an upload in progress was removed")
	}
	w.close()
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if list() {
		t.Error("what a kill left is still there")
	}
}

func TestWebListensOnLoopbackOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:80", "example.org:80", "127.0.0.1"} {
		var said bytes.Buffer
		args := []string{"web", "--no-open", "--config", "", "--state", t.TempDir(), "--address", address}
		if code := run(t.Context(), args, streams{stdout: io.Discard, stderr: &said}); code != app.ExitUsage || !strings.Contains(said.String(), "loopback") {
			t.Errorf("%s: code %d: %s", address, code, &said)
		}
	}
}

func TestWebShowsNoToken(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Setenv(config.TokenVariable, "SECRET-TOKEN")
	closed, err := net.Listen("tcp", "127.0.0.1:0") // a Controller that does not answer
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	w := startWeb(t, t.TempDir(), "--client", "TOMA", "--url", "http://"+closed.Addr().String(), "--max-attempts", "1")
	w.upload("students.csv", people(3, 0))
	pages := w.get("/") + w.post("/files/1/review", url.Values{"target": {"real"}})
	pages += w.push(1)
	pages += w.result()
	w.close()
	w.wants(pages, closed.Addr().String()+" (client TOMA)")
	if strings.Contains(pages+w.said.String(), "SECRET") {
		t.Errorf("the token is shown:\n%s%s", pages, w.said)
	}
}
