package report

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// As root, a rename onto /dev/null would take the device from every program. The
// test stands a pipe of its own in for it, so that broken code harms nothing.
func TestWriteAtomicNeverReplacesADevice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0) // for writing too, so that opening does not wait
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := errors.Join(To(path, nil).CanWrite(KindResults), writeAtomic(path, writeText("through the pipe"), new(Folders), nil)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Fatalf("the pipe was replaced: %v, %v", info, err)
	}
	buffer := make([]byte, 100)
	if n, err := reader.Read(buffer); err != nil || string(buffer[:n]) != "through the pipe" {
		t.Errorf("the pipe gave %q, %v", buffer[:n], err)
	}
}

// Every byte to /dev/full fails as on a disk without room; a small text fails only
// once it is flushed. Neither function tested here renames anything.
func TestAFullDiskIsNoticed(t *testing.T) {
	if err := writeDirect("/dev/full", writeText("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("writeDirect: error %v", err)
	}
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(file, writeText("x"), file.Sync); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("fill: error %v", err)
	}
}
