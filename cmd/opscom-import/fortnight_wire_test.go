package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/report"
)

// wireOf is a process's way to the Controllers, without sockets.
type wireOf struct{ *watchProcess }

// RoundTrip implements http.RoundTripper.
func (w wireOf) RoundTrip(r *http.Request) (response *http.Response, err error) {
	if err := w.moment("request"); err != nil {
		return nil, err
	}
	if w.plan.isAway(time.Now()) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	recorder := httptest.NewRecorder()
	func() {
		defer func() {
			if what := recover(); what == http.ErrAbortHandler {
				err = io.ErrUnexpectedEOF
			} else if what != nil {
				panic(what)
			}
		}()
		w.boxes[r.URL.Host].ServeHTTP(recorder, r)
	}()
	if died := w.moment("request"); died != nil || err != nil {
		return nil, firstOf(died, err)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// dyingHistory is the history of a process that may die at each use of it.
type dyingHistory struct {
	app.JobHistory
	*watchProcess
}

func (h dyingHistory) around(f func() error) error {
	if err := h.moment("history"); err != nil {
		return err
	}
	err := f()
	return firstOf(h.moment("history"), err)
}

func (h dyingHistory) Lock(ctx context.Context, job string) (release func() error, err error) {
	err = h.around(func() (err error) { release, err = h.JobHistory.Lock(ctx, job); return err })
	if err != nil && release != nil {
		return nil, firstOf(err, release())
	}
	return release, err
}

func (h dyingHistory) Runs(ctx context.Context, job string) (runs []importer.JobRun, err error) {
	err = h.around(func() (err error) { runs, err = h.JobHistory.Runs(ctx, job); return err })
	return runs, err
}

func (h dyingHistory) Begin(ctx context.Context, r importer.JobRun) (id int64, err error) {
	err = h.around(func() (err error) { id, err = h.JobHistory.Begin(ctx, r); return err })
	return id, err
}

func (h dyingHistory) Restart(ctx context.Context, id int64, at time.Time) error {
	return h.around(func() error { return h.JobHistory.Restart(ctx, id, at) })
}

func (h dyingHistory) End(ctx context.Context, r importer.JobRun, relocate *importer.Relocation) error {
	return h.around(func() error { return h.JobHistory.End(ctx, r, relocate) })
}

func (h dyingHistory) Outcome(ctx context.Context, run int64) (info importer.RunInfo, receipt report.Receipt, err error) {
	err = h.around(func() (err error) { info, receipt, err = h.JobHistory.Outcome(ctx, run); return err })
	return info, receipt, err
}

// toldMessages is what the webhook got.
type toldMessages struct {
	mu   sync.Mutex
	all  []toldMessage
	dead map[int]time.Time // processes
}

type toldMessage struct {
	Event, File, Title, Text string
	Run                      int64
	At                       time.Time
	process                  int
}

// job is the job that a message is about.
func (m toldMessage) job() string { return filepath.Base(filepath.Dir(m.File)) }

func (m toldMessage) String() string {
	return fmt.Sprintf("%s %s %s", m.At.Format(time.DateTime), m.Event, m.Title)
}

// serve receives messages, by HTTP.
func (m *toldMessages) serve(t *testing.T) (address string) {
	t.Helper()
	m.dead = make(map[int]time.Time)
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return server.URL
}

func (m *toldMessages) dies(process int, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead[process] = at
}

// ServeHTTP implements http.Handler. A process that is dead says nothing.
func (m *toldMessages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var message toldMessage
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &message)
	}
	if _, scanErr := fmt.Sscan(strings.Trim(r.URL.Path, "/"), &message.process); err != nil || scanErr != nil {
		http.Error(w, "it is no message", http.StatusBadRequest)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, isDead := m.dead[message.process]; isDead {
		w.WriteHeader(http.StatusGone)
		return
	}
	m.all = append(m.all, message)
}
