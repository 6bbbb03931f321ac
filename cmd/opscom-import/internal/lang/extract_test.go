package lang

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const (
	moduleRoot = "../../../.."
	modulePath = "opscom-import"
)

// sources finds the texts that a package's code has for people.
type sources struct {
	t        *testing.T
	fset     *token.FileSet
	packages map[string]*types.Package
	info     *types.Info
	found    map[string]string // text as a format with the verbs %s, %q and %d → where it is first
}

func newSources(t *testing.T) *sources {
	return &sources{
		t: t, fset: token.NewFileSet(), packages: make(map[string]*types.Package),
		info:  &types.Info{Types: make(map[ast.Expr]types.TypeAndValue)},
		found: make(map[string]string),
	}
}

// Import gives go/types the packages of the module, so that their constants are
// known. Of others it needs nothing.
func (s *sources) Import(importPath string) (*types.Package, error) {
	if pkg := s.packages[importPath]; pkg != nil {
		return pkg, nil
	}
	folder, ours := strings.CutPrefix(importPath, modulePath+"/")
	if !ours {
		pkg := types.NewPackage(importPath, path.Base(importPath))
		pkg.MarkComplete()
		s.packages[importPath] = pkg
		return pkg, nil
	}
	s.parse(folder)
	return s.packages[importPath], nil
}

// parse returns the package's files, with the values of their constants in s.info.
func (s *sources) parse(folder string) []*ast.File {
	s.t.Helper()
	names, err := fs.Glob(os.DirFS(moduleRoot), folder+"/*.go")
	if err != nil || len(names) == 0 {
		s.t.Fatalf("%s has no source: %v", folder, err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(s.fset, filepath.Join(moduleRoot, name), nil, parser.SkipObjectResolution)
		if err != nil {
			s.t.Fatal(err)
		}
		files = append(files, file)
	}
	config := types.Config{Importer: s, Error: func(error) {}, FakeImportC: true} // other packages are not there
	pkg, _ := config.Check(modulePath+"/"+folder, s.fset, files, s.info)
	s.packages[modulePath+"/"+folder] = pkg
	return files
}

// texts returns the texts of a package's code that look like words for a person.
func (s *sources) extract(folder string) {
	for _, file := range s.parse(folder) {
		ast.Inspect(file, s.visit)
	}
}

func (s *sources) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec, *ast.Field, *ast.CaseClause:
		if clause, ok := n.(*ast.CaseClause); ok {
			for _, statement := range clause.Body {
				ast.Inspect(statement, s.visit)
			}
			return false
		}
		if field, ok := n.(*ast.Field); ok {
			ast.Inspect(field.Type, s.visit)
		}
		return false
	case *ast.KeyValueExpr: // the keys of maps are what files have in them
		ast.Inspect(n.Value, s.visit)
		return false
	case *ast.CallExpr:
		if isLog(n) || types.ExprString(n.Fun) == "strings.HasPrefix" { // what files have in them
			return false
		}
	case ast.Expr:
	default:
		return true
	}
	e := n.(ast.Expr)
	text, ok := s.format(e)
	if !ok {
		return true
	}
	s.add(e, text)
	return false
}

func (s *sources) add(e ast.Expr, text string) {
	text = strings.Trim(handQuoted.ReplaceAllString(trimHole(text), "%q"), " ;,") // the catalogue has clauses without their separators
	if !isWords(text) || database.MatchString(text) || markup.MatchString(text) {
		return
	}
	at := s.fset.Position(e.Pos())
	name, _ := filepath.Rel(moduleRoot, at.Filename)
	at.Filename = filepath.ToSlash(name)
	at.Column = 0
	if _, known := s.found[text]; !known {
		s.found[text] = at.String()
	}
}

var logCall = regexp.MustCompile(`(?i)(\blog|\.log)\.`)

// isLog reports whether a call writes a log line, which is for colleagues.
func isLog(call *ast.CallExpr) bool {
	return logCall.MatchString(types.ExprString(call.Fun)+".") || strings.HasPrefix(types.ExprString(call.Fun), "regexp.") || strings.HasPrefix(types.ExprString(call.Fun), "slog.")
}

// format returns an expression as a format; ok is false if it is not made of text.
func (s *sources) format(e ast.Expr) (text string, ok bool) {
	if value := s.info.Types[e].Value; value != nil && value.Kind() == constant.String {
		text := constant.StringVal(value)
		if simpleVerb.MatchString(text) { // the format of a call that we do not know
			return canonical(text), true
		}
		return strings.ReplaceAll(text, "%", "%%"), true
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return s.format(e.X)
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		left, leftOK := s.format(e.X)
		right, rightOK := s.format(e.Y)
		if !leftOK && !rightOK {
			return "", false
		}
		if !leftOK {
			left = s.hole(e.X)
		}
		if !rightOK {
			right = s.hole(e.Y)
		}
		return left + right, true
	case *ast.CallExpr:
		return s.call(e)
	}
	return "", false
}

// call returns what a call makes as a format, if it makes text in a known way.
func (s *sources) call(call *ast.CallExpr) (text string, ok bool) {
	name := types.ExprString(call.Fun)
	name = name[strings.LastIndex(name, ".")+1:]
	at := map[string]int{"Sprintf": 0, "Errorf": 0, "ErrorAt": 2}
	switch name {
	case "New":
		if len(call.Args) == 1 {
			return s.format(call.Args[0])
		}
	case "Quote", "QuoteRune":
		return "%q", true
	case "Plural", "PluralWord", "plural":
		s.plural(call, name)
		return "%s", true
	case "Sprintf", "Errorf", "ErrorAt", "line":
		i, isFormat := at[name]
		if !isFormat || i >= len(call.Args) {
			return "", false
		}
		value := s.info.Types[call.Args[i]].Value
		if value == nil || value.Kind() != constant.String {
			return "", false
		}
		for _, arg := range slices.Concat(call.Args[:i], call.Args[i+1:]) {
			ast.Inspect(arg, s.visit)
		}
		return canonical(constant.StringVal(value)), true
	}
	return "", false
}

// plural adds the words of a plural.
func (s *sources) plural(call *ast.CallExpr, name string) {
	var words []string
	for _, arg := range call.Args[1:] {
		if value := s.info.Types[arg].Value; value != nil {
			words = append(words, constant.StringVal(value))
		}
	}
	if len(words) == 0 {
		return
	}
	if len(words) == 1 || words[1] == "" {
		words = append(words[:1], words[0]+"s")
	}
	for _, word := range words {
		if name != "PluralWord" {
			word = "%d " + word
		}
		at := s.fset.Position(call.Pos())
		name, _ := filepath.Rel(moduleRoot, at.Filename)
		s.found[word] = fmt.Sprintf("%s:%d", filepath.ToSlash(name), at.Line)
	}
}

// hole returns the verb for what is not text of the source, and looks for texts in it.
func (s *sources) hole(e ast.Expr) string {
	ast.Inspect(e, s.visit)
	return "%s"
}

var verb = regexp.MustCompile(`%[-+# 0*.\[\]0-9]*[a-zA-Z%]`)

var simpleVerb = regexp.MustCompile(`%[sdqvw]`)

// canonical writes a format with the verbs %s, %q and %d only.
func canonical(format string) string {
	return verb.ReplaceAllStringFunc(format, func(verb string) string {
		switch verb[len(verb)-1] {
		case '%', 'q', 'd':
			return "%" + verb[len(verb)-1:]
		}
		return "%s"
	})
}

// database begins a statement, or the rest of one.
var database = regexp.MustCompile(`^ ?(SELECT|INSERT|UPDATE|DELETE|WITH|PRAGMA|WHERE|AND|ORDER|IN|acceptance|run|target) [(A-Z]`)

// markup is tags of XML and nothing else.
var markup = regexp.MustCompile(`^(?:<[^<>]+>)+$`)

// handQuoted is a verb in quotes of the source.
var handQuoted = regexp.MustCompile(`"%[sd]"`)

// trimHole takes off what a sentence is about: Label "value" is …
func trimHole(text string) string {
	if rest, ok := strings.CutPrefix(text, "%s"); ok && rest != "" && unicode.IsLower(rune(rest[0])) {
		return rest
	}
	return text
}

var letters = regexp.MustCompile(`[\pL]{2,}`)

// isWords reports whether a text is more than a key or a separator.
func isWords(text string) bool {
	plain := verb.ReplaceAllString(text, "")
	words := letters.FindAllString(plain, -1)
	return len(words) > 1 && strings.Contains(strings.TrimSpace(plain), " ") || len(words) == 1 && (strings.Contains(text, " ") || strings.HasSuffix(text, ".") && len(text) > 4)
}
