package answers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"opscom-import/mapping"
	"opscom-import/mapping/answers"
)

// What the rows ask about a column is answered beside what was said about it before.
func TestAsIsAndApply(t *testing.T) {
	a := answers.New(banner())
	open := a.Open()
	a.SetAsIs(mapping.LastName, true)
	a.Apply(mapping.UniqueID, "pad:9")
	a.Apply(mapping.UniqueID, "unquote")
	a.Apply(mapping.UniqueID, "pad:9")
	rules := map[mapping.Attribute]mapping.Field{}
	for _, f := range a.File(mapping.SourceSection{}).Fields {
		rules[f.Attribute] = f
	}
	if f := rules[mapping.LastName]; !f.AsIs || len(f.Columns) != 1 || f.Columns[0] != "Legal Last Name" {
		t.Errorf("the last name is %+v", f)
	}
	if diff := cmp.Diff([]string{"unquote", "pad:9"}, rules[mapping.UniqueID].Apply); diff != "" {
		t.Errorf("applied (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]mapping.Attribute{mapping.LastName}, a.AsIs()); diff != "" || a.Open() != open {
		t.Errorf("%d open of %d; as they are (-want +got):\n%s", a.Open(), open, diff)
	}
	if a.SetAsIs(mapping.LastName, false); len(a.AsIs()) != 0 {
		t.Errorf("still as they are: %v", a.AsIs())
	}
}
