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
		found, err := (tc.settings).withVariables(tc.variables).FindToken()
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
		_, err := (Settings{Client: tc.client}).withVariables(nil).FindToken()
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
	if found, err = found.ReadAgain(); err != nil || !reflect.DeepEqual(found.Token, controller.NewToken("another")) {
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
	if _, err := (Settings{}).withVariables(map[string]string{"OPSCOM_API_TOKEN": "two " + secret}).FindToken(); err == nil ||
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
	found, err := (Settings{}).withVariables(map[string]string{"OPSCOM_API_TOKEN": "s3cr3t"}).FindToken()
	if err != nil {
		t.Fatal(err)
	}
	if shown := fmt.Sprintf("%v %+v %#v", found, found, found); strings.Contains(shown, "s3cr3t") {
		t.Errorf("shown: %s", shown)
	}
}
