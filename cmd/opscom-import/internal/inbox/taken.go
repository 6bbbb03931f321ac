package inbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const noteFile = ".taken.json"

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

// write puts the note into a folder that nobody else knows yet.
func (n note) write(folder string) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(folder, noteFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return syncFolders(folder)
}

var errNoNote = errors.New("there is no note that can be used")

// readNote returns a folder's note. errNoNote says that it has none that can be used, and
// fs.ErrNotExist that it has just gone.
func readNote(folder string) (note, error) {
	var n note
	text, err := os.ReadFile(filepath.Join(folder, noteFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(folder); err != nil {
			return n, err
		}
		return n, errNoNote
	}
	if err != nil {
		return n, err
	}
	if json.Unmarshal(text, &n) != nil || n.Name == "" || n.Name != filepath.Base(n.Name) || isTemporary(n.Name) {
		return n, errNoNote
	}
	return n, nil
}

// others returns what is in the folder beside the file, its marker and the note.
func (t Taken) others() ([]string, error) {
	entries, err := os.ReadDir(t.Folder)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); !slices.Contains([]string{noteFile, t.Name, t.Name + markerSuffix}, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// InProgress returns the files that were taken and are not finished, the oldest first, and
// repairs what was cut off while they were taken. A folder that is left alone is logged once. With an error it returns all that it can.
func (b *Inbox) InProgress() ([]Taken, error) {
	return b.list(InProgress, b.repair)
}

// In returns the files that were finished in a place, the oldest first, also those of which somebody
// has left nothing but the folder. With an error it returns all that it can.
func (b *Inbox) In(place Place) ([]Taken, error) {
	return b.list(place, func(Taken, fs.FileInfo, note) (bool, error) { return true, nil })
}

// Stray returns the files in progress, or in another place, whose names match none of the
// patterns, as after a change of settings: no Inbox with these patterns finds them.
func Stray(folder string, place Place, patterns []string) ([]Taken, error) {
	b := &Inbox{Options: Options{Folder: folder}, log: slog.New(slog.DiscardHandler)}
	return b.list(place, func(t Taken, file fs.FileInfo, _ note) (bool, error) {
		return file != nil && !slices.ContainsFunc(patterns, func(p string) bool { return Match(p, t.Name) }), nil
	})
}

// list returns the folders of a place whose files match the patterns, or any if there is
// no pattern, and that keep accepts. It gets nil for a file that is not there.
func (b *Inbox) list(place Place, keep func(Taken, fs.FileInfo, note) (bool, error)) ([]Taken, error) {
	entries, err := os.ReadDir(b.place(place))
	if otherThanMissing(err) != nil {
		return nil, fmt.Errorf("list the folder of %s files: %w", place, err)
	}
	var all []Taken
	var failed error
	for _, entry := range entries {
		if !entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		taken, kept, err := b.listed(place, entry.Name(), keep)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("the folder %s: %w", filepath.Join(b.place(place), entry.Name()), err))
		} else if kept {
			all = append(all, taken)
		}
	}
	slices.SortFunc(all, func(x, y Taken) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(len(x.Folder), len(y.Folder)), cmp.Compare(x.Folder, y.Folder))
	})
	return all, failed
}

func (b *Inbox) listed(place Place, stamp string, keep func(Taken, fs.FileInfo, note) (bool, error)) (Taken, bool, error) {
	folder := filepath.Join(b.place(place), stamp)
	n, err := readNote(folder)
	if errors.Is(err, errNoNote) {
		b.leaveAlone(folder, "a folder has no file that this program took; it is left alone")
		return Taken{}, false, nil
	}
	if err != nil || len(b.Patterns) > 0 && !b.matches(n.Name) {
		return Taken{}, false, otherThanMissing(err) // another process has just moved it
	}
	taken := b.taken(place, stamp, n)
	file, err := os.Lstat(taken.Path)
	if otherThanMissing(err) != nil {
		return taken, false, err
	}
	if err != nil || !file.Mode().IsRegular() {
		file = nil
	}
	kept, err := keep(taken, file, n)
	return taken, kept, err
}

// leaveAlone logs why a folder is left alone, once: it is found at every look.
func (b *Inbox) leaveAlone(folder, why string) {
	if b.strange[folder] == why {
		return
	}
	if b.strange == nil {
		b.strange = make(map[string]string)
	}
	b.strange[folder] = why
	b.log.Warn(why, "folder", folder)
}

// repair ends what was cut off while a file was taken or put back, and reports whether the
// file is taken.
func (b *Inbox) repair(t Taken, file fs.FileInfo, n note) (bool, error) {
	others, err := t.others()
	switch {
	case err != nil:
		return false, err
	case file != nil && (file.Size() == n.Size && file.ModTime().Equal(n.Modified) || len(others) > 0):
		return true, nil
	case file != nil: // it changed before the move could be checked
		return false, b.giveBack(t)
	case len(others) > 0:
		b.leaveAlone(t.Folder, "the file in progress is gone, and its reports are there; they are left alone")
		return false, nil
	}
	return false, b.clear(t)
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
	if n, noteErr := readNote(moved.Folder); errors.Is(err, fs.ErrNotExist) && noteErr == nil && n.Name == t.Name && n.At.Equal(t.At) {
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
