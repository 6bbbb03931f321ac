package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"opscom-import/importer/journal/postgres/keyring"
)

// JournalKeyVariable holds the keys of a journal in PostgreSQL.
const JournalKeyVariable = variablePrefix + "JOURNAL_KEY"

// journalKeyCommandKey is the config file's key of the command that prints the journal's keys.
const journalKeyCommandKey = "journal_key_command"

// JournalAddress is the address of a journal in PostgreSQL; the zero value is the embedded
// journal in the state folder. It may hold a password: whatever prints it shows the address
// without that.
type JournalAddress struct {
	secret *string // a pointer, so that fmt does not show it deep inside a struct
	shown  string
}

// IsZero reports whether the journal is the embedded one.
func (a JournalAddress) IsZero() bool { return a.secret == nil }

// Reveal returns the whole address, for the database's driver only; "" for the embedded journal.
func (a JournalAddress) Reveal() string {
	if a.secret == nil {
		return ""
	}
	return *a.secret
}

// String returns the address with neither password nor parameters:
// "postgres://opscom@db.example.edu:5432/opscom".
func (a JournalAddress) String() string { return a.shown }

// Format prints what String returns, whatever the verb.
func (a JournalAddress) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.shown) }

// LogValue returns what String returns.
func (a JournalAddress) LogValue() slog.Value { return slog.StringValue(a.shown) }

// MarshalText returns what String returns; encoders of JSON and the like use it.
func (a JournalAddress) MarshalText() ([]byte, error) { return []byte(a.shown), nil }

// parseJournal reads the address of a journal. No error holds any of it. A text before @
// that is not part of the login could be the rest of a password, and is refused.
func parseJournal(text string) (JournalAddress, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return JournalAddress{}, nil
	}
	scheme, rest, _ := strings.Cut(text, "://")
	if scheme != "postgres" && scheme != "postgresql" {
		return JournalAddress{}, errors.New("the journal is neither empty, for the one in the state folder, nor the address of a PostgreSQL database, " +
			"such as postgres://opscom@db.example.edu/opscom (it is not shown, because it may hold a password)")
	}
	address, err := url.Parse(text)
	at := strings.IndexByte(rest, '@') // where PostgreSQL's own programs end the login: url.Parse takes the last one
	end := strings.IndexAny(rest, "/?#")
	if err != nil || strings.Count(rest, "@") > 1 || end >= 0 && at > end || address.Fragment != "" {
		return JournalAddress{}, errors.New("the journal's address cannot be read (it is not shown, because it may hold a password); " +
			`in its user name, password and parameters write %25 for %, %23 for #, %2F for /, %3F for ?, %40 for @, %3A for :, %20 for a space`)
	}
	shown := url.URL{Scheme: "postgres", Host: address.Host, Path: address.Path}
	if address.User.Username() != "" {
		shown.User = url.User(address.User.Username())
	}
	if host := address.Query().Get("host"); host != "" {
		shown.RawQuery = "host=" + host
	}
	return JournalAddress{&text, shown.String()}, nil
}

// holdsPassword reports whether a password is in the address.
func (a JournalAddress) holdsPassword() bool {
	address, err := url.Parse(a.Reveal())
	if err != nil {
		return false // parseJournal has refused it
	}
	_, inLogin := address.User.Password()
	return inLogin || address.Query().Has("password") || address.Query().Has("sslpassword")
}

// checkJournal refuses a password where others can see it: in the list of processes, or in
// the config file.
func (s Settings) checkJournal() error {
	origin := s.Origin("journal")
	if origin == variablePrefix+"JOURNAL" || !s.Journal.holdsPassword() {
		return nil
	}
	return fmt.Errorf("%s: the password of the database does not belong here, where others may see it: remove it from the address, and name a file of passwords with PGPASSFILE, or set PGPASSWORD, or set %sJOURNAL to the whole address",
		origin, variablePrefix)
}

// JournalKeys are the keys of a journal in PostgreSQL.
type JournalKeys struct {
	*keyring.Ring
	From    string // for a person: a file, a variable or a command
	Warning string // what to fix, "" for nothing
	File    string // "" for none
}

// FindJournalKeys looks for the keys in the file that the command line names, then in the
// environment, then in the file that the other settings name, then asks the program of the
// config file. No error holds any of them.
func (s Settings) FindJournalKeys(ctx context.Context) (JournalKeys, error) {
	inEnvironment := s.getenv(JournalKeyVariable)
	switch {
	case s.JournalKeyFile != "" && (s.Origin("journal_key_file") == "--journal-key-file" || strings.TrimSpace(inEnvironment) == ""):
		return journalKeysFromFile(s.JournalKeyFile)
	case strings.TrimSpace(inEnvironment) != "":
		ring, err := keyring.Parse(inEnvironment)
		if err != nil {
			return JournalKeys{}, fmt.Errorf("the keys of the journal in %s cannot be used: %w", JournalKeyVariable, err)
		}
		return JournalKeys{Ring: ring, From: JournalKeyVariable}, nil
	case len(s.JournalKeyCommand) > 0:
		text, err := s.output(ctx, s.JournalKeyCommand, keyring.MaxBytes+1)
		if err != nil {
			return JournalKeys{}, fmt.Errorf("%s: %w", journalKeyCommandKey, err)
		}
		ring, err := keyring.Parse(string(text))
		if err != nil {
			return JournalKeys{}, fmt.Errorf("what the program of %s prints cannot be used: %w", journalKeyCommandKey, err)
		}
		return JournalKeys{Ring: ring, From: "the program " + s.JournalKeyCommand[0]}, nil
	}
	return JournalKeys{}, fmt.Errorf("there are no keys to encrypt the journal with: name a file that holds them with --journal-key-file, or set %s, or %s in the config file. "+
		`All machines need the same ones: copy the file of another. For a new journal this makes one: (umask 077; echo "key-1 $(openssl rand -hex 32)" > journal-keys)`, JournalKeyVariable, journalKeyCommandKey)
}

func journalKeysFromFile(path string) (JournalKeys, error) {
	text, err := readAtMost("key", path, keyring.MaxBytes+1)
	if err != nil {
		return JournalKeys{}, err
	}
	ring, err := keyring.Parse(string(text))
	if err != nil {
		return JournalKeys{}, fmt.Errorf("the key file %s cannot be used: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return JournalKeys{}, fileError("key", path, err)
	}
	found := JournalKeys{Ring: ring, From: path, File: path}
	if isExposed(info) {
		found.Warning = fmt.Sprintf("Others on this machine can read the key file %s: run \"chmod 600 %s\".", path, path)
	}
	return found, nil
}
