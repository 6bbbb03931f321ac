package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer/journal/postgres/pgtest"
)

// asRootInNamespace runs the test once more, in a process whose mounts nobody else sees, and reports whether this is
// that process. It takes root, since PostgreSQL has to be another user than the one who mounts.
func asRootInNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(namespaceVariable) != "" {
		return true
	}
	if os.Geteuid() != 0 {
		fmt.Fprintf(os.Stderr, "\n*** SKIPPED: %s: only root may mount a disk for PostgreSQL.\n\n", t.Name())
		t.Skip("only root may mount a disk for PostgreSQL")
	}
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=10m")
	c.Env = append(os.Environ(), namespaceVariable+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := c.CombinedOutput()
	switch exit := new(exec.ExitError); {
	case errors.As(err, &exit):
		t.Errorf("%s", out)
	case err != nil, bytes.Contains(out, []byte("--- SKIP")):
		fmt.Fprintf(os.Stderr, "\n*** SKIPPED: %s: this system allows no mounts: %v\n%s\n\n", t.Name(), err, out)
		t.Skipf("this system allows no mounts: %v", err)
	}
	return false
}

// TestFleetDiskFull fills the disk on which the database lies while two workers push. Nothing more is sent, both say
// why, nothing is planned; and when there is space again the run goes on, and no answer is lost.
func TestFleetDiskFull(t *testing.T) {
	skipShort(t)
	if !asRootInNamespace(t) {
		return
	}
	const full = "has no space left on its disk: free some there, or enlarge it"
	server := pgtest.Start(t, pgtest.Options{})
	database := server.NewDatabase(t)
	address, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	disk := server.SmallDisk(t, strings.TrimPrefix(address.Path, "/"), 32<<10)
	f := newFleet(t, database)
	c, other := f.client("OC_FULL", 200, "latency=10ms", 1), f.client("OC_OTHER", 200, "latency=10ms", 2)
	workers := []*fleetWorker{f.start(), f.start()}
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		c.load(c.submit(4000))
	}()
	c.await(300)
	began := time.Now()
	filler := filepath.Join(disk, "filler")
	file, err := os.Create(filler)
	f.check(err)
	if _, err := io.Copy(file, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	f.check(file.Close())
	for {
		before := c.quiet()
		time.Sleep(2 * time.Second) // four hundred requests are due meanwhile
		said := 0
		for _, w := range workers {
			log, err := os.ReadFile(w.log)
			f.check(err)
			said += min(1, strings.Count(string(log), full))
		}
		if c.quiet() == before && said == len(workers) {
			break
		}
		if time.Since(began) > fleetPatience {
			t.Fatalf("it goes on, or only %d workers say why", said)
		}
	}
	end := f.run(other.process(int(f.started.Add(1)), "push", other.path(other.write(5000))))
	if end.code != app.ExitUsage || !strings.Contains(end.stderr, full) || len(other.pushes()) > 0 {
		t.Errorf("a push without space: %+v, and %d pushes", end, len(other.pushes()))
	}
	f.check(os.Remove(filler))
	f.mu.Lock()
	f.outages = append(f.outages, fleetOutage{began, time.Now()})
	f.mu.Unlock()
	<-loaded
	if !t.Failed() {
		c.judge()
	}
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
