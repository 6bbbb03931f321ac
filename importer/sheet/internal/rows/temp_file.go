package rows

import (
	"errors"
	"fmt"
	"os"
)

// tempFile is a file that only its owner can read, and that goes away when it is
// closed: where the system lets it, its name goes at once.
type TempFile struct {
	*os.File
	name string // "" once it is gone
}

func NewTempFile() (*TempFile, error) {
	file, err := os.CreateTemp("", "opscom-import-*")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w", err)
	}
	if os.Remove(file.Name()) == nil {
		return &TempFile{File: file}, nil
	}
	return &TempFile{File: file, name: file.Name()}, nil
}

// Close removes the file.
func (f *TempFile) Close() error {
	err := f.File.Close()
	if f.name != "" {
		err = errors.Join(err, os.Remove(f.name))
	}
	if err != nil {
		return fmt.Errorf("remove a temporary file: %w", err)
	}
	return nil
}
