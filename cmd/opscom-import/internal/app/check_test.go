package app

import (
	"os"
	"path/filepath"
	"testing"

	"opscom-import/importer/journal/postgres"
	"opscom-import/report"
)

// TestIsOfFile tells what moves a file to failed from what keeps it in progress.
func TestIsOfFile(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("a.csv", "id,first,last\n1,Ada,Byron\n")
	good := write("good.yaml", "version: 1\nfields:\n  unique_id: {column: id}\n  login_source: {value: SSO}\n  first_name: {column: first}\n  last_name: {column: last}\n")
	for name, tc := range map[string]struct {
		file, mapping string
		want          bool
	}{
		"a file that is missing":           {filepath.Join(folder, "no.csv"), good, true},
		"a file without the columns":       {write("b.csv", "x,y\n1,2\n"), good, true},
		"a file that is empty":             {write("c.csv", ""), good, true},
		"a mapping that is missing":        {file, filepath.Join(folder, "no.yaml"), false},
		"a mapping that cannot be read":    {file, write("bad.yaml", "version: 1\nfields: [\n"), false},
		"a mapping with an unknown member": {file, write("odd.yaml", "version: 1\nfelds: {}\n"), false},
	} {
		env := newEnv(t, "--sandbox", "--mapping", tc.mapping)
		err := Push(t.Context(), t.Context(), env, []string{tc.file}, func(report.Receipt) error { return nil })
		if ExitCode(err) != ExitUsage || IsOfFile(err) != tc.want {
			t.Errorf("%s: %v is the file's fault: %t", name, err, IsOfFile(err))
		}
	}
	_, err := newEnv(t, "--journal", "postgres:///runs", "--journal-key-file", filepath.Join(folder, "no keys")).openPostgres(t.Context())
	if err = (&FileError{file, err}); !IsOfDatabase(err) || IsOfFile(err) {
		t.Errorf("without keys: %v is the file's fault: %t", err, IsOfFile(err))
	}
	_, err = postgres.Open(t.Context(), "postgres://"+filepath.Base(folder)+"@/opscom?host="+folder, postgres.Options{})
	if err = (&FileError{file, err}); !IsOfDatabase(err) || IsOfFile(err) {
		t.Errorf("without a database: %v is the file's fault: %t", err, IsOfFile(err))
	}
}
