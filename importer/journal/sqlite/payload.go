package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// payloadFile is the path of the file that holds a run's payloads until it is
// finished. They are not in the database because they are large, written once, read
// once, and must be deleted without a trace.
type payloadFile string

func (j *Journal) payloadFile(run int64) payloadFile {
	return payloadFile(filepath.Join(j.dir, payloadsName, strconv.FormatInt(run, 10)))
}

// write stores the payloads of a chunk at that offset.
func (f payloadFile) write(data []byte, at int64) (err error) {
	file, err := os.OpenFile(string(f), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = file.WriteAt(data, at)
	return err
}

// sync waits until the file, and its name, are on the disk.
func (f payloadFile) sync() error {
	if err := syncFile(string(f), os.O_RDWR); err != nil {
		return err
	}
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be synced there, and need not be
	}
	return syncFile(filepath.Dir(string(f)), os.O_RDONLY)
}

func syncFile(path string, flag int) (err error) {
	file, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return file.Sync()
}

// open opens the file for reading. Unlike os.Open, os.OpenInRoot lets others delete it
// meanwhile on Windows too, as a run does that ends while its payloads are copied.
func (f payloadFile) open() (*os.File, error) {
	file, err := os.OpenInRoot(filepath.Split(string(f)))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %v", format.ErrDamaged, err)
	}
	return file, err
}

// readJobs returns the pending rows of a round in a chunk of the run whose payload file
// that is, ready to be pushed.
func readJobs(file *os.File, run int64, round int, c *format.Chunk) ([]importer.Job, error) {
	data, err := readSection(file, c.Payloads)
	if err != nil {
		return nil, err
	}
	return format.ReadPayloads(run, round, c, data)
}

// readSection returns the payloads of a chunk as they were stored.
func readSection(file *os.File, s format.Section) ([]byte, error) {
	data := make([]byte, s.Size)
	if _, err := file.ReadAt(data, s.At); err != nil {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: %s is cut short", format.ErrDamaged, file.Name())
		}
		return nil, err
	}
	return data, nil
}

// remove deletes the file, if there is one.
func (f payloadFile) remove() error {
	if err := os.Remove(string(f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
