package config

import (
	"bytes"
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

// The config file's name, and the variable that names another one.
const (
	FileName     = "opscom-import.yaml"
	FileVariable = variablePrefix + "CONFIG"
)

const maxFileBytes = 1 << 20

// findFile returns the path of the config file, "" for none, and why it is that one: it is
// asked for, else it is in the working folder, else it is the user's.
func findFile(flags *pflag.FlagSet, env Environment) (path, why string, err error) {
	if flags.Changed("config") {
		path, err = flags.GetString("config")
		return path, "--config", err
	}
	if asked := env.Get(FileVariable); asked != "" {
		return asked, FileVariable, nil
	}
	candidates := [][2]string{{filepath.Join(env.WorkDir, FileName), "in the working folder"}}
	if env.ConfigDir != "" {
		candidates = append(candidates, [2]string{filepath.Join(env.ConfigDir, "opscom-import", FileName), "in your config folder"})
	}
	for _, candidate := range candidates {
		switch _, err := os.Stat(candidate[0]); {
		case err == nil:
			return candidate[0], candidate[1], nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", "", fmt.Errorf("look for the config file: %w", err)
		}
	}
	return "", "", nil
}

// configFile is what a config file holds.
type configFile struct {
	values map[string]given
	notify []NotifyTarget
	jobs   []jobSection

	tokenCommand, journalKeyCommand []string
}

// sectionKeys are the keys of the config file that are no settings.
func sectionKeys() []string {
	return []string{notifyKey, jobsKey, tokenCommandKey, journalKeyCommandKey}
}

// readFile reads the config file, none for the path "".
func readFile(path string, table []Setting) (file configFile, err error) {
	if path == "" {
		return file, nil
	}
	root, err := loadYAML(path)
	if err != nil || root == nil {
		return file, err
	}
	if root.Kind != yaml.MappingNode {
		return file, fmt.Errorf("%s:%d: the config file is a list of settings, each on a line such as \"client: OC_TOMA\"", path, root.Line)
	}
	file.values = make(map[string]given)
	lines := make(map[string]int)
	var mistakes []error
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		setting, err := checkEntry(key, value, table, lines)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: %w", path, key.Line, err))
			continue
		}
		lines[key.Value] = key.Line
		switch key.Value {
		case notifyKey:
			file.notify, err = readNotify(path, value)
			mistakes = append(mistakes, err)
			continue
		case jobsKey:
			file.jobs, err = readJobs(path, value, table)
			mistakes = append(mistakes, err)
			continue
		case tokenCommandKey:
			file.tokenCommand, err = readCommand(path, key, value)
			mistakes = append(mistakes, err)
			continue
		case journalKeyCommandKey:
			file.journalKeyCommand, err = readCommand(path, key, value)
			mistakes = append(mistakes, err)
			continue
		}
		text := value.Value
		if setting.path && text != "" && text != "-" && !filepath.IsAbs(text) {
			text = filepath.Join(filepath.Dir(path), text)
		}
		file.values[key.Value] = given{text, fmt.Sprintf("%s:%d: %s", path, key.Line, key.Value)}
	}
	return file, errors.Join(mistakes...)
}

// loadYAML returns the root of the file's only document, nil for an empty file.
func loadYAML(path string) (*yaml.Node, error) {
	data, err := readAtMost("config", path, maxFileBytes+1)
	if err != nil {
		return nil, err
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("%s is larger than 1 MiB, which is not a config file", path)
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
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
		return nil, fmt.Errorf("%s:%d: the config file is one document; remove the line ---", path, next.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, notYAML(path, err)
	}
	return document.Content[0], nil
}

// readAtMost returns the beginning of a file; what says which one it is.
func readAtMost(what, path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fileError(what, path, err)
	}
	defer file.Close() // only read
	data, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return nil, fileError(what, path, err)
	}
	return data, nil
}

// notYAML names the line that cannot be read. The parser's own message is left
// out: it can quote the file, and so a secret.
func notYAML(path string, err error) error {
	place := path
	if at := new(yaml.LoadError); errors.As(err, &at) && at.Mark.Line > 0 {
		place = fmt.Sprintf("%s:%d", path, at.Mark.Line)
	}
	return fmt.Errorf(`%s: this cannot be read as YAML; write each setting on a line as "key: value", and quote a value that has special characters`, place)
}

// isTokenKey reports whether the key is a name under which people try to keep the
// token.
func isTokenKey(key string) bool {
	folded := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(key))
	return slices.Contains([]string{"token", "apitoken", "opscomapitoken", "apikey", "password", "secret"}, folded)
}

// checkEntry returns the setting that an entry of the config file gives, or what is
// wrong with the entry. It never quotes a value, which could be a secret in the
// wrong place.
func checkEntry(key, value *yaml.Node, table []Setting, lines map[string]int) (Setting, error) {
	i := slices.IndexFunc(table, func(s Setting) bool { return s.Key() == key.Value })
	switch {
	case strings.EqualFold(key.Value, "journal_key"):
		return Setting{}, fmt.Errorf("the journal's keys do not belong in the config file, which others may see: set %s, or name a file with journal_key_file, or a command with %s", JournalKeyVariable, journalKeyCommandKey)
	case isTokenKey(key.Value):
		return Setting{}, fmt.Errorf("the token does not belong in the config file, which others may see: set %s, or name a file with token_file, or keep it in the system's keyring", TokenVariable)
	case i < 0 && !slices.Contains(sectionKeys(), key.Value):
		if near := mapping.Nearest(key.Value, append(keys(table), sectionKeys()...)); near != "" {
			return Setting{}, fmt.Errorf("there is no setting %q; the nearest is %q", key.Value, near)
		}
		return Setting{}, fmt.Errorf("there is no setting %q; \"opscom-import help push\" lists them", key.Value)
	case lines[key.Value] != 0:
		return Setting{}, fmt.Errorf("%s is already set in line %d; remove one of the two", key.Value, lines[key.Value])
	case value.Tag == "!!null":
		return Setting{}, fmt.Errorf("%s has no value; give one, or remove the line", key.Value)
	case i < 0:
		return Setting{}, nil
	case value.Kind != yaml.ScalarNode:
		return Setting{}, fmt.Errorf("%s takes one value, not a list", key.Value)
	default:
		return table[i], nil
	}
}

// fileError says which file cannot be read, and why: the path only once.
func fileError(what, path string, err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fmt.Errorf("the %s file %s cannot be read: %w", what, path, err)
}
