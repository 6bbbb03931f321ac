package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

const (
	pageFolder   = "web"        // of the uploaded files, in the state folder; beside it is its lock
	halfUploaded = ".arriving-" // begins the names of files there that have not arrived completely
)

// RemoveHalfUploads removes what arrived of uploads before a kill. It leaves those of
// a page that is open.
func RemoveHalfUploads(state string) (err error) {
	folder := filepath.Join(state, pageFolder)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove half-arrived uploads: %w", err)
	}
	var lock *flock.Flock
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), halfUploaded) {
			continue
		}
		if lock == nil {
			lock = flock.New(folder+".lock", flock.SetPermissions(0o600))
			if got, err := lock.TryLock(); err != nil || !got {
				return err
			}
			defer func() { err = errors.Join(err, lock.Unlock()) }()
		}
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
			return fmt.Errorf("remove half-arrived uploads: %w", err)
		}
	}
	return nil
}
