package config

import (
	"fmt"
	"strings"
)

// maxPasswordFile is the most bytes that a file with a password may have. Excel
// takes 255 characters.
const maxPasswordFile = 1 << 10

// WithPassword returns the settings with a password of protected workbooks that a person
// has typed. It is in no file, and wins over the one of the password file.
func (s Settings) WithPassword(password string) Settings {
	s.password = password
	return s
}

// Password returns the password of protected workbooks: what was typed, else all that the
// password file holds but the end of its line, "" without either. No error holds any of it.
func (s Settings) Password() (password string, err error) {
	path := s.PasswordFile
	if s.password != "" || path == "" {
		return s.password, nil
	}
	text, err := readAtMost("password", path, maxPasswordFile+1)
	if err != nil {
		return "", err
	}
	password = strings.TrimRight(strings.TrimPrefix(string(text), "\uFEFF"), "\r\n")
	if password == "" || len(text) > maxPasswordFile || strings.ContainsAny(password, "\r\n") {
		return "", fmt.Errorf("the password file %s does not hold one password on one line", path)
	}
	return password, nil
}
