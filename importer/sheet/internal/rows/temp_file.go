package rows

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// TempFile is a file that only its owner can read, and that is removed when it is closed:
// where the system allows it, its name is removed at once.
type TempFile struct {
	*os.File
	name string // "" once it is removed
}

// NewTempFile makes an empty file.
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

// WriteTempFile makes a file of all that r gives.
func WriteTempFile(r io.Reader) (file *TempFile, size int64, err error) {
	if file, err = NewTempFile(); err != nil {
		return nil, 0, err
	}
	if size, err = io.Copy(file, r); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("write a temporary file: %w", err), file.Close())
	}
	return file, size, nil
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
