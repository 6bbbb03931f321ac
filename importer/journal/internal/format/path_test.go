package format

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestPathText(t *testing.T) {
	for path, want := range map[string]string{
		"":                           "",
		"/data/students.csv":         "/data/students.csv",
		"/données/élèves 🎓.csv":      "/données/élèves 🎓.csv",
		"/donn\xe9es/a.csv":          "/donn\uFFFDE9es/a.csv",
		"/\xff\xfe":                  "/\uFFFDFF\uFFFDFE",
		"/a\uFFFDE9":                 "/a\uFFFDEF\uFFFDBF\uFFFDBDE9",
		"/truncated \xf0\x9f\x8e":    "/truncated \uFFFDF0\uFFFD9F\uFFFD8E",
		"C:\\data\\students\x00.csv": "C:\\data\\students\uFFFD00.csv",
	} {
		if got := PathText(path); got != want || !utf8.ValidString(got) {
			t.Errorf("PathText(%q) = %q, want %q", path, got, want)
		}
		if got := PathOf(want); got != path {
			t.Errorf("PathOf(%q) = %q, want %q", want, got, path)
		}
	}
	for text, want := range map[string]string{"a\uFFFD": "a\uFFFD", "a\uFFFDx1b": "a\uFFFDx1b", "\uFFFD4": "\uFFFD4"} { // of an earlier version
		if got := PathOf(text); got != want {
			t.Errorf("PathOf(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzPathText(f *testing.F) {
	f.Add("/donn\xe9es\uFFFD\x00/a.csv")
	f.Fuzz(func(t *testing.T, path string) {
		stored, err := json.Marshal(PathText(path))
		var text string
		if err := json.Unmarshal(stored, &text); err != nil {
			t.Fatal(err)
		}
		if got := PathOf(text); err != nil || got != path {
			t.Errorf("%q became %q, %v", path, got, err)
		}
	})
}
