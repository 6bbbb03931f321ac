package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Exists reports whether the folder holds a journal. A command that changes nothing
// asks before it opens one, because opening makes it.
func Exists(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, databaseName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
