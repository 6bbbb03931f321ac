package sandbox

import (
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"opscom-import/mapping"
)

// check returns the error for the first rule that a profile breaks by itself.
func (c *Config) check(profile *mapping.Profile) answer {
	if id, _ := profile.Get(mapping.UniqueID); strings.TrimSpace(id) == "" {
		return rejection(9013, "A unique id is required.")
	}
	source, _ := profile.Get(mapping.LoginSource)
	source = strings.TrimSpace(source)
	if source == "" {
		return rejection(9014, "A login source is required.")
	}
	isSource := func(known string) bool { return strings.EqualFold(known, source) }
	if c.LoginSources != nil && !slices.ContainsFunc(c.LoginSources, isSource) {
		return rejection(9015, "The login source is invalid.")
	}
	for i := range mapping.Attributes() {
		spec := &mapping.Attributes()[i]
		value, _ := profile.Get(spec.Attribute)
		if value == "" { // left out, or to be cleared
			continue
		}
		if spec.MaxChars > 0 && len(value) > spec.MaxChars && utf8.RuneCountInString(value) > spec.MaxChars {
			return rejection(9030, "A value is longer than its limit.")
		}
		if spec.Kind == mapping.RegionKind && utf8.RuneCountInString(value) < 2 {
			return rejection(9032, "A value is too short.")
		}
		if !c.isValid(spec.Kind, value) {
			return rejection(9033, "A value is invalid.")
		}
	}
	return answer{}
}

func (c *Config) isValid(kind mapping.Kind, value string) bool {
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
		return slices.ContainsFunc(c.UserTypes, func(t mapping.UserType) bool { return t.ID == value })
	case mapping.LockerUserTypeKind:
		return strings.IndexFunc(value, func(c rune) bool { return c < '0' || c > '9' }) < 0
	}
	return true
}
