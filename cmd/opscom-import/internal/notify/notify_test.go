package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/goleak"

	"opscom-import/cmd/opscom-import/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secret must be in no log, error or message.
const secret = "Kanarie-5b1e"

// logLines collects what is logged.
type logLines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// trial is a notifier for the targets in a config file.
type trial struct {
	*Notifier
	t      *testing.T
	folder string
	log    *logLines
}

// newTrial writes a config file with the section and the files that it names, and loads
// it. Pauses are short.
func newTrial(t *testing.T, section string, files map[string]string, variables ...string) *trial {
	t.Helper()
	tr := &trial{t: t, folder: t.TempDir(), log: new(logLines)}
	tr.write(config.FileName, "client: OC_TOMA\nstate: state\nnotify:\n"+section)
	for name, text := range files {
		tr.write(name, text)
	}
	tr.Notifier = tr.again(variables...)
	return tr
}

// again returns the notifier of another command with the same settings.
func (tr *trial) again(variables ...string) *Notifier {
	tr.t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags)
	settings, err := config.Load(flags, config.Environment{
		Variables: append([]string{"PATH=" + os.Getenv("PATH"), "OPSCOM_API_TOKEN=" + secret}, variables...), WorkDir: tr.folder, OS: "linux",
	})
	if err != nil {
		tr.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(tr.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	n := New(Options{Settings: settings, Version: "v1", Log: log, Roots: testAuthority(tr.t).pool})
	n.pause = time.Millisecond
	return n
}

func (tr *trial) path(name string) string { return filepath.Join(tr.folder, name) }

func (tr *trial) write(name, text string) {
	tr.t.Helper()
	if err := os.WriteFile(tr.path(name), []byte(text), 0o600); err != nil {
		tr.t.Fatal(err)
	}
}

// wantLog fails the test unless the words are logged in this order, and no secret is.
func (tr *trial) wantLog(words ...string) {
	tr.t.Helper()
	rest := tr.log.String()
	if strings.Contains(rest, secret) {
		tr.t.Errorf("the log has the secret: %s", rest)
	}
	for _, word := range words {
		_, after, found := strings.Cut(rest, word)
		if !found {
			tr.t.Errorf("the log lacks %q:\n%s", word, tr.log)
			return
		}
		rest = after
	}
}

// received is a request that a receiver has got.
type received struct {
	path, body, contentType string
}

// receiver is a server that takes messages. It does its worst: it repeats every request
// in its answers and their headers.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []received
	answers  []int // statuses of the next answers; 200 afterwards
}

func newReceiver(t *testing.T, answers ...int) *receiver {
	t.Helper()
	r := &receiver{answers: answers}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var body bytes.Buffer
	_, _ = body.ReadFrom(request.Body) // it shows in the body
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, received{request.URL.String(), body.String(), request.Header.Get("Content-Type")})
	status := http.StatusOK
	if len(r.answers) > 0 {
		status, r.answers = r.answers[0], r.answers[1:]
	}
	w.Header().Set("X-Was", request.URL.String())
	if status >= 300 && status < 400 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, "you said %s to %s", body.String(), request.URL)
}

// got returns the requests so far.
func (r *receiver) got() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// paths returns the paths of the requests so far.
func (r *receiver) paths() (paths []string) {
	for _, request := range r.got() {
		paths = append(paths, request.path)
	}
	return paths
}

// outcome returns an outcome of the nightly export with that event.
func outcome(event config.NotifyEvent, run int64, exit int) Outcome {
	return Outcome{
		Sources: []string{"OC_TOMA /srv/students.csv"}, Event: event, Command: "push", File: "/srv/students.csv", Target: "OC_TOMA at https://ops.example",
		Run: run, Exit: exit, Rows: 1200, Counts: []Count{{"pushed", 1188}, {"invalid", 12}}, ToFix: 12,
		Reports: []Report{{"results", "/srv/students.results.csv"}},
	}
}

func ended(outcomes ...Outcome) (end End) {
	for _, o := range outcomes {
		end.Exit = max(end.Exit, o.Exit)
	}
	end.Outcomes = outcomes
	return end
}

const hookSection = "  - webhook: {url_file: hook}\n"

func TestWebhookGetsTheFacts(t *testing.T) {
	r := newReceiver(t)
	tr := newTrial(t, hookSection, map[string]string{"hook": r.URL + "/" + secret + "?key=1\n"})
	o := outcome(config.NotifyHeld, 6, 4)
	o.Held = []string{"the file has 599 rows; at least 90% are expected"}
	tr.Ended(t.Context(), t.Context(), ended(o))
	got := r.got()
	if len(got) != 1 || got[0].path != "/"+secret+"?key=1" || got[0].contentType != "application/json" {
		t.Fatalf("%+v", got)
	}
	var f facts
	if err := json.Unmarshal([]byte(got[0].body), &f); err != nil {
		t.Fatal(err)
	}
	if f.Event != "held" || f.Title != "opscom-import: students.csv is held, nothing was sent (run 6)" || f.Run != 6 || f.Exit != 4 || f.Rows != 1200 ||
		f.Counts["invalid"] != 12 || len(f.Held) != 1 || f.Reports["results"] != "/srv/students.results.csv" || f.Version != "v1" || f.Host == "" || f.At.IsZero() {
		t.Errorf("%+v", f)
	}
	for _, want := range []string{"Run 6 of /srv/students.csv, to OC_TOMA at https://ops.example, on ", "Why:\n  the file has 599 rows", "12 invalid\n", "1,200 read\n",
		"results: /srv/students.results.csv", "opscom-import approve 6 --config " + tr.path(config.FileName)} {
		if !strings.Contains(f.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, f.Text)
		}
	}
	tr.wantLog("level=INFO", "was told", "webhook", "event=held")
}

func TestWebhookFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		answers  []int
		requests int
		log      []string
	}{
		"two faults, then well": {[]int{500, 503}, 3, []string{"answered 500 Internal Server Error", "was told"}},
		"throttled":             {[]int{429}, 2, []string{"answered 429 Too Many Requests", "was told"}},
		"never well":            {[]int{500, 500, 500, 502, 500}, maxAttempts, []string{"level=ERROR", "could not be told", "answered 502 Bad Gateway"}},
		"gone":                  {[]int{404}, 1, []string{"level=ERROR", "could not be told", "127.0.0.1", "answered 404 Not Found"}},
		"moved":                 {[]int{307}, 1, []string{"level=ERROR", "answered 307 Temporary Redirect", "a redirect, which is not followed"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, tt.answers...)
			tr := newTrial(t, hookSection, map[string]string{"hook": r.URL + "/" + secret})
			tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
			if got := r.paths(); len(got) != tt.requests || slices.Contains(got, "/elsewhere") {
				t.Errorf("requests %q, want %d", got, tt.requests)
			}
			tr.wantLog(tt.log...)
		})
	}
}

// Nobody listens, the name does not exist, the certificate is of an unknown authority, the
// file is missing: each is logged without the address, and another target is told.
func TestWebhookThatCannotBeReached(t *testing.T) {
	r := newReceiver(t)
	strange := httptest.NewTLSServer(http.NotFoundHandler())
	strange.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer strange.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, tt := range map[string]struct{ address, want string }{
		"refused":     {closed.URL + "/" + secret, "refused"},
		"certificate": {strange.URL + "/" + secret, "certificate"},
		"not an URL":  {secret, "does not begin with https://"},
		"no TLS":      {strings.Replace(r.URL, "http:", "https:", 1) + "/" + secret, "cannot be reached"},
	} {
		tr := newTrial(t, hookSection+"  - webhook: {url_file: other}\n", map[string]string{"hook": tt.address, "other": r.URL})
		before := len(r.got())
		tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
		tr.wantLog("level=ERROR", tt.want)
		if len(r.got()) != before+1 {
			t.Errorf("%s: the other target was not told", name)
		}
	}
	tr := newTrial(t, hookSection, nil)
	tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
	tr.wantLog("level=ERROR", "the address file "+tr.path("hook")+" cannot be read")
}

// A server that takes the request and never answers costs the time of its tries and no
// more, and an interrupt ends that too.
func TestWebhookThatNeverAnswers(t *testing.T) {
	stop := make(chan struct{})
	arrived := make(chan struct{}, 10)
	r := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		arrived <- struct{}{}
		select {
		case <-request.Context().Done():
		case <-stop:
		}
	}))
	defer r.Close()
	defer close(stop)
	tr := newTrial(t, hookSection, map[string]string{"hook": r.URL + "/" + secret})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	tr.Ended(t.Context(), ctx, ended(outcome(config.NotifyHeld, 6, 4)))
	tr.wantLog("level=ERROR", "cannot be reached: context canceled")

	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	tr.again().Ended(t.Context(), ctx, ended(outcome(config.NotifyHeld, 7, 4)))
	tr.wantLog("level=ERROR", "it does not answer in time")
}

// Requests to another machine go through the proxy of the environment, and not where
// NO_PROXY says.
func TestWebhookThroughAProxy(t *testing.T) {
	r := newReceiver(t)
	tr := newTrial(t, "  - webhook: {url_file: hook, insecure_http: true}\n", map[string]string{"hook": "http://hook.invalid/" + secret},
		"HTTP_PROXY=http://user:"+secret+"@"+strings.TrimPrefix(r.URL, "http://"))
	tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
	if got := r.paths(); !slices.Equal(got, []string{"http://hook.invalid/" + secret}) {
		t.Errorf("through the proxy came %q", got)
	}
	tr.again("HTTP_PROXY=http://user:"+secret+"@127.0.0.1:1").Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 7, 4)))
	tr.wantLog("level=ERROR", "hook.invalid cannot be reached", "through the proxy 127.0.0.1:1 (from HTTP_PROXY)")
	tr.again("HTTP_PROXY="+r.URL, "NO_PROXY=.invalid").Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 8, 4)))
	if got := r.paths(); len(got) != 1 {
		t.Errorf("NO_PROXY is not obeyed: %q", got)
	}
}

func TestStyles(t *testing.T) {
	o := outcome(config.NotifyFailed, 0, 2)
	o.File = "/srv/*_a_* <b> & [c](d).csv"
	o.Problem = "the token file is empty\nsecond line\x1b[31m\u202e"
	for style, want := range map[string][]string{
		"slack": {`"mrkdwn":false`, `*_a_* \u0026lt;b\u0026gt; \u0026amp; [c](d).csv failed, nothing was sent`, "Why:\\n  the token file is empty\\n  second line[31m\\n"},
		"teams": {`"contentType":"application/vnd.microsoft.card.adaptive"`, `"type":"AdaptiveCard"`, `"text":"second line[31m"`, `"weight":"Bolder"`},
		"json":  {`"event":"failed"`, `"problem":"the token file is empty\nsecond line[31m"`, `"held":[]`, `"run":0`},
	} {
		r := newReceiver(t)
		tr := newTrial(t, "  - webhook: {url_file: hook, style: "+style+"}\n", map[string]string{"hook": r.URL})
		tr.Ended(t.Context(), t.Context(), ended(o))
		got := r.got()
		if len(got) != 1 || !json.Valid([]byte(got[0].body)) {
			t.Fatalf("%s: %+v", style, got)
		}
		for _, word := range want {
			if !strings.Contains(got[0].body, word) {
				t.Errorf("%s lacks %q:\n%s", style, word, got[0].body)
			}
		}
	}
}

func TestWhoHearsOfWhat(t *testing.T) {
	all, some, failures := newReceiver(t), newReceiver(t), newReceiver(t)
	tr := newTrial(t, `  - webhook: {url_file: all}
  - webhook: {url_file: some}
    on: [recovered, no_file]
  - webhook: {url_file: failures}
    on: [held, failed, not_complete]
`, map[string]string{"all": all.URL, "some": some.URL, "failures": failures.URL})
	for _, o := range []Outcome{
		outcome("", 1, 0), // a quiet night
		outcome(config.NotifyHeld, 2, 4),
		outcome("", 3, 0), // after a failure
		outcome("", 4, 0),
		outcome(config.NotifyFailed, 0, 2),
		outcome(config.NotifyNotComplete, 5, 3),
		outcome(config.NotifyRowsToFix, 5, 1), // after a failure too
		outcome(config.NotifyRowsToFix, 6, 1),
		outcome(config.NotifyNoFile, 0, 0),
		outcome("", 7, 0),
	} {
		tr.again().Ended(t.Context(), t.Context(), ended(o))
	}
	for name, tt := range map[string]struct {
		*receiver
		want string
	}{
		"all":      {all, "held recovered failed not_complete rows_to_fix rows_to_fix no_file recovered"},
		"some":     {some, "recovered recovered no_file recovered"},
		"failures": {failures, "held failed not_complete"},
	} {
		var events []string
		for _, request := range tt.got() {
			var f facts
			if err := json.Unmarshal([]byte(request.body), &f); err != nil {
				t.Fatal(err)
			}
			events = append(events, string(f.Event))
			if again := strings.Contains(f.Text, "It is the first complete run since the failure of "); again != (f.Event == "recovered" || f.Event == "rows_to_fix" && f.Run == 5) {
				t.Errorf("%s, run %d: %s", f.Event, f.Run, f.Text)
			}
		}
		if got := strings.Join(events, " "); got != tt.want {
			t.Errorf("%s heard of %q, want %q", name, got, tt.want)
		}
	}
}

// The same failure of the same run is told once, to each target that has taken it.
func TestSameFailureIsToldOnce(t *testing.T) {
	r, flaky := newReceiver(t), newReceiver(t, 404)
	tr := newTrial(t, hookSection+"  - webhook: {url_file: flaky}\n", map[string]string{"hook": r.URL, "flaky": flaky.URL})
	for range 3 {
		tr.again().Ended(t.Context(), t.Context(), ended(outcome(config.NotifyNotComplete, 5, 3)))
	}
	if len(r.got()) != 1 || len(flaky.got()) != 2 {
		t.Errorf("told %d and %d times, want 1 and 2: the first to the second target failed", len(r.got()), len(flaky.got()))
	}
	other := outcome(config.NotifyNotComplete, 5, 3)
	other.Sources = []string{"OC_TOMA /srv/staff.csv"}
	for _, o := range []Outcome{outcome(config.NotifyNotComplete, 6, 3), outcome(config.NotifyHeld, 6, 4), other} {
		before := len(r.got())
		tr.again().Ended(t.Context(), t.Context(), ended(o))
		if len(r.got()) != before+1 {
			t.Errorf("another failure is not told: %+v", o)
		}
	}
	failed := outcome(config.NotifyFailed, 0, 2)
	for i, problem := range []string{"no token", "no token", "no file"} {
		failed.Problem = problem
		before := len(r.got())
		tr.again().Ended(t.Context(), t.Context(), ended(failed))
		if told := len(r.got()) > before; told != (i != 1) {
			t.Errorf("%q, time %d: told %v", problem, i+1, told)
		}
	}
	late := outcome(config.NotifyNoFile, 0, 3)
	late.Subject = "by 05:00"
	before := len(r.got())
	for _, problem := range []string{"nothing is there", "it changed a short while ago"} {
		late.Problem = problem
		tr.again().Ended(t.Context(), t.Context(), ended(late))
	}
	if told := len(r.got()) - before; told != 1 {
		t.Errorf("a file that did not come by one time is told %d times", told)
	}
}

// TestSettledSource is no recovery when the file that did not come is held, and approved later.
func TestSettledSource(t *testing.T) {
	r := newReceiver(t)
	tr := newTrial(t, hookSection, map[string]string{"hook": r.URL})
	none, held, approved, next := outcome(config.NotifyNoFile, 0, 3), outcome(config.NotifyHeld, 6, 4), outcome("", 6, 0), outcome("", 7, 0)
	none.Sources, held.Settles, next.Sources = []string{"job students"}, []string{"job students"}, append(next.Sources, "job students")
	for _, o := range []Outcome{none, held, approved, next} {
		tr.again().Ended(t.Context(), t.Context(), ended(o))
	}
	if got := len(r.got()); got != 3 {
		t.Errorf("told %d times, want 3: %+v", got, r.got())
	}
}

func TestJobThatCannotWork(t *testing.T) {
	m := Message{Outcome: Outcome{Command: "watch", Job: "students", File: "/srv/in/students-*.csv"}, Event: config.NotifyNotComplete}
	if got := m.headline(); got != "the job students cannot work" {
		t.Errorf("the headline is %q", got)
	}
}

// A run that somebody has stopped is not tried again by itself.
func TestStoppedRunOfAJob(t *testing.T) {
	m := Message{Outcome: Outcome{Command: "push", Job: "students", Folder: "/srv/in", Run: 7}, Event: config.NotifyNotComplete}
	if got := strings.Join(m.nextSteps(""), " "); got != "To go on, put the file into /srv/in again; or, as the user of the job: opscom-import approve 7" {
		t.Errorf("the next steps are %q", got)
	}
}

func TestRepeatsAreToldTheNextDay(t *testing.T) {
	now := time.Date(2026, 11, 29, 4, 15, 0, 0, time.UTC)
	o := outcome(config.NotifyHeld, 6, 4)
	n := news{o, lastResult{Event: config.NotifyHeld, Told: map[string]telling{"1 mail": {config.NotifyHeld, o.subject(), now}}}}
	for after, want := range map[time.Duration]bool{0: true, 11 * time.Hour: true, 13 * time.Hour: false, -time.Hour: true, -24 * time.Hour: false} {
		if got := n.isRepeated("1 mail", config.NotifyHeld, now.Add(after)); got != want {
			t.Errorf("after %v: repeated %v", after, got)
		}
	}
	if n.isRepeated("2 mail", config.NotifyHeld, now) {
		t.Error("another target was not told")
	}
}

func TestHealthcheck(t *testing.T) {
	for name, tt := range map[string]struct {
		end  End
		want []string
	}{
		"well":           {ended(outcome("", 1, 0)), []string{"/h/start?k=1", "/h?k=1"}},
		"rows to fix":    {ended(outcome(config.NotifyRowsToFix, 1, 1)), []string{"/h/start?k=1", "/h?k=1"}},
		"held":           {ended(outcome(config.NotifyHeld, 1, 4)), []string{"/h/start?k=1", "/h/4?k=1"}},
		"failed":         {ended(outcome("", 1, 0), outcome(config.NotifyFailed, 0, 2)), []string{"/h/start?k=1", "/h/2?k=1"}},
		"another's work": {End{Exit: 5, Silent: true}, []string{"/h/start?k=1"}},
	} {
		r := newReceiver(t)
		tr := newTrial(t, "  - healthcheck: {url_file: check}\n", map[string]string{"check": r.URL + "/h?k=1"})
		tr.Started(t.Context())
		tr.Ended(t.Context(), t.Context(), tt.end)
		if got := r.paths(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		if last := r.got()[len(tt.want)-1]; len(tt.want) > 1 && !strings.Contains(last.body, "1,200 read") {
			t.Errorf("%s: the text is %q", name, last.body)
		}
	}
}

// A failed start does not keep the end from being told.
func TestHealthcheckWhoseStartFails(t *testing.T) {
	r := newReceiver(t, 404)
	tr := newTrial(t, "  - healthcheck: {url_file: check}\n", map[string]string{"check": r.URL + "/" + secret})
	tr.Started(t.Context())
	tr.Ended(t.Context(), t.Context(), ended(outcome("", 1, 0)))
	tr.wantLog("level=ERROR", "event=start", "404", "event=success")
}

func TestNobodyToTell(t *testing.T) {
	tr := newTrial(t, "  []\n", nil)
	tr.Started(t.Context())
	tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
	if _, err := os.Stat(tr.path("state")); !errors.Is(err, os.ErrNotExist) {
		t.Error("something was written")
	}
}

func TestTestMessage(t *testing.T) {
	r := newReceiver(t, 0o0)
	r.answers = []int{500}
	tr := newTrial(t, hookSection+"  - healthcheck: {url_file: hook}\n  - webhook: {url_file: none}\n", map[string]string{"hook": r.URL + "/" + secret})
	results := tr.Test(t.Context())
	if len(results) != 3 || results[2].Err == nil {
		t.Fatalf("%+v", results)
	}
	failed := 0
	for _, result := range results[:2] {
		if result.Err != nil && !strings.Contains(result.Err.Error(), secret) {
			failed++
		}
	}
	if failed != 1 || len(r.got()) != 2 {
		t.Errorf("%d failed of %d requests, want one of 2: a test is tried once", failed, len(r.got()))
	}
	if text := r.got()[0].body; !strings.Contains(text, "This is a test by opscom-import") {
		t.Errorf("the message is %q", text)
	}
}
