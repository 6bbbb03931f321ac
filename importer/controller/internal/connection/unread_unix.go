//go:build unix

package connection

import "syscall"

// hasUnread reports whether a read from the socket, which never blocks, would give
// something other than "not yet": data, the end, or an error. It may take a byte, so
// the socket is of no use afterwards.
func hasUnread(fd uintptr) bool {
	var b [1]byte
	_, err := syscall.Read(int(fd), b[:])
	return err != syscall.EAGAIN
}
