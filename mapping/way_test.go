package mapping

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a question says may be added to the mapping can be added, and answers it.
func TestWays(t *testing.T) {
	short := slices.Concat(count(13, 9), count(7, 8))
	for _, tc := range []struct {
		name, field string
		cells       []Cell
		want        []Way
	}{
		{"short ids", "unique_id: {column: It%s}", short, []Way{{Apply: "pad:9"}, {AsIs: true}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := reviewOf(t, fmt.Sprintf(tc.field, ""), tc.cells...)
			var question *FileError
			if !errors.As(err, &question) {
				t.Fatalf("no question: %v", err)
			}
			if diff := cmp.Diff(tc.want, question.Ways); diff != "" || question.Attribute == NoAttribute {
				t.Fatalf("%v\nways (-want +got):\n%s", question, diff)
			}
			for _, way := range question.Ways {
				key := ", as_is: true"
				if way.Apply != "" {
					key = `, apply: ["` + way.Apply + `"]`
				}
				if _, err := reviewOf(t, fmt.Sprintf(tc.field, key), tc.cells...); err != nil {
					t.Errorf("with %s: %v", key, err)
				}
			}
		})
	}
	for question, want := range map[string][]Way{
		`30 rows have "\"no\"", which databases and programs write where there is no value. To count it as blank, add missing_values: ["\"no\""] to source; if it is right, add as_is: true here`: {{Missing: `"no"`}, {AsIs: true}},
		`Take the column from the student system again as text, or map the state, so that apply: [postal_code] can add them; if the codes are right, add as_is: true`:                             {{AsIs: true}},
		`3 of 3 values stand in quotes or begin with an apostrophe, such as 'Ann. To take these off, add apply: [unquote]; if they are right, add as_is: true`:                                    {{Apply: "unquote"}, {AsIs: true}},
		"Export the file again": nil,
	} {
		if diff := cmp.Diff(want, waysOf(question)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", question, diff)
		}
	}
}
