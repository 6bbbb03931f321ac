package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestJournalAddress(t *testing.T) {
	for text, shown := range map[string]string{
		"postgres://db.example.edu/opscom":                                  "postgres://db.example.edu/opscom",
		"postgresql://opscom:s3cr3t@db.example.edu:5433/opscom?sslmode=x":   "postgres://opscom@db.example.edu:5433/opscom",
		"postgres://opscom@db.example.edu/opscom?password=s3cr3t":           "postgres://opscom@db.example.edu/opscom",
		"postgres:///opscom?host=/run/postgresql&sslpassword=s3cr3t":        "postgres:///opscom?host=/run/postgresql",
		"postgres://one.example.edu:5432,two.example.edu:5432/opscom":       "postgres://one.example.edu:5432,two.example.edu:5432/opscom",
		" postgres://opscom:s3cr3t%40%2F@[::1]:5432/opscom\n":               "postgres://opscom@[::1]:5432/opscom",
		"postgres://opscom:s3cr3t@db.example.edu/opscom?options=-cx%3D%40y": "postgres://opscom@db.example.edu/opscom",
	} {
		s, err := newPlace(t, "OPSCOM_JOURNAL="+text).load()
		if err != nil || s.Journal.String() != shown || s.Journal.Reveal() != strings.TrimSpace(text) || s.Journal.IsZero() {
			t.Errorf("%q: shown as %v, error %v; want %s", text, s.Journal, err, shown)
		}
	}
	if s := newPlace(t).mustLoad("--journal="); !s.Journal.IsZero() || s.Journal.Reveal() != "" || s.Journal.String() != "" {
		t.Errorf("no journal: %v", s.Journal)
	}
}

func TestJournalAddressesThatAreRefused(t *testing.T) {
	const neither, unreadable = "OPSCOM_JOURNAL: the journal is neither empty, for the one in the state folder, nor", "OPSCOM_JOURNAL: the journal's address cannot be read"
	for text, want := range map[string]string{
		"sqlite:///s3cr3t":                          neither,
		"host=db password=s3cr3t":                   neither,
		"/var/lib/s3cr3t":                           neither,
		"postgres:s3cr3t":                           neither,
		"mysql://u:s3cr3t@h/db":                     neither,
		"postgres://u:s3cr3t/x@h/db":                unreadable,
		"postgres://u:12/s3cr3t@h/db":               unreadable,
		"postgres://u:12?s3cr3t@h/db":               unreadable,
		"postgres://u:12#s3cr3t@h/db":               unreadable,
		"postgres://u:s3cr3t%zz@h/db":               unreadable,
		"postgres://u@h:s3cr3t/db":                  unreadable,
		"postgres://u:12@s3cr3t@h/db":               unreadable,
		"postgres://u:12@s3cr3t@h":                  unreadable,
		"postgres://h/db#s3cr3t":                    unreadable,
		"postgres://u:s3cr3t word@h/db?sslmode=a\n": unreadable,
	} {
		p := newPlace(t, "OPSCOM_JOURNAL="+text)
		p.wantError(nil, want)
		if _, err := p.load(); err != nil && (strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "@h")) {
			t.Errorf("%q: the error tells it: %v", text, err)
		}
	}
}

// The list of processes and the config file are not for passwords.
func TestWhereThePasswordOfTheJournalMayBe(t *testing.T) {
	for _, address := range []string{"postgres://u:s3cr3t@h/db", "postgres://u@h/db?password=s3cr3t", "postgres://u@h/db?sslpassword=s3cr3t"} {
		p := newPlace(t)
		p.wantError([]string{"--journal", address}, "--journal: the password of the database does not belong here", "PGPASSFILE", "PGPASSWORD", "OPSCOM_JOURNAL")
		p.config("client: OC\njournal: " + address + "\n")
		p.wantError(nil, FileName+":2: journal: the password of the database does not belong here")
		if _, err := p.load(); strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("the error tells it: %v", err)
		}
	}
}

func TestJournalAddressShowsItsPasswordToNobody(t *testing.T) {
	s := newPlace(t, "OPSCOM_JOURNAL=postgres://u:s3cr3t@h/db").mustLoad()
	asJSON, err := json.Marshal(s.Journal)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("open", "journal", s.Journal, "deep", struct{ J JournalAddress }{s.Journal})
	s.environ, s.getenv = nil, nil // the environment has it, and is not printed
	shown := fmt.Sprintf("%v %+v %#v %s %q %x %v %s %s %+v", s.Journal, s.Journal, s.Journal, s.Journal, s.Journal, s.Journal, []any{s}, asJSON, log.String(), s.Given())
	if strings.Contains(shown, "s3cr3t") || strings.Contains(shown, "733363723374") {
		t.Errorf("shown: %s", shown)
	}
	i := slices.IndexFunc(s.Given(), func(g Given) bool { return g.Key == "journal" })
	if given := s.Given()[i]; given.Text != "(given)" || given.Origin != "OPSCOM_JOURNAL" {
		t.Errorf("%+v", given)
	}
}

func TestJournalKeyCommand(t *testing.T) {
	p := newPlace(t)
	for text, want := range map[string][]string{
		"journal_key_command: /usr/local/bin/keys\n": {"/usr/local/bin/keys"},
		"journal_key_command: [vault, kv, get]\n":    {"vault", "kv", "get"},
	} {
		p.config(text)
		if s := p.mustLoad(); !slices.Equal(s.JournalKeyCommand, want) {
			t.Errorf("%s: %q", text, s.JournalKeyCommand)
		}
	}
	for text, want := range map[string]string{
		"journal_key_command: []\n":                               ":1: journal_key_command has no value",
		"journal_key_command: ['', x]\n":                          ":1: journal_key_command begins with the path of a program",
		"journal_key_command: {a: b}\n":                           ":1: journal_key_command takes a list of values",
		"journal_key_command:\n":                                  ":1: journal_key_command has no value",
		"journal_key: s3cr3t\n":                                   ":1: the journal's keys do not belong in the config file",
		"journal_key_comand: x\n":                                 `the nearest is "journal_key_command"`,
		"jobs: {a: {file: x.csv, at: '@daily', journal: ''}}\n":   `jobs.a has no key "journal"`,
		"journal_key_command: x\njournal_key_command: [s3cr3t]\n": ":2: journal_key_command is already set in line 1",
	} {
		p.config(text)
		p.wantError(nil, want)
		if _, err := p.load(); err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: the error tells it: %v", text, err)
		}
	}
}

// A program that is started gets no secret of ours, in whatever case its name is.
func TestCommandEnvironmentHasNoSecret(t *testing.T) {
	p := newPlace(t, "OPSCOM_API_TOKEN=s3cr3t", "OPSCOM_JOURNAL_KEY=s3cr3t", "OPSCOM_JOURNAL=postgres://u:s3cr3t@h/db", "PGPASSWORD=s3cr3t", "opscom_Journal_Key=s3cr3t", "PGHOST=db")
	got := p.mustLoad().CommandEnvironment()
	if !slices.Contains(got, "PGHOST=db") || strings.Contains(strings.Join(got, "\n"), "s3cr3t") {
		t.Errorf("%q", got)
	}
}

// keyText is a key ring of one key with that name.
func keyText(name string) string { return name + " " + strings.Repeat("c0ffee00", 8) + "\n" }

// printing returns a command that prints the text.
func printing(t *testing.T, text string) []string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no cat")
	}
	path := filepath.Join(t.TempDir(), "printed")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"cat", path}
}

func TestFindJournalKeys(t *testing.T) {
	path := writeToken(t, keyText("of-file"), 0o600)
	command := printing(t, keyText("of-command")+keyText("older")[:6]+strings.Repeat("a1", 32))
	inEnvironment := map[string]string{"OPSCOM_JOURNAL_KEY": "of-environment " + strings.Repeat("ab", 32) + ", older " + strings.Repeat("cd", 32)}
	fromFlag := map[string]string{"journal_key_file": "--journal-key-file"}
	for name, tc := range map[string]struct {
		settings  Settings
		variables map[string]string
		first     string
		from      string
	}{
		"flag before environment":   {Settings{JournalKeyFile: path, origins: fromFlag}, inEnvironment, "of-file", path},
		"environment before config": {Settings{JournalKeyFile: path}, inEnvironment, "of-environment", "OPSCOM_JOURNAL_KEY"},
		"blank variable":            {Settings{JournalKeyFile: path}, map[string]string{"OPSCOM_JOURNAL_KEY": " \n"}, "of-file", path},
		"file before command":       {Settings{JournalKeyFile: path, JournalKeyCommand: command}, nil, "of-file", path},
		"command":                   {Settings{JournalKeyCommand: command}, nil, "of-command", "the program cat"},
	} {
		tc.settings.environ = os.Environ()
		found, err := tc.settings.withVariables(tc.variables).FindJournalKeys(t.Context())
		if err != nil || found.Names()[0] != tc.first || found.From != tc.from || found.Warning != "" {
			t.Errorf("%s: %v from %q, warning %q, error %v", name, found.Ring, found.From, found.Warning, err)
		}
	}
	_, err := (Settings{}).withVariables(nil).FindJournalKeys(t.Context())
	for _, want := range []string{"there are no keys", "--journal-key-file", "OPSCOM_JOURNAL_KEY", "journal_key_command", "openssl rand -hex 32"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no keys: %v, want %q", err, want)
		}
	}
}

func TestJournalKeysThatCannotBeUsed(t *testing.T) {
	const secret = "5ec3e7"
	digits := strings.Repeat(secret, 10)
	path := writeToken(t, "key "+digits, 0o600)
	if _, err := (Settings{JournalKeyFile: path}).withVariables(nil).FindJournalKeys(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "the key file "+path+" cannot be used: key 1 is not") || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
	if _, err := (Settings{JournalKeyFile: path + "x"}).withVariables(nil).FindJournalKeys(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := (Settings{}).withVariables(map[string]string{"OPSCOM_JOURNAL_KEY": digits}).FindJournalKeys(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "in OPSCOM_JOURNAL_KEY cannot be used") || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
	s := Settings{JournalKeyCommand: printing(t, "key "+digits), environ: os.Environ()}
	if _, err := s.withVariables(nil).FindJournalKeys(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "what the program of journal_key_command prints cannot be used") || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
	exposed := writeToken(t, keyText("k"), 0o640)
	found, err := (Settings{JournalKeyFile: exposed}).withVariables(nil).FindJournalKeys(t.Context())
	if err != nil || runtime.GOOS != "windows" && !strings.Contains(found.Warning, "chmod 600 "+exposed) {
		t.Errorf("warning %q, %v", found.Warning, err)
	}
}

// What a program prints is not shown, and it gets none of our secrets.
func TestProgramsThatPrintSecrets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
	const secret = "s3cr3t"
	p := newPlace(t, "PATH="+os.Getenv("PATH"), "OPSCOM_API_TOKEN="+secret, "OPSCOM_JOURNAL_KEY="+secret, "PGPASSWORD="+secret, "VAULT_ADDR=v")
	s := p.mustLoad()
	out, err := s.output(t.Context(), []string{"sh", "-c", "env; echo " + secret + "-on-stderr >&2"}, 10_000)
	if err != nil || !strings.Contains(string(out), "VAULT_ADDR=v") || strings.Contains(string(out), secret) {
		t.Errorf("%s, %v", out, err)
	}
	if out, err := s.output(t.Context(), []string{"sh", "-c", "echo 0123456789; echo more"}, 4); string(out) != "0123" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if !testing.Short() { // takes over a second
		if out, err := s.output(t.Context(), []string{"sh", "-c", "sleep 5 & echo printed"}, 100); string(out) != "printed\n" || err != nil {
			t.Errorf("of a program that leaves another one behind: %q, %v", out, err)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for _, tc := range []struct {
		ctx     context.Context
		command []string
		want    string
	}{
		{t.Context(), []string{"sh", "-c", "echo " + secret + "; echo " + secret + " >&2; exit 3"}, "the program sh ended with exit status 3; run it yourself"},
		{t.Context(), []string{"/does/not/exist", secret}, "the program /does/not/exist cannot be run: "},
		{t.Context(), []string{"does-not-exist"}, "the program does-not-exist cannot be run: executable file not found"},
		{stopped, []string{"sleep", "60"}, "wait for the program sleep: context canceled"},
		{late, []string{"sleep", "60"}, "the program sleep did not end in 30s"},
	} {
		if _, err := s.output(tc.ctx, tc.command, 100); err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v, want %q", tc.command, err, tc.want)
		}
	}
}
