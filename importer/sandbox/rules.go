package sandbox

import (
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"opscom-import/mapping"
)

// rules are the Controller's rules for one profile by itself.
type rules struct {
	userTypes    map[string]bool // by id
	loginSources map[string]bool // folded; nil: any
}

func newRules(types []mapping.UserType, loginSources []string) *rules {
	r := &rules{userTypes: make(map[string]bool, len(types))}
	for _, t := range types {
		r.userTypes[t.ID] = true
	}
	if loginSources != nil {
		r.loginSources = make(map[string]bool, len(loginSources))
	}
	for _, source := range loginSources {
		r.loginSources[fold(source)] = true
	}
	return r
}

// check returns the first rule that the profile breaks.
func (r *rules) check(profile *mapping.Profile) apiError {
	if id, _ := profile.Get(mapping.UniqueID); strings.TrimSpace(id) == "" {
		return apiError{9013, "A unique id is required."}
	}
	source, _ := profile.Get(mapping.LoginSource)
	if strings.TrimSpace(source) == "" {
		return apiError{9014, "A login source is required."}
	}
	if r.loginSources != nil && !r.loginSources[fold(source)] {
		return apiError{9015, "The login source is invalid."}
	}
	for i := range mapping.Attributes() {
		spec := &mapping.Attributes()[i]
		value, _ := profile.Get(spec.Attribute)
		if value == "" { // left out, or to be cleared
			continue
		}
		if spec.MaxChars > 0 && len(value) > spec.MaxChars && utf8.RuneCountInString(value) > spec.MaxChars {
			return apiError{9030, "A value is longer than its limit."}
		}
		if spec.Kind == mapping.RegionKind && utf8.RuneCountInString(value) < 2 {
			return apiError{9032, "A value is too short."}
		}
		if !r.wellFormed(spec.Kind, value) {
			return apiError{9033, "A value is invalid."}
		}
	}
	return apiError{}
}

func (r *rules) wellFormed(kind mapping.Kind, value string) bool {
	switch kind {
	case mapping.EmailKind:
		address, err := mail.ParseAddress(value)
		return err == nil && address.Address == value
	case mapping.RegionKind:
		return strings.IndexFunc(value, func(c rune) bool { return c|0x20 < 'a' || c|0x20 > 'z' }) < 0
	case mapping.DateKind:
		_, err := time.Parse(time.DateOnly, value)
		return err == nil
	case mapping.UserTypeKind:
		return r.userTypes[value]
	case mapping.LockerUserTypeKind:
		return strings.IndexFunc(value, func(c rune) bool { return c < '0' || c > '9' }) < 0
	}
	return true
}
