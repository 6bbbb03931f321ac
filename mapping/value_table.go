package mapping

import (
	"fmt"
	"strings"
)

// valueTable turns the values of a column into others, as the mapping lists them.
type valueTable struct {
	exact     map[string]string
	folded    map[string]string // by the listed value in small letters
	listed    []string
	otherwise string // "error", "keep", "blank" or the value that takes the place of any other
}

// newValueTable fails when two values that differ in case alone become
// different things: a third spelling would be anyone's guess.
func newValueTable(pairs []ValuePair, otherwise string) (*valueTable, error) {
	t := &valueTable{exact: make(map[string]string), folded: make(map[string]string), otherwise: otherwise}
	if otherwise == "" {
		t.otherwise = "error"
	}
	for _, pair := range pairs {
		from, to := trim(pair.From), trim(pair.To)
		fold := strings.ToLower(from)
		if earlier, ok := t.folded[fold]; ok && earlier != to {
			return nil, fmt.Errorf("%s stands in the list twice, when capitals are left out of account, and becomes %s and %s; keep one of the two", quote(from), quote(earlier), quote(to))
		}
		t.exact[from], t.folded[fold] = to, to
		t.listed = append(t.listed, from)
	}
	return t, nil
}

// lookUp returns what a value, which is not blank, becomes.
func (t *valueTable) lookUp(label, value string) (string, *fault) {
	if to, ok := t.exact[value]; ok {
		return to, nil
	}
	if to, ok := t.folded[strings.ToLower(value)]; ok {
		return to, nil
	}
	switch t.otherwise {
	case "error":
		near := ""
		if listed := Nearest(value, t.listed); listed != "" {
			near = "; the nearest is " + quote(listed)
		}
		return "", refuse(RuleUnknownValue, label+" "+quote(value)+" is not among the values that the mapping lists"+near+". Correct the cell, or add the value to the mapping.")
	case "keep":
		return value, nil
	case "blank":
		return "", nil
	}
	return t.otherwise, nil
}
