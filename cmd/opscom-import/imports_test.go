package main

import (
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

// allowedImports is the picture in docs/CONTRIBUTING.md below the command: for each
// package of the module, by its folder, the others that it may import.
func allowedImports() map[string][]string {
	siblings := []string{"importer/sheet", "importer/controller", "importer/journal", "importer/sandbox", "report"}
	inner := []string{"importer", "mapping"}
	allowed := map[string][]string{
		"mapping":          {},
		"importer":         {"mapping"},
		"samples/generate": inner,
		// a part of the sandbox that only tests need
		"importer/sandbox/audit": append([]string{"importer/sandbox"}, inner...),
	}
	for _, sibling := range siblings {
		allowed[sibling] = inner
	}
	const rooms = "importer/sheet/internal/" // a reader never imports another
	shared := append([]string{rooms + "rows"}, inner...)
	allowed[rooms+"rows"] = inner
	allowed[rooms+"archive"] = shared
	allowed[rooms+"text"] = shared
	allowed[rooms+"webpage"] = shared
	allowed[rooms+"excel"] = append([]string{rooms + "archive"}, shared...)
	allowed["importer/sheet"] = append([]string{rooms + "archive", rooms + "text", rooms + "excel", rooms + "webpage"}, shared...)
	return allowed
}

func TestImportsPointOneWay(t *testing.T) {
	allowed := allowedImports()
	found := packageImports(t)
	for folder, imports := range found {
		if folder == commandFolder || strings.HasPrefix(folder, commandFolder+"/") {
			continue // the top of the picture: it may import anything
		}
		permitted, known := allowed[folder]
		if !known {
			t.Errorf("%s is not in the picture; add it to docs/CONTRIBUTING.md and to this test", folder)
			continue
		}
		for _, target := range imports {
			if !slices.Contains(permitted, target) {
				t.Errorf("%s imports %s, an arrow that the picture does not have", folder, target)
			}
		}
	}
	for folder := range allowed {
		if _, exists := found[folder]; !exists {
			t.Errorf("the picture has %s, and there is no such package", folder)
		}
	}
}

// packageImports returns the module's packages by folder, each with the other
// packages of the module that its code imports, tests left out.
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
			target, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), modulePath+"/")
			if ours && !slices.Contains(imports, target) {
				imports = append(imports, target)
			}
		}
		found[folder] = imports
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
