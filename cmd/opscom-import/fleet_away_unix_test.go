//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer/journal/postgres/pgtest"
)

// TestFleetInterruptedWithoutDatabase interrupts a push and a worker twice while the database is away: they do not wait
// for it, and the run goes on when it is back.
func TestFleetInterruptedWithoutDatabase(t *testing.T) {
	skipShort(t)
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	f := newFleet(t, server.NewDatabase(t))
	c := f.client("OC_AWAY", 100, "latency=20ms", 1)
	worker := f.start()
	file := c.write(1500)
	push := c.process(int(f.started.Add(1)), "push", c.path(file))
	said := filepath.Join(f.folder, "push.log")
	log, err := os.Create(said)
	f.check(err)
	push.Stderr = log
	f.check(push.Start())
	f.check(log.Close())
	pushed := make(chan struct{})
	go func() {
		defer close(pushed)
		_ = push.Wait() // its exit code tells
	}()
	c.await(300)
	server.Stop(pgtest.Immediate)

	interrupt := func(process *exec.Cmd, log string, signal unix.Signal, gone <-chan struct{}) string {
		t.Helper()
		f.check(process.Process.Signal(signal))
		for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			text, err := os.ReadFile(log)
			f.check(err)
			if strings.Contains(string(text), "Interrupt again") {
				break
			}
			if time.Since(began) > fleetPatience {
				t.Fatalf("it does not hear: %s", text)
			}
		}
		f.check(process.Process.Signal(signal))
		select {
		case <-gone:
		case <-time.After(time.Minute): // outcomes are kept for two
			t.Error("it waits for the database")
			f.check(process.Process.Kill())
			<-gone
		}
		text, err := os.ReadFile(log)
		f.check(err)
		f.sound(filepath.Base(log), string(text))
		return string(text)
	}
	text := interrupt(push, said, unix.SIGINT, pushed)
	if code := push.ProcessState.ExitCode(); code != app.ExitIncomplete || !strings.Contains(text, "the last answers could not be recorded") {
		t.Errorf("push has ended with %d: %s", code, text)
	}
	text = interrupt(worker.process, worker.log, unix.SIGTERM, worker.gone)
	want := app.ExitIncomplete
	if !strings.Contains(text, "the last answers may not be recorded") { // its leases had ended before, and its lanes with them
		want = app.ExitDone
	}
	if code := worker.process.ProcessState.ExitCode(); code != want {
		t.Errorf("worker has ended with %d, want %d: %s", code, want, text)
	}
	f.remove(worker)

	server.Restart()
	if end := f.run(c.process(int(f.started.Add(1)), "push", c.path(file))); end.code != app.ExitRows { // some are invalid
		t.Errorf("resumed: %+v", end)
	}
}

// TestFleetWaitsWithoutDatabase lets the database go while submit waits for the end of its run: it says so, and waits on.
func TestFleetWaitsWithoutDatabase(t *testing.T) {
	skipShort(t)
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	f := newFleet(t, server.NewDatabase(t))
	c := f.client("OC_AWAIT", 100, "latency=20ms", 1)
	f.start()
	process := c.process(int(f.started.Add(1)), "submit", "--wait", c.path(c.write(1000)))
	said := filepath.Join(f.folder, "submit.log")
	log, err := os.Create(said)
	f.check(err)
	process.Stderr = log
	f.check(process.Start())
	f.check(log.Close())
	c.await(200)
	server.Stop(pgtest.Immediate)
	says := func(want string) {
		t.Helper()
		for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			text, err := os.ReadFile(said)
			f.check(err)
			if strings.Contains(string(text), want) {
				return
			}
			if time.Since(began) > fleetPatience {
				t.Errorf("it does not say %q: %s", want, text)
				return
			}
		}
	}
	says("How far run 1 is cannot be asked for now: ")
	server.Restart()
	says("The database of the journal is back: waiting for the end of run 1.")
	_ = process.Wait() // its exit code tells
	if code := process.ProcessState.ExitCode(); code > app.ExitRows {
		t.Errorf("it ended with code %d", code)
	}
}
