package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/importer/journal/sqlite"
	"opscom-import/importer/sandbox"
)

// stoppedTrial is a trial of 600 rows with eight workers, each answer taking a while.
func stoppedTrial(t *testing.T, faults string) *trial {
	t.Helper()
	tr := newTrial(t, testProgram(t), faults, 1)
	tr.flags = []string{"--rate", "0", "--workers", "8"}
	tr.write("students.csv", trialRecords(600, 0, func(int) bool { return false }))
	return tr
}

// sound audits the run as a push has left it.
func (tr *trial) sound(end ended) {
	tr.t.Helper()
	for _, v := range tr.audit(end) {
		tr.t.Error(v)
	}
}

// TestTokenRevoked takes the token back in the midst of a run: no more requests
// than there are workers follow, and the rest is certainly not sent.
func TestTokenRevoked(t *testing.T) {
	skipShort(t)
	t.Parallel()
	tr := stoppedTrial(t, "latency=3ms,revoke=200:30")
	end := tr.run(tr.push())
	if end.code != app.ExitIncomplete || !strings.Contains(end.stderr, "the Controller refused the run (9002)") {
		t.Errorf("%+v", end)
	}
	tr.sound(end)
	refused := 0
	for _, entry := range tr.box.Requests() {
		if entry.Call == sandbox.PushCall && entry.ErrorCode == 9002 {
			refused++
		}
	}
	if refused == 0 || refused > 8 {
		t.Errorf("%d requests were refused; there are 8 workers", refused)
	}
	_, lines, _ := tr.stored()
	counts := importer.Counts{}
	for _, line := range lines {
		counts[line.Status]++
	}
	if counts[importer.StatusNotSent] < 300 || counts[importer.StatusUnknown] > 0 || counts[importer.StatusFailed] != refused {
		t.Errorf("%v after %d refusals", counts, refused)
	}
	t.Logf("%d requests with the revoked token; %v", refused, counts)
	tr.crashed()
	for tries := 0; end.code == app.ExitIncomplete && tries < 30; tries++ { // until the token is valid again
		end = tr.run(tr.push())
	}
	if end.code != app.ExitRows {
		t.Errorf("%+v", end)
	}
	tr.sound(end)
}

// TestTwoRunsAtOnce starts two runs at the same moment, five times: one of them is
// turned away and sends nothing.
func TestTwoRunsAtOnce(t *testing.T) {
	skipShort(t)
	t.Parallel()
	tr := stoppedTrial(t, "latency=1ms")
	for range 5 {
		tr.begin()
		ends := make(chan ended)
		for range 2 {
			go func() { ends <- tr.run(tr.push()) }()
		}
		busy, other := <-ends, <-ends
		if other.code == app.ExitBusy { // who is turned away mostly ends first
			busy, other = other, busy
		}
		if busy.code != app.ExitBusy || !strings.Contains(busy.stderr, "another run to OC_TEST at ") || !strings.Contains(busy.stderr, "is in progress") {
			t.Fatalf("%+v, %+v", busy, other)
		}
		if other.code != app.ExitRows {
			t.Errorf("%+v", other)
		}
		tr.sound(other)
	}
}

// TestJournalLocked lets another program hold the journal's database, before a push
// and in the midst of one. The program waits for some seconds, then it stops.
func TestJournalLocked(t *testing.T) {
	skipShort(t)
	for name, tc := range map[string]struct {
		after int64 // pushes
		code  int
	}{"before": {0, app.ExitUsage}, "during": {100, app.ExitIncomplete}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := stoppedTrial(t, "latency=10ms")
			if tc.after == 0 { // the journal must be there to be held
				j, err := sqlite.Open(t.Context(), tr.state())
				if err != nil {
					t.Fatal(err)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			}
			ending := make(chan ended)
			start := func() { ending <- tr.run(tr.push()) }
			if tc.after > 0 {
				go start()
			}
			for tr.pushes.Load() < tc.after {
				time.Sleep(time.Millisecond)
			}
			release := holdJournal(t, tr.state())
			if tc.after == 0 {
				go start()
			}
			end := <-ending
			if end.code != tc.code || !strings.Contains(end.stderr, "another program is using the journal in "+tr.state()+"; close it, then run the command again") {
				t.Errorf("%+v", end)
			}
			if tc.after == 0 && tr.pushes.Load() > 0 {
				t.Errorf("%d requests were sent", tr.pushes.Load())
			}
			release()
			tr.crashed()
			if end = tr.run(tr.push()); end.code != app.ExitRows {
				t.Errorf("%+v", end)
			}
			tr.sound(end)
		})
	}
}

// holdJournal locks the journal's database as another program would.
func holdJournal(t *testing.T, state string) (release func()) {
	t.Helper()
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(state, "journal.db")), RawQuery: "_txlock=immediate&_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(tx.Rollback(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}
