package inbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/gofrs/flock"
)

// ErrInUse says that another process works on a file that was taken.
var ErrInUse = errors.New("another program works on the file")

// Lock keeps every other process from the file until release is called, or this process ends,
// also one with another history. On a file system that has no locks it does nothing, nor on
// Windows, where others could not even read the note.
func (t Taken) Lock() (release func() error, err error) {
	none := func() error { return nil }
	if runtime.GOOS == "windows" {
		return none, nil
	}
	lock := flock.New(filepath.Join(t.Folder, noteFile), flock.SetFlag(os.O_RDWR)) // some network file systems want to write for it
	got, err := lock.TryLock()
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK): // what uses the file says that it is gone
		return none, nil
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", t.Path, err)
	case !got:
		return nil, fmt.Errorf("%s: %w", t.Path, ErrInUse)
	}
	return lock.Unlock, nil
}
