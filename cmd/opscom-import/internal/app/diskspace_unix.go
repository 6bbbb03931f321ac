//go:build linux || darwin

package app

import "golang.org/x/sys/unix"

// freeSpace returns how many bytes this user can still write to the folder's disk.
func freeSpace(folder string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return 0, err
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}
