package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
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
