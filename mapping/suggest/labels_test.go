package suggest

import (
	"testing"

	"opscom-import/mapping"
)

// A table with the names of this program's template needs no answer.
func TestLabels(t *testing.T) {
	var header []string
	for _, spec := range mapping.Attributes() {
		label := spec.Label
		switch {
		case spec.Required:
			label += " (required)"
		case spec.Kind == mapping.DateKind:
			label += " (YYYY-MM-DD)"
		}
		header = append(header, label)
	}
	for i, s := range Columns(header, nil) {
		if want := mapping.Attributes()[i].Attribute; s.Attribute != want || s.Confidence != Certain {
			t.Errorf("%q is %q, %v (%s); want %v, certain", s.Header, s.Attribute, s.Confidence, s.Why, want)
		}
	}
}

// Only the template writes a comma here: what others call so is the street's second line.
func TestOthersSecondLine(t *testing.T) {
	for _, s := range Columns([]string{"Unique ID", "Street Address", "Street Address 2"}, nil) {
		if s.Attribute == mapping.Street2 {
			t.Errorf("%q is taken for a second address", s.Header)
		}
	}
}
