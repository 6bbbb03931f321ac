package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"opscom-import/mapping"
)

// Key says whose profile it is: login source and unique id, each without outer
// space and in lower case. The zero Key stands for a request that could not be read.
type Key struct {
	LoginSource string `json:"login_source"`
	UniqueID    string `json:"unique_id"`
}

// KeyOf returns the key of the person with this login source and unique id.
func KeyOf(loginSource, uniqueID string) Key {
	return Key{LoginSource: fold(loginSource), UniqueID: fold(uniqueID)}
}

// fold makes one of what the Controller does not tell apart.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// administratorID is the reference id of the administrator, who is there from
// the start; everybody else's is greater.
const administratorID = 1000

// people are the persons that the sandbox knows.
type people struct {
	mu        sync.Mutex
	byKey     map[Key]person
	emails    map[string]int // folded, to the reference id of the person who has it
	userNames map[string]int // folded, likewise
	lastID    int
	required  []mapping.Attribute // that everybody must have
	parser    *parser             // of records
	encoded   []byte              // the record in the making
	file      *peopleFile
}

// person is somebody whom the Controller accepted.
type person struct {
	id     int
	record string // the profile as a JSON object, without a token
}

// openPeople returns the people that the file at path holds; "" for people that
// live in memory only. Anyone who is pushed must have what is required.
func openPeople(path string, names map[string]mapping.Attribute, required []mapping.Attribute) (*people, error) {
	p := &people{
		byKey:     make(map[Key]person),
		emails:    map[string]int{"parking@example.edu": administratorID},
		userNames: map[string]int{"admin": administratorID},
		lastID:    administratorID,
		required:  required,
		parser:    newParser(names),
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

func (p *people) get(key Key) (profile mapping.Profile, id int, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, known := p.byKey[key]
	if !known || p.parse(found.record, &profile) != nil {
		return mapping.Profile{}, 0, false
	}
	return profile, found.id, true
}

// upsert creates the person or updates the one who has the key.
func (p *people) upsert(key Key, sent *mapping.Profile) (id int, refused apiError, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, exists := p.byKey[key]
	var before mapping.Profile
	if exists {
		if err := p.parse(known.record, &before); err != nil {
			return 0, apiError{}, err
		}
	} else {
		known.id = p.lastID + 1
	}
	after := before
	for _, spec := range mapping.Attributes() {
		if value, isSent := sent.Get(spec.Attribute); isSent {
			after.Set(spec.Attribute, value)
		}
	}
	if refused := p.missing(&after); refused.code != 0 {
		return 0, refused, nil
	}
	if refused := p.conflict(&after, known.id); refused.code != 0 {
		return 0, refused, nil
	}
	if p.encoded, err = after.AppendJSON(p.encoded[:0]); err != nil {
		return 0, apiError{}, fmt.Errorf("keep a person: %w", err)
	}
	if string(p.encoded) == known.record {
		return known.id, apiError{}, nil
	}
	if p.file != nil {
		if err := p.file.append(known.id, p.encoded); err != nil {
			return 0, apiError{}, fmt.Errorf("keep a person: %w", err)
		}
	}
	p.put(key, person{known.id, string(p.encoded)}, &before, &after)
	return known.id, apiError{}, nil
}

// lacking reports whether the profile has no value for what is required.
func (p *people) missing(profile *mapping.Profile) apiError {
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
	return apiError{}
}

// taken reports whether somebody else has the profile's e-mail address or user name.
func (p *people) conflict(profile *mapping.Profile, id int) apiError {
	email, _ := profile.Get(mapping.Email)
	if owner, found := p.emails[fold(email)]; found && owner != id {
		return apiError{9019, "The email address must be unique."}
	}
	name, _ := profile.Get(mapping.UserName)
	if owner, found := p.userNames[fold(name)]; found && owner != id {
		return apiError{9020, "The user name must be unique."}
	}
	return apiError{}
}

// put stores the person, who was before and is after.
func (p *people) put(key Key, who person, before, after *mapping.Profile) {
	p.byKey[key] = who
	p.lastID = max(p.lastID, who.id)
	reindex(p.emails, who.id, mapping.Email, before, after)
	reindex(p.userNames, who.id, mapping.UserName, before, after)
}

// move gives owner the value of a in after in place of that in before.
func reindex(owners map[string]int, owner int, a mapping.Attribute, before, after *mapping.Profile) {
	old, _ := before.Get(a)
	value, _ := after.Get(a)
	if old == value {
		return
	}
	delete(owners, fold(old))
	if fold(value) != "" {
		owners[fold(value)] = owner
	}
}

// parse reads a record that this package wrote.
func (p *people) parse(record string, profile *mapping.Profile) error {
	if _, err := p.parser.fill(strings.NewReader(record)); err != nil {
		return err
	}
	if _, refused := p.parser.parse(profile); refused.code != 0 {
		return errors.New("the record of a person is damaged")
	}
	return nil
}

func (p *people) close() error {
	if p.file == nil {
		return nil
	}
	return p.file.close()
}
