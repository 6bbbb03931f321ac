package config

import (
	"fmt"
	"strings"
)

// maxSecretFile is the most bytes that a file with a password or an address may have.
// Excel takes 255 characters.
const maxSecretFile = 1 << 10

// WithPassword returns the settings with a password of protected workbooks that a person
// has typed. It is in no file, and wins over the one of the password file.
func (s Settings) WithPassword(password string) Settings {
	s.password = password
	return s
}

// Password returns the password of protected workbooks: what was typed, else all that the
// password file holds but the end of its line, "" without either. No error holds any of it.
func (s Settings) Password() (password string, err error) {
	if s.password != "" || s.PasswordFile == "" {
		return s.password, nil
	}
	return readSecret("password", s.PasswordFile)
}

// readSecret returns all that a file with a secret holds but the end of its line; what
// names the secret. No error holds any of it.
func readSecret(what, path string) (string, error) {
	text, err := readAtMost(what, path, maxSecretFile+1)
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(strings.TrimPrefix(string(text), "\uFEFF"), "\r\n")
	if secret == "" || len(text) > maxSecretFile || strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("the %s file %s does not hold one %s on one line", what, path, what)
	}
	return secret, nil
}
