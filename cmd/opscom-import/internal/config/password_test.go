package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadPassword(t *testing.T) {
	folder := t.TempDir()
	for name, tt := range map[string]struct {
		content, want string
		wrong         bool
	}{
		"a line":          {content: "s3cret word \n", want: "s3cret word "},
		"from Windows":    {content: "\uFEFFs3cret\r\n", want: "s3cret"},
		"without an end":  {content: "s3cret", want: "s3cret"},
		"nothing":         {content: "\n", wrong: true},
		"several lines":   {content: "s3cret\ns3cret\n", wrong: true},
		"no password":     {content: strings.Repeat("s3cret", 1000), wrong: true},
		"two in old ends": {content: "s3cret\rs3cret", wrong: true},
	} {
		path := filepath.Join(folder, "password.txt")
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Settings{PasswordFile: path}.Password()
		if got != tt.want || (err != nil) != tt.wrong {
			t.Errorf("%s: %q, error %v", name, got, err)
		}
		if err != nil && (strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s: the error holds the password, or not the path: %v", name, err)
		}
	}
	if got, err := (Settings{}).Password(); got != "" || err != nil {
		t.Errorf("no file: %q, %v", got, err)
	}
	if _, err := (Settings{PasswordFile: filepath.Join(folder, "none.txt")}).Password(); err == nil {
		t.Error("no error for a file that is not there")
	}
}

// A password that a person typed is in no file, and wins over the password file's.
func TestWithPassword(t *testing.T) {
	s := Settings{PasswordFile: "does-not-exist"}.WithPassword("typed")
	if got, err := s.Password(); got != "typed" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
