// Package draft keeps the files that somebody prepares on the page: each with what
// was said about it, until it is forgotten.
//
// What goes in are an uploaded file and changes; what comes out is a [Draft]. On the
// disk, in the state folder:
//
//	web/students.csv/students.csv            the file as it was uploaded
//	                 students.mapping.yaml   what its columns mean, by the answers
//	                 draft.json              the rest of the draft
//
// The folder has the file's name, so that the path, by which the journal knows a
// source from run to run, is the same whenever a file of that name is uploaded.
// A draft survives the end of the program, also by a power failure: a change is on
// the disk, whole, before Change returns.
package draft

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/mapping/answers"
)

// Draft is a file that is being prepared.
type Draft struct {
	ID       int
	Name     string
	Started  time.Time
	Uploaded time.Time // when the file, as it is now, arrived
	Revision int       // grows with each change: a check is of one revision

	Sandbox     bool // where it is to be pushed
	OnlyChanges bool // push only people who are new or changed

	// Source is how the file is read, as a mapping file says it.
	Source mapping.SourceSection

	Answers     answers.Answers       // what its columns mean
	Corrections []importer.Correction // in the order in which they were made
	Answered    []int                 // how many corrections each answer made, so that one can be undone

	Run  int64 // its last run; 0 for none
	Sent int   // how many of the corrections that run had

	path string
}

// SetRun says that the file was pushed, with so many of the corrections.
func (d *Draft) SetRun(run int64, corrections int) {
	d.Run, d.Sent = run, corrections
	d.OnlyChanges = true // the next push is of what was fixed
}

// Path returns the path of the file.
func (d Draft) Path() string { return d.path }

// MappingPath returns the path of the mapping file. It exists once the columns were read.
func (d Draft) MappingPath() string { return filepath.Join(filepath.Dir(d.path), d.MappingName()) }

// MappingName is the name under which the mapping file is found beside the file.
func (d Draft) MappingName() string {
	return strings.TrimSuffix(d.Name, filepath.Ext(d.Name)) + ".mapping.yaml"
}

// ErrGone says that a draft is not there.
var ErrGone = errors.New("the file is no longer here")

// Store keeps the drafts of a state folder.
type Store struct {
	folder string
	mu     sync.Mutex
	drafts map[int]Draft
	lastID int // the highest so far: what is known of a draft that was forgotten is not another's
}

// Folder returns the folder of the drafts in a state folder.
func Folder(state string) string { return filepath.Join(state, "web") }

const (
	stateFile = "draft.json"
	arriving  = ".arriving-" // begins the names of temporary files; no draft's name begins with a dot
)

// Open opens the store in a state folder and makes its folder. It removes what a
// process that died has left half done. One process at a time may use a store: the
// caller holds a lock.
func Open(state string) (*Store, error) {
	s := &Store{folder: Folder(state), drafts: map[int]Draft{}}
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of uploads: %w", err)
	}
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return nil, fmt.Errorf("read the folder of uploads: %w", err)
	}
	for _, entry := range entries {
		folder := filepath.Join(s.folder, entry.Name())
		if !entry.IsDir() {
			if strings.HasPrefix(entry.Name(), arriving) {
				err = errors.Join(err, os.Remove(folder))
			}
			continue
		}
		d, readErr := read(folder)
		if readErr != nil { // killed before it was a draft
			err = errors.Join(err, os.RemoveAll(folder))
			continue
		}
		err = errors.Join(err, s.mendMapping(d))
		s.drafts[d.ID] = d
		s.lastID = max(s.lastID, d.ID)
	}
	if err != nil {
		return nil, fmt.Errorf("remove what is left of uploads: %w", err)
	}
	return s, nil
}

func read(folder string) (d Draft, err error) {
	text, err := os.ReadFile(filepath.Join(folder, stateFile))
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, err
	}
	d.path = filepath.Join(folder, d.Name)
	_, err = os.Stat(d.path)
	return d, err
}

// List returns the drafts, the one whose file arrived last first.
func (s *Store) List() []Draft {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, d := range s.drafts {
		if d.isGone() {
			delete(s.drafts, id)
		}
	}
	return slices.SortedFunc(maps.Values(s.drafts), func(a, b Draft) int { return b.Uploaded.Compare(a.Uploaded) })
}

// Get returns a draft.
func (s *Store) Get(id int) (d Draft, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok = s.drafts[id]
	if ok && d.isGone() {
		delete(s.drafts, id)
		return d, false
	}
	return d, ok
}

// isGone reports whether the draft was forgotten by another process, with its run.
func (d Draft) isGone() bool {
	_, err := os.Stat(d.path)
	return errors.Is(err, os.ErrNotExist)
}

// OfSource returns the draft of the file at the path, as runs name it.
func (s *Store) OfSource(path string) (d Draft, ok bool) {
	for _, d := range s.List() {
		if d.path == path {
			return d, true
		}
	}
	return d, false
}

// Change changes a draft. The change must be quick; when it returns an error nothing
// is changed. It may write to what the answers and corrections hold, but other slices are
// shared with earlier states of the draft. The error is ErrGone when the draft is not there.
func (s *Store) Change(id int, change func(*Draft) error) (Draft, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.drafts[id]
	if !ok {
		return d, ErrGone
	}
	return s.changed(d, change)
}

// changed applies a change and stores the result. s.mu is held.
func (s *Store) changed(d Draft, change func(*Draft) error) (Draft, error) {
	d.Answers, d.Corrections = d.Answers.Clone(), slices.Clone(d.Corrections) // others may be reading them
	sheet := d.Source.Sheet
	if err := change(&d); err != nil {
		return d, err
	}
	if d.Source.Sheet != sheet { // they were of the cells of another sheet
		d.Corrections, d.Answered = nil, nil
	}
	d.Revision++
	if err := s.placeMapping(d); err != nil {
		return d, err
	}
	if err := s.save(d); err != nil {
		return d, err
	}
	s.drafts[d.ID] = d
	return d, nil
}

func (s *Store) save(d Draft) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("keep the state of %s: %w", d.Name, err)
	}
	return s.writeWhole(filepath.Join(filepath.Dir(d.path), stateFile), text)
}

// mendMapping writes the mapping file again if it is not that of the draft's answers: the
// process died, or the disk was full, between the two.
func (s *Store) mendMapping(d Draft) error {
	if len(d.Answers.Headers) == 0 {
		return nil
	}
	want, err := d.Answers.File(d.Source).Format()
	if err != nil {
		return fmt.Errorf("keep the mapping of %s: %w", d.Name, err)
	}
	if text, err := os.ReadFile(d.MappingPath()); err == nil && bytes.Equal(text, want) {
		return nil
	}
	return s.writeWhole(d.MappingPath(), want)
}

// placeMapping writes the mapping file of the answers.
func (s *Store) placeMapping(d Draft) error {
	if len(d.Answers.Headers) == 0 {
		return nil
	}
	text, err := d.Answers.File(d.Source).Format()
	if err != nil {
		return fmt.Errorf("keep the mapping of %s: %w", d.Name, err)
	}
	return s.writeWhole(d.MappingPath(), text)
}

// writeWhole writes a file that is there whole or as it was before.
func (s *Store) writeWhole(path string, text []byte) error {
	f, err := os.CreateTemp(s.folder, arriving+"*")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", filepath.Base(path), err), os.RemoveAll(f.Name()))
	}
	return nil
}

// ErrTooLarge says that a file is larger than a store takes.
var ErrTooLarge = errors.New("the file is too large")

// Arrival is a file that has arrived and has no place yet. Call Discard when done.
type Arrival struct {
	Name string // cleaned
	path string
}

// Receive writes a file, with the name that a browser gave it, to a temporary file
// that only this user can read. It takes max bytes at most, else the error is
// ErrTooLarge.
func (s *Store) Receive(name string, r io.Reader, max int64) (*Arrival, error) {
	f, err := os.CreateTemp(s.folder, arriving+"*")
	if err != nil {
		return nil, fmt.Errorf("keep the file: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(r, max+1))
	if err == nil && n > max {
		err = ErrTooLarge
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("keep the file: %w", err), os.Remove(f.Name()))
	}
	return &Arrival{cleanName(name), f.Name()}, nil
}

// Path returns where the file is until it has its place.
func (a *Arrival) Path() string { return a.path }

// Discard removes the file unless it has its place.
func (a *Arrival) Discard() error { return os.RemoveAll(a.path) }

// Named returns the draft of a file of that name.
func (s *Store) Named(name string) (d Draft, ok bool) {
	for _, d := range s.List() {
		if d.Name == name {
			return d, true
		}
	}
	return d, false
}

// Add makes a draft of the arrived file and changes it. A draft of the same name is
// forgotten.
func (s *Store) Add(a *Arrival, change func(*Draft) error) (Draft, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	d := Draft{ID: s.lastID, Name: a.Name, Started: time.Now(), Uploaded: time.Now(), path: filepath.Join(s.folder, a.Name, a.Name)}
	for id, other := range s.drafts {
		if other.path == d.path {
			delete(s.drafts, id)
		}
	}
	folder := filepath.Dir(d.path)
	err := os.RemoveAll(folder)
	if err == nil {
		err = os.Mkdir(folder, 0o700)
	}
	if err == nil {
		err = os.Rename(a.path, d.path)
	}
	if err != nil {
		return d, fmt.Errorf("keep %s: %w", d.Name, err)
	}
	return s.changed(d, change)
}

// Replace puts an arrived file in the place of the draft's, whatever its name is, and
// keeps what was said about it. The kind of file may differ: its content says it.
func (s *Store) Replace(id int, a *Arrival, change func(*Draft) error) (Draft, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.drafts[id]
	if !ok {
		return d, ErrGone
	}
	if err := os.Rename(a.path, d.path); err != nil {
		return d, fmt.Errorf("keep %s: %w", d.Name, err)
	}
	d.Uploaded = time.Now()
	return s.changed(d, change)
}

// Forget removes a draft and its file.
func (s *Store) Forget(id int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.drafts[id]
	if !ok {
		return ErrGone
	}
	delete(s.drafts, id)
	if err := os.RemoveAll(filepath.Dir(d.path)); err != nil {
		return fmt.Errorf("forget %s: %w", d.Name, err)
	}
	return nil
}

// cleanName makes of a browser's name for a file one that every system takes, and
// that leads to no other folder. The same name always gives the same one.
func cleanName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	name = strings.Trim(name, ". ")
	const longest = 50 // characters, so that even with .mapping.yaml it has no more bytes than a file system takes
	if runes := []rune(name); len(runes) > longest {
		extension := filepath.Ext(name)
		if len(extension) > len(".xlsx") {
			extension = ""
		}
		name = string(runes[:longest-len(extension)]) + extension
	}
	if !filepath.IsLocal(name) || strings.EqualFold(name, stateFile) { // empty, or a device's name on Windows
		return "file " + name
	}
	return name
}

// ForgetRuns removes the drafts in a state folder whose last run is one of these. It may
// be called while another process uses the store.
func ForgetRuns(state string, runs []int64) error {
	folder := Folder(state)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("forget the files of the runs: %w", err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		path := filepath.Join(folder, entry.Name())
		if d, err := read(path); err != nil || d.Run == 0 || !slices.Contains(runs, d.Run) {
			continue // what cannot be read is removed at the next start of the page
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("forget the files of the runs: %w", err)
		}
	}
	return nil
}

// RemoveArriving removes files that had not arrived completely when a process died.
// No process may be using the store.
func RemoveArriving(state string) error {
	left, err := Arriving(state)
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return fmt.Errorf("remove what is left of uploads: %w", err)
	}
	return nil
}

// Arriving returns the files in a state folder that have not arrived completely.
func Arriving(state string) (paths []string, err error) {
	entries, err := os.ReadDir(Folder(state))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if !entry.IsDir() && strings.HasPrefix(entry.Name(), arriving) {
			paths = append(paths, filepath.Join(Folder(state), entry.Name()))
		}
	}
	return paths, err
}
