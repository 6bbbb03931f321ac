package lang

import (
	"go/ast"
	"go/constant"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"text/template/parse"
)

// pageFolder has the page's templates and code.
const pageFolder = "cmd/opscom-import/internal/web"

// Each text of the page has a translation: those that the templates give to t and
// plural, and those that the code gives to Lang.T and Lang.N.
func TestPageTextsAreTranslated(t *testing.T) {
	found := templateTexts(t)
	s := newSources(t)
	for _, file := range s.parse(pageFolder) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			at := s.fset.Position(call.Pos()).String()
			switch texts := s.constants(call.Args); {
			case method.Sel.Name == "T" && len(call.Args) > 0 && texts[0] != "":
				found[pageText{texts[0], ""}] = at
			case method.Sel.Name == "N" && len(call.Args) > 2:
				if _, passed := call.Args[1].(*ast.Ident); passed && texts[1] == "" {
					return true // the function of the templates
				}
				if texts[1] == "" || texts[2] == "" {
					t.Errorf("%s: a plural whose texts are not constants", at)
				}
				found[pageText{texts[1], texts[2]}] = at
			}
			return true
		})
	}
	if len(found) < 10 {
		t.Fatalf("only %d texts were found", len(found))
	}
	catalogue := parseCatalogue(frenchPage)
	for text, at := range found {
		translation := catalogue.texts[text.one]
		switch {
		case translation == nil || !translation.IsTranslated():
			t.Errorf("%s: fr.po has nothing for %q, %q", at, text.one, text.many)
		case translation.PluralID != text.many:
			t.Errorf("%s: fr.po has %q as the plural of %q, the page %q", at, translation.PluralID, text.one, text.many)
		case text.many != "" && !translation.IsTranslatedN(1):
			t.Errorf("%s: fr.po has no plural for %q", at, text.many)
		}
	}
	for id := range catalogue.texts {
		used := false
		for text := range found {
			used = used || text.one == id
		}
		if !used && id != "" {
			t.Errorf("fr.po has a text that the page does not: %q", id)
		}
	}
}

// pageText is a text of the page, with its plural where it has one.
type pageText struct{ one, many string }

// constants returns the values of those arguments that are constant texts.
func (s *sources) constants(args []ast.Expr) []string {
	texts := make([]string, len(args))
	for i, arg := range args {
		if value := s.info.Types[arg].Value; value != nil && value.Kind() == constant.String {
			texts[i] = constant.StringVal(value)
		}
	}
	return texts
}

// templateTexts returns the texts of the templates, with the place of each.
func templateTexts(t *testing.T) map[pageText]string {
	t.Helper()
	found := make(map[pageText]string)
	folder := os.DirFS(moduleRoot + "/" + pageFolder + "/templates")
	names, err := fs.Glob(folder, "*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		tree := parse.New(name)
		tree.Mode = parse.SkipFuncCheck
		trees := make(map[string]*parse.Tree)
		if _, err := tree.Parse(string(text), "", "", trees); err != nil {
			t.Fatal(err)
		}
		for _, tree := range trees {
			eachCommand(tree.Root, func(c *parse.CommandNode) {
				word, ok := c.Args[0].(*parse.IdentifierNode)
				if !ok {
					return
				}
				switch {
				case word.Ident == "t" && len(c.Args) > 1:
					if text, ok := c.Args[1].(*parse.StringNode); ok {
						found[pageText{text.Text, ""}] = name
					}
				case word.Ident == "plural" && len(c.Args) > 3:
					one, ok1 := c.Args[2].(*parse.StringNode)
					many, ok2 := c.Args[3].(*parse.StringNode)
					if !ok1 || !ok2 {
						t.Errorf("%s: a plural whose texts are not constants: %s", name, c)
						return
					}
					found[pageText{one.Text, many.Text}] = name
				}
			})
		}
	}
	return found
}

// What a template says stands in t or plural, and so do the names of its parts.
func TestTemplatesSayNothingInOneLanguage(t *testing.T) {
	folder := os.DirFS(moduleRoot + "/" + pageFolder + "/templates")
	names, err := fs.Glob(folder, "*.html")
	if err != nil {
		t.Fatal(err)
	}
	action, tag := regexp.MustCompile(`(?s)\{\{.*?\}\}`), regexp.MustCompile(`(?s)<[^>]*>`)
	attributes := regexp.MustCompile(`[a-z-]+="[^"]*"|\bautofocus\b`)
	said := regexp.MustCompile(`(?:aria-label|title|placeholder|alt|data-label)="[^"]*\pL{2}[^"]*"`)
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		plain := action.ReplaceAllString(string(text), "")
		for _, attribute := range said.FindAllString(plain, -1) {
			t.Errorf("%s: %s", name, attribute)
		}
		rest := strings.ReplaceAll(tag.ReplaceAllString(plain, ""), "opscom-import", "")
		rest = attributes.ReplaceAllString(rest, "") // of a tag that begins in another template
		if word := letters.FindString(rest); word != "" {
			t.Errorf("%s: the word %q is not in t", name, word)
		}
	}
}

// eachCommand visits the commands in a template's node.
func eachCommand(node parse.Node, visit func(*parse.CommandNode)) {
	pipe := func(p *parse.PipeNode) {
		if p != nil {
			eachCommand(p, visit)
		}
	}
	list := func(l *parse.ListNode) {
		if l != nil {
			eachCommand(l, visit)
		}
	}
	branch := func(b *parse.BranchNode) {
		pipe(b.Pipe)
		list(b.List)
		list(b.ElseList)
	}
	switch n := node.(type) {
	case *parse.ListNode:
		for _, inner := range n.Nodes {
			eachCommand(inner, visit)
		}
	case *parse.ActionNode:
		pipe(n.Pipe)
	case *parse.TemplateNode:
		pipe(n.Pipe)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			eachCommand(c, visit)
		}
	case *parse.CommandNode:
		visit(n)
		for _, arg := range n.Args {
			eachCommand(arg, visit)
		}
	}
}
