package main

import (
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"opscom-import/cmd/opscom-import/internal/app"
)

func TestDebRunsWithNothingElseInstalled(t *testing.T) {
	skipShort(t)
	r := newRootWithDeb(t)
	version := strings.TrimSpace(output(t, "dpkg-deb", "-f", debFile(t), "Version"))
	text, code := r.run(t, nil, "/usr/bin/opscom-import", "version")
	want := "opscom-import v" + strings.Replace(version, "~", "-", 1) + " "
	if version == "0.0.0~development" { // of files without history
		want = "opscom-import development "
	}
	if code != app.ExitDone || !strings.HasPrefix(text, want) {
		t.Errorf("version: code %d, %q; the package is %s", code, text, version)
	}
	const sample = "/usr/share/opscom-import/with-faults.csv"
	r.give(t, "state", "tmp")
	text, code = r.run(t, []string{"OPSCOM_STATE=/state"}, "/usr/bin/opscom-import", "check", "--sandbox", sample)
	if code != app.ExitRows || !strings.Contains(text, "304  rows read") {
		t.Errorf("check of the sample: code %d, want %d\n%s", code, app.ExitRows, text)
	}
}

func TestDebKeepsStateThroughUpgradeRemovalAndPurge(t *testing.T) {
	r := newRootWithDeb(t)
	mine := map[string]string{
		"etc/opscom-import/students.yaml":         "client: OC_TOMA\n",
		"etc/opscom-import/token":                 "a-token\n",
		"var/lib/opscom-import/journal.db":        "what was pushed",
		"var/spool/opscom-import/students.csv":    "what is pushed",
		"usr/local/share/opscom-import/something": "of somebody else",
	}
	for name, text := range mine {
		r.write(t, name, text)
	}
	enabled := []string{"etc/systemd/system/timers.target.wants/opscom-import-job@students.timer", "etc/systemd/system/multi-user.target.wants/opscom-import-watch.service"}
	for _, name := range enabled {
		r.write(t, name, "")
	}
	isThere := func(when string) {
		t.Helper()
		for name, text := range mine {
			if !r.exists(name) || r.read(t, name) != text {
				t.Errorf("%s: %s is not what it was", when, name)
			}
		}
	}

	r.dpkg(t, "-i", debFile(t))
	isThere("upgrade")
	said := r.dpkg(t, "-r", "opscom-import")
	isThere("removal")
	if r.exists("usr/bin/opscom-import") || !r.exists(enabled[0]) || !r.exists(enabled[1]) {
		t.Error("removal: the program is still there, or a unit is not enabled any more")
	}
	saysWhatIsKept(t, "removal", said)
	said = r.dpkg(t, "-P", "opscom-import")
	isThere("purge")
	saysWhatIsKept(t, "purge", said)
	if r.exists("usr/share/opscom-import") || r.exists(enabled[0]) || r.exists(enabled[1]) {
		t.Error("purge: the examples or an enabled unit are still there")
	}
	if left := output(t, "dpkg", "--root="+string(r), "-l"); strings.Contains(left, "opscom-import") {
		t.Errorf("purge: dpkg still knows the package:\n%s", left)
	}
}

func saysWhatIsKept(t *testing.T, when, said string) {
	t.Helper()
	for _, folder := range []string{"/var/lib/opscom-import", "/var/spool/opscom-import", "/etc/opscom-import"} {
		if !strings.Contains(said, folder) {
			t.Errorf("%s: it does not say that %s is kept:\n%s", when, folder, said)
		}
	}
}

func TestDebMakesUserAndFolders(t *testing.T) {
	needs(t, "systemd-sysusers", "systemd-tmpfiles")
	r := newRootWithDeb(t)
	if users := r.read(t, "etc/passwd"); !strings.Contains(users, "opscom-import:") {
		t.Errorf("there is no user:\n%s", users)
	}
	for name, want := range map[string]fs.FileMode{
		"var/lib/opscom-import":   fs.ModeDir | 0o700,
		"var/spool/opscom-import": fs.ModeDir | fs.ModeSetgid | 0o770,
	} {
		info, err := os.Stat(r.path(name))
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; info.Mode() != want || owner == 0 {
			t.Errorf("%s has mode %v and is user %d's; want %v, and not root's", name, info.Mode(), owner, want)
		}
	}
}
