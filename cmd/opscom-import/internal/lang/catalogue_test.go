package lang

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"opscom-import/mapping"
)

// enginePackages are those whose texts a person may see on the page.
func enginePackages() []string {
	const sheet, app = "importer/sheet", "cmd/opscom-import/internal/"
	return []string{
		"mapping", "mapping/answers", "mapping/suggest", "mapping/internal/chars", "mapping/internal/dateformat", "mapping/internal/transform",
		"importer", sheet, sheet + "/internal/rows", sheet + "/internal/archive", sheet + "/internal/text", sheet + "/internal/excel",
		sheet + "/internal/webpage", "importer/controller", "importer/journal", "report", app + "app", app + "config", app + "draft", app + "layouts",
	}
}

// A message of the engine has a translation, or testdata/untranslated.txt says why not.
func TestEngineTextsAreTranslated(t *testing.T) {
	s := newSources(t)
	for _, folder := range enginePackages() {
		s.extract(folder)
	}
	for _, attribute := range mapping.Attributes() {
		s.found[attribute.Label] = "mapping/attribute.go"
	}
	const dictionary = "mapping/suggest/dictionary.txt" // its headings end with a reason
	text, err := os.ReadFile(moduleRoot + "/" + dictionary)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, reason, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.ContainsAny(line[:1], "#\t") {
			s.found[reason] = dictionary
		}
	}
	exempt := untranslated(t)
	catalogue := parseCatalogue(frenchEngine)
	for text, place := range s.found {
		if _, ok := catalogue.get(text); ok || exempt.has(text, place) {
			continue
		}
		t.Errorf("%s: engine.fr.po has nothing for %q", place, text)
	}
	for line, used := range exempt {
		if !used {
			t.Errorf("untranslated.txt has a line that nothing needs: %s", line)
		}
	}
}

// exemptions are the lines of testdata/untranslated.txt, and whether each was of use.
type exemptions map[string]bool

func untranslated(t *testing.T) exemptions {
	t.Helper()
	text, err := os.ReadFile("testdata/untranslated.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := make(exemptions)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines[line] = false
		}
	}
	return lines
}

// has reports whether a line is the text, or the pattern of its file.
func (e exemptions) has(text, place string) bool {
	file, _, _ := strings.Cut(place, ":")
	found := false
	for line := range e {
		if matched, err := path.Match(line, file); line == text || err == nil && matched {
			e[line], found = true, true
		}
	}
	return found
}

var anyVerb = regexp.MustCompile(`%(\[\d\])?([a-z%])`)

// A translation has the verbs of its text.
func TestVerbsAgree(t *testing.T) {
	for name, file := range map[string][]byte{"fr.po": frenchPage, "engine.fr.po": frenchEngine} {
		for id, translation := range parseCatalogue(file).texts {
			for n, english := range []string{id, translation.PluralID} {
				if french := translation.Trs[n]; id != "" && english != "" && !slices.Equal(verbLetters(english), verbLetters(french)) {
					t.Errorf("%s: %q has other verbs than %q", name, french, english)
				}
			}
		}
	}
}

// verbLetters returns the letters of a format's verbs in order. %v stands for any.
func verbLetters(format string) []string {
	var letters []string
	for _, found := range anyVerb.FindAllStringSubmatch(format, -1) {
		letter := found[2]
		if letter == "v" || letter == "q" {
			letter = "s"
		}
		letters = append(letters, letter)
	}
	slices.Sort(letters)
	return letters
}

// Before a colon and inside quotation marks stands a space that does not break, and
// none before other marks.
func TestFrenchPunctuation(t *testing.T) {
	wrong := regexp.MustCompile(` :( |$)|« | »|[^«"] [;!]( |$)|\pL'\pL`)
	for name, file := range map[string][]byte{"fr.po": frenchPage, "engine.fr.po": frenchEngine} {
		for id, translation := range parseCatalogue(file).texts {
			for _, french := range translation.Trs {
				if id != "" && wrong.MatchString(french) {
					t.Errorf("%s: %q: %q", name, french, wrong.FindString(french))
				}
			}
		}
	}
}
