package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/mapping"
)

func TestShapes(t *testing.T) {
	for text, want := range map[string]string{
		"K1A 0B1": "A9A 9A9", "Zoé O'Brien-3": "AAA A'AAAAA-9", "٣": "9", "学生": "AA", "a\tb\x7f": "A?A?", "5 €": "9 ?", "": "",
	} {
		if got := shapeOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestRareShapesAreNotShown: nine people with a long name are few enough to be known.
func TestRareShapesAreNotShown(t *testing.T) {
	c := newColumnShapes()
	for i := range 10 {
		c.add(mapping.Cell{Text: fmt.Sprintf("A%d", i)}, "Code")
		c.add(mapping.Cell{Text: strings.Repeat("x", maxShape+1)}, "Code")
		if i < 9 {
			c.add(mapping.Cell{Text: "Nebuchadnezzar"}, "Code")
		}
	}
	c.add(mapping.Cell{}, "Code")
	c.add(mapping.Cell{Text: " Zoé"}, "Code")
	shapes, others := c.shared()
	if !slices.Equal(shapes, []string{"A9"}) || others != 20 || c.filled != 30 || c.spaced != 1 || c.beyond != 1 {
		t.Errorf("%q and %d others of %+v", shapes, others, c)
	}
}

func TestPathsAreMasked(t *testing.T) {
	for path, want := range map[string]string{
		"/home/zoe/exports/Zoe Roy-2026.csv":  "~/exports/AAA AAA-9999.csv",
		"/home/zoe":                           "~",
		"/home/zoe2/x.xlsx":                   "/home/AAA9/A.xlsx",
		"/var/lib/opscom-import":              "/var/lib/opscom-import",
		"/srv/sftp/roy/students.mapping.yaml": "/srv/AAAA/AAA/AAAAAAAA.mapping.yaml",
		`C:\Users\zoe\students.results.CSV`:   "A:/Users/AAA/AAAAAAAA.results.csv",
		"students":                            "AAAAAAAA",
		"/run/secrets/token.zoe":              "/run/AAAAAAA/AAAAA.AAA",
		"-":                                   "-",
	} {
		if got := maskPath(path, "/home/zoe"); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestEverySettingIsShownOrNot: the text of a setting that nobody has thought about is
// hidden, so somebody should think about it.
func TestEverySettingIsShownOrNot(t *testing.T) {
	hidden := []string{"login_source", "sheet", "leavers", "state", "journal"}
	for _, setting := range (config.Settings{}).Given() {
		shown := slices.Contains(shownSettings(), setting.Key)
		if !setting.Path && !shown && !slices.Contains(hidden, setting.Key) || shown && setting.Path {
			t.Errorf("%s: say in shownSettings whether its text can hold a name", setting.Key)
		}
	}
}

// TestBundlesReplaceNothing: a file that has come meanwhile stays.
func TestBundlesReplaceNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "support.zip")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := (&SupportBundle{}).Write(path)
	text, _ := os.ReadFile(path)
	if err == nil || !strings.Contains(err.Error(), "exists already and was not changed") || string(text) != "mine" {
		t.Errorf("%v, and the file has %q", err, text)
	}
}
