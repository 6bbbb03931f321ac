package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestStateFolderOnNetwork(t *testing.T) {
	info, err := os.Stat(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	device := fmt.Sprintf("%d:%d", unix.Major(uint64(stat.Dev)), unix.Minor(uint64(stat.Dev)))
	for _, c := range []struct {
		line, fileSystem string
		warns            bool
	}{
		{"36 27 %s / /srv rw,relatime - nfs4 server:/export rw", "nfs4", true},
		{"36 27 %s /a\\040b /srv/a\\040- rw,relatime shared:1 master:2 - cifs //server/share rw", "cifs", true},
		{"36 27 %s / /home rw - 9p hostshare rw", "9p", true},
		{"36 27 %s / /home rw - fuse.sshfs user@host: rw", "fuse.sshfs", true},
		{"36 27 %s / / rw - ext4 /dev/vda rw", "ext4", false},
		{"36 27 %s / / rw - fuseblk /dev/sdb1 rw", "fuseblk", false},
		{"36 27 %s / / rw - fuse.bindfs /srv rw", "fuse.bindfs", false},
		{"36 27 %s / / rw - tmpfs nfs rw", "tmpfs", false},
		{"36 27 %s / / rw", "", false},
		{"36 27 %s / / rw -", "", false},
	} {
		mounts := "21 27 0:9999 / / rw - nfs other: rw\nshort\n\n" + fmt.Sprintf(c.line, device) + "\n"
		found := fileSystemIn(mounts, info)
		if warning := onNetwork(found); found != c.fileSystem || (warning != "") != c.warns {
			t.Errorf("%q: %q, warning %q", c.line, found, warning)
		}
	}
}

// A folder that is still to be made is where its parent is.
func TestFileSystemOf(t *testing.T) {
	folder := t.TempDir()
	missing := filepath.Join(folder, "not", "made")
	if found := fileSystemOf(missing); found != fileSystemOf(folder) || strings.Contains(found, " ") {
		t.Errorf("%q", found)
	}
	if found := fileSystemOf("/proc"); found != "proc" {
		t.Skipf("/proc is on %q", found)
	}
}
