package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// SmallDisk gives a database a disk of its own that has so many KiB, until the test ends, and returns a folder
// on it. Nobody is connected to the database. It takes the right to mount; whether others see the disk is up to
// the namespace of the process.
func (s *Server) SmallDisk(t testing.TB, database string, kib int) (folder string) {
	t.Helper()
	disk := filepath.Join(s.folder, "disk of "+database)
	tablespace, folder := filepath.Join(disk, "tablespace"), filepath.Join(disk, "folder")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", disk, "tmpfs", 0, fmt.Sprintf("size=%dk,mode=755", kib)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil { // the server has files there until it ends
			t.Error(err)
		}
	})
	for _, path := range []string{tablespace, folder} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := giveAway(tablespace); err != nil {
		t.Fatal(err)
	}
	s.Exec(t, "postgres", fmt.Sprintf("CREATE TABLESPACE small_%s LOCATION '%s'", database, tablespace))
	s.Exec(t, "postgres", fmt.Sprintf("ALTER DATABASE %s SET TABLESPACE small_%[1]s", database))
	return folder
}
