package lang

import (
	"os"
	"strings"
	"testing"
)

func TestEngine(t *testing.T) {
	for english, want := range messages(t) {
		if got := strings.ReplaceAll(French.Engine(english), "\u00a0", "~"); got != want {
			t.Errorf("%s\nbecomes %q\n   want %q", english, got, want)
		}
		if got := English.Engine(english); got != english {
			t.Errorf("English has %q for %q", got, english)
		}
	}
}

// messages returns those of testdata/messages.txt and their translations.
func messages(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n")[1:] {
		english, french, _ := strings.Cut(block, "\n")
		found[english] = french
	}
	return found
}

// Each format is recognized, whatever other formats there are.
func TestEngineKnowsItsFormats(t *testing.T) {
	c := parseCatalogue(frenchEngine)
	for id := range c.texts {
		french, ok := c.get(id)
		if !ok {
			continue
		}
		f := newFormat(id, french)
		if f.weight < 8 || strings.TrimLeft(id, " ") == "" {
			continue // too short to be told apart from others
		}
		english, want := strings.Builder{}, strings.Builder{}
		values := make([]string, len(f.verbs))
		for i, verb := range f.verbs {
			values[i] = map[byte]string{'s': "S%", 'q': `"V"`, 'd': "7"}[verb]
			english.WriteString(f.literals[i] + values[i])
		}
		english.WriteString(f.literals[len(f.verbs)])
		for _, p := range f.french {
			switch {
			case p.arg < 0:
				want.WriteString(p.literal)
			case f.verbs[p.arg] == 'q' && p.literal != "v":
				want.WriteString("«\u00a0V\u00a0»")
			default:
				want.WriteString(values[p.arg])
			}
		}
		if got := French.Engine(english.String()); got != want.String() {
			t.Errorf("%q\nbecomes %q\n   want %q", english.String(), got, want.String())
		}
	}
}

// Whatever is in a file, its text is shown, and soon.
func FuzzEngine(f *testing.F) {
	for english := range map[string]string{
		`First Name "x" is blank. `: "", `""""": " . ": `: "", "; ; and or": "", `The Controller says "`: "", "%s %q": "",
	} {
		f.Add(english)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text != "" && French.Engine(text) == "" {
			t.Errorf("nothing is left of %q", text)
		}
	})
}

func BenchmarkEngine(b *testing.B) {
	const message = `Date of Birth "31.2.2004" is not a date. Write it as YYYY-MM-DD.`
	for b.Loop() {
		French.Engine(message)
	}
}
