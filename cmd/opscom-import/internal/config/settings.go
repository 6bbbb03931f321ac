// Package config reads the settings of a command from its flags, the environment
// and a config file, and the API token from the places where one may be kept.
//
// What goes in are the parsed flags and an [Environment]; what comes out are
// [Settings], typed and checked, each with the place where it was given. Every
// mistake is an error that names that place and what is allowed.
//
//	default ← opscom-import.yaml ← OPSCOM_… ← --flag
//
// No other package of the command reads the environment.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"opscom-import/importer"
	"opscom-import/importer/controller"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
)

// Settings are what a command works with, checked. Nobody changes them: code that
// needs other ones derives a copy.
type Settings struct {
	URL          string   // the Controller's base URL, without a slash at its end
	Client       string   // client code; "" when none is given
	TokenFile    string   // "" for none
	TokenFolder  string   // with a token file for each client, called as its code; "" for none
	TokenCommand []string // the program that prints the token of {client}, and its arguments; only a config file has it
	Sandbox      bool
	InsecureHTTP bool
	CAFile       string // certificate authorities besides the system's; "" for none
	ClientCert   string // certificate for servers that ask for one; "" for none
	ClientKey    string // its key; "" for the file of the certificate

	Mapping     string       // path of the mapping file; "" for the one beside the file
	LoginSource string       // where no column gives one; "" for none
	Sheet       string       // "" to choose
	HeaderRow   int          // 0 to find it
	NoHeader    bool         // no row names the columns
	Delimiter   rune         // 0 to find it
	Encoding    string       // standard name; "" to detect it
	Format      sheet.Format // sheet.Auto to detect it

	MinAge time.Duration // a file that was changed less than that long ago is left for later

	PasswordFile string // file that holds the password of a protected workbook; "" for none

	Rate        float64 // requests per second; 0 for no limit
	Burst       int
	Workers     int
	MaxAttempts int
	Timeout     time.Duration // for one request
	MaxPause    time.Duration // longest pause that the Controller may ask for

	OnlyChanges bool
	MaxBad      importer.Limit
	MaxChanged  importer.Limit
	MinRows     importer.Limit
	Leavers     LeaverMode
	MaxLeavers  importer.Limit // always set
	KeepKeys    bool           // of the people of forgotten runs
	MaxFailures int            // in a row
	Yes         bool
	Fresh       bool

	Results           *string // path, "" for none, "-" for standard output; nil when it is not given
	Problems          *string // the same
	Fix               *string // the same
	Summary           *string // the same
	LeaversFile       *string // the same
	Metrics           string  // path of the file for node_exporter; "" for none
	Listen            string  // address where watch and worker serve metrics and their health; "" for none
	State             string  // absolute path of the journal's folder; see CheckState
	Journal           JournalAddress
	JournalKeyFile    string        // file with the keys of a journal in PostgreSQL; "" for none
	JournalKeyCommand []string      // the program that prints them, and its arguments; only a config file has it
	InsecureJournal   bool          // a journal on another machine may be reached without TLS
	Keep              time.Duration // how long finished runs stay in the journal; 0 for ever
	JSON              bool
	Quiet             bool
	NoProgress        bool
	LogFormat         string // "text" or "json"
	LogLevel          slog.Level

	ConfigFile string // the config file that was read; "" for none
	ConfigFrom string // why that one, for a person: "OPSCOM_CONFIG"

	Notify []NotifyTarget // who is told how runs end; only a config file has them
	Jobs   []Job          // what the program loads by itself; likewise

	ownToken bool // a job's: only its own token file and the keyring are looked at

	password string // kept in memory only; see WithPassword

	origins map[string]string        // by key
	texts   map[string]string        // by key, as given, or the default
	getenv  func(name string) string // for the token and the proxy, which are read only when they are needed
	environ []string                 // all variables
}

// Origin returns where the setting of that key was given: "--rate", "OPSCOM_RATE"
// or "opscom-import.yaml:3: rate"; "" for a default.
func (s Settings) Origin(key string) string { return s.origins[key] }

// ListensToOthers reports whether other machines reach the address Listen.
func (s Settings) ListensToOthers() bool {
	host, _, err := net.SplitHostPort(s.Listen)
	return err == nil && !isThisMachine(host)
}

// CommandEnvironment returns the variables for a program that is started: all but the
// token, the journal's keys and the password of its database, which are nobody else's.
func (s Settings) CommandEnvironment() []string {
	return slices.DeleteFunc(slices.Clone(s.environ), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(secretVariables(), strings.ToUpper(name))
	})
}

// secretVariables are those that no other program gets.
func secretVariables() []string {
	return []string{TokenVariable, JournalKeyVariable, variablePrefix + "JOURNAL", "PGPASSWORD"}
}

// sandboxRate is the default rate for the sandbox inside the process, in requests
// a second: nobody else uses it, and a trial should not take minutes.
const sandboxRate = 100

// ForSandbox returns the settings for a push to the sandbox inside the process.
func (s Settings) ForSandbox() Settings {
	s.Sandbox = true
	if s.Origin("rate") == "" {
		s.Rate = sandboxRate
	}
	return s
}

// Environment is what settings depend on besides the command line.
type Environment struct {
	Variables []string // as os.Environ returns them
	WorkDir   string
	ConfigDir string // the user's folder of config files; "" when there is none
	OS        string // as runtime.GOOS names it
}

// System returns the environment of this process.
func System() (Environment, error) {
	workDir, err := os.Getwd()
	if err != nil {
		return Environment{}, fmt.Errorf("find the working folder: %w", err)
	}
	configDir, err := os.UserConfigDir()
	if err != nil {
		configDir = "" // as under cron, where no home folder is set
	}
	return Environment{os.Environ(), workDir, configDir, runtime.GOOS}, nil
}

// Lookup returns the value of a variable, and whether it is set.
func (e Environment) Lookup(name string) (value string, set bool) {
	for _, entry := range e.Variables {
		if known, value, _ := strings.Cut(entry, "="); known == name || e.OS == "windows" && strings.EqualFold(known, name) {
			return value, true
		}
	}
	return "", false
}

// Get returns the value of a variable, "" when it is not set.
func (e Environment) Get(name string) string {
	value, _ := e.Lookup(name)
	return value
}

// given is a setting as text, and where it was given; "" for a default.
type given struct{ text, origin string }

// Load combines the sources of settings and checks every value. The error names
// each setting that is wrong, where it was given, and what is allowed.
func Load(flags *pflag.FlagSet, env Environment) (Settings, error) {
	path, why, err := findFile(flags, env)
	if err != nil {
		return Settings{}, err
	}
	table := All(env)
	file, err := readFile(path, table)
	if err != nil {
		return Settings{}, err
	}
	weaker := defaults(table)
	maps.Copy(weaker, file.values)
	inVariables, err := readVariables(env, table)
	if err != nil {
		return Settings{}, err
	}
	maps.Copy(weaker, inVariables)
	onCommandLine := readFlags(flags, table)
	values := maps.Clone(weaker)
	maps.Copy(values, onCommandLine)
	s := Settings{
		ConfigFile: path, ConfigFrom: why, Notify: file.notify, TokenCommand: file.tokenCommand, JournalKeyCommand: file.journalKeyCommand,
		getenv: env.Get, environ: env.Variables,
	}
	settings, err := s.read(values, env)
	if err != nil {
		return Settings{}, err
	}
	settings.Jobs, err = s.jobs(file.jobs, env, weaker, onCommandLine)
	return settings, err
}

// read returns the settings with these values, checked.
func (s Settings) read(values map[string]given, env Environment) (Settings, error) {
	s.origins, s.texts = make(map[string]string), make(map[string]string)
	var mistakes []error
	for _, setting := range s.table(env) {
		value, ok := values[setting.Key()]
		if !ok {
			continue
		}
		s.origins[setting.Key()], s.texts[setting.Key()] = value.origin, value.text
		if setting.secret && value.text != "" {
			s.texts[setting.Key()] = "(given)"
		}
		if err := setting.read(value.text); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", value.origin, err))
		}
	}
	if len(mistakes) > 0 {
		return Settings{}, errors.Join(mistakes...)
	}
	if s.Sandbox {
		s = s.ForSandbox()
	}
	if err := s.checkJournal(); err != nil {
		return Settings{}, err
	}
	if _, err := controller.ParseURL(s.URL, s.InsecureHTTP || s.Sandbox); err != nil {
		return Settings{}, fmt.Errorf("%s: %w", s.Origin("url"), err)
	}
	return s, nil
}

func defaults(table []Setting) map[string]given {
	values := make(map[string]given)
	for _, setting := range table {
		if setting.Default != "" {
			values[setting.Key()] = given{text: setting.Default}
		}
	}
	return values
}

func readFlags(flags *pflag.FlagSet, table []Setting) map[string]given {
	values := make(map[string]given)
	for _, setting := range table {
		if flags.Changed(setting.Flag) {
			values[setting.Key()] = given{flags.Lookup(setting.Flag).Value.String(), "--" + setting.Flag}
		}
	}
	return values
}

const (
	variablePrefix = "OPSCOM_"

	// TokenVariable holds the API token.
	TokenVariable = variablePrefix + "API_TOKEN"
)

// otherVariables are those of this program that are no settings.
func otherVariables() []string { return []string{TokenVariable, FileVariable, JournalKeyVariable} }

// readVariables returns the settings in the environment. An empty variable counts
// as unset. A variable that nearly has the name of a setting is a mistake; others
// belong to other programs.
func readVariables(env Environment, table []Setting) (map[string]given, error) {
	values := make(map[string]given)
	var mistakes []error
	var variables []string // those that are no setting
	for _, name := range otherVariables() {
		variables = append(variables, strings.ToLower(strings.TrimPrefix(name, variablePrefix)))
	}
	for _, entry := range env.Variables {
		name, value, _ := strings.Cut(entry, "=")
		word, ours := strings.CutPrefix(name, variablePrefix)
		key := strings.ToLower(word)
		switch {
		case !ours || value == "" || slices.Contains(otherVariables(), name):
			continue
		case slices.Contains(keys(table), key):
			values[key] = given{value, name}
			continue
		}
		near := mapping.Nearest(key, append(keys(table), variables...))
		if key == "token" {
			near = "api_token"
		}
		if near != "" {
			mistakes = append(mistakes, fmt.Errorf("%s is not a setting; the nearest is %s: correct it, or unset it", name, variablePrefix+strings.ToUpper(near)))
		}
	}
	return values, errors.Join(mistakes...)
}

// defaultState returns the folder for the journal that is customary on the system,
// "" when the environment does not say.
func defaultState(env Environment) string {
	home, base := env.Get("HOME"), ""
	switch {
	case env.OS == "windows":
		base = env.Get("LocalAppData")
	case env.OS == "darwin" && home != "":
		base = filepath.Join(home, "Library", "Application Support")
	case filepath.IsAbs(env.Get("XDG_STATE_HOME")): // the XDG specification says to ignore a relative one
		base = env.Get("XDG_STATE_HOME")
	case home != "":
		base = filepath.Join(home, ".local", "state")
	}
	if base == "" {
		return ""
	}
	return filepath.Join(base, "opscom-import")
}

// CheckState says what to do if no state folder is named, and there is no customary place.
func (s Settings) CheckState() error {
	if s.State == "" {
		return errors.New("there is no home folder for the state folder; name one with --state FOLDER")
	}
	return nil
}

// WithSource returns the settings for a file that is read as a person at the page says;
// what the section leaves open stays as it is.
func (s Settings) WithSource(source mapping.SourceSection) Settings {
	s.Sheet = cmp.Or(source.Sheet, s.Sheet)
	s.Delimiter = cmp.Or(source.Delimiter, s.Delimiter)
	s.Encoding = cmp.Or(source.Encoding, s.Encoding)
	if source.HeaderRow > 0 || source.NoHeader {
		s.HeaderRow, s.NoHeader = source.HeaderRow, source.NoHeader
	}
	return s
}
