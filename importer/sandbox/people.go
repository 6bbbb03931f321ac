package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"opscom-import/mapping"
)

// Key identifies a person: login source and unique id, trimmed and in lower case.
// The zero Key means a request that could not be parsed.
type Key struct {
	LoginSource string `json:"login_source"`
	UniqueID    string `json:"unique_id"`
}

// KeyOf returns the key of the person with this login source and unique id.
func KeyOf(loginSource, uniqueID string) Key {
	return Key{LoginSource: fold(loginSource), UniqueID: fold(uniqueID)}
}

// keyOf returns the key of the person with this profile.
func keyOf(profile *mapping.Profile) Key {
	source, _ := profile.Get(mapping.LoginSource)
	id, _ := profile.Get(mapping.UniqueID)
	return KeyOf(source, id)
}

// fold returns the same text for all spellings that the Controller treats alike.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// administratorID is the reference id of the administrator, who exists from the
// start; everybody else's is greater.
const administratorID = 1000

// people is everybody whom the sandbox knows.
type people struct {
	mu       sync.Mutex
	byKey    map[Key]person
	owners   [len(unique)]map[string]int // folded values of the unique attributes, with reference ids
	lastID   int
	required []mapping.Attribute // of everybody
	parser   *parser             // for records
	encoded  []byte              // the next record
	file     *peopleFile         // nil for none
}

// person is somebody who was accepted.
type person struct {
	id     int
	record string // the profile as a JSON object, in one piece of memory
}

// unique are the attributes whose values belong to one person only, the
// administrator's values, and the error for values that somebody else has.
var unique = [...]struct {
	attribute     mapping.Attribute
	administrator string
	code          int
	message       string
}{
	{mapping.Email, "parking@example.edu", 9019, "The email address must be unique."},
	{mapping.UserName, "admin", 9020, "The user name must be unique."},
}

// openPeople returns the people in the file at path; "" keeps people in memory only.
// Everybody who is pushed must have the required attributes.
func openPeople(path string, names map[string]mapping.Attribute, required []mapping.Attribute) (*people, error) {
	p := &people{byKey: make(map[Key]person), lastID: administratorID, required: required, parser: newParser(names)}
	for i, u := range unique {
		p.owners[i] = map[string]int{u.administrator: administratorID}
	}
	if path == "" {
		return p, nil
	}
	var err error
	if p.file, err = openPeopleFile(path, p); err != nil {
		return nil, fmt.Errorf("open the sandbox's people in %s: %w", path, err)
	}
	return p, nil
}

func (p *people) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.byKey)
}

// upsert creates a person, or updates the one with the key.
func (p *people) upsert(key Key, sent *mapping.Profile) answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	var before mapping.Profile
	known, err := p.get(key, &before)
	if err != nil {
		return textAnswer(http.StatusInternalServerError, err.Error())
	}
	if known.id == 0 {
		known.id = p.lastID + 1
	}
	after := before
	for _, spec := range mapping.Attributes() {
		if value, isSent := sent.Get(spec.Attribute); isSent {
			after.Set(spec.Attribute, value)
		}
	}
	if a := p.check(&after, known.id); a.status != 0 {
		return a
	}
	if p.encoded, err = after.AppendJSON(p.encoded[:0]); err == nil && string(p.encoded) == known.record {
		return successAnswer(known.id)
	}
	if err == nil && p.file != nil {
		err = p.file.put(known.id, p.encoded)
	}
	if err != nil {
		return textAnswer(http.StatusInternalServerError, "keep a person: "+err.Error())
	}
	p.put(key, person{known.id, string(p.encoded)}, &before, &after)
	return successAnswer(known.id)
}

// get returns the person with the key, and stores the profile; the zero person if
// there is none. The caller holds mu.
func (p *people) get(key Key, profile *mapping.Profile) (person, error) {
	known, exists := p.byKey[key]
	if !exists {
		return person{}, nil
	}
	return known, p.parse(strings.NewReader(known.record), profile)
}

// parse reads a record that this package wrote.
func (p *people) parse(record io.Reader, profile *mapping.Profile) error {
	_, err := p.parser.fill(record)
	if _, refused := p.parser.parse(profile); err != nil || refused.status != 0 {
		return errors.New("it is not the record of a person")
	}
	return nil
}

// check returns the error for the first required attribute without a value, or for
// a value that somebody else has.
func (p *people) check(profile *mapping.Profile, id int) answer {
	for _, attribute := range p.required {
		if value, _ := profile.Get(attribute); strings.TrimSpace(value) != "" {
			continue
		}
		switch attribute {
		case mapping.Email:
			return rejection(9016, "An email address is required.")
		case mapping.FirstName:
			return rejection(9017, "A first name is required.")
		case mapping.LastName:
			return rejection(9018, "A last name is required.")
		default:
			return rejection(9031, "A value is required.")
		}
	}
	for i := range unique {
		u := &unique[i]
		value, _ := profile.Get(u.attribute)
		if owner, found := p.owners[i][fold(value)]; found && owner != id {
			return rejection(u.code, u.message)
		}
	}
	return answer{}
}

// put stores the person, whose profile was before and is after.
func (p *people) put(key Key, who person, before, after *mapping.Profile) {
	for i := range unique {
		old, _ := before.Get(unique[i].attribute)
		value, _ := after.Get(unique[i].attribute)
		if old == value {
			continue
		}
		delete(p.owners[i], fold(old))
		if fold(value) != "" {
			p.owners[i][fold(value)] = who.id
		}
	}
	p.byKey[key] = who
	p.lastID = max(p.lastID, who.id)
}

func (p *people) close() error {
	if p.file == nil {
		return nil
	}
	return p.file.close()
}
