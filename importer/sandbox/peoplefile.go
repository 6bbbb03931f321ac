package sandbox

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/flock"

	"opscom-import/mapping"
)

// peopleFile keeps people in a file, one JSON object a line:
//
//	{"reference_id":1001,"profile":{"unique_id":"900123456","login_source":"SSO"}}
//
// A later line replaces an earlier one of the same person. An incomplete last line,
// as a killed process may leave it, is ignored.
type peopleFile struct {
	lineFile
	lock *flock.Flock
	line []byte
}

// openPeopleFile loads everybody in the file at path into people, and rewrites the
// file with one line a person if it has others, so that it does not grow forever.
func openPeopleFile(path string, people *people) (*peopleFile, error) {
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		return nil, errors.New("another sandbox has it open; stop that one first, or choose another file")
	}
	outdated, err := loadPeople(path, people)
	if err == nil && outdated {
		err = rewritePeople(path, people)
	}
	var file *os.File
	if err == nil {
		file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return &peopleFile{lineFile: lineFile{file: file}, lock: lock}, nil
}

// loadPeople returns whether the file has more than one line a person, or half a line.
func loadPeople(path string, people *people) (outdated bool, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	lines, size := 0, int64(0)
	err = eachLine(file, func(line []byte) error {
		lines++
		size += int64(len(line))
		var entry struct {
			ReferenceID int            `json:"reference_id"`
			Profile     jsontext.Value `json:"profile"`
		}
		if err := json.Unmarshal(line, &entry); err != nil || entry.ReferenceID <= administratorID {
			return errors.New("it is not the record of a person")
		}
		var before, profile mapping.Profile
		if err := people.parse(bytes.NewReader(entry.Profile), &profile); err != nil {
			return err
		}
		key := keyOf(&profile)
		if _, err := people.get(key, &before); err != nil {
			return err
		}
		people.put(key, person{entry.ReferenceID, string(entry.Profile)}, &before, &profile)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("%w; delete the file to start with nobody", err)
	}
	return lines > len(people.byKey) || size < info.Size(), nil
}

// rewritePeople rewrites the file at path, completely or not at all, in the order of
// the reference ids.
func rewritePeople(path string, people *people) error {
	var lines []byte
	byID := func(a, b person) int { return cmp.Compare(a.id, b.id) }
	for _, person := range slices.SortedFunc(maps.Values(people.byKey), byID) {
		lines = appendPerson(lines, person.id, []byte(person.record))
	}
	temporary := path + ".new" // the lock keeps others away
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(lines)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

func appendPerson(line []byte, id int, profile []byte) []byte {
	line = fmt.Appendf(line, `{"reference_id":%d,"profile":`, id)
	line = append(line, profile...)
	return append(line, '}', '\n')
}

// put appends one person's line.
func (f *peopleFile) put(id int, profile []byte) error {
	f.line = appendPerson(f.line[:0], id, profile)
	return f.append(f.line)
}

func (f *peopleFile) close() error {
	if err := errors.Join(f.lineFile.close(), f.lock.Unlock()); err != nil {
		return fmt.Errorf("close the sandbox's people: %w", err)
	}
	return nil
}
