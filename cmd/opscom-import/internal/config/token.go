package config

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	File    string // "" for none, and for a pipe

	again func(context.Context) (Token, error) // nil for a place that has its token once
}

// CanChange reports whether the place may have another token later.
func (t Token) CanChange() bool { return t.again != nil }

// ReadAgain returns the token that its place has now.
func (t Token) ReadAgain(ctx context.Context) (Token, error) { return t.again(ctx) }

// tokenCommandKey is the config file's key of the command that prints the token of a client.
const tokenCommandKey = "token_command"

// clientWord stands for the client code in the arguments of that command.
const clientWord = "{client}"

// ForClient returns the settings for another client code. Places that have one token for
// whatever client do not count then: only the folder of tokens, the command and the keyring.
func (s Settings) ForClient(client string) (Settings, error) {
	if err := controller.CheckClient(client); err != nil {
		return Settings{}, err
	}
	if client != s.Client {
		s.Client, s.TokenFile, s.ownToken = client, "", true
	}
	return s, nil
}

// SandboxToken returns the text of the API token in the environment, "" when it is
// not set: the command sandbox asks its clients for it.
func (s Settings) SandboxToken() string { return s.getenv(TokenVariable) }

// FindToken looks for the API token in the file that the command line names, or the folder,
// then in the environment, then in the file or the folder that the other settings name, then
// asks the command of the config file, then the system's keyring. It is never on a command
// line or in a config file, and no error holds any of it.
func (s Settings) FindToken(ctx context.Context) (Token, error) {
	inEnvironment := s.getenv(TokenVariable)
	switch {
	case s.TokenFile != "" && (s.Origin("token_file") == "--token-file" || s.ownToken):
		return tokenFromFile(s.TokenFile)
	case s.TokenFolder != "" && s.Origin("token_folder") == "--token-folder":
		return s.tokenFromFolder()
	case !s.ownToken && strings.TrimSpace(inEnvironment) != "":
		found, err := newToken([]byte(inEnvironment), TokenVariable)
		if err != nil {
			return Token{}, fmt.Errorf("%s %w", TokenVariable, err)
		}
		return found, nil
	case s.TokenFile != "":
		return tokenFromFile(s.TokenFile)
	case s.TokenFolder != "":
		return s.tokenFromFolder()
	case len(s.TokenCommand) > 0:
		return s.tokenFromCommand(ctx)
	default:
		found, err := tokenFromKeyring(s.Client)
		if err != nil && s.ownToken {
			return Token{}, fmt.Errorf("there is no token for %s: name a folder with a file for each client with --token-folder, or a program with %s in the config file", s.Client, tokenCommandKey)
		}
		return found, err
	}
}

// ClientTokenFile returns the client's file in the folder of tokens, "" without a folder or a
// client. It lies in the folder itself: client codes that would lead elsewhere have none.
func (s Settings) ClientTokenFile() string {
	if s.TokenFolder == "" || controller.CheckClient(s.Client) != nil || !filepath.IsLocal(s.Client) || strings.Contains(s.Client, ":") {
		return ""
	}
	return filepath.Join(s.TokenFolder, s.Client)
}

func (s Settings) tokenFromFolder() (Token, error) {
	path := s.ClientTokenFile()
	switch {
	case s.Client == "":
		return Token{}, fmt.Errorf("there is no client code to look for in the token folder %s", s.TokenFolder)
	case path == "":
		return Token{}, fmt.Errorf("the client code %q cannot be the name of a file in the token folder", s.Client)
	}
	found, err := tokenFromFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Token{}, fmt.Errorf("there is no token for %s: put it into a file %s", s.Client, path)
	}
	return found, err
}

// tokenFromCommand asks the command for the client's token.
func (s Settings) tokenFromCommand(ctx context.Context) (Token, error) {
	if s.Client == "" {
		return Token{}, fmt.Errorf("there is no client code to ask %s for", tokenCommandKey)
	}
	if controller.CheckClient(s.Client) != nil || strings.HasPrefix(s.Client, "-") {
		return Token{}, fmt.Errorf("the client code %q cannot be an argument of %s", s.Client, tokenCommandKey)
	}
	command := []string{s.TokenCommand[0]}
	for _, argument := range s.TokenCommand[1:] {
		command = append(command, strings.ReplaceAll(argument, clientWord, s.Client))
	}
	text, err := s.output(ctx, command, maxTokenBytes+1)
	if err != nil {
		return Token{}, fmt.Errorf("%s for %s: %w", tokenCommandKey, s.Client, err)
	}
	found, err := newToken(text, "the program "+command[0])
	if err != nil {
		return Token{}, fmt.Errorf("what the program of %s prints for %s %w", tokenCommandKey, s.Client, err)
	}
	found.again = s.tokenFromCommand
	return found, nil
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
		found.again = func(context.Context) (Token, error) { return tokenFromFile(path) }
	}
	if isExposed(info) {
		found.Warning = fmt.Sprintf("Others on this machine can read the token file %s: run \"chmod 600 %s\".", path, path)
	}
	return found, nil
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
