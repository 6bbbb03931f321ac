package answers

import (
	"slices"

	"opscom-import/mapping"
)

// SetAsIs says whether the values of an attribute are right whatever they look like.
func (a *Answers) SetAsIs(attribute mapping.Attribute, asIs bool) {
	a.makeField(attribute).Rule.AsIs = asIs
	a.tidy()
}

// AsIs returns the attributes whose values are right whatever they look like.
func (a *Answers) AsIs() (attributes []mapping.Attribute) {
	for i := range a.Fields {
		if a.Fields[i].Rule.AsIs {
			attributes = append(attributes, a.Fields[i].Attribute)
		}
	}
	return attributes
}

// Apply has the values of an attribute changed, before anything else is done with them, as
// pad:9 does.
func (a *Answers) Apply(attribute mapping.Attribute, name string) {
	rule := &a.makeField(attribute).Rule
	if !slices.Contains(rule.Apply, name) {
		rule.Apply = append([]string{name}, rule.Apply...)
	}
}
