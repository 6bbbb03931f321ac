//go:build unix

package config

import (
	"os"
	"syscall"
)

// isExposed reports whether others on this machine can read a file. That of another user, as
// root's in a container, can be read by its group: otherwise nobody else could use it.
func isExposed(info os.FileInfo) bool {
	forbidden := os.FileMode(0o077)
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		forbidden = 0o037
	}
	return info.Mode().IsRegular() && info.Mode().Perm()&forbidden != 0
}
