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

// Destination is where a report goes: a file, standard output, or nowhere.
type Destination struct {
	path   string
	stdout io.Writer
	onKept func(kept string)
	later  *Folders
}

// To returns the destination that path names: a file, "-" for stdout, or "" for
// nowhere.
func To(path string, stdout io.Writer) Destination {
	return Destination{path: path, stdout: stdout}
}

// OnKept returns the destination with a function that is told under which path a file
// was kept that somebody had edited and that the report took the place of.
func (d Destination) OnKept(onKept func(kept string)) Destination {
	d.onKept = onKept
	return d
}

// SyncLater returns the destination with folders that are synced when all reports are
// written: until then a power cut may take back that the file was replaced or removed.
func (d Destination) SyncLater(folders *Folders) Destination {
	d.later = folders
	return d
}

// IsFile reports whether the report goes to a file.
func (d Destination) IsFile() bool { return isFile(d.path) }

func isFile(path string) bool { return path != "" && path != "-" }

// CanWrite returns, before there is anything to write, why a report of the kind cannot
// be written to its file: also because a file is there that this program did not write.
// It leaves nothing behind.
func (d Destination) CanWrite(kind Kind) error {
	if !d.IsFile() {
		return nil
	}
	target, isSpecial, err := resolve(d.path)
	if err != nil || isSpecial {
		return explain(d.path, err)
	}
	if isMountPoint(target) {
		return explain(d.path, errIsMounted)
	}
	if _, err := kind.check(d.path, target); err != nil {
		return err
	}
	file, err := createTemporary(target)
	if err != nil {
		return explain(d.path, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// errNothing is returned by a function that has nothing to write. Then there is no
// file at the destination afterwards: an older report must not pass for this one.
var errNothing = errors.New("nothing to report")

// write calls write with a writer to the destination. It does not call write for
// nowhere. A file that is not a report of the kind stays, which is an error.
func (d Destination) write(kind Kind, write func(io.Writer) error) error {
	if d.IsFile() {
		folders := d.later
		if folders == nil {
			folders = new(Folders)
		}
		err := writeAtomic(d.path, write, folders, func(target string) error {
			kept, err := kind.makeWay(d.path, target)
			if kept != "" {
				folders.add(filepath.Dir(target))
			}
			if kept != "" && d.onKept != nil {
				d.onKept(kept)
			}
			return err
		})
		if d.later == nil {
			err = errors.Join(err, folders.Sync())
		}
		return err
	}
	if d.path == "" {
		return nil
	}
	if err := write(d.stdout); err != errNothing {
		return err
	}
	return nil
}

// Remove removes the report of an earlier run when there is nothing to report now. A file
// that is not a report of the kind stays, which is an error.
func (d Destination) Remove(kind Kind) error {
	return d.write(kind, func(io.Writer) error { return errNothing })
}

// writeCounted calls write, which returns how many rows or problems it wrote.
// Without any there is no file.
func (d Destination) writeCounted(kind Kind, write func(io.Writer) (int, error)) (n int, err error) {
	err = d.write(kind, func(w io.Writer) (err error) {
		if n, err = write(w); err == nil && n == 0 {
			return errNothing
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// WriteFile writes text to the file at path, whole, or on any error leaves path as
// it was. It replaces no file but an empty one. Only its owner can read the file.
func WriteFile(path string, text []byte) error {
	return To(path, nil).write("", func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// writeAtomic writes the file at path with write, or leaves path as it was when
// anything fails. The file is readable by its owner only. When the text is complete
// makeWay, unless it is nil, is told which file it replaces, links followed, and can
// refuse.
//
// The text goes to a temporary file in the same folder, which is synced and
// then renamed to path. The folder, if it has changed, is added to changed. A link at path stays a link, and its target is replaced or made.
// A device or a pipe is written directly: a rename would replace it.
func writeAtomic(path string, write func(io.Writer) error, changed *Folders, makeWay func(target string) error) error {
	target, isSpecial, err := resolve(path)
	if err != nil {
		return explain(path, err)
	}
	if isSpecial {
		return writeDirect(target, write)
	}
	file, err := createTemporary(target)
	if err != nil {
		return explain(path, err)
	}
	filled := fill(file, write, file.Sync)
	if filled != nil && filled != errNothing {
		return errors.Join(fmt.Errorf("write %s: %w", path, cause(filled)), os.Remove(file.Name()))
	}
	if makeWay != nil {
		if err := makeWay(target); err != nil {
			return errors.Join(err, os.Remove(file.Name()))
		}
	}
	if filled == errNothing {
		return errors.Join(os.Remove(file.Name()), removeOutdated(path, target, changed))
	}
	if err := os.Rename(file.Name(), target); err != nil {
		return errors.Join(explain(path, err), os.Remove(file.Name()))
	}
	changed.add(filepath.Dir(target))
	return nil
}

// writeDirect writes to a device or a pipe.
func writeDirect(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return explain(path, err)
	}
	if err := fill(file, write, nil); err != nil && err != errNothing {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	return nil
}

// fill writes, syncs (unless sync is nil) and closes the file.
func fill(file *os.File, write func(io.Writer) error, sync func() error) error {
	buffered := bufio.NewWriterSize(file, 1<<16)
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil && sync != nil {
		err = sync()
	}
	if closeErr := file.Close(); err == nil || err == errNothing && closeErr != nil {
		err = closeErr
	}
	return err
}

// resolve returns the file that path names, links followed, and whether it is
// something other than a regular file, such as a device or a pipe.
func resolve(path string) (target string, isSpecial bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		target, err = followLink(path)
		return target, false, err
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

// followLink returns the file that does not exist yet and that path names, through
// links or itself.
func followLink(path string) (string, error) {
	for {
		target, err := os.Readlink(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EINVAL) { // no link; a loop of links has failed before
			return path, nil
		} else if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			target = filepath.Join(folder, target)
		}
		path = target
	}
}

// createTemporary creates the file that will be renamed to target. Its name is
// always the same, so that the next report removes what a killed process left.
func createTemporary(target string) (*os.File, error) {
	folder, name := filepath.Split(target)
	temporary := filepath.Join(folder, "."+name+".tmp")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// removeOutdated removes the file target, which path names, if there is one.
func removeOutdated(path, target string, changed *Folders) error {
	switch err := os.Remove(target); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("cannot remove %s, which is out of date: %w", path, cause(err))
	default:
		changed.add(filepath.Dir(target))
	}
	return nil
}

var errIsFolder = errors.New("is a folder")

var errIsMounted = errors.New("is mounted by itself, as into a container, and cannot be replaced")

// sharingViolation is Windows' error for a file that another program holds open.
const sharingViolation = syscall.Errno(32)

// explain adds to the error of a file that cannot be written what a person can do
// about it; nil for no error.
func explain(path string, err error) error {
	var link *os.LinkError // only a rename fails with one
	isRename := errors.As(err, &link)
	var number syscall.Errno
	isShared := runtime.GOOS == "windows" && errors.As(err, &number) && number == sharingViolation
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errIsFolder):
		return fmt.Errorf("cannot write %s: it %w; name a file in it", path, err)
	case errors.Is(err, errIsMounted):
		return fmt.Errorf("cannot write %s: the file %w; mount its folder instead, or name a file in a folder that is mounted", path, err)
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
