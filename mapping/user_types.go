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
	return refuse(RuleUnknownUserType, message+l.hint(value)+". The list has "+l.listed()+".", "Correct the cell, or translate the value in the mapping's values.")
}

// hint names the nearest type, as the end of a sentence.
func (l *userTypeList) hint(value string) string {
	var names []string
	for _, t := range l.types {
		names = append(names, t.Name)
	}
	return chars.Hint(value, names, "")
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
