package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer/journal/postgres/pgtest"
)

// newRootWithJob returns a root with the package, and the skeleton of the config beside it
// with every setting switched on.
func newRootWithJob(t *testing.T) systemRoot {
	t.Helper()
	r := newRootWithDeb(t)
	settings := regexp.MustCompile(`(?m)^#( *\w+:)`).ReplaceAllString(r.read(t, "usr/share/opscom-import/example.yaml"), "$1")
	settings = strings.Replace(settings, "files: students*.csv", "files: students*.csv\n    complete: renamed", 1)
	if !strings.Contains(settings, "\nclient: ") || !strings.Contains(settings, "\njobs:\n  students:\n    folder: ") {
		t.Fatalf("the skeleton has other settings than this test knows:\n%s", settings)
	}
	r.write(t, "etc/opscom-import/opscom-import.yaml", settings)
	r.write(t, "etc/opscom-import/token", "a-token\n")
	r.write(t, "etc/opscom-import/students.mapping.yaml", r.read(t, "usr/share/opscom-import/with-faults.mapping.yaml"))
	r.give(t, "var/lib/opscom-import", "var/spool/opscom-import", "var/spool/opscom-import/students", "tmp")
	return r
}

const inbox = "var/spool/opscom-import/students"

// deliver lets a file arrive for the job.
func (r systemRoot) deliver(t *testing.T, name string) {
	t.Helper()
	r.write(t, "tmp/"+name, r.read(t, "usr/share/opscom-import/with-faults.csv"))
	if err := os.Rename(r.path("tmp/"+name), r.path(filepath.Join(inbox, name))); err != nil {
		t.Fatal(err)
	}
}

// commandOf returns the command of a unit, for the job students.
func (r systemRoot) commandOf(t *testing.T, unit string) []string {
	t.Helper()
	for line := range strings.Lines(r.read(t, "usr/lib/systemd/system/"+unit)) {
		if command, ok := strings.CutPrefix(line, "ExecStart="); ok {
			return strings.Fields(strings.ReplaceAll(command, "%i", "students"))
		}
	}
	t.Fatalf("%s has no command", unit)
	return nil
}

func sandboxSettings() []string {
	return []string{"OPSCOM_SANDBOX=true", "OPSCOM_RATE=0"}
}

func TestUnitRunsAJobOfTheSkeletonOfTheConfig(t *testing.T) {
	skipShort(t)
	r := newRootWithJob(t)
	command := r.commandOf(t, "opscom-import-job@.service")
	r.deliver(t, "students-1.csv")
	text, code := r.run(t, sandboxSettings(), command...)
	if code != app.ExitHeld || !strings.Contains(text, "opscom-import approve 1") {
		t.Fatalf("%s: code %d, want %d, because everybody is new\n%s", command, code, app.ExitHeld, text)
	}
	text, code = r.run(t, sandboxSettings(), "/usr/bin/opscom-import", "approve", "1", "--config", "/etc/opscom-import/opscom-import.yaml")
	if code != app.ExitRows || !strings.Contains(text, "267  pushed") {
		t.Fatalf("approve: code %d, want %d\n%s", code, app.ExitRows, text)
	}
	r.deliver(t, "students-2.csv")
	if text, code = r.run(t, sandboxSettings(), command...); code != app.ExitRows || !strings.Contains(text, "unchanged") {
		t.Errorf("%s: code %d, want %d\n%s", command, code, app.ExitRows, text)
	}
	if found, err := filepath.Glob(r.path(inbox + "/done/*/students-*.results.csv")); err != nil || len(found) != 2 {
		t.Errorf("found %s, want the results of two files", found)
	}
}

const sometime = time.Minute // within which a busy machine does anything

// listenAsSystemd returns what waits until a service has told systemd something; its socket is /tmp/notify.
func (r systemRoot) listenAsSystemd(t *testing.T) (hears func(want string)) {
	t.Helper()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: r.path("tmp/notify")})
	if err == nil {
		err = os.Chmod(r.path("tmp/notify"), 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return func(want string) {
		t.Helper()
		message := make([]byte, 100)
		for heard := ""; heard != want; {
			if err := socket.SetReadDeadline(time.Now().Add(sometime)); err != nil {
				t.Fatal(err)
			}
			n, err := socket.Read(message)
			if err != nil {
				t.Fatalf("systemd is not told %s: %v", want, err)
			}
			heard = string(message[:n])
		}
	}
}

// TestUnitWorks starts a worker as systemd does, once the database is migrated.
func TestUnitWorks(t *testing.T) {
	skipShort(t)
	r := newRootWithJob(t)
	hears := r.listenAsSystemd(t)
	environment := []string{
		"OPSCOM_JOURNAL=" + pgtest.Shared(t).NewDatabase(t), "OPSCOM_JOURNAL_KEY=key " + strings.Repeat("0123456789abcdef", 4), "NOTIFY_SOCKET=/tmp/notify",
	}
	command := r.commandOf(t, "opscom-import-worker@.service")
	listen := &command[len(command)-1]
	*listen = strings.Replace(*listen, "students", "0", 1)
	if text, code := r.run(t, environment, command...); code != app.ExitUsage || !strings.Contains(text, "opscom-import migrate") {
		t.Errorf("before migrate: code %d\n%s", code, text)
	}
	if text, code := r.run(t, environment, "/usr/bin/opscom-import", "migrate", "--config", "/etc/opscom-import/opscom-import.yaml"); code != app.ExitDone {
		t.Fatalf("migrate: code %d\n%s", code, text)
	}
	service := r.command(environment, command...)
	var said bytes.Buffer
	service.Stdout, service.Stderr = &said, &said
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	hears("READY=1")
	if text, code := r.run(t, environment, "/usr/bin/opscom-import", "workers", "--config", "/etc/opscom-import/opscom-import.yaml"); code != app.ExitDone || !strings.Contains(text, "idle") {
		t.Errorf("workers: code %d\n%s", code, text)
	}
	if err := service.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hears("STOPPING=1")
	if err := service.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, said.String())
	}
}

// TestUnitWatches starts the command as systemd does, and listens to what it tells systemd.
func TestUnitWatches(t *testing.T) {
	skipShort(t)
	r := newRootWithJob(t)
	hears := r.listenAsSystemd(t)

	environment := append(sandboxSettings(), "NOTIFY_SOCKET=/tmp/notify", "WATCHDOG_USEC=300000")
	service := r.command(environment, r.commandOf(t, "opscom-import-watch.service")...)
	var said bytes.Buffer
	service.Stdout, service.Stderr = &said, &said
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- service.Wait() }()
	hears("READY=1")
	hears("WATCHDOG=1")
	r.deliver(t, "students-1.csv")
	for wait := time.After(sometime); ; time.Sleep(50 * time.Millisecond) {
		if found, _ := filepath.Glob(r.path(inbox + "/held/*/students-1.results.csv")); len(found) == 1 {
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, said.String())
		case <-wait:
			t.Fatal("the file is not in held, with its results")
		default:
		}
	}
	if err := service.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hears("STOPPING=1")
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v\n%s", err, said.String())
	}
}

func TestUnitsAreValidAndConfined(t *testing.T) {
	needs(t, "systemd-analyze", "dpkg-deb")
	r := systemRoot(t.TempDir())
	output(t, "dpkg-deb", "-x", debFile(t), string(r))
	units := r.path("usr/lib/systemd/system")
	if err := copyFiles(units, "/usr/lib/systemd/system/*.target", "/usr/lib/systemd/system/*.slice"); err != nil {
		t.Skipf("the units of systemd itself are not here: %v", err)
	}
	for _, kind := range []string{"service", "timer"} {
		if err := os.Symlink("opscom-import-job@."+kind, filepath.Join(units, "opscom-import-job@students."+kind)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("opscom-import-worker@.service", filepath.Join(units, "opscom-import-worker@9481.service")); err != nil {
		t.Fatal(err)
	}
	fromVersion254 := regexp.MustCompile(`(?m)^.*Unknown key (?:name )?'(RestartSteps|RestartMaxDelaySec)'.*\n`)
	for _, unit := range []string{"opscom-import-watch.service", "opscom-import-job@students.service", "opscom-import-job@students.timer", "opscom-import-worker@9481.service"} {
		said := output(t, "systemd-analyze", "verify", "--man=no", "--root="+string(r), unit)
		if said = fromVersion254.ReplaceAllString(said, ""); strings.Contains(said, "opscom-import") {
			t.Errorf("%s:\n%s", unit, said)
		}
		if strings.HasSuffix(unit, ".service") {
			const atMost = "20" // tenths
			output(t, "systemd-analyze", "security", "--offline=true", "--threshold="+atMost, "--root="+string(r), unit)
		}
	}
}

// copyFiles copies the files that fit the patterns into a folder.
func copyFiles(folder string, patterns ...string) error {
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			return fmt.Errorf("%s: no files (%v)", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue // a link to what is not installed
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, filepath.Base(name)), text, 0o644)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
