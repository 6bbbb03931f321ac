//go:build unix

package main

import (
	"bytes"
	"syscall"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
)

// TestSleep stops the program in the middle of a push, as a laptop's sleep does.
// Meanwhile the server closes every connection, those with a request too, and the time
// that a request may take passes. The program goes on as if nothing had been.
func TestSleep(t *testing.T) {
	skipShort(t)
	const rows, timeout = 1500, time.Second
	for name, through := range map[string]bool{"directly": false, "through a proxy": true} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, testProgram(t), "latency=3ms", 1)
			tr.flags = []string{"--workers", "8", "--rate", "0", "--timeout", timeout.String()}
			tr.write("students.csv", trialRecords(rows, 0, func(int) bool { return false }))
			process := tr.push()
			if through { // the server answers requests for any host
				process.Env = append(process.Env, "OPSCOM_URL=http://controller.example", "OPSCOM_INSECURE_HTTP=true", "HTTP_PROXY="+tr.server.URL)
			}
			var stdout, stderr bytes.Buffer
			process.Stdout, process.Stderr = &stdout, &stderr
			if err := process.Start(); err != nil {
				t.Fatal(err)
			}
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				_ = process.Wait() // its exit code is looked at below
			}()
			for sleep := range int64(2) {
				for tr.pushes.Load() < rows/4*(sleep+1) {
					select {
					case <-gone:
						t.Fatalf("the push is over: %s%s", &stdout, &stderr)
					case <-time.After(time.Millisecond):
					}
				}
				_ = process.Process.Signal(syscall.SIGSTOP)
				time.Sleep(20 * time.Millisecond) // answers arrive that nobody reads
				tr.server.CloseClientConnections()
				time.Sleep(timeout)
				_ = process.Process.Signal(syscall.SIGCONT)
			}
			<-gone
			end := ended{process.ProcessState.ExitCode(), stdout.String(), stderr.String()}
			if end.code > app.ExitRows || end.code < 0 {
				t.Errorf("the push ended with %+v", end)
			}
			for _, v := range tr.audit(end) {
				t.Error(v)
			}
			_, lines, _ := tr.stored()
			for _, line := range lines {
				if line.Status == importer.StatusFailed || line.Status == importer.StatusUnknown {
					t.Errorf("row %d is %s: %s", line.Row, line.Status, line.Message)
				}
			}
			t.Logf("%d requests for %d people", tr.pushes.Load(), tr.box.People())
		})
	}
}
