package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zalando/go-keyring"

	"opscom-import/importer/controller"
)

// keyringService is the name under which the system's keyring keeps tokens; the
// user of an entry is the client code.
const keyringService = "opscom-import"

// maxTokenBytes is far more than any token has.
const maxTokenBytes = 4096

// Token is the API token, and where it was found.
type Token struct {
	controller.Token
	From    string // for a person: a variable, a file or the keyring
	Warning string // what to fix, "" for nothing
	File    string // that can be read again, "" for none: a pipe has its token once
}

// ReadAgain returns the token that its file has now.
func (t Token) ReadAgain() (Token, error) { return tokenFromFile(t.File) }

// SandboxToken returns the text of the API token in the environment, "" when it is
// not set: the command sandbox asks its clients for it.
func (s Settings) SandboxToken() string { return s.getenv(TokenVariable) }

// FindToken looks for the API token in the file that the command line names, then
// in the environment, then in the file that the other settings name, then in the
// system's keyring. It is never on a command line or in a config file, and no error
// holds any of it.
func (s Settings) FindToken() (Token, error) {
	if s.TokenFile != "" && (s.Origin("token_file") == "--token-file" || s.ownToken) {
		return tokenFromFile(s.TokenFile)
	}
	if text := s.getenv(TokenVariable); !s.ownToken && strings.TrimSpace(text) != "" {
		found, err := newToken([]byte(text), TokenVariable)
		if err != nil {
			return Token{}, fmt.Errorf("%s %w", TokenVariable, err)
		}
		return found, nil
	}
	if s.TokenFile != "" {
		return tokenFromFile(s.TokenFile)
	}
	return tokenFromKeyring(s.Client)
}

func tokenFromFile(path string) (Token, error) {
	text, err := readAtMost("token", path, maxTokenBytes+1)
	if err != nil {
		return Token{}, err
	}
	found, err := newToken(text, path)
	if err != nil {
		return Token{}, fmt.Errorf("the token file %s %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return Token{}, fileError("token", path, err)
	}
	if info.Mode().IsRegular() {
		found.File = path
	}
	if isExposed(info) {
		found.Warning = fmt.Sprintf("Others on this machine can read the token file %s: run \"chmod 600 %s\".", path, path)
	}
	return found, nil
}

// isExposed reports whether others on this machine can read a file.
func isExposed(info os.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0
}

func tokenFromKeyring(client string) (Token, error) {
	reason := "there is no client code to look for in the keyring"
	if client != "" {
		text, err := keyring.Get(keyringService, client)
		switch {
		case err == nil:
			found, err := newToken([]byte(text), "the system's keyring")
			if err != nil {
				return Token{}, fmt.Errorf("the keyring's entry for %s %w", client, err)
			}
			return found, nil
		case errors.Is(err, keyring.ErrNotFound):
			reason = "the keyring has none for " + client
		default:
			reason = fmt.Sprintf("no keyring is available (%v)", err)
		}
	}
	return Token{}, fmt.Errorf("no token found: %s. Set %s, or name a file that holds it with --token-file, or store it in the system's keyring as service %s, user %s",
		reason, TokenVariable, keyringService, cmp.Or(client, "the client code"))
}

// newToken trims the space around the token, and a byte order mark before it. The
// error continues after the name of the place, and quotes nothing.
func newToken(text []byte, from string) (Token, error) {
	if len(text) > maxTokenBytes {
		return Token{}, fmt.Errorf("holds more than %d bytes, which is not a token", maxTokenBytes)
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\uFEFF")))
	switch {
	case len(text) == 0:
		return Token{}, errors.New("is empty; put the API token in it")
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		return Token{}, errors.New("is not plain text; save it as UTF-8")
	case bytes.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return Token{}, errors.New("holds more than one word; put nothing but the API token in it")
	}
	return Token{Token: controller.NewToken(string(text)), From: from}, nil
}
