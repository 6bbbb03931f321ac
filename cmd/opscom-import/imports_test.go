package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	moduleRoot = "../.."
	modulePath = "opscom-import"

	commandFolder = "cmd/opscom-import"
)

// allowedImports is the diagram in docs/CONTRIBUTING.md: for each package of the
// module, by its folder, the others that it may import.
func allowedImports() map[string][]string {
	inner := []string{"importer", "mapping"}
	siblings := []string{"importer/sheet", "importer/controller", "importer/journal", "importer/sandbox", "report"}
	const parts = "mapping/internal/"
	allowed := map[string][]string{
		"mapping":            {parts + "chars", parts + "dateformat", parts + "transform", parts + "region"},
		"mapping/suggest":    {"mapping", parts + "chars", parts + "dateformat", parts + "region"},
		"mapping/answers":    {"mapping", "mapping/suggest"},
		parts + "chars":      {},
		parts + "dateformat": {parts + "chars"},
		parts + "region":     {parts + "chars"},
		parts + "transform":  {parts + "chars", parts + "region"},
		"importer":           {"mapping"},
		// a part of the sandbox that only tests need
		"importer/sandbox/audit": append([]string{"importer/sandbox"}, inner...),
		"samples/generate":       inner,
		// servers for tests
		"importer/journal/postgres/pgtest": {},
	}
	for _, sibling := range siblings {
		allowed[sibling] = inner
	}
	const connection = "importer/controller/internal/connection"
	allowed[connection] = []string{}
	allowed["importer/controller"] = append([]string{connection}, inner...)
	const format = "importer/journal/internal/format"
	allowed[format] = inner
	allowed["importer/journal"] = append([]string{format}, inner...)
	allowed["importer/journal/internal/conformance"] = append([]string{format, "importer/journal"}, inner...)
	const sqlite = "importer/journal/sqlite"
	allowed[sqlite] = append([]string{format, "importer/journal"}, inner...)
	const keyring = "importer/journal/postgres/keyring"
	allowed[keyring] = []string{}
	allowed["importer/journal/postgres"] = append([]string{format, keyring, "importer/journal"}, inner...)
	const readers = "importer/sheet/internal/" // a reader never imports another
	shared := append([]string{readers + "rows"}, inner...)
	allowed[readers+"rows"] = inner
	allowed[readers+"archive"] = shared
	allowed[readers+"text"] = shared
	allowed[readers+"webpage"] = shared
	allowed[readers+"excel"] = append([]string{readers + "archive"}, shared...)
	allowed["importer/sheet"] = append([]string{"mapping/suggest", readers + "archive", readers + "text", readers + "excel", readers + "webpage"}, shared...)

	const command = commandFolder + "/internal/"
	below := slices.Concat(siblings, inner)
	allowed[command+"config"] = append([]string{"importer/controller", "importer/sheet", keyring, command + "schedule", command + "inbox"}, inner...)
	allowed[command+"draft"] = []string{"importer", "mapping", "mapping/answers"}
	allowed[command+"notify"] = []string{command + "config"}
	allowed[command+"app"] = append([]string{command + "config", command + "fleet", command + "draft", command + "notify", command + "inbox", "mapping/suggest", "mapping/answers", sqlite, "importer/journal/postgres"}, below...)
	allowed[command+"lang"] = []string{}
	allowed[command+"schedule"] = []string{}
	allowed[command+"inbox"] = []string{}
	allowed[command+"metrics"] = []string{"importer"}
	allowed[command+"fleet"] = []string{"importer", "importer/journal/postgres"}
	allowed[command+"watch"] = append([]string{command + "app", command + "config", command + "inbox", command + "schedule", "importer/journal", "report"}, inner...)
	allowed[command+"layouts"] = []string{"mapping"}
	allowed[command+"web"] = append([]string{command + "app", command + "draft", command + "lang", command + "layouts", "importer/journal", "importer/sheet", "mapping/suggest", "mapping/answers", "report"}, inner...)
	allowed[commandFolder] = append([]string{command + "config", command + "app", command + "notify", command + "fleet", command + "metrics", command + "watch", command + "web", "report"}, inner...)
	return allowed
}

func TestImportsPointOneWay(t *testing.T) {
	allowed := allowedImports()
	found := packageImports(t)
	for folder, imports := range found {
		permitted, known := allowed[folder]
		if !known {
			t.Errorf("%s is not in the diagram; add it to docs/CONTRIBUTING.md and to this test", folder)
			continue
		}
		for _, target := range imports {
			if target, ours := strings.CutPrefix(target, modulePath+"/"); ours && !slices.Contains(permitted, target) {
				t.Errorf("%s imports %s, which the diagram does not allow", folder, target)
			}
			if folder == commandFolder+"/internal/app" && target == "github.com/spf13/cobra" {
				t.Errorf("%s imports %s: a use case knows no command line", folder, target)
			}
		}
	}
	for folder := range allowed {
		if _, exists := found[folder]; !exists {
			t.Errorf("the diagram has %s, and there is no such package", folder)
		}
	}
}

// Only the package config reads the environment: elsewhere nobody could say where a
// value came from.
func TestOnlyConfigReadsTheEnvironment(t *testing.T) {
	eachModuleFile(t, ".go", func(name string) {
		if !strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, commandFolder+"/internal/config/") || strings.HasSuffix(name, "_test.go") {
			return
		}
		ast.Inspect(parseSource(t, name), func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Getenv", "LookupEnv", "Environ"}, call.Sel.Name) {
				return true
			}
			if from, ok := call.X.(*ast.Ident); ok && from.Name == "os" {
				t.Errorf("%s calls os.%s", name, call.Sel.Name)
			}
			return true
		})
	})
}

// packageImports returns the module's packages by folder, each with all that its code
// imports, tests left out.
func packageImports(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	eachModuleFile(t, ".go", func(name string) {
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(moduleRoot, name), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		folder := path.Dir(name)
		imports := found[folder]
		for _, spec := range file.Imports {
			imports = append(imports, strings.Trim(spec.Path.Value, `"`))
		}
		found[folder] = slices.Compact(slices.Sorted(slices.Values(imports)))
	})
	return found
}

// eachModuleFile calls visit with every file of the module whose name has the
// suffix, by its path from the module's root with slashes.
func eachModuleFile(t *testing.T, suffix string, visit func(name string)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(moduleRoot), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata") {
			return fs.SkipDir
		}
		if !entry.IsDir() && strings.HasSuffix(name, suffix) {
			visit(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
