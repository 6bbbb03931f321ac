package connection

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

const fionread = 0x4004667f // FIONREAD: the number of bytes that can be read

// hasUnread reports whether there are bytes to be read from the socket, or it has
// failed. Windows does not say here whether the other end has closed it: the next
// request finds out, and is repeated.
func hasUnread(fd uintptr) bool {
	var waiting, size uint32
	err := windows.WSAIoctl(windows.Handle(fd), fionread, nil, 0, (*byte)(unsafe.Pointer(&waiting)), uint32(unsafe.Sizeof(waiting)), &size, nil, 0)
	return err != nil || waiting > 0
}
