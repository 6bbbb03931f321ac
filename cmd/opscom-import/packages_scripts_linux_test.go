package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// scripts runs the scripts of the packages for a folder that a system is put together in.
type scripts struct {
	root   systemRoot
	booted bool // with systemctl, which writes what it is asked for to the file asked
}

const asked = "asked"

func (s scripts) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	text := readPackaging(t, ".packaging/scripts/"+name)
	environment := append(os.Environ(), "DPKG_ROOT="+string(s.root))
	if s.booted {
		s.root.write(t, "run/systemd/system/.keep", "")
		s.root.write(t, "bin/systemctl", "#!/bin/sh\necho \"$@\" >>"+s.root.path(asked)+"\n[ \"$1\" != list-units ] || echo 'opscom-import-job@students.timer loaded active waiting Push'\n")
		for _, command := range []string{"systemd-sysusers", "systemd-tmpfiles"} {
			s.root.write(t, "bin/"+command, "#!/bin/sh\n")
		}
		text = strings.NewReplacer(" /run/", " "+s.root.path("run")+"/", ">/run/", ">"+s.root.path("run")+"/", "</run/", "<"+s.root.path("run")+"/").Replace(text)
		output(t, "chmod", "-R", "+x", s.root.path("bin"))
		environment = append(os.Environ(), "DPKG_ROOT=", "PATH="+s.root.path("bin")+":"+os.Getenv("PATH"))
	}
	command := exec.Command("sh", append([]string{"-c", text, name}, args...)...)
	command.Env = environment
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, args, err, said)
	}
	return string(said)
}

// asked returns what systemctl was asked for since it was last called.
func (s scripts) asked(t *testing.T) string {
	t.Helper()
	text := s.root.read(t, asked)
	s.root.write(t, asked, "")
	return text
}

// The .rpm runs the same scripts, with a number in place of a word.
func TestScriptsOfTheRPM(t *testing.T) {
	s := scripts{root: systemRoot(t.TempDir())}
	const timer, service = "etc/systemd/system/timers.target.wants/opscom-import-job@students.timer", "etc/systemd/system/multi-user.target.wants/opscom-import-watch.service"
	const worker = "etc/systemd/system/multi-user.target.wants/opscom-import-worker@9481.service"
	for _, name := range []string{timer, service, worker, "var/lib/opscom-import/journal.db", "var/spool/opscom-import/students.csv", "etc/opscom-import/token"} {
		s.root.write(t, name, "")
	}
	if said := s.run(t, "preremove", "1") + s.run(t, "postremove", "1"); said != "" || !s.root.exists(timer) || !s.root.exists(service) || !s.root.exists(worker) {
		t.Errorf("an upgrade says something, or disables a unit: %q", said)
	}
	s.run(t, "preremove", "0")
	saysWhatIsKept(t, "removal", s.run(t, "postremove", "0"))
	if s.root.exists(timer) || s.root.exists(service) || s.root.exists(worker) || !s.root.exists("var/lib/opscom-import/journal.db") {
		t.Error("removal: a unit is still enabled, or the state is gone")
	}
}

func TestUnitsRunAgainAfterTheDebWasRemoved(t *testing.T) {
	s := scripts{root: systemRoot(t.TempDir()), booted: true}
	const start, restart = "--no-block start opscom-import-job@students.timer", "--no-block try-restart opscom-import-watch.service"
	s.run(t, "postinstall", "configure", "")
	if did := s.asked(t); strings.Contains(did, " start") {
		t.Errorf("a first installation: systemctl %s", did)
	}
	s.run(t, "preremove", "upgrade", "2.0.0")
	s.run(t, "postremove", "upgrade", "2.0.0")
	s.run(t, "postinstall", "configure", "1.0.0")
	if did := s.asked(t); strings.Contains(did, "stop") || strings.Contains(did, start) || !strings.Contains(did, restart) || strings.Contains(did, "worker") {
		t.Errorf("an upgrade: systemctl %s", did)
	}
	s.run(t, "preremove", "remove")
	s.run(t, "postremove", "remove")
	if did := s.asked(t); !strings.Contains(did, "stop ") || !strings.Contains(did, "opscom-import-worker@*.service") {
		t.Errorf("a removal: systemctl %s", did)
	}
	s.run(t, "postinstall", "configure", "2.0.0")
	if did := s.asked(t); !strings.Contains(did, start) {
		t.Errorf("installed again: systemctl %s", did)
	}
	s.run(t, "postinstall", "configure", "2.0.0")
	if did := s.asked(t); strings.Contains(did, start) {
		t.Errorf("and configured again: systemctl %s", did)
	}
	if left, _ := filepath.Glob(s.root.path("run/opscom*")); len(left) > 0 {
		t.Errorf("left: %s", left)
	}
}
