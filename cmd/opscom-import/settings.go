package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"opscom-import/importer"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
)

// Settings are what a command works with, checked. Each comes from a flag, else
// from the environment, else from the config file, else it is the default.
type Settings struct {
	URL          string // the Controller's base URL, without a slash at its end
	Client       string // client code; "" when none is given
	TokenFile    string // "" for none
	Sandbox      bool
	InsecureHTTP bool

	Mapping     string       // path of the mapping file; "" for the one beside the file
	LoginSource string       // where no column gives one; "" for none
	Sheet       string       // "" to choose
	HeaderRow   int          // 0 to find it
	Delimiter   rune         // 0 to find it
	Encoding    string       // name by the WHATWG Encoding Standard; "" to find it
	Format      sheet.Format // sheet.Auto to find it

	PasswordFile string // file that holds the password of a protected workbook; "" for none

	Rate        float64 // requests a second; 0 for no limit
	Burst       int
	Workers     int
	MaxAttempts int
	Timeout     time.Duration // for one request

	OnlyChanges bool
	MaxBad      importer.Limit
	MaxChanged  importer.Limit
	MinRows     importer.Limit
	MaxFailures int // in a row
	Yes         bool
	Fresh       bool

	Results    *string // path, "" for none, "-" for standard output; nil when it is not given
	Problems   *string // the same
	Fix        *string // the same
	Summary    *string // the same
	State      string  // absolute path of the journal's folder
	JSON       bool
	Quiet      bool
	NoProgress bool
	LogFormat  string // "text" or "json"
	LogLevel   slog.Level

	ConfigFile string // the config file that was read; "" for none

	tokenFileByFlag bool // the token file was named on the command line
	rateGiven       bool // the rate is not the default
}

// useSandbox turns the settings to the sandbox inside the process.
func (s *Settings) useSandbox() {
	s.Sandbox = true
	if !s.rateGiven {
		s.Rate = sandboxRate
	}
}

// sandboxRate is the default of the rate for the sandbox inside the process, in
// requests a second: nobody else needs it, and a trial should not take minutes.
const sandboxRate = 100

// surroundings is what settings depend on besides the command line.
type surroundings struct {
	environ   []string // as os.Environ gives it
	workDir   string
	configDir string // the user's folder of config files; "" when there is none
	goos      string
}

// loadCommandSettings loads the settings of a command in this process's
// surroundings.
func loadCommandSettings(c *cobra.Command) (Settings, error) {
	workDir, err := os.Getwd()
	if err != nil {
		return Settings{}, fmt.Errorf("find the working folder: %w", err)
	}
	configDir, err := os.UserConfigDir()
	if err != nil {
		configDir = "" // as under cron, where no home folder is set
	}
	return loadSettings(c.Flags(), surroundings{os.Environ(), workDir, configDir, runtime.GOOS})
}

// loadSettings joins the sources of settings and checks every value. The error
// names each setting that is wrong, where it was given, and what is allowed.
func loadSettings(flags *pflag.FlagSet, in surroundings) (Settings, error) {
	table := settingsTable(in)
	file, err := findConfig(flags, in)
	if err != nil {
		return Settings{}, err
	}
	given, err := joinSources(table, flags, in, file)
	if err != nil {
		return Settings{}, err
	}
	s := Settings{ConfigFile: file, tokenFileByFlag: flags.Changed("token-file")}
	var mistakes []error
	for _, row := range table {
		if !given.values.Exists(row.key()) {
			continue
		}
		if err := row.read(&s, given.values.String(row.key())); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", given.origins[row.key()], err))
		}
	}
	if len(mistakes) > 0 {
		return Settings{}, errors.Join(mistakes...)
	}
	s.rateGiven = given.origins["rate"] != ""
	if s.Sandbox {
		s.useSandbox()
	}
	if s.State == "" {
		return Settings{}, errors.New("there is no home folder to keep the journal in; name one with --state FOLDER")
	}
	if err := checkTransport(s); err != nil && !s.Sandbox {
		return Settings{}, fmt.Errorf("%s: %w", given.origins["url"], err)
	}
	return s, nil
}

// sources are the settings as text, and where each was given.
type sources struct {
	values  *koanf.Koanf
	origins map[string]string // by key: "--rate", "OPSCOM_RATE" or "opscom-import.yaml:3: rate"; none for a default
}

// joinSources reads the sources from the weakest to the strongest.
func joinSources(table []setting, flags *pflag.FlagSet, in surroundings, file string) (sources, error) {
	defaults := make(map[string]any, len(table))
	for _, row := range table {
		if row.byDefault != "" {
			defaults[row.key()] = row.byDefault
		}
	}
	config, lines, err := readConfig(file, table)
	if err != nil {
		return sources{}, err
	}
	var unknown []error
	layers := []struct {
		provider koanf.Provider
		origin   func(key string) string
	}{
		{confmap.Provider(defaults, ""), nil},
		{confmap.Provider(config, ""), func(key string) string { return fmt.Sprintf("%s:%d: %s", file, lines[key], key) }},
		{env.Provider("", env.Opt{
			Prefix:        envPrefix,
			EnvironFunc:   func() []string { return in.environ },
			TransformFunc: keyOfVariable(table, &unknown),
		}), variable},
		{posflag.ProviderWithFlag(flags, ".", nil, func(f *pflag.Flag) (string, any) {
			return keyOfFlag(table, f.Name), f.Value.String()
		}), func(key string) string { return "--" + strings.ReplaceAll(key, "_", "-") }},
	}
	joined := sources{koanf.New("."), make(map[string]string)}
	for _, layer := range layers {
		values, err := layer.provider.Read()
		if err != nil {
			return sources{}, fmt.Errorf("read the settings: %w", err)
		}
		for key := range values {
			if layer.origin != nil {
				joined.origins[key] = layer.origin(key)
			}
		}
		if err := joined.values.Load(confmap.Provider(values, ""), nil); err != nil {
			return sources{}, fmt.Errorf("read the settings: %w", err)
		}
	}
	return joined, errors.Join(unknown...)
}

const (
	envPrefix     = "OPSCOM_"
	tokenVariable = "OPSCOM_API_TOKEN"
)

// variable is the environment's name for a key.
func variable(key string) string { return envPrefix + strings.ToUpper(key) }

// keyOfVariable returns the function that turns a variable of the environment
// into a key and its value. An empty variable counts as unset. A variable that is
// no setting, but all but one, is a mistake; others are other programs'.
func keyOfVariable(table []setting, unknown *[]error) func(name, value string) (string, any) {
	return func(name, value string) (string, any) {
		key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
		switch {
		case value == "" || name == tokenVariable || name == configVariable:
			return "", nil
		case hasKey(table, key):
			return key, value
		}
		near := mapping.Nearest(key, keys(table))
		if key == "token" {
			near = "api_token"
		}
		if near != "" {
			*unknown = append(*unknown, fmt.Errorf("%s is not a setting; the nearest is %s: correct it, or unset it", name, variable(near)))
		}
		return "", nil
	}
}

// keyOfFlag returns the key of a flag; "" for one that is not a setting.
func keyOfFlag(table []setting, name string) string {
	if key := strings.ReplaceAll(name, "-", "_"); hasKey(table, key) {
		return key
	}
	return ""
}

func keys(table []setting) []string {
	names := make([]string, len(table))
	for i, row := range table {
		names[i] = row.key()
	}
	return names
}

func hasKey(table []setting, key string) bool { return slices.Contains(keys(table), key) }

// defaultState returns the folder for the journal that the system's customs name,
// "" when the environment does not tell.
func defaultState(goos string, environ []string) string {
	home, base := lookup(environ, "HOME"), ""
	switch {
	case goos == "windows":
		base = lookup(environ, "LocalAppData")
	case goos == "darwin" && home != "":
		base = filepath.Join(home, "Library", "Application Support")
	case filepath.IsAbs(lookup(environ, "XDG_STATE_HOME")): // a relative one is to be ignored, says the XDG specification
		base = lookup(environ, "XDG_STATE_HOME")
	case home != "":
		base = filepath.Join(home, ".local", "state")
	}
	if base == "" {
		return ""
	}
	return filepath.Join(base, "opscom-import")
}

// lookup returns the value of a variable, "" when it is not set.
func lookup(environ []string, name string) string {
	for _, entry := range environ {
		if known, value, _ := strings.Cut(entry, "="); strings.EqualFold(known, name) { // Windows knows no case here
			return value
		}
	}
	return ""
}
