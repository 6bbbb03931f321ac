package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
)

// namespaceVariable says to a test that it runs in a namespace of its own.
const namespaceVariable = "OPSCOM_TEST_NAMESPACE"

// inNamespace runs the test once more, in a process that may mount file systems
// that nobody else sees, and reports whether this is that process. It needs no
// special rights, only a system that lets its users do so, as Debian does.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(namespaceVariable) != "" {
		probe := t.TempDir()
		if err := syscall.Mount("none", probe, "tmpfs", 0, ""); err != nil {
			t.Skipf("this system allows no mounts: %v", err)
		}
		if err := syscall.Unmount(probe, 0); err != nil {
			t.Fatal(err)
		}
		return true
	}
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=3m")
	c.Env = append(os.Environ(), namespaceVariable+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Errorf("%s", out)
	case err != nil, bytes.Contains(out, []byte("--- SKIP")):
		t.Skipf("TestFileTooLarge has to do without namespaces: %v\n%s", err, out)
	}
	t.Logf("%s", out)
	return false
}

// mount mounts a file system of so many KiB at the path.
func mount(t *testing.T, path string, kib int) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	change(t, path, kib, 0)
	t.Cleanup(func() {
		if err := syscall.Unmount(path, 0); err != nil {
			t.Error(err)
		}
	})
}

// change mounts a file system, or changes one that is mounted.
func change(t *testing.T, path string, kib int, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("none", path, "tmpfs", flags, fmt.Sprintf("size=%dk", kib)); err != nil {
		t.Fatal(err)
	}
}

const roomy = 64 << 10 // KiB

// fullTrial is a trial of 1,500 rows as fast as they go.
func fullTrial(t *testing.T, faults string) *trial {
	t.Helper()
	tr := newTrial(t, testProgram(t), faults, 1)
	tr.flags = []string{"--rate", "0"}
	tr.write("students.csv", trialRecords(1500, 0, func(int) bool { return false }))
	return tr
}

// TestStateFolderFull lets the disk of the state folder be full sooner or later:
// while the journal is opened, planned or pushed. Once there is room, the same
// command completes the run.
func TestStateFolderFull(t *testing.T) {
	skipShort(t)
	t.Parallel()
	if inNamespace(t) {
		untilThereIsRoom(t, []int{app.ExitUsage, app.ExitIncomplete}, func(t *testing.T, kib int) ended {
			tr := fullTrial(t, "")
			mount(t, tr.state(), kib)
			end := tr.run(tr.push())
			change(t, tr.state(), roomy, syscall.MS_REMOUNT)
			tr.checkEnd(end)
			return end
		})
	}
}

// TestResultsFolderFull does the same with the disk of the reports. Nothing is sent
// again for a report that could not be written.
func TestResultsFolderFull(t *testing.T) {
	skipShort(t)
	t.Parallel()
	if inNamespace(t) {
		untilThereIsRoom(t, []int{app.ExitIncomplete}, func(t *testing.T, kib int) ended {
			tr := fullTrial(t, "")
			reports := tr.reportTo("reports")
			mount(t, reports, kib)
			end := tr.run(tr.push())
			sent := tr.pushes.Load()
			change(t, reports, roomy, syscall.MS_REMOUNT)
			tr.checkEnd(end)
			if again := tr.pushes.Load() - sent; again > 0 {
				t.Errorf("%d requests were sent again", again)
			}
			return end
		})
	}
}

// TestFileTooLarge limits how large a file may get, which needs no rights at all;
// a quota fails in the same way.
func TestFileTooLarge(t *testing.T) {
	skipShort(t)
	t.Parallel()
	untilThereIsRoom(t, []int{app.ExitUsage, app.ExitIncomplete}, func(t *testing.T, kib int) ended {
		tr := fullTrial(t, "")
		push := tr.push()
		limited := exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -f %d; exec "$@"`, 2*kib), "sh"}, push.Args...)...)
		limited.Dir, limited.Env = push.Dir, push.Env
		end := tr.run(limited)
		tr.checkEnd(end)
		return end
	})
}

// untilThereIsRoom pushes with more and more room until it suffices. Each of the
// exit codes must have come about by then.
func untilThereIsRoom(t *testing.T, want []int, push func(t *testing.T, kib int) ended) {
	t.Helper()
	codes := make(map[int]int)
	for kib := 36; codes[app.ExitRows] == 0 && !t.Failed(); kib += 96 {
		t.Run(fmt.Sprintf("%d KiB", kib), func(t *testing.T) {
			end := push(t, kib)
			codes[end.code]++
			t.Logf("exit code %d: %s", end.code, end.stderr)
		})
	}
	for _, code := range want {
		if codes[code] == 0 {
			t.Errorf("exit codes %v; %d should be among them", codes, code)
		}
	}
}

// reportTo lets the reports go to a folder of their own, and returns its path.
func (tr *trial) reportTo(name string) string {
	tr.reports = name
	for _, report := range []string{"results.csv", "problems.csv", "fix.xlsx"} {
		kind, _, _ := strings.Cut(report, ".")
		tr.flags = append(tr.flags, "--"+kind, filepath.Join(name, "students."+report))
	}
	return tr.path(name)
}

// checkEnd holds a push to have ended well, or with a sentence that says what to do
// and a code that reports whether anything was sent. Then the same command must
// complete the run.
func (tr *trial) checkEnd(end ended) {
	tr.t.Helper()
	if end.code > app.ExitRows {
		if !clearAboutDisk.MatchString(end.stderr) {
			tr.t.Errorf("the push says %q", end.stderr)
		}
		if end.code != app.ExitIncomplete && (end.code != app.ExitUsage || tr.pushes.Load() > 0) {
			tr.t.Errorf("exit code %d after %d pushes", end.code, tr.pushes.Load())
		}
		tr.crashed()
		if end = tr.run(tr.push()); end.code > app.ExitRows {
			tr.t.Errorf("with room: %+v", end)
			return
		}
	}
	for _, v := range tr.audit(end) {
		tr.t.Error(v)
	}
}

var clearAboutDisk = regexp.MustCompile(`no space is left for the journal in .*; free some space, then run the command again|` +
	`cannot be read or written; check whether the disk is full, over your quota or failing, then run the command again|` +
	`write .*students\.(results\.csv|problems\.csv|fix\.xlsx): .*(no space left on device|file too large); .* run the same command again`)

// TestResultsFolderReadOnly makes the folder of the reports read-only, before the
// push and in the midst of it.
func TestResultsFolderReadOnly(t *testing.T) {
	skipShort(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	tr := fullTrial(t, "latency=5ms")
	reports := tr.reportTo("reports")
	mount(t, reports, roomy)
	change(t, reports, roomy, syscall.MS_REMOUNT|syscall.MS_RDONLY)
	end := tr.run(tr.push())
	if end.code != app.ExitUsage || tr.pushes.Load() > 0 || !strings.Contains(end.stderr, "cannot write "+filepath.Join(reports, "students.results.csv")) {
		t.Errorf("%+v after %d pushes", end, tr.pushes.Load())
	}
	change(t, reports, roomy, syscall.MS_REMOUNT)
	ending := make(chan ended)
	go func() { ending <- tr.run(tr.push()) }()
	for tr.pushes.Load() < 100 {
		time.Sleep(time.Millisecond)
	}
	change(t, reports, roomy, syscall.MS_REMOUNT|syscall.MS_RDONLY)
	end = <-ending
	if end.code != app.ExitIncomplete || !strings.Contains(end.stderr, "students.results.csv: read-only file system") {
		t.Errorf("%+v", end)
	}
	sent := tr.pushes.Load()
	change(t, reports, roomy, syscall.MS_REMOUNT)
	tr.crashed()
	end = tr.run(tr.push())
	for _, v := range tr.audit(end) {
		t.Error(v)
	}
	if end.code > app.ExitRows || tr.pushes.Load() > sent {
		t.Errorf("%+v, and %d requests were sent again", end, tr.pushes.Load()-sent)
	}
}
