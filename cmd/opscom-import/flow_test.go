package main

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"opscom-import/importer"
)

// flowSteps is how many steps docs/flow.md may have: more than that is not the way
// of a row any more.
const flowSteps = 15

// docs/flow.md follows a row through the code by file and function name.
func TestFlowNamesWhatExists(t *testing.T) {
	names := declaredNames(t)
	for _, name := range strings.Fields("check push approve students.xlsx students.results.csv") {
		names[name] = true
	}
	for _, status := range importer.Statuses() {
		names[string(status)] = true
	}
	for _, state := range runStates(t) {
		names[state] = true
	}
	p := readPage(t, "docs/flow.md")
	for _, line := range p.lines {
		for _, span := range spans(line) {
			if !names[span] {
				t.Errorf("flow.md names %s, which does not exist", span)
			}
		}
	}
}

// docs/CONTRIBUTING.md names what to change by file and type.
func TestContributingNamesWhatExists(t *testing.T) {
	names := declaredNames(t)
	names["io.EOF"] = true
	member := regexp.MustCompile(`^\w+\.\w+$`)
	for _, line := range readPage(t, "docs/CONTRIBUTING.md").lines {
		for _, span := range spans(line) {
			if member.MatchString(span) && !names[span] {
				t.Errorf("CONTRIBUTING.md names %s, which does not exist", span)
			}
		}
	}
}

func TestPagesNameFilesThatExist(t *testing.T) {
	file := regexp.MustCompile(`(?:cmd|importer|mapping|report|samples|docs)/[\w./-]*\.(?:go|md|sh)\b`)
	for _, p := range allPages(t) {
		if filepath.Base(p.name) == "CHANGELOG.md" {
			continue // it names files of earlier versions
		}
		for _, name := range file.FindAllString(p.text(), -1) {
			_, fromRoot := os.Stat(filepath.Join(moduleRoot, name))
			_, fromPage := os.Stat(filepath.Join(moduleRoot, filepath.Dir(p.name), name))
			if fromRoot != nil && fromPage != nil {
				t.Errorf("%s names the file %s, which does not exist", p.name, name)
			}
		}
	}
}

func TestFlowIsShort(t *testing.T) {
	steps := 0
	for _, line := range readPage(t, "docs/flow.md").prose() {
		if regexp.MustCompile(`^\d+\. `).MatchString(line) {
			steps++
		}
	}
	if steps == 0 || steps > flowSteps {
		t.Errorf("flow.md has %d steps; at most %d are a way that can be followed", steps, flowSteps)
	}
}

// runStates returns the texts of the constants of type RunState.
func runStates(t *testing.T) []string {
	t.Helper()
	var states []string
	eachModuleFile(t, ".go", func(name string) {
		if strings.HasPrefix(name, "importer/") && strings.Count(name, "/") == 1 && !strings.HasSuffix(name, "_test.go") {
			states = append(states, constants(t, name, "RunState")...)
		}
	})
	return slices.Compact(states)
}

// declaredNames returns what the program's code declares.
func declaredNames(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	eachModuleFile(t, ".go", func(name string) {
		if !strings.HasSuffix(name, "_test.go") {
			noteNames(parseSource(t, name), names)
		}
	})
	return names
}

// noteNames notes what a file declares: Name, package.Name, Type.Method and
// Type.Field.
func noteNames(file *ast.File, names map[string]bool) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if s, ok := spec.(*ast.TypeSpec); ok {
					noteType(file.Name.Name, s, names)
				}
			}
		case *ast.FuncDecl:
			if d.Recv == nil {
				names[d.Name.Name], names[file.Name.Name+"."+d.Name.Name] = true, true
				continue
			}
			receiver := d.Recv.List[0].Type
			if pointer, ok := receiver.(*ast.StarExpr); ok {
				receiver = pointer.X
			}
			if id, ok := receiver.(*ast.Ident); ok {
				names[id.Name+"."+d.Name.Name] = true
			}
		}
	}
}

// noteType notes a type and the fields of a struct or methods of an interface.
func noteType(pkg string, spec *ast.TypeSpec, names map[string]bool) {
	names[spec.Name.Name], names[pkg+"."+spec.Name.Name] = true, true
	var members *ast.FieldList
	switch body := spec.Type.(type) {
	case *ast.StructType:
		members = body.Fields
	case *ast.InterfaceType:
		members = body.Methods
	default:
		return
	}
	for _, member := range members.List {
		for _, name := range member.Names {
			names[spec.Name.Name+"."+name.Name] = true
		}
	}
}
