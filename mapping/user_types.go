package mapping

import (
	"fmt"
	"strings"

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
	known  bool // false: the list is not available, and any value is accepted
	types  []UserType
	byID   map[string]bool
	byName map[string][]string // folded name → ids, more than one where types share a name
}

func newUserTypeList(types []UserType, known bool) *userTypeList {
	l := &userTypeList{known: known, types: types, byID: make(map[string]bool), byName: make(map[string][]string)}
	for _, t := range types {
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

// id returns the id of the type that value gives by id or by name.
func (l *userTypeList) id(label, value string) (string, *Problem) {
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
	const shown = 5
	var names, quoted []string
	for _, t := range l.types {
		names = append(names, t.Name)
		quoted = append(quoted, chars.Quote(t.Name))
	}
	if more := len(quoted) - shown; more > 0 {
		quoted = append(quoted[:shown], fmt.Sprintf("%d more", more))
	}
	return refuse(RuleUnknownUserType, message+chars.Hint(value, names, "")+". The list has "+strings.Join(quoted, ", ")+".", "Correct the cell, or translate the value in the mapping's values.")
}
