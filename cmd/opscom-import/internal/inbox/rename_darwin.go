package inbox

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames a file or folder; the error is fs.ErrExist if there is something of
// the new name.
func renameNew(from, to string) error {
	err := unix.RenamexNp(from, to, unix.RENAME_EXCL)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return renameChecked(from, to)
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
