// Package inbox takes files as they arrive in a folder, by SFTP, on a share or as a copy.
// A folder and patterns go in; files that are complete come out, the oldest first. Each
// that is taken gets a folder of its own, which later moves as a whole:
//
//	FOLDER/students.csv                                    arrives
//	FOLDER/in-progress/2026-11-30T091502Z/students.csv     is taken; its reports are written beside it
//	FOLDER/done/2026-11-30T091502Z/…                       is finished; likewise failed/ and held/
//
// Every step is one rename that overwrites nothing. Whenever the process is killed, each
// file is in FOLDER or in a folder of its own, whole and once; InProgress finds the latter.
//
// # What is never taken
//
// What matches no pattern is left alone, and so are hidden files and the names that
// programs use for an upload that is not complete, or for locks: .students.csv.Xa12,
// students.csv.filepart, ~$students.xlsx, .nfs0001.
//
// Of what does match, only regular files are taken. A symbolic link or a second name (hard
// link) could make the program read, or let somebody change, a file elsewhere; a pipe
// would block it. Names must be UTF-8 without control characters. Look says what is not
// taken, and why.
//
// # Sharing
//
// Several Inboxes may have one folder, in one process or more, each with patterns that do
// not Overlap. Of one set of patterns only one at a time may Take, Finish, PutBack or call
// InProgress: the caller sees to that.
//
// Anyone who may write in the folder itself may rename its sub-folders: give that right
// only to those who may decide what is pushed.
package inbox

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Completeness is how a file shows that it is complete.
type Completeness string

const (
	// Settled: its size and time did not change for a while, and it can be seen to have
	// an end where its format has one.
	Settled Completeness = "settled"
	// Marker: a file NAME.done beside it, made after it.
	Marker Completeness = "marker"
	// Renamed: it has a name that matches; it is written under one that does not.
	Renamed Completeness = "renamed"
)

const (
	// DefaultSettle and DefaultPoll are used where Options have none.
	DefaultSettle = time.Minute
	DefaultPoll   = 10 * time.Second

	markerSuffix = ".done"
)

// Options say which files of which folder are taken, and when.
type Options struct {
	Folder   string       // must exist
	Patterns []string     // of names, with * and ?; upper and lower case differ
	Complete Completeness // "" is Settled
	Settle   time.Duration
	Poll     time.Duration // how often Changes asks for a look without being told of a change
	Polling  bool          // the system is not asked to tell of changes
}

// Inbox is an open folder. Its methods are for one goroutine; the channel of Changes is
// for any.
type Inbox struct {
	Options
	log     *slog.Logger
	seen    map[string]observed    // by the last look
	ready   map[string]fs.FileInfo // likewise
	refused map[string]string      // likewise, and why
	strange map[string]string      // folders that are left alone, and why; nil for none
	watcher *watcher
	step    func(name string) // for tests: called after each step of Take
}

// Open makes the folder ready: it must exist, be readable and writable, and be on one file
// system with its sub-folders. Close the Inbox at the end.
func Open(o Options, log *slog.Logger) (*Inbox, error) {
	o, err := o.checked()
	if err != nil {
		return nil, err
	}
	b := &Inbox{Options: o, log: log, seen: make(map[string]observed), step: func(string) {}}
	if err := b.makePlace(InProgress); err != nil {
		return nil, err
	}
	if err := errors.Join(b.sweep(), b.tryMoves()); err != nil {
		return nil, err
	}
	b.watcher = startWatcher(o, log)
	return b, nil
}

// Close ends watching.
func (b *Inbox) Close() { b.watcher.stop() }

// Check finds what would make Open fail, as far as that can be told without changing
// anything.
func Check(o Options) error {
	_, err := o.checked()
	return err
}

// checked returns the options with an absolute folder and defaults.
func (o Options) checked() (Options, error) {
	if o.Complete == "" {
		o.Complete = Settled
	}
	if o.Settle <= 0 {
		o.Settle = DefaultSettle
	}
	if o.Poll <= 0 {
		o.Poll = DefaultPoll
	}
	if len(o.Patterns) == 0 {
		return o, fmt.Errorf("no pattern says which files of %s to take; write *.csv, for example", o.Folder)
	}
	for _, pattern := range o.Patterns {
		if err := CheckPattern(pattern); err != nil {
			return o, err
		}
		if o.Complete == Marker && strings.HasSuffix(pattern, markerSuffix) {
			return o, fmt.Errorf("the pattern %q only matches markers; leave %s out", pattern, markerSuffix)
		}
	}
	if o.Complete != Settled && o.Complete != Marker && o.Complete != Renamed {
		return o, fmt.Errorf("%q does not say when a file is complete; use %s, %s or %s", o.Complete, Settled, Marker, Renamed)
	}
	folder, err := filepath.Abs(o.Folder)
	if err != nil {
		return o, fmt.Errorf("the folder %s: %w", o.Folder, err)
	}
	o.Folder = folder
	return o, checkFolder(folder)
}

// checkFolder judges a folder and those of its places that exist.
func checkFolder(folder string) error {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no folder %s; make it, or name the one in which files arrive", folder)
	case err != nil:
		return fmt.Errorf("the folder of arriving files: %w", err)
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder; name the one in which files arrive", folder)
	}
	if _, err := os.ReadDir(folder); err != nil {
		return fmt.Errorf("the folder of arriving files cannot be read: %w; give the program's user the right to", err)
	}
	if err := writable(folder); err != nil {
		return fmt.Errorf("nothing can be moved in %s: %w; give the program's user the right to write there", folder, err)
	}
	for _, place := range places() {
		path := filepath.Join(folder, string(place))
		inner, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("the folder of %s files: %w", place, err)
		}
		if !inner.IsDir() {
			return fmt.Errorf("%s is not a folder (a link is not enough); remove it, or move it away", path)
		}
		if err := writable(path); err != nil {
			return fmt.Errorf("nothing can be moved to %s: %w; give the program's user the right to write there", path, err)
		}
		if device(info) != device(inner) {
			return otherFileSystem(path, folder)
		}
	}
	return nil
}

func otherFileSystem(path, folder string) error {
	return fmt.Errorf("%s is on another file system than %s, so files cannot be moved there in one step; unmount it, or move both to one file system", path, folder)
}

const (
	probePrefix = ".opscom-import-probe-" // in the folder
	newPrefix   = ".new-"                 // in in-progress
)

// sweep removes what a process that was killed has left. What is an hour old is not of one
// that runs.
func (b *Inbox) sweep() error {
	for folder, prefix := range map[string]string{b.Folder: probePrefix, b.place(InProgress): newPrefix} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return fmt.Errorf("the folder of arriving files: %w", err)
		}
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil || !strings.HasPrefix(entry.Name(), prefix) || time.Since(info.ModTime()) < time.Hour {
				continue
			}
			path := filepath.Join(folder, entry.Name())
			for _, each := range []string{filepath.Join(path, noteFile), path} {
				if err := os.Remove(each); err != nil {
					b.log.Debug("remove what a process has left", "path", each, "error", err)
				}
			}
		}
	}
	return nil
}

// tryMoves moves an empty file from the folder through its places, which proves what
// permissions and numbers of devices do not.
func (b *Inbox) tryMoves() error {
	file, err := os.CreateTemp(b.Folder, probePrefix+"*")
	if err != nil {
		return fmt.Errorf("nothing can be written to the folder of arriving files: %w", err)
	}
	at := file.Name()
	err = file.Close()
	for _, place := range places() {
		to := filepath.Join(b.place(place), filepath.Base(at))
		if _, statErr := os.Lstat(b.place(place)); err != nil || statErr != nil {
			continue
		}
		switch err = renameNew(at, to); {
		case isCrossDevice(err):
			err = otherFileSystem(b.place(place), b.Folder)
		case err == nil:
			at = to
		}
	}
	return errors.Join(err, os.Remove(at))
}
