package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v4"

	"opscom-import/mapping"
)

// section reads a part of the config file that has parts of its own. It collects what is
// wrong, each with its line. It quotes no value but a list's words: one could be a secret in
// the wrong place.
type section struct {
	file     string // path of the config file
	mistakes []error
}

func (s *section) wrong(at *yaml.Node, format string, args ...any) {
	s.mistakes = append(s.mistakes, fmt.Errorf("%s:%d: %w", s.file, at.Line, fmt.Errorf(format, args...)))
}

func (s *section) err() error { return errors.Join(s.mistakes...) }

// entry is a key of a section, and its value.
type entry struct {
	name  *yaml.Node
	value *yaml.Node
}

// entries returns the entries of a node, by key; what names the node. Their keys must be
// among the known ones, and have values.
func (s *section) entries(node *yaml.Node, what string, known ...string) map[string]entry {
	if node.Kind != yaml.MappingNode {
		s.wrong(node, "%s takes keys with values, such as {%s: …}", what, known[0])
		return nil
	}
	found := make(map[string]entry)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		earlier, again := found[key.Value]
		switch near := mapping.Nearest(key.Value, known); {
		case !slices.Contains(known, key.Value) && isTokenKey(key.Value):
			s.wrong(key, "a secret does not belong in the config file, which others may see: put it into a file of its own, and name that with password_file or url_file")
		case !slices.Contains(known, key.Value) && near != "":
			s.wrong(key, "%s has no key %q; the nearest is %q", what, key.Value, near)
		case !slices.Contains(known, key.Value):
			s.wrong(key, "%s has no key %q; its keys are %s", what, key.Value, listed(known))
		case again:
			s.wrong(key, "%s is already given in line %d; remove one of the two", key.Value, earlier.name.Line)
		case value.Tag == "!!null":
			s.wrong(key, "%s has no value; give one, or remove it", key.Value)
		default:
			found[key.Value] = entry{key, value}
		}
	}
	return found
}

// text returns a value that is one text, "" where there is none.
func (s *section) text(e entry) string {
	if e.name == nil {
		return ""
	}
	if e.value.Kind != yaml.ScalarNode || e.value.Value == "" {
		s.wrong(e.name, "%s takes one value", e.name.Value)
		return ""
	}
	return e.value.Value
}

// texts returns a value that is one text or a list of them.
func (s *section) texts(e entry) []string {
	if e.name == nil || e.value.Kind == yaml.ScalarNode && e.value.Value != "" {
		if text := s.text(e); text != "" {
			return []string{text}
		}
		return nil
	}
	var texts []string
	for _, item := range e.value.Content {
		if e.value.Kind != yaml.SequenceNode || item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			s.wrong(e.name, "%s takes a list of values, such as [one, two]", e.name.Value)
			return nil
		}
		texts = append(texts, item.Value)
	}
	if len(texts) == 0 {
		s.wrong(e.name, "%s has no value; give one, or remove it", e.name.Value)
	}
	return texts
}

// word returns a value that is one of the words, the first where there is none.
func (s *section) word(e entry, words ...string) string {
	text := s.text(e)
	if text == "" {
		return words[0]
	}
	if !slices.Contains(words, text) {
		s.wrong(e.name, "%s is not one of %s", e.name.Value, listed(words))
	}
	return text
}

// yes returns a value that is true or false, false where there is none.
func (s *section) yes(e entry) bool {
	text := s.text(e)
	if text == "" {
		return false
	}
	value, err := parseSwitch(text)
	if err != nil {
		s.wrong(e.name, "%s is neither true nor false", e.name.Value)
	}
	return value
}

// path returns a path, which in the file is relative to its folder.
func (s *section) path(e entry) string {
	path := s.text(e)
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(s.file), path)
}

// command returns a program and its arguments, which are started without a shell.
func (s *section) command(e entry) []string {
	command := s.texts(e)
	if len(command) > 0 && command[0] == "" {
		s.wrong(e.name, "%s begins with the path of a program", e.name.Value)
	}
	return command
}

// readCommand reads a key of the config file whose value is a command.
func readCommand(file string, key, value *yaml.Node) ([]string, error) {
	s := &section{file: file}
	return s.command(entry{key, value}), s.err()
}
