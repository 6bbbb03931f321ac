package config

import (
	"strings"

	"github.com/spf13/pflag"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// Setting is one setting: how it is given, its default, and how its text is read.
type Setting struct {
	Flag    string // its name on the command line; the config file has it with underscores
	Default string // "" for none
	Switch  bool   // true or false; the flag alone means true

	usage  string // for the help; the word in backquotes names the value
	secret bool   // its text may hold a password: nobody shows it
	path   bool   // in a config file it is relative to that file's folder
	read   func(text string) error
}

// Key is the setting's name in the config file.
func (s Setting) Key() string { return strings.ReplaceAll(s.Flag, "-", "_") }

// Variable is the setting's name in the environment.
func (s Setting) Variable() string { return variablePrefix + strings.ToUpper(s.Key()) }

func keys(table []Setting) []string {
	names := make([]string, len(table))
	for i, setting := range table {
		names[i] = setting.Key()
	}
	return names
}

// AddFlags adds a flag for every setting, and --config.
func AddFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.String("config", "", "`PATH` of the config file, empty for none (default "+FileName+" in the working folder, else in your config folder)")
	for _, setting := range All(Environment{}) {
		if setting.Switch {
			flags.Bool(setting.Flag, false, setting.usage)
		} else {
			flags.String(setting.Flag, setting.Default, setting.usage)
		}
	}
}

// into returns a function that parses a setting's text into the field.
func into[T any](field *T, parse func(text string) (T, error)) func(text string) error {
	return func(text string) (err error) {
		*field, err = parse(text)
		return err
	}
}

// All returns every setting in the order in which the help shows them.
func All(env Environment) []Setting { return new(Settings).table(env) }

// table returns every setting, to be read into s. It is long because it is one table.
func (s *Settings) table(env Environment) []Setting {
	return []Setting{
		// Where profiles go.
		{Flag: "url", Default: defaultURL, usage: "the Controller's address, as a `URL`", read: into(&s.URL, parseURL)},
		{Flag: "client", usage: "client `CODE`, such as OC_TOMA", read: into(&s.Client, parseClient)},
		{Flag: "token-file", path: true, usage: "`PATH` of a file that holds the API token; or set " + TokenVariable + ", or keep it in the system's keyring",
			read: into(&s.TokenFile, parseText)},
		{Flag: "token-folder", path: true, usage: "`PATH` of a folder with a token file for each client, called as its code",
			read: into(&s.TokenFolder, parseText)},
		{Flag: "sandbox", Switch: true, usage: "push to a mock Controller inside the program: no URL, client or token is needed",
			read: into(&s.Sandbox, parseSwitch)},
		{Flag: "insecure-http", Switch: true, usage: "allow an http: URL on another machine, where others can read the token in transit",
			read: into(&s.InsecureHTTP, parseSwitch)},
		{Flag: "ca-file", path: true, usage: "`PATH` of a PEM file of certificate authorities to trust besides the system's",
			read: into(&s.CAFile, parseText)},
		{Flag: "client-cert", path: true, usage: "`PATH` of a PEM file with a certificate for servers and firewalls that ask for one, and those that signed it",
			read: into(&s.ClientCert, parseText)},
		{Flag: "client-key", path: true, usage: "`PATH` of a PEM file with the private key of that certificate (default the same file)",
			read: into(&s.ClientKey, parseText)},
		// How a file is read.
		{Flag: "mapping", path: true, usage: "`PATH` of the mapping file (default NAME.mapping.yaml beside the file)",
			read: into(&s.Mapping, parseText)},
		{Flag: "login-source", usage: "login `SOURCE` of every row, where no column gives one, such as SSO",
			read: into(&s.LoginSource, parseLoginSource)},
		{Flag: "sheet", usage: "`NAME` of the workbook's sheet (default the one that looks most like a list of people)",
			read: into(&s.Sheet, parseText)},
		{Flag: "header-row", usage: "`NUMBER` of the row that names the columns, as the spreadsheet shows it, or none (default detected)",
			read: s.readHeaderRow},
		{Flag: "delimiter", usage: "`CHARACTER` between the cells of a CSV file, or comma, semicolon, tab, pipe (default detected)",
			read: into(&s.Delimiter, mapping.ParseDelimiter)},
		{Flag: "encoding", usage: "`NAME` of a CSV file's character encoding, such as utf-8 or windows-1252 (default detected)",
			read: into(&s.Encoding, parseEncoding)},
		{Flag: "password-file", path: true, usage: "`PATH` of a file that holds the password of a protected workbook",
			read: into(&s.PasswordFile, parseText)},
		{Flag: "format", usage: "`FORMAT` of the file, csv or xlsx (default detected)", read: into(&s.Format, parseFormat)},
		{Flag: "min-age", Default: "0s", usage: "leave a file for later that was changed less than this `TIME` ago, such as 2m: it may still be written",
			read: into(&s.MinAge, parseAge)},
		// How fast profiles are pushed, and how often a request is tried again.
		{Flag: "rate", Default: "10/s", usage: "highest `RATE` of requests over the whole run, retries included, such as 10/s or 600/min; 0 for no limit; 100/s with --sandbox unless given",
			read: into(&s.Rate, parseRate)},
		{Flag: "burst", Default: "1", usage: "`NUMBER` of requests that may start at once under the rate",
			read: into(&s.Burst, wholeNumber(1, 10_000))},
		{Flag: "workers", Default: "8", usage: "highest `NUMBER` of requests in flight", read: into(&s.Workers, wholeNumber(1, 256))},
		{Flag: "max-attempts", Default: "5", usage: "highest `NUMBER` of requests for one row", read: into(&s.MaxAttempts, wholeNumber(1, 100))},
		{Flag: "timeout", Default: "30s", usage: "longest `TIME` for one request, such as 30s or 2m", read: into(&s.Timeout, parseTimeout)},
		{Flag: "max-pause", Default: "10m", usage: "stop the run if the Controller asks for a longer pause than this `TIME`, such as 90s or 1h",
			read: into(&s.MaxPause, parsePause)},
		// Which rows are sent, and when a person has to look first.
		{Flag: "only-changes", Switch: true, usage: "send only the rows that differ from what the Controller last accepted",
			read: into(&s.OnlyChanges, parseSwitch)},
		{Flag: "max-bad", Default: "10%", usage: "hold the run when more rows than this `LIMIT` are invalid: a number, a percentage or off",
			read: into(&s.MaxBad, importer.ParseLimit)},
		{Flag: "max-changed", Default: "off", usage: "with --only-changes, hold the run when more rows than this `LIMIT` are new or changed",
			read: into(&s.MaxChanged, importer.ParseLimit)},
		{Flag: "min-rows", Default: "off", usage: "hold the run when the file has fewer rows than this `LIMIT`: a number, or a percentage of the last run",
			read: into(&s.MinRows, importer.ParseLimit)},
		{Flag: "leavers", Default: "off", usage: "what to do about people whom the last complete run had and the file has not: `MODE` is off, report, or type:NAME to give them that user type",
			read: into(&s.Leavers, parseLeavers)},
		{Flag: "max-leavers", Default: "5%", usage: "with --leavers type:NAME, hold the run when more people left than this `LIMIT`: a number, or a percentage of the last complete run's people",
			read: into(&s.MaxLeavers, parseMaxLeavers)},
		{Flag: "keep-keys", Switch: true, usage: "keep the ids of the people of the last complete run when it is forgotten, to name those who left",
			read: into(&s.KeepKeys, parseSwitch)},
		{Flag: "max-failures", Default: "20", usage: "stop the run after this `NUMBER` of failures in a row",
			read: into(&s.MaxFailures, wholeNumber(1, 1_000_000))},
		{Flag: "yes", Switch: true, usage: "push a run although a limit would hold it", read: into(&s.Yes, parseSwitch)},
		{Flag: "fresh", Switch: true, usage: "start a new run although an unfinished run of the very same file could be resumed",
			read: into(&s.Fresh, parseSwitch)},
		// Where results, state and messages go.
		{Flag: "results", path: true, usage: "`PATH` of the results, - for standard output, empty for none (default NAME.results.csv beside the file)",
			read: into(&s.Results, parsePath)},
		{Flag: "problems", path: true, usage: "`PATH` of the problems, - for standard output, empty for none (default NAME.problems.csv beside the file)",
			read: into(&s.Problems, parsePath)},
		{Flag: "fix", path: true, usage: "`PATH` of the workbook of rows to fix, - for standard output, empty for none (default NAME.fix.xlsx beside the file)",
			read: into(&s.Fix, parsePath)},
		{Flag: "leavers-file", path: true, usage: "`PATH` of the list of leavers, - for standard output, empty for none (default NAME.leavers.csv beside the file)",
			read: into(&s.LeaversFile, parsePath)},
		{Flag: "summary", path: true, usage: "`PATH` of a summary page without personal data, - for standard output, empty for none (default none)",
			read: into(&s.Summary, parsePath)},
		{Flag: "metrics-file", path: true, usage: "`PATH` of a file NAME.prom with the figures of the last run, for the textfile collector of Prometheus' node_exporter (default none)",
			read: into(&s.Metrics, parseMetricsFile)},
		{Flag: "listen", usage: "`ADDRESS` where watch and worker serve /metrics and /healthz, such as 127.0.0.1:9480 (default none)",
			read: into(&s.Listen, parseListen)},
		{Flag: "state", path: true, Default: defaultState(env), usage: "`FOLDER` of the journal of all runs (default the system's place for state)",
			read: into(&s.State, folderIn(env.WorkDir))},
		{Flag: "journal", secret: true, usage: "`URL` of a PostgreSQL database for the journal of many machines, such as postgres://opscom@db.example.edu/opscom (default the journal in the state folder)",
			read: into(&s.Journal, parseJournal)},
		{Flag: "journal-key-file", path: true, usage: "`PATH` of a file with the keys of a journal in PostgreSQL; or set " + JournalKeyVariable,
			read: into(&s.JournalKeyFile, parseText)},
		{Flag: "insecure-journal", Switch: true, usage: "allow a connection without TLS to a PostgreSQL journal on another machine, where others can read it in transit",
			read: into(&s.InsecureJournal, parseSwitch)},
		{Flag: "keep", Default: "forever", usage: "forget finished runs that are older than this `TIME`, such as 90d or 12w, after a push; at least 1d",
			read: into(&s.Keep, parseKeep)},
		{Flag: "json", Switch: true, usage: "print one line of JSON for each file in place of the receipt", read: into(&s.JSON, parseSwitch)},
		{Flag: "quiet", Switch: true, usage: "print nothing but errors", read: into(&s.Quiet, parseSwitch)},
		{Flag: "no-progress", Switch: true, usage: "show no progress", read: into(&s.NoProgress, parseSwitch)},
		{Flag: "log-format", Default: "text", usage: "`FORMAT` of log lines, text or json", read: into(&s.LogFormat, oneOf("text", "json"))},
		{Flag: "log-level", Default: "warn", usage: "lowest `LEVEL` of log lines: debug, info, warn or error", read: into(&s.LogLevel, parseLevel)},
	}
}
