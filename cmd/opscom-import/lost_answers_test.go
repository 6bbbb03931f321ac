package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/importer/controller"
	"opscom-import/importer/journal/sqlite"
	"opscom-import/importer/sandbox"
	"opscom-import/importer/sandbox/audit"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
	"opscom-import/report"
)

// TestLostAnswers pushes 10,000 people to a Controller of which every fifth answer
// is lost once the profile is accepted, in virtual time: 2,500 rows have to be sent
// again, and each person is there once.
func TestLostAnswers(t *testing.T) {
	skipShort(t)
	const people = 10_000
	files := &trial{t: t, folder: t.TempDir()}
	records := trialRecords(people, 0, func(int) bool { return false })
	files.write("students.csv", records)
	synctest.Test(t, func(t *testing.T) {
		faults, err := sandbox.ParseFaults("latency=20ms,drop-after=10%,drop-during=5%,truncate=5%")
		if err != nil {
			t.Fatal(err)
		}
		box, err := sandbox.New(sandbox.Config{Client: scriptClient, Token: scriptToken, Faults: faults, Seed: 1, KeepRequests: true})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		evidence := pushInMemory(t, files.path(files.file), box)
		evidence.Source = files.source()
		for _, v := range audit.Check(evidence) {
			t.Error(v)
		}
		acceptances, ids := 0, make(map[sandbox.Key]int)
		for _, entry := range evidence.Requests {
			if !entry.Applied {
				continue
			}
			acceptances++
			if id, known := ids[entry.Key]; known && id != entry.ReferenceID {
				t.Errorf("%v has the reference ids %d and %d", entry.Key, id, entry.ReferenceID)
			}
			ids[entry.Key] = entry.ReferenceID
		}
		pushed := evidence.Totals[0].Counts[importer.StatusPushed]
		if box.People() != pushed || len(ids) != pushed || acceptances < pushed*6/5 {
			t.Errorf("%d people, %d reference ids, %d acceptances; %d rows are pushed", box.People(), len(ids), acceptances, pushed)
		}
		t.Logf("%d rows pushed with %d acceptances in %s of virtual time", pushed, acceptances, time.Since(began).Round(time.Second))
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
}

// pushInMemory plans a file, pushes it to the sandbox without a network, reports
// it, and returns the evidence except for the source.
func pushInMemory(t *testing.T, file string, box *sandbox.Sandbox) audit.Evidence {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	folder := t.TempDir()
	j, err := sqlite.Open(ctx, filepath.Join(folder, "state"))
	check(err)
	defer func() { check(j.Close()) }()
	run, err := j.Begin(ctx, importer.RunInfo{Client: scriptClient, Target: scriptClient, Source: file, StartedAt: time.Now()})
	check(err)
	plan := planInto(t, file, run, j.Salt())
	check(run.Seal(ctx, importer.RunPushing, plan.Rows, nil))

	transport, stop := serveInMemory(t, box)
	client, err := controller.New(controller.Config{
		BaseURL: "http://127.0.0.1", Client: scriptClient, Token: controller.NewToken(scriptToken),
		Workers: 64, MaxAttempts: 10, Timeout: 30 * time.Second, Transport: transport,
	})
	check(err)
	pusher := importer.Pusher{Queue: run, Controller: client, Workers: 64}
	check(pusher.Push(ctx, ctx))
	client.Close()
	stop()

	var results bytes.Buffer
	totals, err := report.WriteResults(report.To("-", &results), run.Results(ctx))
	check(err)
	check(run.Finish(ctx, time.Now()))
	_, attempts, err := run.Counts(ctx)
	check(err)
	evidence := audit.Evidence{Requests: box.Requests(), Exit: app.RunExitCode(totals.Counts, nil, false)}
	evidence.Results, err = audit.ReadResults(&results)
	check(err)
	for line, err := range run.Results(ctx) {
		check(err)
		evidence.Journal = append(evidence.Journal, line)
	}
	evidence.Totals = []audit.Totals{{Name: "summary", Rows: plan.Rows, Counts: totals.Counts, Attempts: attempts, Exit: evidence.Exit}}
	return evidence
}

// planInto plans a trial's file.
func planInto(t *testing.T, file string, store importer.PlanStore, salt []byte) importer.Plan {
	t.Helper()
	mapped, err := mapping.Parse("trial", []byte(trialMapping))
	if err != nil {
		t.Fatal(err)
	}
	table, err := sheet.Open(file, sheet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mapper, err := mapping.Compile(mapped, table.Header().Names, mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	planner := importer.Planner{Source: table, Mapper: mapper, Store: store, Salt: salt, Target: scriptClient}
	plan, err := planner.Make(context.Background())
	if err := errors.Join(err, table.Close()); err != nil {
		t.Fatal(err)
	}
	return plan
}

// serveInMemory serves the handler on connections that are pipes, so that the
// clock of a synctest bubble moves; stop ends it.
func serveInMemory(t *testing.T, handler http.Handler) (transport *http.Transport, stop func()) {
	t.Helper()
	listener := newPipeListener()
	server := &http.Server{Handler: handler}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	transport = &http.Transport{DialContext: listener.dial, MaxIdleConnsPerHost: 64}
	return transport, func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}
}

// pipeListener is a listener without a network.
type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{connections: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.connections <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "sandbox", Net: "pipe"} }
