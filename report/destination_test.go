package report

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func writeText(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// wantFolder fails the test unless the folder holds these files and no others.
func wantFolder(t *testing.T, folder string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(want) {
		t.Errorf("the folder holds %v, want %d files", entries, len(want))
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || string(got) != text {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, text)
		}
	}
}

func TestWriteAtomic(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.csv")
	for _, text := range []string{"first", "second, over the first"} {
		if err := writeAtomic(path, writeText(text), new(Folders), nil); err != nil {
			t.Fatal(err)
		}
		wantFolder(t, folder, map[string]string{"a.csv": text})
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600: the file holds personal data", info.Mode())
	}
}

func TestWriteAtomicLeavesNothingHalfWritten(t *testing.T) {
	broken := errors.New("broken")
	for _, size := range []int{0, 1, 1 << 16, 1 << 18} {
		folder := t.TempDir()
		failing := func(w io.Writer) error {
			if _, err := w.Write(make([]byte, size)); err != nil {
				return err
			}
			return broken
		}
		if err := writeAtomic(filepath.Join(folder, "new.csv"), failing, new(Folders), nil); !errors.Is(err, broken) {
			t.Errorf("error %v, want %v", err, broken)
		}
		wantFolder(t, folder, nil)

		if err := writeAtomic(filepath.Join(folder, "old.csv"), writeText("old"), new(Folders), nil); err != nil {
			t.Fatal(err)
		}
		if err := writeAtomic(filepath.Join(folder, "old.csv"), failing, new(Folders), nil); !errors.Is(err, broken) {
			t.Errorf("error %v, want %v", err, broken)
		}
		wantFolder(t, folder, map[string]string{"old.csv": "old"})
	}
}

func TestWriteAtomicKeepsALink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("making a link needs a privilege on Windows")
	}
	folder, elsewhere := t.TempDir(), t.TempDir()
	target, link := filepath.Join(elsewhere, "target.csv"), filepath.Join(folder, "link.csv")
	if err := errors.Join(os.WriteFile(target, []byte("old"), 0o600), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	if err := writeAtomic(link, writeText("new"), new(Folders), nil); err != nil {
		t.Fatal(err)
	}
	wantFolder(t, elsewhere, map[string]string{"target.csv": "new"})
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
}

func TestWriteAtomicKeepsALinkToNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("making a link needs a privilege on Windows")
	}
	folder, elsewhere := t.TempDir(), t.TempDir()
	target, first, second := filepath.Join(elsewhere, "target.csv"), filepath.Join(folder, "first.csv"), filepath.Join(folder, "second.csv")
	if err := errors.Join(os.Symlink("second.csv", first), os.Symlink(target, second)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(To(first, nil).CanWrite(KindResults), writeAtomic(first, writeText("new"), new(Folders), nil)); err != nil {
		t.Fatal(err)
	}
	wantFolder(t, elsewhere, map[string]string{"target.csv": "new"})
	for _, link := range []string{first, second} {
		if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("the link %s is gone: %v", link, err)
		}
	}

	lost := filepath.Join(folder, "lost.csv")
	if err := os.Symlink(filepath.Join(elsewhere, "none", "target.csv"), lost); err != nil {
		t.Fatal(err)
	}
	if err := To(lost, nil).CanWrite(KindResults); err == nil || !strings.Contains(err.Error(), "its folder does not exist") {
		t.Errorf("a link into a folder that is not there: %v", err)
	}
}

func TestUnwritablePlaces(t *testing.T) {
	folder := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(folder, "none", "a.csv"): "its folder does not exist; make it",
		folder:                                 "it is a folder; name a file in it",
	} {
		for name, err := range map[string]error{
			"writeAtomic": writeAtomic(path, writeText("x"), new(Folders), nil),
			"CanWrite":    To(path, nil).CanWrite(KindResults),
		} {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), ".tmp") {
				t.Errorf("%s(%s): error %v, want %q", name, path, err, want)
			}
		}
	}
	wantFolder(t, folder, nil)
}

func TestWriteFile(t *testing.T) {
	folder := t.TempDir()
	if err := WriteFile(filepath.Join(folder, "a.mapping.yaml"), []byte("version: 1\n")); err != nil {
		t.Fatal(err)
	}
	wantFolder(t, folder, map[string]string{"a.mapping.yaml": "version: 1\n"})
}

func TestCanWriteLeavesNothingBehind(t *testing.T) {
	folder := t.TempDir()
	if err := To(filepath.Join(folder, "a.csv"), nil).CanWrite(KindResults); err != nil {
		t.Fatal(err)
	}
	wantFolder(t, folder, nil)
}

func TestExplain(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "open", Path: "x.tmp", Err: fs.ErrPermission}, "you may not write in its folder"},
		{&os.LinkError{Op: "rename", Old: "x.tmp", New: "a.csv", Err: fs.ErrPermission}, "Excel, has it open; close it there"},
		{&fs.PathError{Op: "open", Path: "x.tmp", Err: errors.New("disk on fire")}, "cannot write a.csv: disk on fire"},
	} {
		got := explain("a.csv", tc.err)
		if got == nil || !strings.Contains(got.Error(), tc.want) || strings.Contains(got.Error(), "x.tmp") {
			t.Errorf("explain(%v) = %v, want %q", tc.err, got, tc.want)
		}
		if !errors.Is(got, cause(tc.err)) {
			t.Errorf("explain(%v) does not wrap its cause", tc.err)
		}
	}
}

// A process that was killed while it wrote leaves its temporary file behind, with
// people's data in it.
func TestWriteRemovesWhatAKilledProcessLeft(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.csv")
	file, err := createTemporary(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("whole")); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != "a.csv" {
		t.Errorf("the folder holds %v", entries)
	}
}

func TestNothingToReportLeavesNoFile(t *testing.T) {
	folder := t.TempDir()
	nothing := func(w io.Writer) error {
		if err := writeText("a header")(w); err != nil {
			return err
		}
		return errNothing
	}
	path := filepath.Join(folder, "a.csv")
	for _, before := range []string{"", "of an earlier run"} {
		if before != "" {
			if err := WriteFile(path, []byte(before)); err != nil {
				t.Fatal(err)
			}
		}
		if err := writeAtomic(path, nothing, new(Folders), nil); err != nil {
			t.Error(err)
		}
		wantFolder(t, folder, nil)
	}
	if runtime.GOOS != "windows" {
		if err := writeDirect(os.DevNull, nothing); err != nil {
			t.Errorf("to a device: %v", err)
		}
	}
}
