package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// bannedWord is a word that users do not read in this program, and what to write
// instead.
type bannedWord struct {
	pattern *regexp.Regexp
	instead string
}

func bannedWords() []bannedWord {
	word := func(pattern, instead string) bannedWord {
		return bannedWord{regexp.MustCompile(`(?i)\b(` + pattern + `)\b`), instead}
	}
	return []bannedWord{
		word(`mend|mends|mended|mending`, "fix"),
		word(`mended_text`, "cleaned_text"),
		word(`anew`, "again"),
		word(`commonest`, "most common"),
		word(`whoever|whosoever`, "anyone who, or the person who"),
		word(`stand-in`, "mock Controller, or sandbox"),
		word(`under way`, "in progress"),
		word(`nights`, "scheduled runs"),
		word(`lest`, "so that … not"),
		word(`is no`, "is not a"),
	}
}

// allowedUses are good English with a banned word in it.
var allowedUses = regexp.MustCompile(`(?i)\bthere is no\b|\bis no longer\b|\bis no (?:more|less|fewer) than\b`)

// bannedIn returns what to change in a text.
func bannedIn(text string) []string {
	text = allowedUses.ReplaceAllString(text, "")
	var found []string
	for _, word := range bannedWords() {
		if match := word.pattern.FindString(text); match != "" {
			found = append(found, strconv.Quote(match)+`: write `+word.instead)
		}
	}
	return found
}

func TestBannedWordsAreFound(t *testing.T) {
	for text, want := range map[string]int{
		"There is no column. It is no longer sent, and is no more than a row.": 0,
		"A recommendation, the amended plan, the latest file":                  0,
		"This is no date": 1, "Mended and sent anew": 2, "mended_text": 1, "Nights": 1,
	} {
		if got := bannedIn(text); len(got) != want {
			t.Errorf("%q: %q, want %d", text, got, want)
		}
	}
}

// Users read the strings of the program, its templates and the pages. The changes
// name old words, and are left out.
func TestUsersReadPlainWords(t *testing.T) {
	files := 0
	for _, suffix := range []string{".go", ".md", ".html", ".yaml"} {
		eachModuleFile(t, suffix, func(name string) {
			if strings.HasSuffix(name, "_test.go") || path.Base(name) == "CHANGELOG.md" {
				return
			}
			files++
			for _, piece := range textsOf(t, name) {
				if piece.text == "mended_text" && strings.HasPrefix(name, "importer/journal/") {
					continue // what version 1 of the journal stored
				}
				for _, what := range bannedIn(piece.text) {
					t.Errorf("%s:%d: %s", name, piece.line, what)
				}
			}
		})
	}
	if files < 100 {
		t.Fatalf("only %d files were read", files)
	}
}

// piece is a text that a user may read, and its line in the file.
type piece struct {
	text string
	line int
}

// textsOf returns the lines of a file, or the string literals of Go source.
func textsOf(t *testing.T, name string) []piece {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(moduleRoot, name))
	if err != nil {
		t.Fatal(err)
	}
	var pieces []piece
	if path.Ext(name) != ".go" {
		for i, line := range strings.Split(string(source), "\n") {
			pieces = append(pieces, piece{line, i + 1})
		}
		return pieces
	}
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if _, isImport := n.(*ast.ImportSpec); isImport {
			return false
		}
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		first := positions.Position(literal.Pos()).Line
		for i, line := range strings.Split(text, "\n") {
			if literal.Value[0] != '`' { // the lines are in the text, not in the source
				i = 0
			}
			pieces = append(pieces, piece{line, first + i})
		}
		return true
	})
	return pieces
}
