package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"opscom-import/importer/controller"
)

// withVariables returns the settings in an environment with these variables.
func (s Settings) withVariables(variables map[string]string) Settings {
	s.getenv = func(name string) string { return variables[name] }
	return s
}

func writeToken(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := errors.Join(os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindToken(t *testing.T) {
	keyring.MockInit()
	if err := keyring.Set("opscom-import", "OC_TOMA", "from-keyring"); err != nil {
		t.Fatal(err)
	}
	path := writeToken(t, "from-file\n", 0o600)
	inEnv := map[string]string{"OPSCOM_API_TOKEN": " from-env\n"}
	for name, tc := range map[string]struct {
		settings  Settings
		variables map[string]string
		token     string
		from      string
	}{
		"flag before environment":   {Settings{Client: "OC_TOMA", TokenFile: path, origins: map[string]string{"token_file": "--token-file"}}, inEnv, "from-file", path},
		"environment before config": {Settings{Client: "OC_TOMA", TokenFile: path}, inEnv, "from-env", "OPSCOM_API_TOKEN"},
		"config before keyring":     {Settings{Client: "OC_TOMA", TokenFile: path}, nil, "from-file", path},
		"blank variable":            {Settings{Client: "OC_TOMA", TokenFile: path}, map[string]string{"OPSCOM_API_TOKEN": " "}, "from-file", path},
		"keyring":                   {Settings{Client: "OC_TOMA"}, nil, "from-keyring", "the system's keyring"},
		"no client is needed":       {Settings{}, inEnv, "from-env", "OPSCOM_API_TOKEN"},
	} {
		found, err := (tc.settings).withVariables(tc.variables).FindToken(t.Context())
		if err != nil || !reflect.DeepEqual(found.Token, controller.NewToken(tc.token)) || found.From != tc.from || found.Warning != "" {
			t.Errorf("%s: from %q, warning %q, error %v; want %s", name, found.From, found.Warning, err, tc.token)
		}
	}
}

func TestNoToken(t *testing.T) {
	for name, tc := range map[string]struct {
		keyring error // nil for one without entries
		client  string
		want    string
	}{
		"empty keyring": {nil, "OC_TOMA", "the keyring has none for OC_TOMA"},
		"no dbus":       {errors.New("dial unix: no such file"), "OC_TOMA", "no keyring is available (dial unix: no such file)"},
		"no client":     {nil, "", "there is no client code"},
	} {
		keyring.MockInit()
		if tc.keyring != nil {
			keyring.MockInitWithError(tc.keyring)
		}
		_, err := (Settings{Client: tc.client}).withVariables(nil).FindToken(t.Context())
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range []string{tc.want, "no token found", "OPSCOM_API_TOKEN", "--token-file", "service opscom-import"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q lacks %q", name, err, want)
			}
		}
	}
}

func TestTokenFiles(t *testing.T) {
	const secret = "s3cr3t-T0k3n"
	for _, text := range []string{secret, secret + "\n", secret + "\r\n", "\uFEFF" + secret + "\r\n\n", "  " + secret + "\t"} {
		found, err := tokenFromFile(writeToken(t, text, 0o600))
		if err != nil || !reflect.DeepEqual(found.Token, controller.NewToken(secret)) {
			t.Errorf("%q: %v", text, err)
		}
	}
	path := writeToken(t, secret, 0o600)
	found, err := tokenFromFile(path)
	if err != nil || found.File != path {
		t.Errorf("a file that can be read again is %q, error %v", found.File, err)
	}
	if err := os.WriteFile(path, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err = found.ReadAgain(t.Context()); err != nil || !reflect.DeepEqual(found.Token, controller.NewToken("another")) {
		t.Errorf("read again: %v", err)
	}
	for text, want := range map[string]string{
		"":                              "is empty",
		" \n":                           "is empty",
		secret + "\n" + secret:          "holds more than one word",
		"token=" + secret + " \x07":     "holds more than one word",
		secret + "\xff":                 "is not plain text",
		"s\x003\x00c\x00":               "is not plain text",
		strings.Repeat(secret, 1000):    "holds more than 4096 bytes",
		"\xff\xfes\x003\x00c\x00r\x00":  "is not plain text",
		"OPSCOM_API_TOKEN =\n" + secret: "holds more than one word",
	} {
		path := writeToken(t, text, 0o600)
		_, err := tokenFromFile(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
	if _, err := tokenFromFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := (Settings{}).withVariables(map[string]string{"OPSCOM_API_TOKEN": "two " + secret}).FindToken(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "OPSCOM_API_TOKEN holds more than one word") || strings.Contains(err.Error(), secret) {
		t.Errorf("a variable of two words: %v", err)
	}
}

func TestTokenFileThatOthersCanRead(t *testing.T) {
	for mode, warns := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o620: true} {
		path := writeToken(t, "token", mode)
		found, err := tokenFromFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := warns && runtime.GOOS != "windows"
		if got := strings.Contains(found.Warning, "chmod 600 "+path); got != want || (found.Warning != "") != want {
			t.Errorf("mode %v: warning %q", mode, found.Warning)
		}
	}
}

func TestFoundTokenShowsItselfToNobody(t *testing.T) {
	found, err := (Settings{}).withVariables(map[string]string{"OPSCOM_API_TOKEN": "s3cr3t"}).FindToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if shown := fmt.Sprintf("%v %+v %#v", found, found, found); strings.Contains(shown, "s3cr3t") {
		t.Errorf("shown: %s", shown)
	}
}

// tokenFolder returns a folder with a token for each of the clients.
func tokenFolder(t *testing.T, clients ...string) string {
	t.Helper()
	folder := t.TempDir()
	for _, client := range clients {
		if err := os.WriteFile(filepath.Join(folder, client), []byte("of-"+client+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestTokenOfEachClient(t *testing.T) {
	keyring.MockInit()
	folder, file := tokenFolder(t, "OC_A", "OC_B"), writeToken(t, "from-file", 0o600)
	command := append(printing(t, "from-command"), "/dev/null")
	inEnv := map[string]string{"OPSCOM_API_TOKEN": "from-env"}
	fromFlag := map[string]string{"token_folder": "--token-folder"}
	for name, tc := range map[string]struct {
		settings  Settings
		variables map[string]string
		token     string
	}{
		"folder":                            {Settings{Client: "OC_A", TokenFolder: folder}, nil, "of-OC_A"},
		"folder before command":             {Settings{Client: "OC_B", TokenFolder: folder, TokenCommand: command}, nil, "of-OC_B"},
		"file before folder":                {Settings{Client: "OC_A", TokenFile: file, TokenFolder: folder}, nil, "from-file"},
		"environment before folder":         {Settings{Client: "OC_A", TokenFolder: folder}, inEnv, "from-env"},
		"the flag's folder before the rest": {Settings{Client: "OC_A", TokenFile: file, TokenFolder: folder, origins: fromFlag}, inEnv, "of-OC_A"},
		"command":                           {Settings{Client: "OC_A", TokenCommand: command}, nil, "from-command"},
		"environment before command":        {Settings{Client: "OC_A", TokenCommand: command}, inEnv, "from-env"},
	} {
		tc.settings.environ = os.Environ()
		found, err := tc.settings.withVariables(tc.variables).FindToken(t.Context())
		if err != nil || !reflect.DeepEqual(found.Token, controller.NewToken(tc.token)) {
			t.Errorf("%s: from %q, %v; want %s", name, found.From, err, tc.token)
		}
	}

	// The token of one client is not another's.
	s := Settings{Client: "OC_A", TokenFile: file, TokenFolder: folder}.withVariables(inEnv)
	for client, want := range map[string]string{"OC_A": "from-env", "OC_B": "of-OC_B"} {
		other, err := s.ForClient(client)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := other.FindToken(t.Context()); err != nil || !reflect.DeepEqual(found.Token, controller.NewToken(want)) {
			t.Errorf("%s: from %q, %v; want %s", client, found.From, err, want)
		}
	}
	s.TokenFolder = ""
	other, err := s.ForClient("OC_B")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := other.FindToken(t.Context()); err == nil {
		t.Errorf("OC_B got the token of %s", found.From)
	}
	for _, client := range []string{"", "..", "a/b"} {
		if _, err := s.ForClient(client); err == nil {
			t.Errorf("%q is taken for a client code", client)
		}
	}
}

// The client code comes from elsewhere, and must not choose the file.
func TestClientCodesThatLeadOutOfTheFolder(t *testing.T) {
	folder := filepath.Join(tokenFolder(t, "secret"), "tokens")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, client := range []string{"../secret", "..", ".", "/etc/passwd", "a/../../secret", `..\secret`, "secret\x00", "C:secret", "a b", "OC\n"} {
		s := Settings{Client: client, TokenFolder: folder, environ: os.Environ()}.withVariables(nil)
		if _, err := s.FindToken(t.Context()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("the client code %q cannot be the name of a file", client)) {
			t.Errorf("%q: %v", client, err)
		}
		if path := s.ClientTokenFile(); path != "" {
			t.Errorf("%q has the file %s", client, path)
		}
	}
	for client, want := range map[string]string{
		"":      "there is no client code to look for in the token folder " + folder,
		"OC_NO": "there is no token for OC_NO: put it into a file " + filepath.Join(folder, "OC_NO"),
	} {
		if _, err := (Settings{Client: client, TokenFolder: folder}).withVariables(nil).FindToken(t.Context()); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", client, err, want)
		}
	}
}

func TestTokenCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
	const secret = "s3cr3t-T0k3n"
	find := func(client string, command ...string) (Token, error) {
		return Settings{Client: client, TokenCommand: command, environ: os.Environ()}.withVariables(nil).FindToken(t.Context())
	}
	found, err := find("OC_A", "printf", "%s-%s", "{client}", "for-{client}-{client}")
	if err != nil || !reflect.DeepEqual(found.Token, controller.NewToken("OC_A-for-OC_A-OC_A")) || found.From != "the program printf" || found.File != "" {
		t.Errorf("from %q, %v", found.From, err)
	}
	path := writeToken(t, "first", 0o600)
	if found, err = find("OC_A", "cat", path); err != nil || !found.CanChange() {
		t.Fatalf("it is not asked again: %v", err)
	}
	if err := os.WriteFile(path, []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err := found.ReadAgain(t.Context()); err != nil || !reflect.DeepEqual(again.Token, controller.NewToken("second")) || !again.CanChange() {
		t.Errorf("asked again: %v", err)
	}
	for _, tc := range []struct {
		client string
		script string
		want   string
	}{
		{"OC_A", "echo " + secret + "; exit 2", "token_command for OC_A: the program sh ended with exit status 2"},
		{"OC_A", "echo " + secret + " >&2; kill -9 $$", "token_command for OC_A: the program sh ended with signal: killed"},
		{"OC_A", "true", "what the program of token_command prints for OC_A is empty"},
		{"OC_A", "echo " + secret + " two", "what the program of token_command prints for OC_A holds more than one word"},
		{"OC_A", "yes " + secret + " | head -c 100000", "prints for OC_A holds more than 4096 bytes"},
		{"", "echo " + secret, "there is no client code to ask token_command for"},
		{"--help", "echo " + secret, `the client code "--help" cannot be an argument of token_command`},
		{"a b", "echo " + secret, `the client code "a b" cannot be an argument of token_command`},
	} {
		if _, err := find(tc.client, "sh", "-c", tc.script); err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want %q", tc.script, err, tc.want)
		}
	}
	p := newPlace(t)
	p.config("client: OC_A\ntoken_command: [vault, kv, get, -field=token, 'secret/opscom/{client}']\n")
	if s := p.mustLoad(); len(s.TokenCommand) != 5 {
		t.Errorf("%q", s.TokenCommand)
	}
	p.config("token_command: {a: b}\n")
	p.wantError(nil, ":1: token_command takes a list of values")
}
