package inbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrNotComplete says that a file is not, or no longer, what the last look found complete.
// It is where it was; the next look judges it again.
var ErrNotComplete = errors.New("the file is not, or no longer, the one that was complete; it is looked at again")

// Take moves a file that the last look found Ready, with its marker, into a folder of its
// own, named by the time: in-progress/2026-11-30T091502Z, or with -2, -3 and so on where one
// of that name is in any place. What overtook the move is put back: ErrNotComplete.
//
// Killed between any two steps, the file is in FOLDER or in that folder, which InProgress
// finds. The marker goes first: left behind, it would vouch for the next file of that name.
func (b *Inbox) Take(name string, at time.Time) (Taken, error) {
	file, ready := b.ready[name]
	if !ready {
		return Taken{}, ErrNotComplete
	}
	from := filepath.Join(b.Folder, name)
	if now, err := os.Lstat(from); err != nil || !isFile(now) || !same(now, file) {
		return Taken{}, errors.Join(ErrNotComplete, otherThanMissing(err))
	}
	taken, err := b.newFolder(name, file, at)
	if err != nil {
		return Taken{}, fmt.Errorf("take %s: %w", printable(name), err)
	}
	if err = b.moveIn(taken); err == nil {
		now, statErr := os.Lstat(taken.Path)
		if statErr == nil && isFile(now) && same(now, file) {
			b.step("checked")
			delete(b.seen, name) // the next one of that name begins again
			delete(b.ready, name)
			return taken, nil
		}
		err = errors.Join(ErrNotComplete, statErr)
	}
	return Taken{}, errors.Join(err, b.giveBack(taken))
}

// giveBack puts a file back that was not complete after all. If a newer one has arrived
// meanwhile, it goes to Failed: nobody knows what is in it.
func (b *Inbox) giveBack(taken Taken) error {
	err := b.PutBack(taken)
	if err == nil {
		return nil
	}
	if _, statErr := os.Lstat(taken.Path); statErr != nil {
		return err // it is back, and InProgress does the rest
	}
	failed, finishErr := b.Finish(taken, Failed)
	return errors.Join(fmt.Errorf("%w; it is in %s now", err, failed.Folder), finishErr)
}

func isFile(info fs.FileInfo) bool { return info.Mode().IsRegular() && links(info) <= 1 }

func otherThanMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// newFolder makes a file's own folder, with a note of what will be in it. It gets its name
// last, so that a folder of that name always has its note.
func (b *Inbox) newFolder(name string, file fs.FileInfo, at time.Time) (Taken, error) {
	if err := b.makePlace(InProgress); err != nil {
		return Taken{}, err
	}
	unnamed, err := os.MkdirTemp(b.place(InProgress), newPrefix+"*")
	if err != nil {
		return Taken{}, err
	}
	b.step("unnamed")
	n := note{name, at, file.Size(), file.ModTime()}
	err = errors.Join(b.share(unnamed), n.write(unnamed))
	b.step("note")
	var taken Taken
	if err == nil {
		taken, err = b.nameFolder(unnamed, n)
	}
	if err != nil {
		os.Remove(filepath.Join(unnamed, noteFile)) // what stays is swept later
		os.Remove(unnamed)
		return Taken{}, err
	}
	b.step("folder")
	return taken, nil
}

// nameFolder gives a new folder the first name for its time that is free in all places.
func (b *Inbox) nameFolder(unnamed string, n note) (Taken, error) {
	const most = 10_000
	for i := 1; i <= most; i++ {
		stamp := n.At.UTC().Format("2006-01-02T150405Z")
		if i > 1 {
			stamp = fmt.Sprintf("%s-%d", stamp, i)
		}
		if b.isUsed(stamp, InProgress, Held, Done, Failed) {
			continue
		}
		b.step("free name")
		taken := b.taken(InProgress, stamp, n)
		err := renameNew(unnamed, taken.Folder)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return Taken{}, err
		}
		// another process may have used and finished the name meanwhile: none can any more
		if b.isUsed(stamp, Held, Done, Failed) {
			if err := renameNew(taken.Folder, unnamed); err != nil {
				return Taken{}, err
			}
			continue
		}
		return taken, syncFolders(b.place(InProgress))
	}
	return Taken{}, fmt.Errorf("there are %d folders of %s; move some of them away", most, n.At.UTC().Format(time.DateTime))
}

// isUsed looks into places in the order in which folders move, so that none slips past.
func (b *Inbox) isUsed(stamp string, places ...Place) bool {
	for _, place := range places {
		if _, err := os.Lstat(filepath.Join(b.place(place), stamp)); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// moveIn moves the marker and the file.
func (b *Inbox) moveIn(taken Taken) error {
	from := filepath.Join(b.Folder, taken.Name)
	if b.Complete == Marker {
		if err := move(from+markerSuffix, taken.Path+markerSuffix); err != nil {
			return err
		}
		b.step("marker")
		if err := syncFolders(taken.Folder, b.Folder); err != nil {
			return err
		}
	}
	if err := move(from, taken.Path); err != nil {
		return err
	}
	b.step("file")
	return syncFolders(taken.Folder, b.Folder)
}

// move renames, and overwrites nothing.
func move(from, to string) error {
	err := renameNew(from, to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w (%w)", ErrNotComplete, err)
	case isInUse(err):
		return fmt.Errorf("%w (another program has it open)", ErrNotComplete)
	case err != nil:
		return fmt.Errorf("%w; give the program's user the right to move files of others in their folder", err)
	}
	return nil
}

// PutBack gives a file, with its marker, back to the folder in which it arrived, and
// removes its own folder, as when no pattern matches it any more. It does nothing if a newer
// file of its name is there, or if there are reports beside it. A kill in the middle loses nothing: InProgress goes on with it.
func (b *Inbox) PutBack(taken Taken) error {
	back := filepath.Join(b.Folder, taken.Name)
	if others, err := taken.others(); err != nil {
		return fmt.Errorf("put %s back: %w", printable(taken.Name), err)
	} else if len(others) > 0 {
		return fmt.Errorf("%s was worked on: there are reports in %s", printable(taken.Name), taken.Folder)
	}
	err := renameNew(taken.Path, back)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("a newer %s has arrived, and the earlier one cannot be put back", printable(taken.Name))
	}
	if otherThanMissing(err) != nil {
		return fmt.Errorf("put %s back: %w", printable(taken.Name), err)
	}
	b.step("put back")
	return b.clear(taken)
}

// clear gives the marker back and removes the folder of a file that is not in it. The
// marker does no harm there: if it is older than the file, that has to settle.
func (b *Inbox) clear(taken Taken) error {
	marker := taken.Path + markerSuffix
	err := renameNew(marker, filepath.Join(b.Folder, taken.Name+markerSuffix))
	if errors.Is(err, fs.ErrExist) {
		err = os.Remove(marker) // a newer one is there
	}
	if err = otherThanMissing(err); err != nil {
		return fmt.Errorf("put the marker of %s back: %w", printable(taken.Name), err)
	}
	b.step("marker back")
	if err := syncFolders(b.Folder); err != nil {
		return err
	}
	// first it loses its name, so that a folder of that name always has its note
	unnamed := filepath.Join(filepath.Dir(taken.Folder), fmt.Sprintf("%s%d", newPrefix, time.Now().UnixNano()))
	if err := renameNew(taken.Folder, unnamed); err != nil {
		return fmt.Errorf("remove the folder of %s: %w", printable(taken.Name), err)
	}
	b.step("unnamed again")
	err = os.Remove(filepath.Join(unnamed, noteFile))
	if err = errors.Join(err, os.Remove(unnamed)); err != nil {
		return fmt.Errorf("remove the folder of %s: %w", printable(taken.Name), err)
	}
	return syncFolders(filepath.Dir(taken.Folder))
}
