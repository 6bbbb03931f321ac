package app

import (
	"os"
	"path/filepath"
	"testing"

	"opscom-import/importer/sheet"
	"opscom-import/mapping"
)

// A preview reads the file as the settings say, in which the source section that a person
// gave wins, and asks otherwise.
func TestPreview(t *testing.T) {
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte("A100,Ann,a@x.example\nA101,Bob,b@x.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := newEnv(t)
	p, err := Preview(t.Context(), env, file)
	if err != nil || p.Problem == nil || p.Problem.Question != sheet.AskHeader || p.Problem.File != file || len(p.Rows) != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	env.Settings.HeaderRow, env.Settings.Delimiter = 2, ';'
	env.Settings = env.Settings.WithSource(mapping.SourceSection{NoHeader: true, Delimiter: ','})
	if p, err = Preview(t.Context(), env, file); err != nil || p.Problem != nil || p.Header.Names[2] != "Column C" {
		t.Errorf("%+v, %v", p, err)
	}
}
