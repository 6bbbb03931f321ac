package main

import (
	"strings"

	"github.com/spf13/pflag"
)

// setting is one setting: how it is given, what it is without, and how its text is
// read.
type setting struct {
	flag      string // its name on the command line; the config file has it with underscores
	usage     string // for the help; the word in backquotes stands for the value
	byDefault string // "" for none
	isSwitch  bool   // true or false; the flag alone means true
	isPath    bool   // in a config file it is relative to that file's folder
	read      func(s *Settings, text string) error
}

// key is the setting's name in the config file.
func (s setting) key() string { return strings.ReplaceAll(s.flag, "-", "_") }

// defaultURL is the Controller's public address.
const defaultURL = "https://controller.operationscommander.io"

// settingsTable returns every setting in the order in which the help shows them.
func settingsTable(in surroundings) []setting {
	var table []setting
	table = append(table, targetSettings()...)
	table = append(table, fileSettings()...)
	table = append(table, paceSettings()...)
	table = append(table, safetySettings()...)
	return append(table, outputSettings(in)...)
}

// targetSettings say where profiles go.
func targetSettings() []setting {
	return []setting{
		{flag: "url", byDefault: defaultURL, usage: "the Controller's address, as an `URL`",
			read: func(s *Settings, text string) (err error) { s.URL, err = readURL(text); return }},
		{flag: "client", usage: "client `CODE`, such as OC_TOMA",
			read: func(s *Settings, text string) (err error) { s.Client, err = readClient(text); return }},
		{flag: "token-file", isPath: true, usage: "`PATH` of a file that holds the API token; or set " + tokenVariable + ", or keep it in the system's keyring",
			read: func(s *Settings, text string) error { s.TokenFile = text; return nil }},
		{flag: "sandbox", isSwitch: true, usage: "push to a mock Controller inside the program: no URL, client or token is needed",
			read: readSwitch(func(s *Settings) *bool { return &s.Sandbox })},
		{flag: "insecure-http", isSwitch: true, usage: "allow an http: URL on another machine, where others can read the token on its way",
			read: readSwitch(func(s *Settings) *bool { return &s.InsecureHTTP })},
	}
}

// fileSettings say how a file is read.
func fileSettings() []setting {
	return []setting{
		{flag: "mapping", isPath: true, usage: "`PATH` of the mapping file (default NAME.mapping.yaml beside the file)",
			read: func(s *Settings, text string) error { s.Mapping = text; return nil }},
		{flag: "login-source", usage: "login `SOURCE` of every row, where no column gives one, such as SSO",
			read: func(s *Settings, text string) (err error) { s.LoginSource, err = readLoginSource(text); return }},
		{flag: "sheet", usage: "`NAME` of the workbook's sheet (default the one that looks most like a list of people)",
			read: func(s *Settings, text string) error { s.Sheet = text; return nil }},
		{flag: "header-row", usage: "`NUMBER` of the row that names the columns, as the spreadsheet shows it (default found)",
			read: func(s *Settings, text string) (err error) {
				s.HeaderRow, err = readNumber(text, 1, 1_048_576)
				return
			}},
		{flag: "delimiter", usage: "`CHARACTER` between the cells of a CSV file, or comma, semicolon, tab, pipe (default found)",
			read: func(s *Settings, text string) (err error) { s.Delimiter, err = readDelimiter(text); return }},
		{flag: "encoding", usage: "character encoding of a CSV file by `NAME`, such as utf-8 or windows-1252 (default found)",
			read: func(s *Settings, text string) (err error) { s.Encoding, err = readEncoding(text); return }},
		{flag: "password-file", isPath: true, usage: "`PATH` of a file that holds the password of a protected workbook",
			read: func(s *Settings, text string) error { s.PasswordFile = text; return nil }},
		{flag: "format", usage: "`FORMAT` of the file, csv or xlsx (default found)",
			read: func(s *Settings, text string) (err error) { s.Format, err = readFormat(text); return }},
	}
}

// paceSettings say how fast and how stubbornly profiles are pushed.
func paceSettings() []setting {
	return []setting{
		{flag: "rate", byDefault: "10/s", usage: "highest `RATE` of requests over the whole run, attempts included, such as 10/s or 600/min; 0 for no limit; 100/s with --sandbox unless given",
			read: func(s *Settings, text string) (err error) { s.Rate, err = readRate(text); return }},
		{flag: "burst", byDefault: "1", usage: "`NUMBER` of requests that may start at once under the rate",
			read: func(s *Settings, text string) (err error) { s.Burst, err = readNumber(text, 1, 10_000); return }},
		{flag: "workers", byDefault: "8", usage: "`NUMBER` of requests in flight at most",
			read: func(s *Settings, text string) (err error) { s.Workers, err = readNumber(text, 1, 256); return }},
		{flag: "max-attempts", byDefault: "5", usage: "`NUMBER` of requests for one row at most",
			read: func(s *Settings, text string) (err error) { s.MaxAttempts, err = readNumber(text, 1, 100); return }},
		{flag: "timeout", byDefault: "30s", usage: "longest `TIME` for one request, such as 30s or 2m",
			read: func(s *Settings, text string) (err error) { s.Timeout, err = readTimeout(text); return }},
	}
}

// safetySettings say which rows are sent, and when a person has to look first.
func safetySettings() []setting {
	return []setting{
		{flag: "only-changes", isSwitch: true, usage: "send only the rows that differ from what the Controller last accepted",
			read: readSwitch(func(s *Settings) *bool { return &s.OnlyChanges })},
		{flag: "max-bad", byDefault: "10%", usage: "hold the run when more rows than this `LIMIT` are invalid: a number, a percentage or off",
			read: func(s *Settings, text string) (err error) { s.MaxBad, err = readLimit(text); return }},
		{flag: "max-changed", byDefault: "off", usage: "with --only-changes, hold the run when more rows than this `LIMIT` are new or changed",
			read: func(s *Settings, text string) (err error) { s.MaxChanged, err = readLimit(text); return }},
		{flag: "min-rows", byDefault: "off", usage: "hold the run when the file has fewer rows than this `LIMIT`: a number, or a percentage of the last run",
			read: func(s *Settings, text string) (err error) { s.MinRows, err = readLimit(text); return }},
		{flag: "max-failures", byDefault: "20", usage: "stop the run after this `NUMBER` of failures in a row",
			read: func(s *Settings, text string) (err error) {
				s.MaxFailures, err = readNumber(text, 1, 1_000_000)
				return
			}},
		{flag: "yes", isSwitch: true, usage: "push a run although a limit would hold it",
			read: readSwitch(func(s *Settings) *bool { return &s.Yes })},
		{flag: "fresh", isSwitch: true, usage: "begin again although an unfinished run of the very same file could go on",
			read: readSwitch(func(s *Settings) *bool { return &s.Fresh })},
	}
}

// outputSettings say where results, state and messages go.
func outputSettings(in surroundings) []setting {
	return []setting{
		{flag: "results", isPath: true, usage: "`PATH` of the results, - for standard output, empty for none (default NAME.results.csv beside the file)",
			read: func(s *Settings, text string) error { s.Results = &text; return nil }},
		{flag: "problems", isPath: true, usage: "`PATH` of the problems, - for standard output, empty for none (default NAME.problems.csv beside the file)",
			read: func(s *Settings, text string) error { s.Problems = &text; return nil }},
		{flag: "fix", isPath: true, usage: "`PATH` of the workbook of rows to fix, - for standard output, empty for none (default NAME.fix.xlsx beside the file)",
			read: func(s *Settings, text string) error { s.Fix = &text; return nil }},
		{flag: "summary", isPath: true, usage: "`PATH` of a page without personal data, - for standard output, empty for none (default none)",
			read: func(s *Settings, text string) error { s.Summary = &text; return nil }},
		{flag: "state", isPath: true, byDefault: defaultState(in.goos, in.environ), usage: "`FOLDER` of the journal of all runs (default the system's place for state)",
			read: func(s *Settings, text string) (err error) { s.State, err = readFolder(text, in.workDir); return }},
		{flag: "json", isSwitch: true, usage: "print one line of JSON a file in place of the summary",
			read: readSwitch(func(s *Settings) *bool { return &s.JSON })},
		{flag: "quiet", isSwitch: true, usage: "print nothing but errors",
			read: readSwitch(func(s *Settings) *bool { return &s.Quiet })},
		{flag: "no-progress", isSwitch: true, usage: "show no progress",
			read: readSwitch(func(s *Settings) *bool { return &s.NoProgress })},
		{flag: "log-format", byDefault: "text", usage: "`FORMAT` of log lines, text or json",
			read: func(s *Settings, text string) (err error) {
				s.LogFormat, err = readChoice(text, "text", "json")
				return
			}},
		{flag: "log-level", byDefault: "warn", usage: "least `LEVEL` of log lines: debug, info, warn or error",
			read: func(s *Settings, text string) (err error) { s.LogLevel, err = readLevel(text); return }},
	}
}

// bindFlags adds a flag for every setting, and --config.
func bindFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.String("config", "", "`PATH` of the config file, empty for none (default "+configName+" in the working folder, else in your config folder)")
	for _, row := range settingsTable(surroundings{}) {
		if row.isSwitch {
			flags.Bool(row.flag, false, row.usage)
		} else {
			flags.String(row.flag, row.byDefault, row.usage)
		}
	}
}
