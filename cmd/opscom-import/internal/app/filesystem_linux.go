package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileSystemOf returns the type of the file system that the folder is on, or will be
// when it is made, such as "ext4"; "" when that is not known.
func fileSystemOf(folder string) string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	for {
		if info, err := os.Stat(folder); err == nil {
			return fileSystemIn(string(mounts), info)
		}
		if folder == filepath.Dir(folder) {
			return ""
		}
		folder = filepath.Dir(folder)
	}
}

// fileSystemIn finds the file's device in the text of /proc/self/mountinfo, and
// returns the type that it is mounted with:
//
//	36 27 0:25 / /srv/state rw,relatime shared:1 - nfs4 server:/export rw → "nfs4"
func fileSystemIn(mounts string, file os.FileInfo) string {
	stat, ok := file.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	device := fmt.Sprintf("%d:%d", unix.Major(uint64(stat.Dev)), unix.Minor(uint64(stat.Dev)))
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		end := slices.Index(fields, "-") // optional fields end with it
		if len(fields) > 2 && fields[2] == device && end > 0 && end+1 < len(fields) {
			return fields[end+1]
		}
	}
	return ""
}
