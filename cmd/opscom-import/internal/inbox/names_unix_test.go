//go:build unix

package inbox

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestOnlyOrdinaryFiles(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	b := open(t, options(folder, Renamed, "*"))
	var log strings.Builder
	b.log = textLog(&log)
	in := func(name string) string { return filepath.Join(folder, name) }
	secret := filepath.Join(elsewhere, "secret")
	write(t, secret, "secret")
	for _, err := range []error{
		os.Symlink(secret, in("link.csv")), os.Symlink("nowhere", in("dangling.csv")), os.Link(secret, in("second.csv")),
		os.Mkdir(in("folder.csv"), 0o700), syscall.Mkfifo(in("pipe.csv"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		"link.csv": "it is a symbolic link", "dangling.csv": "it is a symbolic link", "second.csv": "it has a second name (a hard link)",
		"folder.csv": "it is a folder", "pipe.csv": "it is a device, a pipe or a socket",
		`"new\nline.csv"`: "control characters", `"turn\u202egnp.csv"`: "control characters",
	}
	write(t, in("new\nline.csv"), "x")
	write(t, in("turn\u202egnp.csv"), "x")
	if runtime.GOOS == "linux" {
		write(t, in("\xc9tudiants.csv"), "x")
		want[`"\xc9tudiants.csv"`] = "its name is not UTF-8"
	}
	write(t, in("-rf.csv"), "x")
	write(t, in("$(touch x) \"&\".csv"), "x")
	setTime(t, in("-rf.csv"), noon.AddDate(-1, 0, 0))
	found := ready(t, b, noon, "-rf.csv", "$(touch x) \"&\".csv")
	for name, why := range want {
		if w := waits(t, found, name, why); !w.Refused {
			t.Errorf("%+v", w)
		}
	}
	if len(found.Waiting) != len(want) {
		t.Errorf("%+v", found.Waiting)
	}
	for _, name := range []string{"-rf.csv", "$(touch x) \"&\".csv"} {
		if taken := take(t, b, name, noon); !exists(taken.Path) {
			t.Errorf("%s is not taken", name)
		}
	}
	if n := strings.Count(log.String(), "a file that arrived is not taken"); n != len(want) {
		t.Errorf("%d warnings, want each of %d once: %s", n, len(want), log.String())
	}
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	ready(t, b, noon, "second.csv") // now it has one name
}
