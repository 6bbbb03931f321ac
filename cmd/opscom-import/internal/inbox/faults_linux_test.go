package inbox

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const againVariable = "OPSCOM_TEST_AGAIN"

// again runs the test once more in a process with these attributes, and reports whether
// this is that process.
func again(t *testing.T, attributes *syscall.SysProcAttr) bool {
	t.Helper()
	if os.Getenv(againVariable) != "" {
		return true
	}
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=3m")
	c.Env = append(os.Environ(), againVariable+"=1", "TMPDIR="+t.TempDir())
	c.SysProcAttr = attributes
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Errorf("%s", out)
	case err != nil, bytes.Contains(out, []byte("--- SKIP")):
		t.Skipf("this system does not allow it: %v\n%s", err, out)
	}
	return false
}

// inNamespace runs the test where it may mount file systems that nobody else sees.
func inNamespace(t *testing.T) bool { return again(t, namespace(0)) }

// namespace has one user, who is the one that runs the tests.
func namespace(user int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Getgid(), Size: 1}},
	}
}

func mount(t *testing.T, source, path, kind, data string, flags uintptr) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(source, path, kind, flags, data); err != nil {
		t.Skipf("this system allows no mounts: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(path, syscall.MNT_DETACH) }) // if it is still there
}

func TestPlacesOnAnotherFileSystem(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	const want = "is on another file system than"
	folder := t.TempDir()
	done := filepath.Join(folder, "done")
	mount(t, "none", done, "tmpfs", "", 0)
	o := options(folder, Renamed, "*")
	if err := Check(o); err == nil || !strings.Contains(err.Error(), done+" "+want) {
		t.Errorf("check: %v", err)
	}
	if _, err := Open(o, quietLog()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("open: %v", err)
	}
	if err := syscall.Unmount(done, 0); err != nil {
		t.Fatal(err)
	}
	// the same file system, mounted once more, does not show in the number of the device
	held := filepath.Join(folder, "held")
	mount(t, folder, held, "", "", syscall.MS_BIND)
	if _, err := Open(o, quietLog()); err == nil || !strings.Contains(err.Error(), held+" "+want) {
		t.Errorf("open with a bind mount: %v", err)
	}
	if entries := tree(t, folder); len(entries) != 0 {
		t.Errorf("left: %q", entries)
	}
	if err := syscall.Unmount(held, 0); err != nil {
		t.Fatal(err)
	}
	// mounted while the inbox is open
	b := open(t, o)
	arrive(t, b, "students.csv", "x")
	taken := take(t, b, "students.csv", noon)
	mount(t, "none", done, "tmpfs", "", 0)
	if _, err := b.Finish(taken, Done); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("finish: %v", err)
	}
	if !exists(taken.Path) || exists(taken.In(Done)) {
		t.Errorf("%q", tree(t, folder))
	}
}

// On a full disk nothing is moved; once there is room the file is taken without settling
// again.
func TestFullDisk(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	folder := filepath.Join(t.TempDir(), "in")
	mount(t, "none", folder, "tmpfs", "nr_inodes=12", 0)
	b := open(t, options(folder, Settled, "*.csv"))
	path := arrive(t, b, "students.csv", "x")
	ready(t, b, noon)
	ready(t, b, noon.Add(time.Minute), "students.csv")
	for left := 0; ; left++ { // so many inodes are left
		var fill []string
		for {
			file, err := os.CreateTemp(folder, ".fill-*")
			if err != nil {
				break
			}
			file.Close()
			fill = append(fill, file.Name())
		}
		for _, name := range fill[:left] {
			os.Remove(name)
		}
		_, err := b.Take("students.csv", noon)
		for _, name := range fill[left:] {
			os.Remove(name)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.ENOSPC) || !exists(path) {
			t.Fatalf("%d inodes left: %v, %q", left, err, tree(t, folder))
		}
		if entries, err := os.ReadDir(b.place(InProgress)); err != nil || len(entries) != 0 {
			t.Errorf("%d inodes left: %v in progress", left, entries)
		}
		ready(t, b, noon.Add(time.Minute), "students.csv")
	}
}

func TestWithoutTheSystemsHelp(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	const limit = "/proc/sys/user/max_inotify_instances"
	if err := os.WriteFile(limit, []byte("0"), 0o600); err != nil {
		t.Skip(err)
	}
	var log logged
	w := startWatcher(watched(t.TempDir()), textLog(&log))
	w.stop()
	w.renew()
	if w.system != nil || log.count("the system does not tell of new files; the program looks for them at intervals") != 1 {
		t.Errorf("%s", log.text.String())
	}
	if err := os.WriteFile(limit, []byte("10"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.renew()
	if w.system == nil {
		t.Errorf("not watched again: %s", log.text.String())
	}
	w.hear(nil)
}

func TestWithoutPermission(t *testing.T) {
	const ordinary = 1000 // not the user of the tests, if that is root: root may do anything
	if !again(t, namespace(ordinary)) {
		return
	}
	folder := t.TempDir()
	o := options(folder, Renamed, "*.csv")
	mode := func(path string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	fails := func(what string, err error, want ...string) {
		t.Helper()
		for _, text := range append(want, "permission denied") {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want %s", what, err, text)
			}
		}
	}
	defer mode(folder, 0o700)
	for perm, want := range map[os.FileMode]string{0o500: "nothing can be moved in " + folder, 0o300: "cannot be read"} {
		mode(folder, perm)
		fails("check", Check(o), want, "give the program's user the right to")
		_, err := Open(o, quietLog())
		fails("open", err, want)
	}
	mode(folder, 0o700)
	b := open(t, o)
	path := arrive(t, b, "students.csv", "x")
	mode(path, 0)
	if w := waits(t, ready(t, b, noon), "students.csv", "it cannot be read: permission denied; give the program's user the right to"); !w.Refused {
		t.Errorf("%+v", w)
	}
	mode(path, 0o600)
	ready(t, b, noon, "students.csv")
	for _, locked := range []string{b.place(InProgress), folder} {
		mode(locked, 0o500)
		_, err := b.Take("students.csv", noon)
		fails("take", err, "students.csv")
		if !exists(path) {
			t.Errorf("%q", tree(t, folder))
		}
		mode(locked, 0o700)
		if entries, err := os.ReadDir(b.place(InProgress)); err != nil || len(entries) != 0 {
			t.Errorf("%v in progress, %v", entries, err)
		}
	}
	taken, err := b.Take("students.csv", noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.makePlace(Done); err != nil {
		t.Fatal(err)
	}
	mode(b.place(Done), 0o500)
	_, err = b.Finish(taken, Done)
	fails("finish", err, taken.Folder)
	fails("check", Check(o), "nothing can be moved to "+b.place(Done))
	mode(b.place(Done), 0o700)
	if _, err := b.Finish(taken, Done); err != nil {
		t.Error(err)
	}
	mode(taken.In(Done), 0)
	_, err = b.In(Done)
	fails("list", err, "the folder "+taken.In(Done))
	mode(taken.In(Done), 0o700)
}
