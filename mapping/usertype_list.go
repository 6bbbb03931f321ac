package mapping

import (
	"fmt"
	"strings"
)

// userTypeList finds a user type's id by its id or its name.
type userTypeList struct {
	known  bool // false: the list could not be had, and any value is taken as it is
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

// foldTypeName reduces a type's name to what tells it from others: case and
// spacing do not count, and everything else does.
func foldTypeName(name string) string { return strings.ToLower(collapse(name)) }

// id returns the id of the type that value gives by id or by name.
func (l *userTypeList) id(label, value string) (string, *fault) {
	if !l.known || l.byID[value] {
		return value, nil
	}
	about := label + " " + quote(value) + " "
	ids := l.byName[foldTypeName(value)]
	switch len(ids) {
	case 1:
		return ids[0], nil
	case 0:
		return "", refuse(RuleUnknownUserType, about+"is not in the Controller's list of user types"+l.suggestion(value))
	}
	return "", refuse(RuleUnknownUserType, about+"is the name of several user types, with the numbers "+strings.Join(ids, ", ")+". Write the number.")
}

// suggestion ends the sentence on an unknown type: the nearest, or the list.
func (l *userTypeList) suggestion(value string) string {
	if len(l.types) == 0 {
		return ", which is empty. Create the user type in the Controller first."
	}
	const shown = 5
	var names, quoted []string
	for _, t := range l.types {
		names = append(names, t.Name)
		quoted = append(quoted, quote(t.Name))
	}
	if more := len(quoted) - shown; more > 0 {
		quoted = append(quoted[:shown], fmt.Sprintf("%d more", more))
	}
	near := ""
	if name := Nearest(value, names); name != "" {
		near = "; the nearest is " + quote(name)
	}
	return near + ". The list has " + strings.Join(quoted, ", ") + ". Correct the cell, or let the mapping's values turn it into one of these."
}
