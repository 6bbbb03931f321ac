package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/notify"
	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/mapping"
	"opscom-import/report"
)

// The reference pages must name everything that exists, and nothing else.

// sameWords reports each word that only one of the two lists has.
func sameWords(t *testing.T, what string, documented, existing []string) {
	t.Helper()
	if len(existing) == 0 {
		t.Fatalf("%s: the code has none, so this test does not see them", what)
	}
	for _, word := range existing {
		if !slices.Contains(documented, word) {
			t.Errorf("%s: %q is not documented", what, word)
		}
	}
	for _, word := range documented {
		if !slices.Contains(existing, word) {
			t.Errorf("%s: %q is documented, and does not exist", what, word)
		}
	}
}

func parseSource(t *testing.T, name string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(moduleRoot, name), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// stringsIn returns the texts of the string literals below a node.
func stringsIn(t *testing.T, node ast.Node) []string {
	t.Helper()
	var texts []string
	ast.Inspect(node, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
		return true
	})
	return texts
}

// constants returns the texts of a file's constants of a type.
func constants(t *testing.T, name, typeName string) []string {
	t.Helper()
	var texts []string
	ast.Inspect(parseSource(t, name), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typeName {
			texts = append(texts, stringsIn(t, spec)...)
		}
		return true
	})
	return texts
}

func TestEveryRuleIsDocumented(t *testing.T) {
	p := readPage(t, "docs/reference/rules.md")
	var rules []string
	for _, spec := range mapping.Rules() {
		rules = append(rules, string(spec.Rule))
		severity := spec.Severities[0].String()
		if len(spec.Severities) > 1 {
			severity += ", or warning"
		}
		row := fmt.Sprintf("| [`%[1]s`](#%[1]s) | %[2]s |", spec.Rule, severity)
		if !slices.ContainsFunc(p.section(t, "# Rules"), func(line string) bool { return strings.HasPrefix(line, row) }) {
			t.Errorf("rules.md has no row %s", row)
		}
	}
	sameWords(t, "every constant has its row in mapping.Rules", constants(t, "mapping/rule.go", "Rule"), rules)
	sameWords(t, "rules.md, sections", p.headings("## "), rules)
	sameWords(t, "rules.md, table", firstColumn(p.section(t, "# Rules")), rules)
}

func TestEveryStatusIsDocumented(t *testing.T) {
	var statuses []string
	for _, status := range importer.Statuses() {
		statuses = append(statuses, string(status))
	}
	p := readPage(t, "docs/reference/statuses.md")
	sameWords(t, "statuses.md", firstColumn(p.section(t, "# Statuses and the receipt")), statuses)
}

func TestEveryRunStateIsDocumented(t *testing.T) {
	p := readPage(t, "docs/reference/commands.md")
	var documented []string
	for _, word := range firstColumn(p.section(t, "### runs")) {
		if !strings.HasPrefix(word, "--") {
			documented = append(documented, word)
		}
	}
	sameWords(t, "commands.md, states of a run", documented, runStates(t))
}

// codesInSource returns the exit codes that the program can end with.
func codesInSource(t *testing.T) []string {
	t.Helper()
	var codes []string
	ast.Inspect(parseSource(t, "cmd/opscom-import/internal/app/exit.go"), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "Exit") && len(spec.Values) == 1 {
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok && literal.Kind == token.INT {
				codes = append(codes, literal.Value)
			}
		}
		return true
	})
	return codes
}

func TestEveryExitCodeIsDocumented(t *testing.T) {
	codes := codesInSource(t)
	sameWords(t, "commands.md, exit codes", firstColumn(readPage(t, "docs/reference/commands.md").section(t, "## Exit codes")), codes)
	sameWords(t, "scheduled-runs.md, exit codes", firstColumn(readPage(t, "docs/guide/scheduled-runs.md").section(t, "## Exit codes")), codes)
}

// commands yields every command below root with its path without root's name.
func commands(root *cobra.Command) iter.Seq2[string, *cobra.Command] {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return func(yield func(string, *cobra.Command) bool) { visitCommands(root, "", yield) }
}

func visitCommands(c *cobra.Command, prefix string, yield func(string, *cobra.Command) bool) bool {
	for _, child := range c.Commands() {
		name := strings.TrimSpace(prefix + " " + child.Name())
		if !yield(name, child) || !visitCommands(child, name, yield) {
			return false
		}
	}
	return true
}

// flagNames returns every flag of every command, with its dashes.
func flagNames(root *cobra.Command) []string {
	names := map[string]bool{"--help": true}
	note := func(f *pflag.Flag) { names["--"+f.Name] = true }
	root.PersistentFlags().VisitAll(note)
	for _, c := range commands(root) {
		c.Flags().VisitAll(note)
	}
	return slices.Sorted(maps.Keys(names))
}

func TestEveryCommandAndFlagIsDocumented(t *testing.T) {
	root, _ := newRoot(streams{})
	p := readPage(t, "docs/reference/commands.md")
	text := p.text()
	for name := range commands(root) {
		if !regexp.MustCompile(`(?m)^    opscom-import ` + name + `\b`).MatchString(text) {
			t.Errorf("commands.md does not show %q", "opscom-import "+name)
		}
	}
	for _, flag := range flagNames(root) {
		if !strings.Contains(text, "`"+flag+"`") {
			t.Errorf("commands.md does not explain %s", flag)
		}
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	p := readPage(t, "docs/reference/commands.md")
	for _, row := range config.All(config.Environment{}) {
		begin := "| `--" + row.Flag + "` | `" + row.Variable() + "` | `" + row.Key() + "` | "
		i := slices.IndexFunc(p.lines, func(line string) bool { return strings.HasPrefix(line, begin) })
		if i < 0 {
			t.Errorf("commands.md has no line that begins with %q", begin)
			continue
		}
		byDefault, _, _ := strings.Cut(strings.TrimPrefix(p.lines[i], begin), " |")
		if row.Switch && byDefault != "off" || row.Default != "" && !strings.HasPrefix(byDefault, "`"+row.Default+"`") {
			t.Errorf("commands.md says that --%s is %s by default; it is %q", row.Flag, byDefault, row.Default)
		}
	}
}

func TestConfigFileIsDocumentedWhole(t *testing.T) {
	p := readPage(t, "docs/reference/commands.md")
	var example strings.Builder
	for _, line := range p.section(t, "### The config file") {
		if text, isCode := strings.CutPrefix(line, "    "); isCode {
			example.WriteString(text + "\n")
		}
	}
	var entries map[string]string
	if err := yaml.Unmarshal([]byte(example.String()), &entries); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, row := range config.All(config.Environment{}) {
		keys = append(keys, row.Key())
	}
	sameWords(t, "commands.md, config file", slices.Collect(maps.Keys(entries)), keys)
}

// No page names a command, a flag or a variable that does not exist.
func TestPagesNameOnlyWhatExists(t *testing.T) {
	root, _ := newRoot(streams{})
	known := slices.Collect(maps.Keys(maps.Collect(commands(root))))
	flags := append(flagNames(root), "--include", "--label") // of grep and secret-tool
	variables := []string{config.TokenVariable, config.FileVariable, config.JournalKeyVariable}
	variables = append(variables, "OPSCOM_CORPUS", "OPSCOM_AXE", "OPSCOM_PACKAGES") // for tests
	variables = append(variables, notify.Variables()...)
	for _, row := range config.All(config.Environment{}) {
		variables = append(variables, row.Variable())
	}
	flagWord := regexp.MustCompile(`(?:^|[^-\w])(--[a-z][a-z-]+)`)
	variableWord := regexp.MustCompile(`OPSCOM_[A-Z][A-Z_]*`)
	commandWord := regexp.MustCompile(`(?:^|[ /])opscom-import ([a-z]+)`)
	for _, p := range allPages(t) {
		for _, match := range flagWord.FindAllStringSubmatch(p.text(), -1) {
			isOldName := p.name == "docs/CHANGELOG.md" && match[1] == "--account"
			if !isOldName && !slices.Contains(flags, match[1]) {
				t.Errorf("%s names the flag %s, which does not exist", p.name, match[1])
			}
		}
		for _, word := range variableWord.FindAllString(p.text(), -1) {
			if !slices.Contains(variables, word) {
				t.Errorf("%s names the variable %s, which does not exist", p.name, word)
			}
		}
		for _, code := range p.code() {
			for _, match := range commandWord.FindAllStringSubmatch(code, -1) {
				if !slices.Contains(known, match[1]) {
					t.Errorf("%s shows the command %q, which does not exist", p.name, match[1])
				}
			}
		}
	}
}

func TestEveryMappingKeyIsDocumented(t *testing.T) {
	p := readPage(t, "docs/reference/mapping.md")
	headings := map[string]string{"version": "### At the top", "sheet": "### In `source`", "column": "### In a field"}
	seen := 0
	for _, name := range []string{"mapping/parse.go", "mapping/parse_field.go"} {
		ast.Inspect(parseSource(t, name), func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			callee, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || callee.Sel.Name != "knownKeys" {
				return true
			}
			var known []string
			for _, argument := range call.Args[2:] { // after the pairs and where they stand
				known = append(known, stringsIn(t, argument)...)
			}
			seen++
			sameWords(t, "mapping.md, "+headings[known[0]], firstColumn(p.section(t, headings[known[0]])), known)
			return true
		})
	}
	if seen != len(headings) {
		t.Errorf("the parser has %d lists of keys, and %d are documented", seen, len(headings))
	}
}

// Everything that the section notify of the config file can have, and that its targets
// get, is in the tables of its section of the page.
func TestNotifyIsDocumented(t *testing.T) {
	lines := readPage(t, "docs/reference/commands.md").section(t, "### Who is told")
	var existing []string
	ast.Inspect(parseSource(t, "cmd/opscom-import/internal/config/notify.go"), func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if callee, ok := call.Fun.(*ast.SelectorExpr); ok && callee.Sel.Name == "entries" {
			for _, argument := range call.Args[2:] { // after the node and its name
				existing = append(existing, stringsIn(t, argument)...)
			}
		}
		return true
	})
	existing = append(existing, "mail", "webhook", "healthcheck", "command")
	existing = append(existing, constants(t, "cmd/opscom-import/internal/config/notify.go", "NotifyEvent")...)
	existing = append(existing, notify.Variables()...)
	existing = append(existing, notify.Members()...)
	sameWords(t, "commands.md, notify", firstColumn(lines), existing)
}

// declaration returns the declaration of a function.
func declaration(t *testing.T, file, function string) *ast.FuncDecl {
	t.Helper()
	for _, d := range parseSource(t, file).Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == function {
			return f
		}
	}
	t.Fatalf("%s has no function %s", file, function)
	return nil
}

func TestEveryTransformIsDocumented(t *testing.T) {
	transforms := []string{"pad:9"}
	ast.Inspect(declaration(t, "mapping/internal/transform/transform.go", "NewSet"), func(n ast.Node) bool {
		if pair, ok := n.(*ast.KeyValueExpr); ok {
			transforms = append(transforms, stringsIn(t, pair.Key)...)
		}
		return true
	})
	sameWords(t, "mapping.md, transforms", firstColumn(readPage(t, "docs/reference/mapping.md").section(t, "## Transforms")), transforms)
}

func TestMappingExamplesAreValid(t *testing.T) {
	p := readPage(t, "docs/reference/mapping.md")
	examples := p.fences("yaml")
	if len(examples) < 3 {
		t.Fatalf("mapping.md has only %d examples", len(examples))
	}
	for i, example := range examples {
		name := "mapping.md, example " + strconv.Itoa(i+1)
		file, err := mapping.Parse(name, []byte(example))
		if err != nil {
			t.Error(err)
			continue
		}
		types := []mapping.UserType{{ID: "1", Name: "Full Time Student"}, {ID: "2", Name: "Part Time Student"}, {ID: "4", Name: "Staff"}, {ID: "6", Name: "Visitor"}}
		_, err = mapping.Compile(file, file.Source.Headers, mapping.Options{UserTypes: types, UserTypesKnown: true, Today: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestEveryFaultIsDocumented(t *testing.T) {
	_, err := sandbox.ParseFaults("none-such=1")
	if err == nil {
		t.Fatal("an unknown fault is taken")
	}
	_, list, _ := strings.Cut(err.Error(), "The faults are ")
	p := readPage(t, "docs/reference/sandbox.md")
	lines := p.section(t, "## Faults")
	sameWords(t, "sandbox.md, faults", firstColumn(lines), strings.Split(list, ", "))
	for _, line := range lines {
		for _, span := range spans(line) {
			if strings.Contains(span, "=") {
				if _, err := sandbox.ParseFaults(span); err != nil {
					t.Errorf("sandbox.md, example %q: %v", span, err)
				}
			}
		}
	}
}

// jsonKeys returns the keys of a JSON object.
func jsonKeys(t *testing.T, object []byte) []string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		t.Fatal(err)
	}
	return slices.Collect(maps.Keys(members))
}

func TestEveryKeyAndColumnOfAFileIsDocumented(t *testing.T) {
	files := readPage(t, "docs/reference/files.md")

	var summary bytes.Buffer
	if err := (report.Receipt{Command: "push"}).WriteJSON(&summary); err != nil {
		t.Fatal(err)
	}
	sameWords(t, "files.md, JSON summary", firstColumn(files.section(t, "## The JSON summary")), jsonKeys(t, summary.Bytes()))

	var results bytes.Buffer
	if _, err := report.WriteResults(report.To("-", &results), func(func(importer.Result, error) bool) {}); err != nil {
		t.Fatal(err)
	}
	columns := strings.Split(strings.TrimSpace(strings.TrimPrefix(results.String(), "\uFEFF")), ",")
	sameWords(t, "files.md, results", firstColumn(files.section(t, "### Results")), columns)

	entry, err := json.Marshal(sandbox.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	sameWords(t, "sandbox.md, request log", firstColumn(readPage(t, "docs/reference/sandbox.md").section(t, "## The request log")), jsonKeys(t, entry))
}

func TestEveryAttributeIsDocumented(t *testing.T) {
	var lines []string
	for _, spec := range mapping.Attributes() {
		label, limit := spec.Label, "–"
		if spec.Required {
			label += ", required"
		}
		switch {
		case spec.MaxChars > 0:
			limit = strconv.Itoa(spec.MaxChars)
		case spec.Kind == mapping.TextKind:
			limit = "none published"
		}
		lines = append(lines, "| "+label+" | `"+strings.Join(spec.Names, "`, `")+"` | "+limit+" | ")
	}
	documented := readPage(t, "docs/reference/api.md").section(t, "## Attributes")
	for _, begin := range lines {
		if !slices.ContainsFunc(documented, func(line string) bool { return strings.HasPrefix(line, begin) }) {
			t.Errorf("api.md has no line that begins with %q", begin)
		}
	}
	if rows := len(firstColumn(documented)); rows != len(lines) {
		t.Errorf("api.md has %d attributes, and there are %d", rows, len(lines))
	}
}
