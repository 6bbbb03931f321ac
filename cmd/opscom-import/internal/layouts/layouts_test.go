package layouts

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"opscom-import/mapping"
)

func file(headers ...string) *mapping.File {
	return &mapping.File{Source: mapping.SourceSection{Headers: headers, Where: `col("Status") == "RE"`}, Fields: []mapping.Field{{Attribute: mapping.UniqueID, Columns: headers[:1]}}}
}

func TestFind(t *testing.T) {
	state := t.TempDir()
	s := Open(state)
	if _, ok, err := s.Find([]string{"ID"}); ok || err != nil {
		t.Fatalf("found %v in an empty store, %v", ok, err)
	}
	for _, f := range []*mapping.File{file("ID", "First", "Last", "Status", ""), file("EMPLID", "First", "Phone")} {
		if err := s.Keep(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		headers []string
		first   string // of the headers that are found; "" for none
		exact   bool
	}{
		{[]string{"ID", "First", "Last", "Status", ""}, "ID", true},
		{[]string{" id", "FIRST", "Last", "Status", " "}, "ID", true},
		{[]string{"First", "ID", "Last", "Status", ""}, "ID", false},
		{[]string{"ID", "First", "Last", "Status", "", "New"}, "ID", false},
		{[]string{"EMPLID", "First", "Cell"}, "EMPLID", false},
		{[]string{"EMPLID", "Vorname", "Cell"}, "", false},
	} {
		l, ok, err := s.Find(tc.headers)
		if err != nil || ok != (tc.first != "") || l.Exact != tc.exact || ok && l.Mapping.Source.Headers[0] != tc.first {
			t.Errorf("%q: found %+v, %v, %v", tc.headers, l, ok, err)
		}
		if where := `col("Status") == "RE"`; ok && (l.Source(tc.headers).Where == where) != slices.Contains(tc.headers, "Status") {
			t.Errorf("%q: where is %q", tc.headers, l.Source(tc.headers).Where)
		}
	}
	l, _, err := s.Find([]string{"EMPLID", "First", "Phone"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Forget(l.ID); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Find([]string{"EMPLID", "First", "Phone"}); ok || err != nil {
		t.Errorf("it was not forgotten: %v", err)
	}
	if _, err := s.Get("../../x"); err == nil {
		t.Error("a path is an id")
	}
}

// TestPrivate: nobody else on the machine reads the answers.
func TestPrivate(t *testing.T) {
	state := t.TempDir()
	if err := Open(state).Keep(file("ID", "First")); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(state, Folder), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestOldestGo: the store does not grow without end, and damage is no obstacle.
func TestOldestGo(t *testing.T) {
	state := t.TempDir()
	s := Open(state)
	for i := range most + 3 {
		f := file(fmt.Sprint("ID", i))
		if err := s.Keep(f); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(1_000_000+i), 0)
		if err := os.Chtimes(filepath.Join(state, Folder, digest(f.Source.Headers)+suffix), at, at); err != nil {
			t.Fatal(err)
		}
	}
	files, err := s.files()
	if err != nil || len(files) != most {
		t.Errorf("%d are kept, %v", len(files), err)
	}
	if _, ok, _ := s.Find([]string{"ID0"}); ok {
		t.Error("the oldest is still there")
	}
	if err := os.WriteFile(filepath.Join(state, Folder, digest([]string{"ID50"})+suffix), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Find([]string{"ID50"}); ok || err != nil {
		t.Errorf("a damaged file was found: %v, %v", ok, err)
	}
}
