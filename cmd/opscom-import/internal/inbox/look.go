package inbox

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// patience is how long a file that does not change is waited for although it is empty or
// its archive has no end. Then it is taken, and the push says what is wrong.
const patience = time.Hour

// Found is what lies in the folder now.
type Found struct {
	Ready   []string  // names of complete files, the oldest first by the files' time, then by name
	Waiting []Waiting // all others that match, by name
	Again   time.Time // when one of them may be complete without any change; zero: never
}

// Waiting is a file that matches a pattern and is not complete.
type Waiting struct {
	Name    string // quoted if it cannot be printed
	Why     string // in plain words
	Since   time.Time
	Refused bool // it will not be taken as it is: a person has to do something
}

// observed is a file as it was when it was first seen so.
type observed struct {
	info   fs.FileInfo
	since  time.Time
	cutOff time.Time // when its end was looked for in vain
	hasEnd bool
}

// Look judges the files of the folder. A file is Settled by what this Inbox has observed,
// not by the time that an upload may have set: it takes two looks. now only has to
// advance. What is Refused is logged once.
func (b *Inbox) Look(now time.Time) (Found, error) {
	entries, err := os.ReadDir(b.Folder)
	if err != nil {
		return Found{}, fmt.Errorf("look into the folder of arriving files: %w", err)
	}
	l := &looking{
		Inbox: b, now: now, here: make(map[string]bool, len(entries)),
		seen: make(map[string]observed), ready: make(map[string]fs.FileInfo), refused: make(map[string]string),
	}
	for _, entry := range entries {
		l.here[entry.Name()] = true
	}
	for _, entry := range entries {
		if name := entry.Name(); !isTemporary(name) && !isPlace(name) {
			l.judge(name, entry)
		}
	}
	b.seen, b.ready, b.refused = l.seen, l.ready, l.refused
	slices.SortFunc(l.found.Ready, func(x, y string) int {
		return cmp.Or(b.ready[x].ModTime().Compare(b.ready[y].ModTime()), cmp.Compare(x, y))
	})
	slices.SortFunc(l.found.Waiting, func(x, y Waiting) int { return cmp.Compare(x.Name, y.Name) })
	return l.found, nil
}

// looking is one look.
type looking struct {
	*Inbox
	now     time.Time
	here    map[string]bool
	seen    map[string]observed
	ready   map[string]fs.FileInfo
	refused map[string]string
	found   Found
}

func (b *Inbox) matches(name string) bool {
	return slices.ContainsFunc(b.Patterns, func(pattern string) bool { return Match(pattern, name) })
}

func (l *looking) judge(name string, entry fs.DirEntry) {
	if of, ok := strings.CutSuffix(name, markerSuffix); ok && l.Complete == Marker {
		if l.matches(of) && !isTemporary(of) && !l.here[of] {
			l.wait(of, "its marker is here, and the file is not")
		}
		return
	}
	if !l.matches(name) {
		return
	}
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.refuse(name, "it cannot be looked at: "+reason(err))
		return
	}
	if why := unfit(name, info); why != "" {
		l.refuse(name, why)
		return
	}
	before, known := l.Inbox.seen[name]
	if !known || !same(before.info, info) {
		before = observed{info: info, since: l.now}
	}
	l.seen[name] = before
	if l.isComplete(name) && l.isReadable(name) {
		l.ready[name] = info
		l.found.Ready = append(l.found.Ready, name)
	}
}

// isComplete judges a file, and says what it waits for.
func (l *looking) isComplete(name string) bool {
	switch l.Complete {
	case Renamed:
		return true
	case Marker:
		return l.hasMarker(name)
	}
	return l.isSettled(name, "it changed a short while ago") && l.hasEnd(name)
}

// hasMarker judges by the marker. One that is older than the file may be left from an
// earlier file, so that the file has to settle too.
func (l *looking) hasMarker(name string) bool {
	marker, err := os.Lstat(filepath.Join(l.Folder, name+markerSuffix))
	if err != nil {
		l.wait(name, "its marker "+name+markerSuffix+" is not here")
		return false
	}
	if !marker.Mode().IsRegular() {
		l.refuse(name, "its marker "+name+markerSuffix+" is not a regular file")
		return false
	}
	return !marker.ModTime().Before(l.seen[name].info.ModTime()) || l.isSettled(name, "it is newer than its marker")
}

func (l *looking) isSettled(name, why string) bool {
	until := l.seen[name].since.Add(l.Settle)
	if l.now.Before(until) {
		l.wait(name, fmt.Sprintf("%s; it is complete once it stays the same for %s", why, l.Settle))
		l.again(until)
		return false
	}
	return true
}

// hasEnd judges the content of a file that has settled, once, and again while it seems to
// be cut off.
func (l *looking) hasEnd(name string) bool {
	file := l.seen[name]
	patient := file.since.Add(patience)
	if file.hasEnd || !l.now.Before(patient) {
		return true
	}
	why := "it is empty"
	if file.info.Size() > 0 {
		why = "its archive has no end yet"
		if file.cutOff.IsZero() || !l.now.Before(file.cutOff.Add(l.Settle)) {
			file.hasEnd = !isCutOff(filepath.Join(l.Folder, name), file.info)
			file.cutOff = l.now
			l.seen[name] = file
		}
		if file.hasEnd {
			return true
		}
		l.again(file.cutOff.Add(l.Settle))
	}
	l.wait(name, fmt.Sprintf("%s; it is taken as it is after %s", why, patience))
	l.again(patient)
	return false
}

func (l *looking) isReadable(name string) bool {
	file, err := openFile(filepath.Join(l.Folder, name))
	if err == nil {
		err = file.Close()
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) || isInUse(err) {
		return true // Take finds out
	}
	l.refuse(name, "it cannot be read: "+reason(err)+"; give the program's user the right to")
	return false
}

func (l *looking) wait(name, why string) {
	since := l.now
	if file, known := l.seen[name]; known {
		since = file.since
	}
	l.found.Waiting = append(l.found.Waiting, Waiting{Name: printable(name), Why: why, Since: since})
}

func (l *looking) refuse(name, why string) {
	l.wait(name, why)
	l.found.Waiting[len(l.found.Waiting)-1].Refused = true
	if l.refused[name] = why; l.Inbox.refused[name] != why {
		l.log.Warn("a file that arrived is not taken", "folder", l.Folder, "file", printable(name), "reason", why)
	}
}

func (l *looking) again(at time.Time) {
	if l.found.Again.IsZero() || at.Before(l.found.Again) {
		l.found.Again = at
	}
}

// same reports whether two looks saw the same content. Numbers of files (inodes) do not
// count: some shares change them, and what was renamed to the name is complete.
func same(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// reason is an error without the path.
func reason(err error) string {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// printable returns a name as it can be shown and logged.
func printable(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}
