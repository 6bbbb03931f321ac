package inbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	noteFile = ".taken.json"
	noteNew  = noteFile + ".new"
)

// Taken is a file in a folder of its own.
type Taken struct {
	Folder string // absolute
	Path   string // of the file in it
	Name   string // as it arrived
	At     time.Time
	inbox  string
}

// note is what the folder remembers of it: reports may lie beside the file later. Size and
// Modified are those of the file that was complete.
type note struct {
	Name     string    `json:"name"`
	At       time.Time `json:"at"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
}

func (b *Inbox) taken(place Place, stamp string, n note) Taken {
	folder := filepath.Join(b.place(place), stamp)
	return Taken{Folder: folder, Path: filepath.Join(folder, n.Name), Name: n.Name, At: n.At, inbox: b.Folder}
}

// In returns where the file's folder is once it is finished there. Nothing else has that
// name.
func (t Taken) In(place Place) string {
	return filepath.Join(t.inbox, string(place), filepath.Base(t.Folder))
}

// writeNote writes the note in one step. Before it no file is moved.
func (t Taken) writeNote(file fs.FileInfo, step func(string)) error {
	text, err := json.Marshal(note{t.Name, t.At, file.Size(), file.ModTime()})
	if err != nil {
		return err
	}
	temporary := filepath.Join(t.Folder, noteNew)
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		step("note begun")
		err = os.Rename(temporary, filepath.Join(t.Folder, noteFile))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	step("note")
	return nil
}

// readNote returns a folder's note; ok is false if it has none that can be used.
func readNote(folder string) (n note, ok bool, err error) {
	text, err := os.ReadFile(filepath.Join(folder, noteFile))
	if errors.Is(err, fs.ErrNotExist) {
		return note{}, false, nil
	}
	if err != nil {
		return note{}, false, err
	}
	ok = json.Unmarshal(text, &n) == nil && n.Name != "" && n.Name == filepath.Base(n.Name) && !isTemporary(n.Name)
	return n, ok, nil
}

// others returns what is in the folder beside the file, its marker and the note.
func (t Taken) others() ([]string, error) {
	entries, err := os.ReadDir(t.Folder)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); !slices.Contains([]string{noteFile, noteNew, t.Name, t.Name + markerSuffix}, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// InProgress returns the files that were taken and are not finished, the oldest first, and
// repairs what was cut off while they were taken. Patterns do not matter here: they may
// have been others. With an error it returns all that it can.
func (b *Inbox) InProgress() ([]Taken, error) {
	return b.list(inProgress, b.repair)
}

// Held returns the files that were finished in Held, the oldest first. With an error it
// returns all that it can.
func (b *Inbox) Held() ([]Taken, error) {
	return b.list(Held, func(_ Taken, file fs.FileInfo, noted *note) (bool, error) { return noted != nil && file != nil, nil })
}

// list returns the folders of a place that keep accepts. It gets nil for a file or a note
// that is not there.
func (b *Inbox) list(place Place, keep func(t Taken, file fs.FileInfo, noted *note) (bool, error)) ([]Taken, error) {
	entries, err := os.ReadDir(b.place(place))
	if otherThanMissing(err) != nil {
		return nil, fmt.Errorf("list the folder of %s files: %w", place, err)
	}
	var all []Taken
	var failed error
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		taken, kept, err := b.listed(place, entry.Name(), keep)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("the folder %s: %w", taken.Folder, err))
		} else if kept {
			all = append(all, taken)
		}
	}
	slices.SortFunc(all, func(x, y Taken) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(len(x.Folder), len(y.Folder)), cmp.Compare(x.Folder, y.Folder))
	})
	return all, failed
}

func (b *Inbox) listed(place Place, stamp string, keep func(Taken, fs.FileInfo, *note) (bool, error)) (Taken, bool, error) {
	n, noted, err := readNote(filepath.Join(b.place(place), stamp))
	taken := b.taken(place, stamp, n)
	if err != nil {
		return taken, false, err
	}
	if !noted {
		kept, err := keep(taken, nil, nil)
		return taken, kept, err
	}
	file, err := os.Lstat(taken.Path)
	if otherThanMissing(err) != nil {
		return taken, false, err
	}
	if err != nil || !file.Mode().IsRegular() {
		file = nil
	}
	kept, err := keep(taken, file, &n)
	return taken, kept, err
}

// repair ends what was cut off while a file was taken or put back, and reports whether the
// file is taken.
func (b *Inbox) repair(t Taken, file fs.FileInfo, noted *note) (bool, error) {
	others, err := t.others()
	switch {
	case err != nil:
		return false, err
	case file != nil && (file.Size() == noted.Size && file.ModTime().Equal(noted.Modified) || len(others) > 0):
		return true, nil
	case file != nil: // it changed before the move could be checked
		return false, b.giveBack(t)
	case len(others) > 0:
		b.log.Warn("a folder of files in progress has no file that was taken; it is left alone", "folder", t.Folder)
		return false, nil
	case noted != nil:
		return false, b.clear(t)
	}
	for _, path := range []string{filepath.Join(t.Folder, noteNew), filepath.Join(t.Folder, noteFile), t.Folder} {
		if err := os.Remove(path); otherThanMissing(err) != nil {
			return false, err
		}
	}
	return false, nil
}

// Finish moves a file's folder, with the reports in it, to a place: from in-progress, or
// later from one place to another, as from Held to Done. It is one rename. Done again after
// a crash it returns the same.
func (b *Inbox) Finish(t Taken, to Place) (Taken, error) {
	moved := t
	moved.Folder = t.In(to)
	moved.Path = filepath.Join(moved.Folder, t.Name)
	if t.Folder == moved.Folder {
		return moved, nil
	}
	if err := b.makePlace(to); err != nil {
		return t, err
	}
	err := renameNew(t.Folder, moved.Folder)
	if n, noted, noteErr := readNote(moved.Folder); errors.Is(err, fs.ErrNotExist) && noteErr == nil && noted && n.Name == t.Name && n.At.Equal(t.At) {
		err = nil // it was moved before
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return t, fmt.Errorf("%s cannot be moved to %s: something else is there; move that away", t.Folder, moved.Folder)
	case isInUse(err):
		return t, fmt.Errorf("%s cannot be moved: a program has a file in it open; close it: %w", t.Folder, err)
	case isCrossDevice(err):
		return t, otherFileSystem(b.place(to), b.Folder)
	case err != nil:
		return t, fmt.Errorf("move %s to %s: %w", t.Folder, moved.Folder, err)
	}
	return moved, syncFolders(filepath.Dir(t.Folder), b.place(to))
}
