package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// systemRoot is a folder that a system is put together in, with nothing but packages.
type systemRoot string

func (r systemRoot) path(name string) string { return filepath.Join(string(r), name) }

func (r systemRoot) exists(name string) bool {
	_, err := os.Lstat(r.path(name))
	return err == nil
}

func (r systemRoot) write(t *testing.T, name, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(r.path(name)), 0o755)
	if err == nil {
		err = os.WriteFile(r.path(name), []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (r systemRoot) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(r.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// nobody is a user that no system has.
const nobody = 65532

// give makes folders that nobody owns.
func (r systemRoot) give(t *testing.T, folders ...string) {
	t.Helper()
	for _, name := range folders {
		err := os.MkdirAll(r.path(name), 0o700)
		if err == nil {
			err = os.Chown(r.path(name), nobody, nobody)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// command is a program of the system, with nothing outside the folder, as nobody.
func (r systemRoot) command(environment []string, args ...string) *exec.Cmd {
	command := exec.Command(args[0], args[1:]...)
	command.Dir, command.Env = "/", environment
	command.SysProcAttr = &syscall.SysProcAttr{Chroot: string(r), Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return command
}

// run runs a program of the system to its end.
func (r systemRoot) run(t *testing.T, environment []string, args ...string) (text string, code int) {
	t.Helper()
	command := r.command(environment, args...)
	printed, err := command.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatalf("%s: %v", args, err)
	}
	return string(printed), command.ProcessState.ExitCode()
}

// dpkg runs dpkg on the folder; the package's scripts get the folder in DPKG_ROOT.
func (r systemRoot) dpkg(t *testing.T, args ...string) string {
	t.Helper()
	if !r.exists("var/lib/dpkg/status") {
		r.write(t, "var/lib/dpkg/status", "")
		r.write(t, "var/lib/dpkg/updates/.keep", "")
		r.write(t, "etc/systemd/system/.keep", "")
		if err := os.Remove(r.path("var/lib/dpkg/updates/.keep")); err != nil {
			t.Fatal(err)
		}
	}
	return output(t, "dpkg", append([]string{"--root=" + string(r), "--force-script-chrootless", "--log=" + os.DevNull}, args...)...)
}

func newRootWithDeb(t *testing.T) systemRoot {
	t.Helper()
	needsRoot(t)
	needs(t, "dpkg")
	file := debFile(t)
	r := systemRoot(t.TempDir())
	if err := os.Chmod(string(r), 0o755); err != nil {
		t.Fatal(err)
	}
	r.dpkg(t, "-i", file)
	return r
}
