package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestWatchUnderSystemd takes the place of systemd: a service of Type=notify with a
// watchdog, which it stops.
func TestWatchUnderSystemd(t *testing.T) {
	skipShort(t)
	folder, err := os.MkdirTemp("", "watch") // a short path, as a socket needs it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	for name, text := range map[string]string{
		"m.yaml":             "version: 1\nfields:\n  unique_id: {column: id}\n",
		"opscom-import.yaml": "sandbox: true\nstate: state\njobs:\n  students: {folder: ., files: '*.csv', mapping: m.yaml}\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(folder, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	service := exec.Command("opscom-import", "watch")
	service.Dir = folder
	service.Env = []string{"HOME=" + folder, "PATH=" + os.Getenv("PATH"), "NOTIFY_SOCKET=" + filepath.Join(folder, "notify"), "WATCHDOG_USEC=300000"}
	var said strings.Builder
	service.Stdout, service.Stderr = &said, &said
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	told := func() string {
		t.Helper()
		text := make([]byte, 4096)
		if err := systemd.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := systemd.Read(text)
		if err != nil {
			t.Fatalf("%v; it said %s", err, said.String())
		}
		return string(text[:n])
	}
	if got := told(); got != "READY=1" {
		t.Errorf("systemd is told %q, want that it is ready", got)
	}
	for range 3 {
		if got := told(); got != "WATCHDOG=1" {
			t.Errorf("systemd is told %q, want that it works", got)
		}
	}
	if err := service.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	got := told()
	for got == "WATCHDOG=1" {
		got = told()
	}
	if err := service.Wait(); got != "STOPPING=1" || err != nil {
		t.Errorf("systemd is told %q, and it ends with %v; it said %s", got, err, said.String())
	}
}
