//go:build unix

package app

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// notOwner says that the folder belongs to another user than the one who asks: what this
// one writes there the other cannot change. "" if it is one's own.
func notOwner(folder string) string {
	info, err := os.Stat(folder)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() {
		return ""
	}
	return fmt.Sprintf("; it belongs to %s: run this as that user, as the job does", userName(stat.Uid))
}

func userName(id uint32) string {
	text := strconv.FormatUint(uint64(id), 10)
	if found, err := user.LookupId(text); err == nil {
		return found.Username
	}
	return "user " + text
}

// permissions returns who may do what with a file, as in " (mode 600, owner opscom)"; "" if
// that is not known.
func permissions(file string) string {
	info, err := os.Stat(file)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" (mode %o, owner %s)", info.Mode().Perm(), userName(stat.Uid))
}
