package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
)

// TestCanariesOfWatch lets watch meet everything that people are told of, with a mail server
// and webhooks on loopback. Each is told once, and no value of a row is in a message, in what
// the program says, in its figures, in the name of a file or in the text beside one.
func TestCanariesOfWatch(t *testing.T) {
	skipShort(t)
	if os.PathSeparator == '\\' {
		t.Skip("Windows has no SIGTERM")
	}
	t.Parallel()
	w := newWatchCanaries(t)
	process := w.start()
	w.await("no_file", 1)
	w.arrives("people-2026-11-01.csv", w.whole)
	w.await("rows_to_fix", 1)
	w.arrives("people-2026-11-02.csv", firstLines(w.whole, 3))
	w.await("held", 1)
	w.arrives("people-2026-11-03.csv", "Identity,Called,Write to\n"+strings.Join(w.words[1:4], ",")+"\n")
	w.await("failed", 1)
	w.moody.Store("refuses")
	w.arrives("people-2026-11-04.csv", firstLines(w.whole, 4))
	w.await("not_complete", 1)
	w.judgeFigures()
	w.stop(process)
	w.moody.Store("")
	process = w.start()
	w.await("recovered", 1)
	w.stop(process)
	w.judge()
}

// watchCanaries is a trial of watch whose every value is told from all else.
type watchCanaries struct {
	*canaries
	told    *told
	whole   string // a file with some rows that are fine, the first three of them
	address string // of the figures
	said    bytes.Buffer
}

func newWatchCanaries(t *testing.T) *watchCanaries {
	t.Helper()
	w := &watchCanaries{canaries: newCanaries(t), told: &told{hits: make(map[string]int)}}
	w.words = append(w.words, canaryHook)
	server := httptest.NewServer(w.told)
	t.Cleanup(server.Close)
	w.writeNotify(w.told, server.URL, newMailbox(t, w.told))
	text, err := os.ReadFile(w.path(w.file))
	w.check(err)
	w.whole = string(text)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // for a port that is free
	w.check(err)
	w.address = listener.Addr().String()
	w.check(listener.Close())
	minuteAgo := time.Now().UTC().Add(-time.Minute).Format("15:04")
	jobs := fmt.Sprintf(`
listen: %s
jobs:
  people: {folder: in, files: "people-*.csv", complete: renamed, mapping: students.mapping.yaml, min_rows: 3}
  absent: {folder: absent, files: "*.csv", expected_by: %q, time_zone: UTC, mapping: students.mapping.yaml, min_rows: 3}
`, w.address, minuteAgo)
	file, err := os.OpenFile(w.path("opscom-import.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	w.check(err)
	_, err = file.WriteString(jobs)
	w.check(err)
	w.check(file.Close())
	w.check(os.Mkdir(w.path("in"), 0o700))
	w.check(os.Mkdir(w.path("absent"), 0o700))
	w.hadAFile("absent")
	return w
}

// hadAFile lets the job have run three days ago: one that never has may just be set up.
func (w *watchCanaries) hadAFile(job string) {
	w.t.Helper()
	history := app.JobHistory{Env: app.Env{Settings: config.Settings{State: w.state()}, Notify: func(string) {}, Stdout: io.Discard}}
	at := time.Now().AddDate(0, 0, -3)
	row := importer.JobRun{Job: job, File: w.path("absent/old.csv"), StartedAt: at, EndedAt: at, IsTold: true}
	id, err := history.Begin(w.t.Context(), row)
	w.check(err)
	row.ID = id
	w.check(history.End(w.t.Context(), row, nil))
}

func (w *watchCanaries) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func firstLines(text string, most int) string {
	return strings.Join(strings.SplitAfter(text, "\n")[:most], "")
}

func (w *watchCanaries) arrives(name, text string) {
	w.t.Helper()
	w.check(os.WriteFile(w.path("in/."+name), []byte(text), 0o600))
	w.check(os.Rename(w.path("in/."+name), w.path("in/"+name)))
}

func (w *watchCanaries) start() *exec.Cmd {
	w.t.Helper()
	process := w.canaryCommand("watch")
	process.Stdout, process.Stderr = &w.said, &w.said
	w.check(process.Start())
	return process
}

// stop asks the process to terminate, as systemd does.
func (w *watchCanaries) stop(process *exec.Cmd) {
	w.t.Helper()
	w.check(process.Process.Signal(syscall.SIGTERM))
	if err := process.Wait(); err != nil {
		w.t.Errorf("the process has not ended well: %v\n%s", err, &w.said)
	}
}

// times returns how often the webhook was told the event.
func (w *watchCanaries) times(event string) int {
	w.told.mu.Lock()
	defer w.told.mu.Unlock()
	return strings.Count(w.told.text.String(), `{"event":"`+event+`"`)
}

func (w *watchCanaries) await(event string, times int) {
	w.t.Helper()
	for began := time.Now(); w.times(event) < times; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			w.told.mu.Lock()
			defer w.told.mu.Unlock()
			w.t.Fatalf("nobody is told of %s, but\n%s", event, &w.told.text)
		}
	}
}

// judgeFigures looks at what is served while the jobs run.
func (w *watchCanaries) judgeFigures() {
	w.t.Helper()
	for path, want := range map[string]string{"metrics": `opscom_import_last_success_timestamp_seconds{job_name="people"}`, "healthz": "ok"} {
		answer, err := http.Get("http://" + w.address + "/" + path)
		w.check(err)
		text, err := io.ReadAll(answer.Body)
		w.check(err)
		w.check(answer.Body.Close())
		if found := w.found(string(text), w.words); len(found) > 0 || !strings.Contains(string(text), want) {
			w.t.Errorf("%s has %q, and should have %s:\n%s", path, found, want, text)
		}
	}
}

func (w *watchCanaries) judge() {
	w.t.Helper()
	for _, event := range []string{"no_file", "rows_to_fix", "held", "failed", "not_complete", "recovered"} {
		if times := w.times(event); times != 1 {
			w.t.Errorf("%s is told %d times", event, times)
		}
	}
	for kind, want := range map[string]int{"json": 6, "slack": 6, "teams": 6, "mail": 6} {
		if got := w.told.hits[kind]; got != want {
			w.t.Errorf("%s: %d messages, want %d", kind, got, want)
		}
	}
	for what, text := range map[string]string{"messages": w.told.text.String(), "what the program says": w.said.String()} {
		if found := w.found(text, w.words); len(found) > 0 {
			w.t.Errorf("%s: %q", what, found)
		}
	}
	w.check(filepath.WalkDir(w.path("in"), func(path string, entry fs.DirEntry, err error) error {
		if found := w.found(entry.Name(), w.words); len(found) > 0 {
			w.t.Errorf("a file is called %s", path)
		}
		if strings.HasSuffix(path, ".message.txt") {
			text, readErr := os.ReadFile(path)
			w.check(readErr)
			if found := w.found(string(text), w.words); len(found) > 0 {
				w.t.Errorf("%s has %q", path, found)
			}
		}
		return err
	}))
}
