package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"opscom-import/mapping"
)

const (
	configName     = "opscom-import.yaml"
	configVariable = "OPSCOM_CONFIG"
	maxConfigBytes = 1 << 20
)

// findConfig returns the path of the config file, "" for none: the one that is
// asked for, else the one in the working folder, else the user's.
func findConfig(flags *pflag.FlagSet, in surroundings) (string, error) {
	if flags.Changed("config") {
		return flags.GetString("config")
	}
	if asked := lookup(in.environ, configVariable); asked != "" {
		return asked, nil
	}
	candidates := []string{filepath.Join(in.workDir, configName)}
	if in.configDir != "" {
		candidates = append(candidates, filepath.Join(in.configDir, "opscom-import", configName))
	}
	for _, path := range candidates {
		switch _, err := os.Stat(path); {
		case err == nil:
			return path, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("look for the config file: %w", err)
		}
	}
	return "", nil
}

// readConfig reads the config file: the values by key as they are written, and
// the line of each. Koanf's own parsers know no lines.
func readConfig(path string, table []setting) (values map[string]any, lines map[string]int, err error) {
	values, lines = make(map[string]any), make(map[string]int)
	if path == "" {
		return values, lines, nil
	}
	root, err := loadYAML(path)
	if err != nil || root == nil {
		return values, lines, err
	}
	if root.Kind != yaml.MappingNode {
		return nil, nil, fmt.Errorf("%s:%d: the config file is a list of settings, each on a line such as \"client: OC_TOMA\"", path, root.Line)
	}
	var mistakes []error
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if err := checkEntry(key, value, table, lines); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: %w", path, key.Line, err))
			continue
		}
		lines[key.Value] = key.Line
		values[key.Value] = fromFolder(value.Value, filepath.Dir(path), isPath(table, key.Value))
	}
	return values, lines, errors.Join(mistakes...)
}

// loadYAML returns the root of the file's only document, nil for an empty file.
func loadYAML(path string) (*yaml.Node, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the config file: %w", err)
	}
	defer file.Close() // only read
	data, err := io.ReadAll(io.LimitReader(file, maxConfigBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the config file: %w", err)
	}
	if len(data) > maxConfigBytes {
		return nil, fmt.Errorf("%s is larger than 1 MiB, which is not a config file", path)
	}
	loader, err := yaml.NewLoader(strings.NewReader(string(data)))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var document, next yaml.Node
	if err := loader.Load(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, notYAML(path, err)
	}
	if err := loader.Load(&next); err == nil {
		return nil, fmt.Errorf("%s:%d: the config file is one document; take out the line ---", path, next.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, notYAML(path, err)
	}
	return document.Content[0], nil
}

// notYAML names the line that cannot be read. The parser's own message is left
// out: it can quote the file, and so a secret.
func notYAML(path string, err error) error {
	place := path
	if at := new(yaml.LoadError); errors.As(err, &at) && at.Mark.Line > 0 {
		place = fmt.Sprintf("%s:%d", path, at.Mark.Line)
	}
	return fmt.Errorf(`%s: this cannot be read as YAML; a setting stands on a line as "key: value", and a value with special characters in quotes`, place)
}

// isTokenKey reports whether the key is a name under which people try to keep the
// token.
func isTokenKey(key string) bool {
	folded := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(key))
	return slices.Contains([]string{"token", "apitoken", "opscomapitoken", "apikey", "password", "secret"}, folded)
}

// checkEntry says what is wrong with one entry of the config file. It never
// quotes a value, which could be a secret in the wrong place.
func checkEntry(key, value *yaml.Node, table []setting, lines map[string]int) error {
	switch {
	case isTokenKey(key.Value):
		return fmt.Errorf("the token does not belong in the config file, which others may see: set %s, or name a file with token_file, or keep it in the system's keyring", tokenVariable)
	case !hasKey(table, key.Value):
		if near := mapping.Nearest(key.Value, keys(table)); near != "" {
			return fmt.Errorf("there is no setting %q; the nearest is %q", key.Value, near)
		}
		return fmt.Errorf("there is no setting %q; \"opscom-import help push\" lists them", key.Value)
	case lines[key.Value] != 0:
		return fmt.Errorf("%s is set in line %d already; take one out", key.Value, lines[key.Value])
	case value.Kind != yaml.ScalarNode:
		return fmt.Errorf("%s takes one value, not a list", key.Value)
	case value.Tag == "!!null":
		return fmt.Errorf("%s has no value; give one, or take the line out", key.Value)
	default:
		return nil
	}
}

func isPath(table []setting, key string) bool {
	return slices.ContainsFunc(table, func(row setting) bool { return row.isPath && row.key() == key })
}

// fromFolder makes a relative path in a config file relative to that file's folder.
func fromFolder(value, folder string, path bool) string {
	if !path || value == "" || value == "-" || filepath.IsAbs(value) {
		return value
	}
	return filepath.Join(folder, value)
}
