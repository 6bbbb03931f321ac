package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// writeAtomic makes the file at path hold what write writes, or leaves path as
// it was when anything fails. The file is readable by its owner only.
//
// The text goes to a temporary file in the same folder, which is synced and
// then renamed to path. A link at path stays a link, and its target is replaced.
// A device or a pipe, which nothing could be renamed to, is written directly.
//
// When write returns errNothing there is no file at path afterwards: an older
// report must not pass for this one.
func writeAtomic(path string, write func(io.Writer) error) error {
	target, direct, err := destination(path)
	if err != nil {
		return explain(path, err)
	}
	if direct {
		return writeDirect(target, write)
	}
	file, err := createTemporary(target)
	if err != nil {
		return explain(path, err)
	}
	if err := fill(file, write); err == errNothing {
		return errors.Join(discard(file.Name()), remove(path, target))
	} else if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, cause(err)), discard(file.Name()))
	}
	if err := os.Rename(file.Name(), target); err != nil {
		return errors.Join(explain(path, err), discard(file.Name()))
	}
	if err := syncFolder(filepath.Dir(target)); err != nil {
		return fmt.Errorf("sync the folder of %s: %w", path, err)
	}
	return nil
}

// errNothing says that a report has nothing to tell.
var errNothing = errors.New("nothing to report")

// remove removes the file target, which path stands for, if there is one.
func remove(path, target string) error {
	if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove %s, which is out of date: %w", path, cause(err))
	}
	return nil
}

// createTemporary creates the file that will be renamed to target. Its name is
// always the same, so that what a process left that was killed here goes with the
// next report.
func createTemporary(target string) (*os.File, error) {
	folder, name := filepath.Split(target)
	temporary := filepath.Join(folder, "."+name+".tmp")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// WriteFile makes the file at path hold the text, whole, or on any error leaves
// path as it was. Only its owner can read the file.
func WriteFile(path string, text []byte) error {
	return writeAtomic(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// destination returns the file that path stands for, links followed, and whether
// it has to be written directly.
func destination(path string) (target string, direct bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, false, nil
	case err != nil:
		return "", false, err
	case info.IsDir():
		return "", false, errIsFolder
	case !info.Mode().IsRegular():
		return path, true, nil
	}
	target, err = filepath.EvalSymlinks(path)
	return target, false, err
}

// fill writes, syncs and closes the file.
func fill(file *os.File, write func(io.Writer) error) error {
	buffered := bufio.NewWriterSize(file, 1<<16)
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}

func writeDirect(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return explain(path, err)
	}
	buffered := bufio.NewWriter(file)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if closeErr := file.Close(); err == nil || err == errNothing {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	return nil
}

// CanWrite says, before there is anything to write, why a report could not be
// written to path; nil when it could. It leaves nothing behind.
func CanWrite(path string) error {
	target, direct, err := destination(path)
	if err != nil || direct {
		return explain(path, err)
	}
	file, err := createTemporary(target)
	if err != nil {
		return explain(path, err)
	}
	return errors.Join(file.Close(), discard(file.Name()))
}

func discard(temporary string) error {
	if err := os.Remove(temporary); err != nil {
		return fmt.Errorf("remove the unfinished file: %w", err)
	}
	return nil
}

// syncFolder makes a rename in the folder last through a power cut. Windows
// cannot sync a folder and does not need to.
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

var errIsFolder = errors.New("is a folder")

// sharingViolation is Windows' error for a file that another program holds open.
const sharingViolation = syscall.Errno(32)

// explain says what a person can do about a file that cannot be written; nil
// for no error.
func explain(path string, err error) error {
	if err == nil {
		return nil
	}
	var link *os.LinkError // only a rename fails with one
	isRename := errors.As(err, &link)
	var number syscall.Errno
	isShared := runtime.GOOS == "windows" && errors.As(err, &number) && number == sharingViolation
	switch {
	case errors.Is(err, errIsFolder):
		return fmt.Errorf("cannot write %s: it %w; name a file in it", path, err)
	case isShared, isRename && errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("cannot replace %s: another program, such as Excel, has it open; close it there and try again (%w)", path, cause(err))
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot write %s: its folder does not exist; make it, or choose another place (%w)", path, cause(err))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("cannot write %s: you may not write in its folder; choose another place (%w)", path, cause(err))
	default:
		return fmt.Errorf("cannot write %s: %w", path, cause(err))
	}
}

// cause takes the name of the temporary file, which means nothing to a person,
// off the error.
func cause(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	default:
		return err
	}
}
