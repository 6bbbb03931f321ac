package mapping

import (
	"fmt"
	"strings"

	"opscom-import/mapping/internal/chars"
)

// valueTable turns the values of a column into others, as the mapping lists them.
type valueTable struct {
	exact     map[string]string
	folded    map[string]string // by the listed value in lower case
	listed    []string
	otherwise string // "error", "keep", "blank" or the value that replaces any other
}

// newValueTable fails when two values that differ only in case become different
// things: a third spelling could mean either.
func newValueTable(pairs []ValuePair, otherwise string) (*valueTable, error) {
	t := &valueTable{exact: make(map[string]string), folded: make(map[string]string), otherwise: otherwise}
	if otherwise == "" {
		t.otherwise = "error"
	}
	for _, pair := range pairs {
		from, to := chars.Trim(pair.From), chars.Trim(pair.To)
		fold := strings.ToLower(from)
		if earlier, ok := t.folded[fold]; ok && earlier != to {
			return nil, fmt.Errorf("%s is in the list twice, ignoring case, and becomes %s and %s; keep one of the two", chars.Quote(from), chars.Quote(earlier), chars.Quote(to))
		}
		t.exact[from], t.folded[fold] = to, to
		t.listed = append(t.listed, from)
	}
	return t, nil
}

// lists reports whether the mapping says what a value becomes. No table lists none.
func (t *valueTable) lists(value string) bool {
	if t == nil {
		return false
	}
	_, ok := t.folded[strings.ToLower(value)]
	return ok
}

// lookUp returns what a value, which is not blank, becomes.
func (t *valueTable) lookUp(label, value string) (string, *Problem) {
	if to, ok := t.exact[value]; ok {
		return to, nil
	}
	if to, ok := t.folded[strings.ToLower(value)]; ok {
		return to, nil
	}
	switch t.otherwise {
	case "error":
		return "", refuse(RuleUnknownValue, about(label, value)+"is not one of the values in the mapping"+chars.Hint(value, t.listed, "")+".", "").proposing(chars.Nearest(value, t.listed))
	case "keep":
		return value, nil
	case "blank":
		return "", nil
	}
	return t.otherwise, nil
}
