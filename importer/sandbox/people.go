package sandbox

import (
	"fmt"
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
	encoded  []byte              // a profile for the file
	file     *peopleFile         // nil for none
}

// person is somebody who was accepted.
type person struct {
	id      int
	profile *mapping.Profile
}

// unique are the attributes whose values belong to one person only, the
// administrator's values, and the error for values that somebody else has.
var unique = [...]struct {
	attribute     mapping.Attribute
	administrator string
	err           apiError
}{
	{mapping.Email, "parking@example.edu", apiError{9019, "The email address must be unique."}},
	{mapping.UserName, "admin", apiError{9020, "The user name must be unique."}},
}

// openPeople returns the people in the file at path; "" keeps people in memory only.
// Everybody who is pushed must have the required attributes.
func openPeople(path string, names map[string]mapping.Attribute, required []mapping.Attribute) (*people, error) {
	p := &people{byKey: make(map[Key]person), lastID: administratorID, required: required}
	for i, u := range unique {
		p.owners[i] = map[string]int{u.administrator: administratorID}
	}
	if path == "" {
		return p, nil
	}
	var err error
	if p.file, err = openPeopleFile(path, p, newParser(names)); err != nil {
		return nil, fmt.Errorf("open the sandbox's people in %s: %w", path, err)
	}
	return p, nil
}

func (p *people) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.byKey)
}

func (p *people) get(key Key) (profile mapping.Profile, id int, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, known := p.byKey[key]
	if known {
		profile = *found.profile
	}
	return profile, found.id, known
}

// upsert creates a person, or updates the one with the key.
func (p *people) upsert(key Key, sent *mapping.Profile) (id int, refused apiError, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, exists := p.byKey[key]
	if !exists {
		known = person{p.lastID + 1, new(mapping.Profile)}
	}
	after := *known.profile
	for i := range mapping.Attributes() {
		attribute := mapping.Attributes()[i].Attribute
		if value, isSent := sent.Get(attribute); isSent {
			after.Set(attribute, value)
		}
	}
	if refused := p.check(&after, known.id); refused.code != 0 {
		return 0, refused, nil
	}
	if after == *known.profile {
		return known.id, apiError{}, nil
	}
	if p.file != nil {
		if p.encoded, err = after.AppendJSON(p.encoded[:0]); err == nil {
			err = p.file.put(known.id, p.encoded)
		}
		if err != nil {
			return 0, apiError{}, fmt.Errorf("keep a person: %w", err)
		}
	}
	p.put(key, person{known.id, &after})
	return known.id, apiError{}, nil
}

// check returns the error for the first required attribute without a value, or for
// a value that somebody else has.
func (p *people) check(profile *mapping.Profile, id int) apiError {
	for _, attribute := range p.required {
		if value, _ := profile.Get(attribute); strings.TrimSpace(value) != "" {
			continue
		}
		switch attribute {
		case mapping.Email:
			return apiError{9016, "An email address is required."}
		case mapping.FirstName:
			return apiError{9017, "A first name is required."}
		case mapping.LastName:
			return apiError{9018, "A last name is required."}
		default:
			return apiError{9031, "A value is required."}
		}
	}
	for i, u := range unique {
		value, _ := profile.Get(u.attribute)
		if owner, found := p.owners[i][fold(value)]; found && owner != id {
			return u.err
		}
	}
	return apiError{}
}

// put stores the person in place of the one with the key, if any.
func (p *people) put(key Key, who person) {
	before, exists := p.byKey[key]
	for i, u := range unique {
		if exists {
			old, _ := before.profile.Get(u.attribute)
			delete(p.owners[i], fold(old))
		}
		if value, _ := who.profile.Get(u.attribute); fold(value) != "" {
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
