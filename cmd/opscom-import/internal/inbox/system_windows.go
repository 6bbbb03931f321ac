package inbox

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

func openFile(path string) (*os.File, error) { return os.Open(path) }

// writable knows nothing: Open tries.
func writable(string) error { return nil }

// links does not count: Windows tells it of an open file only.
func links(fs.FileInfo) uint64 { return 1 }

// device does not tell volumes apart: Open tries.
func device(fs.FileInfo) uint64 { return 0 }

// isInUse reports whether another program has a file open so that it cannot be read or
// moved.
func isInUse(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION)
}

func isCrossDevice(err error) bool { return errors.Is(err, windows.ERROR_NOT_SAME_DEVICE) }

// syncFolder does nothing: Windows cannot, and does not need to.
func syncFolder(string) error { return nil }

// renameNew renames a file or folder; the error is fs.ErrExist if there is something of
// the new name.
func renameNew(from, to string) error {
	old, err := windows.UTF16PtrFromString(from)
	if err == nil {
		var name *uint16
		if name, err = windows.UTF16PtrFromString(to); err == nil {
			err = windows.MoveFileEx(old, name, windows.MOVEFILE_WRITE_THROUGH)
		}
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
