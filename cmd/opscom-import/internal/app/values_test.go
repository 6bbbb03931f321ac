package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opscom-import/importer"
	"opscom-import/mapping"
)

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func show(values FileValues) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d\n", values.Kept, values.Rows)
	for _, c := range values.Columns {
		fmt.Fprintf(&b, "%s:", c.Name)
		for _, v := range c.Values {
			fmt.Fprintf(&b, " %s=%d/%d@%d", v.Text, v.Kept, v.Rows, v.First)
		}
		if c.Blank.Rows > 0 {
			fmt.Fprintf(&b, " blank=%d/%d@%d", c.Blank.Kept, c.Blank.Rows, c.Blank.First)
		}
		if c.TooMany {
			b.WriteString(" too many")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestValues(t *testing.T) {
	env := newEnv(t)
	file := writeFile(t, "students.csv", "ID,Type,Status,Type\n1,PT, A ,x\n2,FT,A,x\n3,,B,x\n4,FT,A,x\n5,ft,C,x\n")
	env.Corrections = []importer.Correction{{Row: 2, Column: 1, Old: "PT", New: "FT"}}
	m := &mapping.File{Source: mapping.SourceSection{Where: mapping.WhereWithout([]mapping.Without{{Column: "Status", Values: []string{"B", "C"}}})}}
	values, err := Values(t.Context(), env, file, m)
	const want = `3 of 5
ID: 1=1/1@2 2=1/1@3 3=0/1@4 4=1/1@5 5=0/1@6
Type (column B): FT=3/3@2 ft=0/1@6 blank=0/1@4
Status: A=3/3@2 B=0/1@4 C=0/1@6
Type (column D): x=3/5@2
`
	if got := show(values); err != nil || got != want {
		t.Errorf("%v; got\n%s\nwant\n%s", err, got, want)
	}
	if values, err = Values(t.Context(), env, file, nil); err != nil || values.Columns[1].Values[0].Kept != 3 || values.Columns[1].Values[1].Kept != 1 {
		t.Errorf("without a mapping: %v\n%s", err, show(values))
	}
	if _, err := Values(t.Context(), env, file, &mapping.File{Source: mapping.SourceSection{Where: `col("Gone") == ""`}}); err == nil {
		t.Error("a where that does not fit is no error")
	}
}

func TestTooManyValues(t *testing.T) {
	for _, tc := range []struct {
		different int
		blank     bool
		tooMany   bool
	}{{MaxValues, false, false}, {MaxValues, true, false}, {MaxValues + 1, false, true}, {MaxValues + 1, true, true}} {
		text := "ID,Type\n"
		if tc.blank {
			text += "0,\n"
		}
		for i := range tc.different {
			text += fmt.Sprintf("%d,type %d\n", i, i)
		}
		values, err := Values(t.Context(), newEnv(t), writeFile(t, "students.csv", text), nil)
		if err != nil || values.Columns[1].TooMany != tc.tooMany || tc.tooMany && len(values.Columns[1].Values) > 0 || !tc.tooMany && len(values.Columns[1].Values) != tc.different {
			t.Errorf("%+v: %v, %d values, too many: %v", tc, err, len(values.Columns[1].Values), values.Columns[1].TooMany)
		}
	}
}

func TestTypeValues(t *testing.T) {
	types := UserTypes{Known: true, List: []mapping.UserType{{ID: "1", Name: "Full Time Student"}, {ID: "2", Name: "Part Time Student"}, {ID: "7", Name: "Staff"}, {ID: "8", Name: "staff"}, {ID: "9", Name: "Visitor"}}}
	columns := []ColumnValues{
		{Values: []ValueCount{{"PT", 9, 9, 4}, {"pt", 2, 2, 3}, {"Visitor", 5, 5, 8}, {"Alumni", 4, 0, 9}, {"Staff", 3, 3, 2}, {"Student", 2, 2, 2}, {"8", 1, 1, 2}}},
		{Values: []ValueCount{{"visitor", 1, 1, 1}}},
	}
	var b strings.Builder
	for _, v := range TypeValues(columns, types) {
		fmt.Fprintf(&b, "%s %d@%d %q: %q %v\n", v.Text, v.Kept, v.First, v.Spellings, v.Becomes, v.IsSure)
	}
	const want = `PT 11@3 ["PT" "pt"]: "Part Time Student" false
Visitor 6@1 ["Visitor" "visitor"]: "Visitor" true
Alumni 0@9 ["Alumni"]: "" false
Staff 3@2 ["Staff"]: "" false
Student 2@2 ["Student"]: "" false
8 1@2 ["8"]: "8" true
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// Without a list only numbers are certain; the codes of a student system are none.
func TestTypeValuesWithoutAList(t *testing.T) {
	columns := []ColumnValues{{Values: []ValueCount{{"12", 3, 3, 2}, {"PT", 2, 2, 2}, {"01", 1, 1, 2}}}}
	for i, v := range TypeValues(columns, UserTypes{Denied: true}) {
		if want := i == 0; v.IsSure != want || want && v.Becomes != "12" {
			t.Errorf("%s is sure: %v, and becomes %q", v.Text, v.IsSure, v.Becomes)
		}
	}
}

func TestListUserTypes(t *testing.T) {
	types, err := ListUserTypes(t.Context(), newEnv(t, "--sandbox"))
	if err != nil || !types.Known || len(types.List) == 0 || types.Problem != "" {
		t.Errorf("the sandbox's: %+v, %v", types, err)
	}
	types, err = ListUserTypes(t.Context(), newEnv(t))
	if err != nil || types.Known || types.Problem == "" {
		t.Errorf("of no client: %+v, %v", types, err)
	}
}
