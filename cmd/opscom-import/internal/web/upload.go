package web

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// maxMapping is the size of a mapping file at most, in bytes; Parse takes no more.
const maxMapping = 1 << 20

// upload is a file that someone uploaded. It is stored as FOLDER/NAME/NAME, so that its
// path, by which the journal knows a source from run to run, is the same whenever
// a file of that name is uploaded.
type upload struct {
	ID      int
	Name    string
	path    string
	Sandbox bool     // where it is to be pushed
	Mapping string   // text of the mapping file; "" for none
	Check   *outcome // of the last check; nil while there was none
	Checks  int      // how many there were
	Pushing string   // why the last push planned no run; "" when it did
}

// mappingName is the name of the upload's mapping file.
func (u *upload) mappingName() string {
	return strings.TrimSuffix(u.Name, filepath.Ext(u.Name)) + ".mapping.yaml"
}

// errNoFile says that a form came without a file.
var errNoFile = errors.New("no file was chosen")

// arrival is what a form brought, before it has its place.
type arrival struct {
	name, path string // of the file; path of a temporary one
	mapping    string
	target     string
}

// receive reads a form with files in it, the large one straight to the disk.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (a arrival, err error) {
	const fieldsAndFrames = 64 << 10
	r.Body = http.MaxBytesReader(w, r.Body, s.maxUpload+maxMapping+fieldsAndFrames)
	defer func() {
		if err != nil && a.path != "" {
			err = errors.Join(err, os.Remove(a.path))
		}
	}()
	parts, err := r.MultipartReader()
	if err != nil {
		return a, fmt.Errorf("read the form: %w", err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return a, fmt.Errorf("read the form: %w", err)
		}
		switch part.FormName() {
		case "target":
			a.target, err = readText(part, 100)
		case "mapping":
			a.mapping, err = readText(part, maxMapping)
		case "file":
			if part.FileName() != "" && a.path == "" {
				a.name = cleanName(part.FileName())
				a.path, err = s.spool(part)
			}
		}
		if err != nil {
			return a, err
		}
	}
	if a.path == "" {
		return a, errNoFile
	}
	return a, nil
}

// spool writes the part to a temporary file that only this user can read.
func (s *Server) spool(part *multipart.Part) (path string, err error) {
	f, err := os.CreateTemp(s.folder, ".arriving-*") // no name of an upload begins with a dot
	if err != nil {
		return "", fmt.Errorf("keep the file: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(part, s.maxUpload+1))
	if err == nil && n > s.maxUpload {
		err = &http.MaxBytesError{Limit: s.maxUpload}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("keep the file: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func readText(r io.Reader, limit int64) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = &http.MaxBytesError{Limit: limit}
	}
	if err != nil {
		return "", fmt.Errorf("read the form: %w", err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n"), nil
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
	if !filepath.IsLocal(name) { // empty, or a device's name on Windows
		return "file " + name
	}
	return name
}

// place gives an arrived file its place, and takes it from an earlier one of the
// same name.
func (s *Server) place(u *upload, arrived string) error {
	s.mu.Lock()
	for id, other := range s.uploads {
		if other.path == u.path && id != u.ID {
			delete(s.uploads, id)
		}
	}
	s.mu.Unlock()
	folder := filepath.Dir(u.path)
	if err := os.RemoveAll(folder); err != nil {
		return fmt.Errorf("keep %s: %w", u.Name, err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return fmt.Errorf("keep %s: %w", u.Name, err)
	}
	if err := os.Rename(arrived, u.path); err != nil {
		return fmt.Errorf("keep %s: %w", u.Name, err)
	}
	return s.placeMapping(u)
}

// placeMapping puts the upload's mapping file beside it, or takes it away when
// there is none.
func (s *Server) placeMapping(u *upload) error {
	path := filepath.Join(filepath.Dir(u.path), u.mappingName())
	var err error
	if u.Mapping == "" {
		err = os.RemoveAll(path)
	} else {
		err = os.WriteFile(path, []byte(u.Mapping), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the mapping of %s: %w", u.Name, err)
	}
	return nil
}

// remove forgets the upload at the path, and removes it from the disk.
func (s *Server) remove(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, u := range s.uploads {
		if u.path == path {
			delete(s.uploads, id)
			return os.RemoveAll(filepath.Dir(path))
		}
	}
	return nil
}
