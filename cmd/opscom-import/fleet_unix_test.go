//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/postgres/keyring"
	"opscom-import/importer/sandbox"
	"opscom-import/importer/sandbox/audit"
)

const (
	fleetKey      = "key-1 c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"
	fleetLanes    = 2 // of a run
	fleetRequests = 8 // of a lane in flight
	fleetPatience = 5 * time.Minute
)

// fleetTrial is a journal in PostgreSQL, workers that share it, and clients whose files they push to
// sandboxes. The sandboxes live in the test, so that their request logs outlive the processes.
type fleetTrial struct {
	*testing.T
	program string
	folder  string
	url     string // of the database
	setting string // of the workers, as NAME=VALUE; "" for none
	proxied string // where the proxies of the workers lead: host:port, "" for no proxies
	journal *postgres.Journal
	server  *httptest.Server
	clients []*fleetClient // mu is held while one is added, and by other goroutines
	workers []*fleetWorker
	started atomic.Int64 // processes until now
	slots   int          // of a worker

	mu      sync.Mutex
	events  []fleetEvent
	outages []fleetOutage
}

// fleetWorker is a process of worker. Each has a token of its own, which tells its requests from those of others.
type fleetWorker struct {
	number  int
	process *exec.Cmd
	gone    chan struct{} // closed when it has ended
	log     string        // path
	proxy   *toxiproxy.Proxy
}

// fleetEvent is what happened to a process.
type fleetEvent struct {
	what    string
	process int
	at      time.Time
}

// fleetOutage is a time without a database.
type fleetOutage struct{ from, to time.Time }

// newFleet returns a fleet without clients and workers.
func newFleet(t *testing.T, database string) *fleetTrial {
	t.Helper()
	f := &fleetTrial{T: t, url: database}
	f.open(http.HandlerFunc(f.serve))
	return f
}

// open makes what a fleet needs, whose clients are answered by a handler.
func (f *fleetTrial) open(handler http.Handler) {
	f.Helper()
	t := f.T
	f.program, f.folder, f.slots = testProgram(t), t.TempDir(), 20
	f.server = httptest.NewUnstartedServer(handler)
	f.check(stampArrivals(f.server))
	f.server.Start()
	t.Cleanup(f.server.Close)
	if end := f.run(f.command(nil, "migrate")); end.code != 0 {
		t.Fatalf("migrate: %+v", end)
	}
	keys, err := keyring.Parse(fleetKey)
	f.check(err)
	f.journal, err = postgres.Open(t.Context(), f.url, postgres.Options{Keys: keys})
	f.check(err)
	t.Cleanup(func() { f.check(f.journal.Close()) })
	t.Cleanup(f.end)
}

func (f *fleetTrial) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// command returns a process of the program, not yet started.
func (f *fleetTrial) command(env []string, args ...string) *exec.Cmd {
	c := exec.Command(f.program, args...)
	c.Dir = f.folder
	c.Env = append([]string{
		"HOME=" + f.folder, "TMPDIR=" + f.folder, "OPSCOM_STATE=" + filepath.Join(f.folder, "state"), "OPSCOM_URL=" + f.server.URL,
		"OPSCOM_JOURNAL=" + f.url, "OPSCOM_JOURNAL_KEY=" + fleetKey, "OPSCOM_NO_PROGRESS=true", "OPSCOM_WORKERS=" + strconv.Itoa(fleetRequests),
		"OPSCOM_MAX_FAILURES=1000",
	}, env...)
	return c
}

// run runs a process to its end.
func (f *fleetTrial) run(c *exec.Cmd) ended {
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	f.sound(strings.Join(c.Args[1:], " "), stderr.String())
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		f.Error(err)
	}
	return ended{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// sound checks that a process has not panicked, and had no data race.
func (f *fleetTrial) sound(name, stderr string) {
	for _, line := range []string{"DATA RACE", "panic:", "fatal error:"} {
		if strings.Contains(stderr, line) {
			f.Errorf("%s: %s", name, stderr)
			return
		}
	}
}

// start starts another worker.
func (f *fleetTrial) start() *fleetWorker {
	f.Helper()
	w := &fleetWorker{number: int(f.started.Add(1)), gone: make(chan struct{})}
	w.log = filepath.Join(f.folder, fmt.Sprintf("worker-%d.log", w.number))
	tokens := filepath.Join(f.folder, fmt.Sprintf("tokens-%d", w.number))
	f.check(os.Mkdir(tokens, 0o700))
	for _, c := range f.clients {
		f.check(os.WriteFile(filepath.Join(tokens, c.code), []byte(fleetToken(w.number)), 0o600))
	}
	w.process = f.command([]string{"OPSCOM_TOKEN_FOLDER=" + tokens, f.setting}, "worker", "--slots", strconv.Itoa(f.slots), "--log-level", "info")
	if f.proxied != "" {
		w.proxy = toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "postgres", "127.0.0.1:0", f.proxied)
		f.check(w.proxy.Start())
		u, err := url.Parse(f.url)
		f.check(err)
		u.Host = w.proxy.Listen
		w.process.Env = append(w.process.Env, "OPSCOM_JOURNAL="+u.String())
	}
	log, err := os.Create(w.log)
	f.check(err)
	w.process.Stderr = log
	f.check(w.process.Start())
	f.check(log.Close())
	go func() {
		defer close(w.gone)
		_ = w.process.Wait() // it is killed, most often
	}()
	f.workers = append(f.workers, w)
	return w
}

// remove forgets a worker that ends, and waits until it has.
func (f *fleetTrial) remove(w *fleetWorker) {
	<-w.gone
	if w.proxy != nil {
		w.proxy.Stop()
	}
	f.workers = slices.DeleteFunc(f.workers, func(other *fleetWorker) bool { return other == w })
	text, err := os.ReadFile(w.log)
	f.check(err)
	f.sound(filepath.Base(w.log), string(text))
}

// revive starts workers in place of those that have ended by themselves because there was no database when they began.
func (f *fleetTrial) revive() {
	for _, w := range slices.Clone(f.workers) {
		select {
		case <-w.gone:
			text, _ := os.ReadFile(w.log)
			if code := w.process.ProcessState.ExitCode(); code != app.ExitUsage || strings.Contains(string(text), "the worker has started") {
				f.Errorf("worker %d has ended with %d:\n%s", w.number, code, text)
			}
			f.remove(w)
			f.start()
		default:
		}
	}
}

// end kills the workers that are left.
func (f *fleetTrial) end() {
	for _, w := range slices.Clone(f.workers) {
		if f.Failed() {
			if text, err := os.ReadFile(w.log); err == nil {
				f.Logf("the end of the log of worker %d:\n%s", w.number, text[max(0, len(text)-4000):])
			}
		}
		_ = w.process.Process.Kill() // it may have ended
		f.remove(w)
	}
}

// happened takes down what happened to a process.
func (f *fleetTrial) happened(what string, process int, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, fleetEvent{what, process, at})
}

// fleetToken is what the process of that number has in place of the sandbox's token.
func fleetToken(process int) string { return fmt.Sprintf("fleet-token-of-%05d", process) }

var (
	fleetTokens = regexp.MustCompile(`fleet-token-of-(\d{5})`)
	fleetIDs    = regexp.MustCompile(`"9\d{8}"`)
)

// serve gives a request to the sandbox of its client, and takes down who sent it.
func (f *fleetTrial) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the process was killed in the midst of it
	}
	at := cameAt(r)
	client := f.clientOf(r.URL.Path)
	if client == nil {
		http.NotFound(w, r)
		return
	}
	request := fleetRequest{at: at}
	if token := fleetTokens.FindSubmatch(body); token != nil {
		request.worker, _ = strconv.Atoi(string(token[1])) // digits
	}
	if strings.HasSuffix(r.URL.Path, "/push") {
		request.id = strings.Trim(string(fleetIDs.Find(body)), `"`)
	}
	r.Body = io.NopCloser(bytes.NewReader(fleetTokens.ReplaceAll(body, []byte(scriptToken))))
	r.ContentLength = -1
	client.busy.RLock()
	defer client.busy.RUnlock()
	client.mu.Lock()
	client.arrived = append(client.arrived, request)
	client.mu.Unlock()
	client.box.ServeHTTP(w, r)
}

// fleetRequest is a request as it came. Its place among all of its client is its number.
type fleetRequest struct {
	at     time.Time
	worker int    // or another process
	id     string // of the person; "" if it is not a push
}

// fleetClient is a client whose files are pushed one after the other.
type fleetClient struct {
	*fleetTrial
	code  string
	rate  int
	box   *sandbox.Sandbox
	busy  sync.RWMutex // held while a request is answered
	files int
	runs  []fleetRun

	mu      sync.Mutex
	arrived []fleetRequest
	run     int64 // in progress; 0: there is none
	shots   []fleetShot
}

// fleetShot is the journal while processes go on: all that it says was so when before requests had come,
// or later, but not later than when after requests had come.
type fleetShot struct {
	run           int64
	at            time.Time
	before, after int64
	lines         []importer.Result
}

func (f *fleetTrial) client(code string, rate int, faults string, seed uint64) *fleetClient {
	f.Helper()
	c := &fleetClient{fleetTrial: f, code: code, rate: rate}
	c.replace(faults, seed)
	f.check(os.Mkdir(c.path(""), 0o700))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clients = append(f.clients, c)
	return c
}

// clientOf returns the client that a request is to, nil for none.
func (f *fleetTrial) clientOf(path string) (client *fleetClient) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.clients {
		if strings.Contains(path, c.code) {
			client = c
		}
	}
	return client
}

// replace gives the client another sandbox, with these faults.
func (c *fleetClient) replace(faults string, seed uint64) {
	c.Helper()
	parsed, err := sandbox.ParseFaults(faults)
	c.check(err)
	box, err := sandbox.New(sandbox.Config{Client: c.code, Token: scriptToken, Faults: parsed, Seed: seed, KeepRequests: true})
	c.check(err)
	c.Cleanup(func() { c.check(box.Close()) })
	c.busy.Lock()
	defer c.busy.Unlock()
	c.box = box
}

func (c *fleetClient) path(name string) string { return filepath.Join(c.folder, c.code, name) }

// count is how many requests have come.
func (c *fleetClient) count() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(len(c.arrived))
}

// write makes a file of people, and returns its name. The next one has the same people with another city.
func (c *fleetClient) write(rows int) (name string) {
	c.Helper()
	c.files++
	records := trialRecords(rows, 0, func(int) bool { return false })
	for _, record := range records[1:] {
		record[5] = fmt.Sprintf("%s %d", record[5], c.files)
	}
	name = fmt.Sprintf("people-%d.csv", c.files)
	var text bytes.Buffer
	c.check(csv.NewWriter(&text).WriteAll(records))
	c.check(os.WriteFile(c.path(strings.TrimSuffix(name, ".csv")+".mapping.yaml"), []byte(trialMapping), 0o600))
	c.check(os.WriteFile(c.path(name), text.Bytes(), 0o600))
	return name
}

// process returns a process of the client that is not started yet.
func (c *fleetClient) process(number int, args ...string) *exec.Cmd {
	return c.command([]string{"OPSCOM_CLIENT=" + c.code, "OPSCOM_API_TOKEN=" + fleetToken(number), "OPSCOM_RATE=" + strconv.Itoa(c.rate)}, args...)
}

// newest returns the client's newest run after another one; false if there is none.
func (c *fleetClient) newest(after int64) (importer.RunInfo, bool) {
	runs := insisted(c.fleetTrial, func(ctx context.Context) ([]importer.RunInfo, error) { return c.journal.Runs(ctx) })
	for _, run := range runs {
		if run.Client == c.code && run.ID > after {
			return run, true
		}
	}
	return importer.RunInfo{}, false
}

// insisted reads from the journal until the database answers.
func insisted[T any](f *fleetTrial, read func(ctx context.Context) (T, error)) (value T) {
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
		value, err := read(ctx)
		stop()
		if err == nil {
			return value
		}
		if !postgres.IsTransient(err) && !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > fleetPatience {
			f.Errorf("read the journal: %v", err)
			return value
		}
	}
}

// lines returns the lines of a run as the journal has them.
func (f *fleetTrial) lines(id int64) []importer.Result {
	return insisted(f, func(ctx context.Context) (lines []importer.Result, err error) {
		run, err := f.journal.Run(ctx, id)
		if err != nil {
			return nil, err
		}
		for line, err := range run.Results(ctx) {
			if err != nil {
				return nil, err
			}
			lines = append(lines, line)
		}
		return lines, nil
	})
}

// shoot takes down what the journal says of the run in progress.
func (c *fleetClient) shoot() {
	c.mu.Lock()
	shot := fleetShot{run: c.run, at: time.Now(), before: int64(len(c.arrived))}
	c.mu.Unlock()
	if shot.run == 0 {
		return
	}
	shot.lines = c.lines(shot.run)
	shot.after = c.count()
	c.mu.Lock()
	c.shots = append(c.shots, shot)
	c.mu.Unlock()
}

// shoot takes down what the journal says of all runs in progress.
func (f *fleetTrial) shoot() {
	for _, c := range f.clients {
		c.shoot()
	}
}

// crashes returns the shots of a run, each as two crashes: what was open is compared with the requests
// that had come before, what had an outcome with those that had come after.
func (c *fleetClient) crashes(run int64) (crashes []audit.Crash) {
	for _, shot := range c.shots {
		if shot.run != run {
			continue
		}
		before, after := slices.Clone(shot.lines), slices.Clone(shot.lines)
		for i, line := range shot.lines {
			switch {
			case line.Status == importer.StatusNotSent:
				after[i].Status = importer.StatusUnknown
			case line.Attempts > 0:
				before[i].Status = importer.StatusUnknown
			}
		}
		crashes = append(crashes, audit.Crash{Sequence: shot.before, Journal: before}, audit.Crash{Sequence: shot.after, Journal: after})
	}
	return crashes
}

// fleetRun is a file that was pushed.
type fleetRun struct {
	file         string
	id           int64
	since, until int64 // number of the last request before it, and of the last one before the next run
	began, ended time.Time
}

// load has a file pushed by processes that start starts until there is nothing left to do.
func (c *fleetClient) load(file string, start func(file string)) {
	last, _ := c.newest(0)
	run := fleetRun{file: file, since: c.quiet(), until: math.MaxInt64, began: time.Now()}
	if len(c.runs) > 0 {
		c.runs[len(c.runs)-1].until = run.since
	}
	for ; !c.Failed(); time.Sleep(200 * time.Millisecond) {
		info, found := c.newest(last.ID)
		switch {
		case time.Since(run.began) > fleetPatience:
			c.Errorf("%s: %s is not pushed: %+v", c.code, file, info)
		case found && info.State == importer.RunFinished:
			run.id, run.ended = info.ID, time.Now()
			c.runs = append(c.runs, run)
			c.begin(0)
			return
		case found && info.State == importer.RunPushing:
			c.begin(info.ID)
		default:
			start(file)
		}
	}
}

// begin says which run is in progress.
func (c *fleetClient) begin(run int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run = run
}

// quiet waits until all requests that have come are answered, and returns how many have come.
func (c *fleetClient) quiet() int64 {
	c.busy.Lock()
	defer c.busy.Unlock()
	return c.count()
}

// judge audits all runs of the client, and returns the number of violations. The database is there.
func (c *fleetClient) judge() (violations int) {
	c.Helper()
	c.quiet()
	requests := c.box.Requests()
	for _, run := range c.runs {
		number := strconv.FormatInt(run.id, 10)
		if end := c.fleetTrial.run(c.process(0, "runs", "report", number)); end.code != 0 {
			c.Errorf("the reports of run %s: %+v", number, end)
			continue
		}
		tr := &trial{t: c.T, folder: c.path(""), file: run.file}
		evidence := audit.Evidence{Source: tr.source(), Since: run.since, Crashes: c.crashes(run.id), Journal: c.lines(run.id)}
		if c.troubled(run) { // answers may have been lost that no shot was taken after
			evidence.Crashes = append(evidence.Crashes, audit.Crash{Sequence: run.since})
		}
		for _, entry := range requests {
			if entry.Sequence <= run.until {
				evidence.Requests = append(evidence.Requests, entry)
			}
		}
		text, err := os.ReadFile(tr.results())
		c.check(err)
		evidence.Results, err = audit.ReadResults(bytes.NewReader(text))
		c.check(err)
		totals, err := audit.ReadTotals("runs show", []byte(c.fleetTrial.run(c.process(0, "runs", "show", "--json", number)).stdout))
		c.check(err)
		evidence.Totals, evidence.Exit = []audit.Totals{totals}, totals.Exit
		found := audit.Check(evidence)
		violations += len(found)
		for _, v := range found[:min(len(found), 10)] {
			c.Errorf("%s, run %s: %v", c.code, number, v)
		}
	}
	return violations
}

// troubled reports whether anything happened during the run.
func (f *fleetTrial) troubled(run fleetRun) bool {
	return slices.ContainsFunc(f.events, func(e fleetEvent) bool { return e.at.After(run.began) && e.at.Before(run.ended) }) ||
		slices.ContainsFunc(f.outages, func(o fleetOutage) bool { return o.to.After(run.began) && o.from.Before(run.ended) })
}

// times returns when the requests of the client came, in order.
func (c *fleetClient) times() (times []time.Time) {
	for _, r := range c.arrived {
		times = append(times, r.at)
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// pushes returns when those of them came that were pushes.
func (c *fleetClient) pushes() (times []time.Time) {
	for _, r := range c.arrived {
		if r.id != "" {
			times = append(times, r.at)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// rush returns how many of the times are in the fullest second, and the last of them.
func rush(times []time.Time) (most int, last time.Time) {
	first := 0
	for i, at := range times {
		for at.Sub(times[first]) >= time.Second {
			first++
		}
		if n := i - first + 1; n > most {
			most, last = n, at
		}
	}
	return most, last
}

// again returns the rows that a process had sent when it came to grief, whose outcome the journal did not have
// afterwards, and that somebody sent again; and after what time the last of them was.
func (c *fleetClient) again(e fleetEvent) (rows int, after time.Duration) {
	index := slices.IndexFunc(c.shots, func(s fleetShot) bool { return !s.at.Before(e.at) })
	if index < 0 {
		return 0, 0
	}
	shot := c.shots[index]
	run := c.runs[slices.IndexFunc(c.runs, func(r fleetRun) bool { return r.id == shot.run })]
	last, next := make(map[string]fleetRequest), make(map[string]fleetRequest)
	for _, r := range c.arrived[run.since:min(run.until, int64(len(c.arrived)))] {
		if !r.at.After(e.at) {
			last[r.id] = r
		} else if _, known := next[r.id]; !known {
			next[r.id] = r
		}
	}
	for _, line := range shot.lines {
		before, sent := last[line.UniqueID]
		later, again := next[line.UniqueID]
		if line.Status == importer.StatusUnknown && sent && before.worker == e.process && again {
			rows++
			after = max(after, later.at.Sub(e.at))
		}
	}
	return rows, after
}
