package sandbox

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
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
// A later line takes the place of an earlier one of the same person. A last line
// without its end, as a killed process may leave it, does not count.
type peopleFile struct {
	file   *os.File
	lock   *flock.Flock
	line   []byte
	broken error // of the first write that failed: nothing is appended after half a line
}

// openPeopleFile puts everybody in the file at path into people, and writes the
// file again with one line a person, so that it does not grow without end.
func openPeopleFile(path string, people *people) (opened *peopleFile, err error) {
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		return nil, errors.New("another sandbox has it open; stop that one first, or choose another file")
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Unlock())
		}
	}()
	if err := loadPeople(path, people); err != nil {
		return nil, err
	}
	file, err := compactPeople(path, people)
	if err != nil {
		return nil, err
	}
	return &peopleFile{file: file, lock: lock}, nil
}

func loadPeople(path string, people *people) (err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewReader(file)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = people.load(line)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w; delete the file to start with nobody", number, err)
		}
	}
}

// load takes in one line of a people file.
func (p *people) load(line []byte) error {
	var entry struct {
		ReferenceID int            `json:"reference_id"`
		Profile     jsontext.Value `json:"profile"`
	}
	if err := json.Unmarshal(line, &entry); err != nil || entry.ReferenceID <= administratorID {
		return errors.New("it is not the record of a person")
	}
	var before, after mapping.Profile
	record := string(entry.Profile)
	if err := p.parse(record, &after); err != nil {
		return err
	}
	source, _ := after.Get(mapping.LoginSource)
	id, _ := after.Get(mapping.UniqueID)
	key := KeyOf(source, id)
	if known, exists := p.byKey[key]; exists {
		if err := p.parse(known.record, &before); err != nil {
			return err
		}
	}
	p.put(key, person{entry.ReferenceID, record}, &before, &after)
	return nil
}

// compactPeople writes the file at path again, whole or not at all, in the order
// of the reference ids, and returns it open for appending.
func compactPeople(path string, people *people) (*os.File, error) {
	temporary, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return nil, err
	}
	if err := errors.Join(writePeople(temporary, people), temporary.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(temporary.Name()))
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return nil, errors.Join(err, os.Remove(temporary.Name()))
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
}

func writePeople(file *os.File, people *people) error {
	w := bufio.NewWriter(file)
	var line []byte
	byID := func(a, b person) int { return cmp.Compare(a.id, b.id) }
	for _, person := range slices.SortedFunc(maps.Values(people.byKey), byID) {
		line = appendPerson(line[:0], person.id, person.record)
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Sync()
}

func appendPerson[R string | []byte](line []byte, id int, record R) []byte {
	line = fmt.Appendf(line, `{"reference_id":%d,"profile":`, id)
	line = append(line, record...)
	return append(line, '}', '\n')
}

// append adds one person's line.
func (f *peopleFile) append(id int, record []byte) error {
	if f.broken != nil {
		return f.broken
	}
	f.line = appendPerson(f.line[:0], id, record)
	_, f.broken = f.file.Write(f.line)
	return f.broken
}

func (f *peopleFile) close() error {
	if err := errors.Join(f.broken, f.file.Close(), f.lock.Unlock()); err != nil {
		return fmt.Errorf("close the sandbox's people: %w", err)
	}
	return nil
}
