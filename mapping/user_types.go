package mapping

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize/english"

	"opscom-import/mapping/internal/chars"
)

// UserType is one entry of the Controller's list of user types.
type UserType struct {
	ID   string // a number in text
	Name string
	Info string // what the Controller says about it, such as "Student"
}

// userTypeList finds a user type's id by its id or its name.
type userTypeList struct {
	known   bool // false: the list is not available, and any value is accepted, or with onlyIDs any id
	onlyIDs bool
	types   []UserType
	byID    map[string]bool
	byName  map[string][]string // folded name → ids, more than one where types share a name
}

func newUserTypeList(opts Options) *userTypeList {
	l := &userTypeList{
		known: opts.UserTypesKnown, onlyIDs: opts.UserTypesByID, types: opts.UserTypes,
		byID: make(map[string]bool), byName: make(map[string][]string),
	}
	for _, t := range l.types {
		name := foldTypeName(t.Name)
		if !l.byID[t.ID] {
			l.byName[name] = append(l.byName[name], t.ID)
		}
		l.byID[t.ID] = true
	}
	return l
}

// foldTypeName ignores a type's case and spacing, and nothing else.
func foldTypeName(name string) string { return strings.ToLower(chars.Collapse(name)) }

// id returns the id of the type that value gives by id or by name. A name that nobody
// can look up is returned with the error about it.
func (l *userTypeList) id(label, value string) (string, *Problem) {
	if l.onlyIDs && !IsUserTypeID(value) {
		return value, refuse(RuleUnknownUserType, about(label, value)+"is not the number of a user type, and "+noUserTypes+".", withoutUserTypes+".")
	}
	if !l.known || l.byID[value] {
		return value, nil
	}
	ids := l.byName[foldTypeName(value)]
	switch len(ids) {
	case 1:
		return ids[0], nil
	case 0:
		return "", l.unknown(about(label, value)+"is not in the Controller's list of user types", value)
	}
	return "", refuse(RuleUnknownUserType, about(label, value)+"is the name of several user types, with the numbers "+strings.Join(ids, ", ")+".", "Write the number.")
}

// unknown completes the sentence about an unknown type with the nearest and the list.
func (l *userTypeList) unknown(message, value string) *Problem {
	if len(l.types) == 0 {
		return refuse(RuleUnknownUserType, message+", which is empty.", "Create the user type in the Controller first.")
	}
	return refuse(RuleUnknownUserType, message+l.hint(value)+". The list has "+l.listed()+".", "Correct the cell, or translate the value in the mapping's values.").proposing(chars.Nearest(value, l.names()))
}

// hint names the nearest type, as the end of a sentence.
func (l *userTypeList) hint(value string) string { return chars.Hint(value, l.names(), "") }

func (l *userTypeList) names() (names []string) {
	for _, t := range l.types {
		names = append(names, t.Name)
	}
	return names
}

// listed returns the names of the first types, and how many more there are.
func (l *userTypeList) listed() string {
	const shown = 5
	var quoted []string
	for _, t := range l.types {
		quoted = append(quoted, chars.Quote(t.Name))
	}
	if more := len(quoted) - shown; more > 0 {
		quoted = append(quoted[:shown], fmt.Sprintf("%d more", more))
	}
	return strings.Join(quoted, ", ")
}

// lacks reports whether the list is known, and value is neither an id nor a name in it.
func (l *userTypeList) lacks(value string) bool {
	return l.known && len(l.types) > 0 && !l.byID[value] && len(l.byName[foldTypeName(value)]) == 0
}

// What is said where user types cannot be looked up, as parts of sentences.
const (
	noUserTypes      = "the Controller does not list its user types, because the API token lacks the permission to list them, or is wrong"
	withoutUserTypes = "Write the number of the type, or ask OPS-COM to give the token that permission"
)

// IsUserTypeID reports whether value can be nothing but the id of a user type. The
// codes of a student system, 01 and 02, look like ids.
func IsUserTypeID(value string) bool { return chars.IsTypeID(value) && value[0] != '0' }

// typeNames collects the rows that give a user type by name where nobody can look it up.
type typeNames struct{ rowsSeen }

// add takes a row's cell, and the value that was made of it.
func (n *typeNames) add(sequence int, _ Cell, value string) {
	if value != "" && !IsUserTypeID(value) {
		n.rowsSeen.add(sequence)
	}
}

// review asks for ids if a row has a name.
func (n *typeNames) review(f *fieldMapper, row func(sequence int) int, _ *Review) (key, question string) {
	if n.count == 0 {
		return "", ""
	}
	return "", fmt.Sprintf("%s gives user types by name (%s, the first is row %d), and %s. Translate the names into the numbers of the types with values, or ask OPS-COM to give the token that permission",
		f.source, english.Plural(n.count, "row", ""), row(n.first), noUserTypes)
}
