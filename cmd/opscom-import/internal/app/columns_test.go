package app

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"opscom-import/mapping"
	"opscom-import/mapping/answers"
)

// TestExample: somebody sees what becomes of a person while questions are still open.
func TestExample(t *testing.T) {
	env := newEnv(t)
	file := filepath.Join(t.TempDir(), "students.csv")
	const text = "Some ID,First Name,Last Name,DOB,Colour\nA1,Ann,Roy,03/04/2004,red\nA2,Bo,Li,05/06/2003,blue\nA3,Cy,Oh,13/06/2003,blue\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	table, err := Columns(t.Context(), env, file)
	if err != nil {
		t.Fatal(err)
	}
	a := answers.New(table)
	if a.Open() == 0 {
		t.Fatal("no question is open")
	}
	section := mapping.SourceSection{Where: `col("Colour") == "blue"`}
	for n, want := range []string{
		"row 3, last false: [{first_name Bo} {last_name Li} {date_of_birth 2003-06-05}] []",
		"row 4, last true: [{first_name Cy} {last_name Oh} {date_of_birth 2003-06-13}] []",
		"row 0, last true: [] []",
	} {
		p, err := Example(t.Context(), env, file, a.File(section), n)
		if got := fmt.Sprintf("row %d, last %v: %v %v", p.Row, p.IsLast, p.Values, p.Problems); err != nil || got != want {
			t.Errorf("person %d is %s, %v; want %s", n, got, err, want)
		}
	}
	if _, err := Example(t.Context(), env, file, a.File(mapping.SourceSection{Where: "("}), 0); len(answers.Mistakes(err)) != 1 {
		t.Errorf("got %v", err)
	}
}
