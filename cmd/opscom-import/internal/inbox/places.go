package inbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Place is a sub-folder to which taken files go.
type Place string

const (
	// Done has what was pushed.
	Done Place = "done"
	// Failed has what could not be.
	Failed Place = "failed"
	// Held has what waits for a person.
	Held Place = "held"

	// InProgress has what was taken and is not finished.
	InProgress Place = "in-progress"
)

func places() []Place { return []Place{InProgress, Done, Failed, Held} }

// Places returns the names of the sub-folders.
func Places() []string {
	var names []string
	for _, place := range places() {
		names = append(names, string(place))
	}
	return names
}

// isPlace compares without case, as some systems do.
func isPlace(name string) bool {
	for _, place := range places() {
		if strings.EqualFold(name, string(place)) {
			return true
		}
	}
	return false
}

func (b *Inbox) place(p Place) string { return filepath.Join(b.Folder, string(p)) }

// makePlace makes a place if it is missing.
func (b *Inbox) makePlace(p Place) error {
	path := b.place(p)
	switch info, err := os.Lstat(path); {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("%s is not a folder (a link is not enough); remove it, or move it away", path)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder of %s files: %w", p, err)
	}
	err := os.Mkdir(path, 0o700)
	if err == nil {
		err = b.share(path)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the folder of %s files: %w", p, err)
	}
	return syncFolders(b.Folder)
}

// share lets those read a new folder who may read the arriving files. Only this program
// may write in it.
func (b *Inbox) share(path string) error {
	outer, err := os.Stat(b.Folder)
	if err != nil {
		return err
	}
	made, err := os.Stat(path)
	if err != nil {
		return err
	}
	mode := outer.Mode().Perm()&^0o022 | 0o700
	if made.Mode().Perm() == mode {
		return nil
	}
	err = os.Chmod(path, mode|made.Mode()&fs.ModeSetgid)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		return nil // it is ours: a file system without modes
	}
	return err
}

// syncFolders makes what was done in folders survive a power cut.
func syncFolders(paths ...string) error {
	for _, path := range paths {
		if err := syncFolder(path); err != nil {
			return fmt.Errorf("sync the folder %s: %w", path, err)
		}
	}
	return nil
}
