package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/notify"
	"opscom-import/importer"
	"opscom-import/importer/journal/sqlite"
	"opscom-import/report"
)

// usedPath is a file that a command reads or writes, and what for.
type usedPath struct {
	role string // as in "the results" or "the file to read"
	path string
	real string      // the absolute path of the file that it names, links followed
	info fs.FileInfo // nil when the file does not exist yet
	of   int         // which FILE's report; -1 for a file that is read
}

// checkPaths returns an error when a report of these files would replace something
// that the command reads, or another of its reports. Nothing was read or written
// then. Paths that differ can name one file: through links, or in letter case.
func checkPaths(s config.Settings, names []string, reportsOf func(name string) (importer.Reports, error)) error {
	var used []usedPath
	add := func(role, path string, of int) {
		if path != "" && path != "-" {
			used = append(used, follow(usedPath{role: role, path: path, of: of}))
		}
	}
	add("the mapping file", s.Mapping, -1)
	add("the token file", s.TokenFile, -1)
	add("the token file", s.ClientTokenFile(), -1)
	add("the journal's key file", s.JournalKeyFile, -1)
	add("the password file", s.PasswordFile, -1)
	add("the config file", s.ConfigFile, -1)
	add("the CA file", s.CAFile, -1)
	add("the client certificate", s.ClientCert, -1)
	add("the client key", s.ClientKey, -1)
	for _, target := range s.Notify {
		add("a secret of notify", target.SecretFile(), -1)
	}
	fileOf := map[string]int{} // the same FILE twice has the same reports
	for i, name := range names {
		add("the file to read", name, -1)
		if s.Mapping == "" && name != "-" {
			for _, path := range mappingsBeside(baseOf(name)) {
				add("the mapping file", path, -1)
			}
		}
		if _, known := fileOf[realPath(name)]; !known {
			fileOf[realPath(name)] = i
		}
	}
	read := len(used)
	for _, name := range names {
		reports, err := reportsOf(name)
		if err != nil {
			return err
		}
		for k, path := range pathsOf(&reports) {
			add("the "+string(kindsOf()[k]), *path, fileOf[realPath(name)])
		}
	}
	for i, written := range used[read:] {
		if ownsInState(s.State, written.real) {
			return fmt.Errorf("%s would be among this program's own files in the state folder, %s: nothing was read or sent; give the report another path",
				written.role, ShortPath(written.path))
		}
		for _, other := range used[:read+i] {
			if !written.sameRole(other) && written.isSameFile(other) {
				return clash(written, other, names)
			}
		}
	}
	return nil
}

// ownsInState reports whether the path, links followed, is that of a file which the
// program keeps in the state folder: also of one that is empty, such as a lock, or that
// does not exist yet.
func ownsInState(state, real string) bool {
	if state == "" {
		return false
	}
	inside, err := filepath.Rel(realPath(state), real)
	if err != nil || !filepath.IsLocal(inside) {
		return false
	}
	name, _, _ := strings.Cut(filepath.ToSlash(inside), "/")
	return name == sandboxFolder || name == pageFolder || strings.HasPrefix(name, pageFolder+".") ||
		strings.HasPrefix(name, notify.FileName) || sqlite.Owns(name)
}

// fixSuffix is what the name of a fix workbook has more than its file's: also one that
// was kept because it was edited.
var fixSuffix = regexp.MustCompile(`\.fix(-edited(-\d+)?)?$`)

// mappingsBeside returns where the mapping file of a FILE is looked for; base is its
// path without the extension.
func mappingsBeside(base string) []string {
	paths := []string{base + mappingSuffix}
	if original := fixSuffix.ReplaceAllString(base, ""); original != base { // a workbook of rows that were fixed
		paths = append(paths, original+mappingSuffix)
	}
	return paths
}

// clash says which two paths of a command name one file.
func clash(written, other usedPath, names []string) error {
	if other.of >= 0 && other.of != written.of && written.role == other.role {
		return fmt.Errorf("%s of %s and of %s would both be %s: push them one at a time, each with a path of its own",
			written.role, names[other.of], names[written.of], ShortPath(written.path))
	}
	const advice = "nothing was read or sent; give the report another path"
	if other.of >= 0 {
		return fmt.Errorf("%s and %s would both be %s: %s", other.role, written.role, ShortPath(written.path), advice)
	}
	return fmt.Errorf("%s would replace %s, %s: %s", written.role, other.role, ShortPath(other.path), advice)
}

// sameRole reports whether both are one report of one FILE.
func (u usedPath) sameRole(other usedPath) bool {
	return u.of >= 0 && u.of == other.of && u.role == other.role
}

// isSameFile reports whether both name one file. Devices and pipes can be written
// more than once.
func (u usedPath) isSameFile(other usedPath) bool {
	if u.info != nil && other.info != nil {
		return u.info.Mode().IsRegular() && os.SameFile(u.info, other.info)
	}
	if u.info != nil || other.info != nil {
		return false
	}
	return u.real == other.real || strings.EqualFold(u.real, other.real) && ignoresCase(filepath.Dir(u.real))
}

// follow finds the file that the path names.
func follow(u usedPath) usedPath {
	u.real = realPath(u.path)
	if info, err := os.Stat(u.path); err == nil {
		u.info = info
	}
	return u
}

// maxLinks is how many links in a row are followed, as by Linux.
const maxLinks = 40

// realPath returns the absolute path of the file that path names, links followed. The
// file, and folders on its way, need not exist.
func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	for range maxLinks {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return real
		}
		if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			path = filepath.Join(folder, filepath.Base(path))
		}
		target, err := os.Readlink(path)
		if err != nil {
			return path
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return path
}

// ignoresCase reports whether the file system of a folder takes names that differ
// only in letter case for one.
func ignoresCase(folder string) bool {
	for ; folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		name := filepath.Base(folder)
		if swapped := swapCase(name); swapped != name {
			one, err := os.Stat(folder)
			other, otherErr := os.Stat(filepath.Join(filepath.Dir(folder), swapped))
			if errors.Join(err, otherErr) == nil {
				return os.SameFile(one, other)
			}
			if err == nil {
				return false
			}
		}
	}
	return false
}

func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, text)
}

// leaveOutReports returns the FILEs without those that are reports of this program,
// as a pattern such as *.csv finds them. It is an error if no other is left.
func (e Env) leaveOutReports(names []string) (exports []string, err error) {
	var reports []string
	for _, name := range names {
		var kind report.Kind
		if name != "-" {
			kind = report.Recognize(name)
		}
		if kind == "" {
			exports = append(exports, name)
			continue
		}
		reports = append(reports, fmt.Sprintf("%s has the header of the %s that this program writes", name, kind))
	}
	if len(exports) == 0 && len(names) == 1 {
		return nil, &FileError{names[0], fmt.Errorf("%s; nothing was sent; name an export", reports[0])}
	}
	if len(exports) == 0 {
		return nil, fmt.Errorf("%s; nothing was sent; name an export", strings.Join(reports, "; "))
	}
	for _, what := range reports {
		e.notify("%s; it is left out.", what)
	}
	return exports, nil
}
