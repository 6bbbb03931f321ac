// Package layouts remembers how files were mapped, by the layout of their columns, so
// that next term's export needs no answers.
//
// What goes in is a mapping file whose headers are all columns of a table. What comes
// out, for the headers of another table, is the mapping of the same layout, or of the
// one that is most like it.
//
//	STATE/web-layouts/5f2a….mapping.yaml
//
// They are the mapping files of the commands, without any sample.
package layouts

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"opscom-import/mapping"
)

const (
	// Folder is the name of the store's folder in the state folder.
	Folder = "web-layouts"

	suffix = ".mapping.yaml"

	// most is how many layouts are kept; the oldest go first.
	most = 100
)

// Store keeps mappings in a folder.
type Store struct{ folder string }

// Open returns the store in a state folder. It makes no folder: Keep does.
func Open(state string) *Store { return &Store{filepath.Join(state, Folder)} }

// Layout is a mapping that was used before.
type Layout struct {
	ID      string // digest of its headers
	Kept    time.Time
	Mapping *mapping.File
	Exact   bool // the table has the same columns, in the same order
}

// digest names a layout. Case and white space of headers do not count.
func digest(headers []string) string {
	sum := sha256.New()
	for _, h := range headers {
		fmt.Fprintf(sum, "%s\x00", fold(h)) // a hash does not fail
	}
	return hex.EncodeToString(sum.Sum(nil))[:32]
}

func fold(header string) string { return strings.ToLower(strings.Join(strings.Fields(header), " ")) }

// Keep remembers a mapping for the layout in its headers. An earlier one of the same
// layout is replaced.
func (s *Store) Keep(m *mapping.File) error {
	text, err := m.Format()
	if err != nil {
		return err
	}
	if err := s.write(filepath.Join(s.folder, digest(m.Source.Headers)+suffix), text); err != nil {
		return fmt.Errorf("remember the answers: %w", err)
	}
	return s.dropOldest()
}

// write replaces a file in one step.
func (s *Store) write(path string, text []byte) error {
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.folder, "new-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// files returns the kept files, the newest first, and removes what a kill has left.
func (s *Store) files() ([]fs.FileInfo, error) {
	entries, err := os.ReadDir(s.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find remembered answers: %w", err)
	}
	var files []fs.FileInfo
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find remembered answers: %w", err)
		}
		if strings.HasSuffix(info.Name(), suffix) {
			files = append(files, info)
		} else if strings.HasPrefix(info.Name(), "new-") && time.Since(info.ModTime()) > time.Hour {
			if err := s.remove(info.Name()); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	return files, nil
}

func (s *Store) dropOldest() error {
	files, err := s.files()
	for _, file := range files[min(most, len(files)):] {
		err = errors.Join(err, s.remove(file.Name()))
	}
	return err
}

func (s *Store) remove(name string) error {
	if err := os.Remove(filepath.Join(s.folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget remembered answers: %w", err)
	}
	return nil
}

// Find returns the mapping for these headers: of the same layout, or else of the one
// that has most of them, at least two in three. ok is false when there is none.
func (s *Store) Find(headers []string) (l Layout, ok bool, err error) {
	files, err := s.files()
	if err != nil {
		return l, false, err
	}
	best := 0
	for _, file := range files {
		id := strings.TrimSuffix(file.Name(), suffix)
		m, err := s.read(file.Name())
		if err != nil {
			continue // it was damaged, or is of a newer program: then the questions are asked
		}
		if id == digest(headers) {
			return Layout{id, file.ModTime(), m, true}, true, nil
		}
		if n := common(headers, m.Source.Headers); n > best && 3*n >= 2*max(len(headers), len(m.Source.Headers)) {
			best = n
			l, ok = Layout{ID: id, Kept: file.ModTime(), Mapping: m}, true
		}
	}
	return l, ok, nil
}

// Get returns a layout by its ID.
func (s *Store) Get(id string) (*mapping.File, error) {
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return nil, fs.ErrNotExist
	}
	return s.read(id + suffix)
}

func (s *Store) read(name string) (*mapping.File, error) {
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	if err != nil {
		return nil, fmt.Errorf("read remembered answers: %w", err)
	}
	return mapping.Parse(name, text)
}

// Forget removes a layout.
func (s *Store) Forget(id string) error {
	if _, err := s.Get(id); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return s.remove(id + suffix)
}

// common counts the headers that both have. Blank ones mean nothing.
func common(some, others []string) int {
	count := make(map[string]int)
	for _, h := range some {
		count[fold(h)]++
	}
	n := 0
	for _, h := range others {
		if h = fold(h); h != "" && count[h] > 0 {
			count[h]--
			n++
		}
	}
	return n
}

// Source returns what a remembered mapping says about rows, for a table with these
// headers: which are left out, and which values are none. What its where reads and the
// table does not have makes it empty.
func (l *Layout) Source(headers []string) mapping.SourceSection {
	source := mapping.SourceSection{Where: l.Mapping.Source.Where, MissingValues: l.Mapping.Source.MissingValues}
	if source.Where != "" {
		probe := mapping.File{Source: mapping.SourceSection{Where: source.Where}, Fields: []mapping.Field{
			{Attribute: mapping.UniqueID, Value: new("-")}, {Attribute: mapping.LoginSource, Value: new("-")},
		}}
		if _, err := mapping.Compile(&probe, headers, mapping.Options{Today: cmp.Or(l.Kept, time.Unix(0, 0))}); err != nil {
			source.Where = ""
		}
	}
	return source
}
