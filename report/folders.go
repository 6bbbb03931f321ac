package report

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
)

// Folders are those in which reports were replaced or removed and that are not synced yet.
type Folders struct {
	paths []string
}

func (f *Folders) add(path string) {
	if !slices.Contains(f.paths, path) {
		f.paths = append(f.paths, path)
	}
}

// Sync makes what was done in the folders survive a power cut. A report must not be
// announced before.
func (f *Folders) Sync() (err error) {
	for _, path := range f.paths {
		if folderErr := syncFolder(path); folderErr != nil {
			err = errors.Join(err, fmt.Errorf("sync the folder of the reports: %w", folderErr))
		}
	}
	f.paths = nil
	return err
}

// syncFolder does so for one folder. Windows cannot sync a folder and does not need to.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
