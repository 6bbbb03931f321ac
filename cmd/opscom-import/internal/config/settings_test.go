package config

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"opscom-import/importer"
	"opscom-import/importer/sheet"
)

// place is a working folder and a config folder, empty but for what a test puts
// there.
type place struct {
	t *testing.T
	Environment
}

func newPlace(t *testing.T, environ ...string) place {
	t.Helper()
	return place{t, Environment{
		Variables: append([]string{"HOME=/home/ada", "PATH=/bin"}, environ...),
		WorkDir:   t.TempDir(), ConfigDir: t.TempDir(), OS: "linux",
	}}
}

// config writes the config file of the working folder and returns its path.
func (p place) config(text string) string {
	return p.write(filepath.Join(p.WorkDir, FileName), text)
}

func (p place) write(path, text string) string {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

func (p place) load(args ...string) (Settings, error) {
	p.t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.String("output", "", "a flag of the command's own")
	AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		p.t.Fatal(err)
	}
	return Load(flags, p.Environment)
}

func (p place) mustLoad(args ...string) Settings {
	p.t.Helper()
	s, err := p.load(args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// wantError fails the test unless loading fails with all of these words, in
// their order.
func (p place) wantError(args []string, words ...string) {
	p.t.Helper()
	_, err := p.load(args...)
	if err == nil {
		p.t.Errorf("%v: no error, want %q", args, words)
		return
	}
	rest := err.Error()
	for _, word := range words {
		_, after, found := strings.Cut(rest, word)
		if !found {
			p.t.Errorf("%v: error %q, want %q in this order", args, err, words)
			return
		}
		rest = after
	}
}

func TestDefaultSettings(t *testing.T) {
	want := Settings{
		URL: "https://controller.operationscommander.io", Rate: 10, Burst: 1, Workers: 8, MaxAttempts: 5, Timeout: 30 * time.Second, MaxPause: 10 * time.Minute,
		MaxBad: importer.Limit{Set: true, Percent: 10}, MaxFailures: 20, MaxLeavers: importer.Limit{Set: true, Percent: 5},
		State: "/home/ada/.local/state/opscom-import", LogFormat: "text", LogLevel: slog.LevelWarn,
	}
	if diff := cmp.Diff(want, newPlace(t).mustLoad("--output", "x"), cmpopts.IgnoreUnexported(Settings{}, JournalAddress{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// every has for each setting a value that is not its default, and what becomes of
// it.
var every = map[string]struct {
	text  string
	check func(Settings) bool
}{
	"url":           {"https://test.example.org/base/", func(s Settings) bool { return s.URL == "https://test.example.org/base" }},
	"client":        {"OC_TOMA", func(s Settings) bool { return s.Client == "OC_TOMA" }},
	"token_file":    {"/run/token", func(s Settings) bool { return s.TokenFile == "/run/token" }},
	"token_folder":  {"/run/tokens", func(s Settings) bool { return s.TokenFolder == "/run/tokens" }},
	"sandbox":       {"true", func(s Settings) bool { return s.Sandbox }},
	"insecure_http": {"true", func(s Settings) bool { return s.InsecureHTTP }},
	"ca_file":       {"/etc/ca.pem", func(s Settings) bool { return s.CAFile == "/etc/ca.pem" }},
	"client_cert":   {"/etc/client.pem", func(s Settings) bool { return s.ClientCert == "/etc/client.pem" }},
	"client_key":    {"/etc/client.key", func(s Settings) bool { return s.ClientKey == "/etc/client.key" }},
	"mapping":       {"/m.yaml", func(s Settings) bool { return s.Mapping == "/m.yaml" }},
	"login_source":  {"SSO", func(s Settings) bool { return s.LoginSource == "SSO" }},
	"sheet":         {"Students", func(s Settings) bool { return s.Sheet == "Students" }},
	"header_row":    {"3", func(s Settings) bool { return s.HeaderRow == 3 }},
	"password_file": {"/run/password", func(s Settings) bool { return s.PasswordFile == "/run/password" }},
	"delimiter":     {"tab", func(s Settings) bool { return s.Delimiter == '\t' }},
	"encoding":      {"Latin1", func(s Settings) bool { return s.Encoding == "windows-1252" }},
	"format":        {"CSV", func(s Settings) bool { return s.Format == sheet.CSV }},
	"min_age":       {"5m", func(s Settings) bool { return s.MinAge == 5*time.Minute }},
	"rate":          {"600/min", func(s Settings) bool { return s.Rate == 10 }},
	"burst":         {"5", func(s Settings) bool { return s.Burst == 5 }},
	"workers":       {"32", func(s Settings) bool { return s.Workers == 32 }},
	"max_attempts":  {"2", func(s Settings) bool { return s.MaxAttempts == 2 }},
	"timeout":       {"1m30s", func(s Settings) bool { return s.Timeout == 90*time.Second }},
	"max_pause":     {"1h", func(s Settings) bool { return s.MaxPause == time.Hour }},
	"only_changes":  {"true", func(s Settings) bool { return s.OnlyChanges }},
	"max_bad":       {"25", func(s Settings) bool { return s.MaxBad == importer.Limit{Set: true, Count: 25} }},
	"max_changed":   {"5%", func(s Settings) bool { return s.MaxChanged == importer.Limit{Set: true, Percent: 5} }},
	"leavers":       {"type:Alumni", func(s Settings) bool { return s.Leavers == LeaverMode{"type:Alumni", "Alumni"} }},
	"max_leavers":   {"25", func(s Settings) bool { return s.MaxLeavers == importer.Limit{Set: true, Count: 25} }},
	"keep_keys":     {"true", func(s Settings) bool { return s.KeepKeys }},
	"leavers_file":  {"-", func(s Settings) bool { return s.LeaversFile != nil && *s.LeaversFile == "-" }},
	"min_rows":      {"90%", func(s Settings) bool { return s.MinRows == importer.Limit{Set: true, Percent: 90} }},
	"max_failures":  {"3", func(s Settings) bool { return s.MaxFailures == 3 }},
	"yes":           {"true", func(s Settings) bool { return s.Yes }},
	"fresh":         {"true", func(s Settings) bool { return s.Fresh }},
	"problems":      {"-", func(s Settings) bool { return s.Problems != nil && *s.Problems == "-" }},
	"summary":       {"-", func(s Settings) bool { return s.Summary != nil && *s.Summary == "-" }},
	"fix":           {"-", func(s Settings) bool { return s.Fix != nil && *s.Fix == "-" }},
	"results":       {"-", func(s Settings) bool { return s.Results != nil && *s.Results == "-" }},
	"metrics_file":  {"/run/opscom.prom", func(s Settings) bool { return s.Metrics == "/run/opscom.prom" }},
	"listen":        {"127.0.0.1:9480", func(s Settings) bool { return s.Listen == "127.0.0.1:9480" }},
	"state":         {"/var/lib/opscom", func(s Settings) bool { return s.State == "/var/lib/opscom" }},
	"journal": {"postgresql://opscom@db.example.edu/opscom?sslmode=require", func(s Settings) bool {
		return s.Journal.Reveal() == "postgresql://opscom@db.example.edu/opscom?sslmode=require"
	}},
	"journal_key_file": {"/run/keys", func(s Settings) bool { return s.JournalKeyFile == "/run/keys" }},
	"insecure_journal": {"true", func(s Settings) bool { return s.InsecureJournal }},
	"keep":             {"12w", func(s Settings) bool { return s.Keep == 84*24*time.Hour }},
	"json":             {"true", func(s Settings) bool { return s.JSON }},
	"quiet":            {"true", func(s Settings) bool { return s.Quiet }},
	"no_progress":      {"true", func(s Settings) bool { return s.NoProgress }},
	"log_format":       {"json", func(s Settings) bool { return s.LogFormat == "json" }},
	"log_level":        {"error", func(s Settings) bool { return s.LogLevel == slog.LevelError }},
}

func TestEverySettingFromEverySource(t *testing.T) {
	for _, row := range All(Environment{}) {
		key := row.Key()
		tc, known := every[key]
		if !known {
			t.Errorf("%s is not tested", key)
			continue
		}
		if key != "rate" && tc.check(newPlace(t).mustLoad()) {
			t.Errorf("%s: the test's value is the default", key)
		}
		if s := newPlace(t).mustLoad("--" + row.Flag + "=" + tc.text); !tc.check(s) {
			t.Errorf("%s from a flag: %+v", key, s)
		}
		if s := newPlace(t, row.Variable()+"="+tc.text).mustLoad(); !tc.check(s) {
			t.Errorf("%s from the environment: %+v", key, s)
		}
		p := newPlace(t)
		p.config(fmt.Sprintf("%s: %q\n", key, tc.text))
		if s := p.mustLoad(); !tc.check(s) {
			t.Errorf("%s from the config file: %+v", key, s)
		}
	}
}

func TestStrongerSourcesWin(t *testing.T) {
	p := newPlace(t, "OPSCOM_BURST=3", "OPSCOM_MAX_ATTEMPTS=3", "OPSCOM_YES=false", "OPSCOM_CLIENT=")
	path := p.config("workers: 2\nburst: 2\nmax_attempts: 2\nyes: true\nclient: FROM_FILE\n")
	s := p.mustLoad("--max-attempts", "4")
	if s.Workers != 2 || s.Burst != 3 || s.MaxAttempts != 4 || s.Yes || s.Client != "FROM_FILE" || s.ConfigFile != path {
		t.Errorf("%+v", s)
	}
	if s := p.mustLoad("--yes=false", "--results="); s.Yes || s.Results == nil || *s.Results != "" {
		t.Errorf("%+v", s)
	}
}

func TestWhichConfigFile(t *testing.T) {
	p := newPlace(t)
	if s := p.mustLoad(); s.ConfigFile != "" || s.Workers != 8 {
		t.Errorf("without a file: %+v", s)
	}
	p.write(filepath.Join(p.ConfigDir, "opscom-import", FileName), "workers: 1\n")
	if s := p.mustLoad(); s.Workers != 1 {
		t.Errorf("the user's file: %+v", s)
	}
	p.config("workers: 2\n")
	if s := p.mustLoad(); s.Workers != 2 {
		t.Errorf("the working folder's file: %+v", s)
	}
	p.Variables = append(p.Variables, "OPSCOM_CONFIG="+p.write(filepath.Join(p.WorkDir, "env.yaml"), "workers: 3\n"))
	if s := p.mustLoad(); s.Workers != 3 {
		t.Errorf("the environment's file: %+v", s)
	}
	if s := p.mustLoad("--config", p.write(filepath.Join(p.WorkDir, "flag.yaml"), "workers: 4\n")); s.Workers != 4 {
		t.Errorf("the flag's file: %+v", s)
	}
	if s := p.mustLoad("--config", ""); s.ConfigFile != "" || s.Workers != 8 {
		t.Errorf("no file: %+v", s)
	}
	p.wantError([]string{"--config", filepath.Join(p.WorkDir, "none.yaml")}, "the config file ", "none.yaml cannot be read: ")
}

func TestPathsInAConfigFile(t *testing.T) {
	p := newPlace(t)
	folder := filepath.Join(p.WorkDir, "conf")
	path := p.write(filepath.Join(folder, "a.yaml"), "mapping: m.yaml\ntoken_file: /run/token\nstate: ../state\nresults: out/r.csv\nsheet: a/b\n")
	s := p.mustLoad("--config", path)
	if s.Mapping != filepath.Join(folder, "m.yaml") || s.TokenFile != "/run/token" || s.State != filepath.Join(p.WorkDir, "state") ||
		*s.Results != filepath.Join(folder, "out", "r.csv") || s.Sheet != "a/b" {
		t.Errorf("%+v, results %s", s, *s.Results)
	}
	if s := p.mustLoad("--state", "st", "--mapping", "m.yaml"); s.State != filepath.Join(p.WorkDir, "st") || s.Mapping != "m.yaml" {
		t.Errorf("%+v", s)
	}
}

func TestConfigFileMistakes(t *testing.T) {
	const secret = "s3cr3t"
	for text, words := range map[string][]string{
		"# ours\nworkesr: 3\n":                {FileName + `:2: there is no setting "workesr"; the nearest is "workers"`},
		"login-source: SSO\n":                 {`:1: there is no setting "login-source"; the nearest is "login_source"`},
		"zebra: 3\n":                          {`:1: there is no setting "zebra"; "opscom-import help push" lists them`},
		"config: other.yaml\n":                {`:1: there is no setting "config"`},
		"workers: 3\n\nworkers: 4\n":          {`:3: workers is already set in line 1`},
		"workers:\n":                          {`:1: workers has no value`},
		"workers: [1]\n":                      {`:1: workers takes one value`},
		"- workers\n":                         {FileName + `:1: the config file is a list of settings`},
		"client: OC\n---\nclient: OC\n":       {`remove the line ---`},
		"client: OC\n---\n[\n":                {`cannot be read as YAML`},
		"client: OC\n  rate: 3\n":             {FileName + `:2: this cannot be read as YAML`},
		"client: OC\nworkers: many\n":         {FileName + `:2: workers: "many" is not a whole number from 1 to 256`},
		"rate: fast\nburst: 0\n":              {`:1: rate: "fast" is not a rate`, `:2: burst: "0" is not`}, // every mistake at once
		"leavers: 'type:'\n":                  {`:1: leavers: "type:" is not off, report, or type:NAME`},
		"leavers: all\n":                      {`:1: leavers: "all" is not off, report, or type:NAME`},
		"max_leavers: off\n":                  {`:1: max_leavers: leavers always have a limit: give a number of people such as 25, or a percentage such as 5%`},
		"zebra: 1\nlion: 2\n":                 {`:1: `, `:2: `},
		"client: OC\napi_token: " + secret:    {FileName + ":2: the token does not belong in the config file", "OPSCOM_API_TOKEN", "token_file", "keyring"},
		"Token: " + secret:                    {":1: the token does not belong in the config file"},
		"api-token: [" + secret + "]\n":       {":1: the token does not belong in the config file"},
		"api_token: \"" + secret:              {"cannot be read as YAML"},
		"token_fil: " + secret:                {`the nearest is "token_file"`},
		"client: *" + secret + "\n":           {"cannot be read as YAML"},
		"client: {" + secret + ": 1}\n":       {"client takes one value"},
		strings.Repeat("# much\n", 200_000):   {"larger than 1 MiB"},
		"client: OC\nurl: https://x\x01y.org": {"cannot be read as YAML"},
	} {
		p := newPlace(t)
		p.config(text)
		p.wantError(nil, words...)
		if _, err := p.load(); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
	for _, text := range []string{"", "# nothing\n", "---\n", "\uFEFFclient: OC\n"} {
		p := newPlace(t)
		p.config(text)
		if _, err := p.load(); err != nil && text != "---\n" {
			t.Errorf("config %q: %v", text, err)
		}
	}
}

func TestVariablesThatAreNoSettings(t *testing.T) {
	newPlace(t, "OPSCOM_CLENT=OC").wantError(nil, "OPSCOM_CLENT is not a setting; the nearest is OPSCOM_CLIENT")
	newPlace(t, "OPSCOM_TOKEN=s3cr3t").wantError(nil, "OPSCOM_TOKEN is not a setting; the nearest is OPSCOM_API_TOKEN")
	newPlace(t, "OPSCOM_APITOKEN=s3cr3t").wantError(nil, "OPSCOM_APITOKEN is not a setting; the nearest is OPSCOM_API_TOKEN")
	newPlace(t, "OPSCOM_CONFG=my.yaml").wantError(nil, "OPSCOM_CONFG is not a setting; the nearest is OPSCOM_CONFIG")
	newPlace(t, "OPSCOM_ANOTHER_PROGRAM=1", "OPSCOM_API_TOKEN=s3cr3t", "OPSCOM_CLENT=", "opscom_clent=1").mustLoad()
	if _, err := newPlace(t, "OPSCOM_TOKEN=s3cr3t").load(); strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("the error tells the token: %v", err)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	long := strings.Repeat("é", 21)
	for arg, want := range map[string]string{
		"--rate=-1":               `--rate: "-1" is not a rate`,
		"--rate=NaN":              "is not a rate",
		"--rate=10/week":          "is not a rate",
		"--rate=":                 "is not a rate",
		"--burst=0":               "--burst",
		"--workers=257":           `--workers: "257" is not a whole number from 1 to 256`,
		"--workers=2.5":           "--workers",
		"--max-attempts=0":        "--max-attempts",
		"--timeout=0":             "--timeout",
		"--timeout=11m":           "at most 10 minutes",
		"--timeout=soon":          "--timeout",
		"--max-bad=0%":            "--max-bad",
		"--min-rows=most":         "--min-rows",
		"--max-failures=0":        "--max-failures",
		"--header-row=0":          "--header-row",
		"--delimiter=ab":          "--delimiter",
		"--delimiter=x":           "--delimiter",
		`--delimiter="`:           "--delimiter",
		"--encoding=klingon":      "--encoding",
		"--format=ods":            `--format: "ods" is not one of csv, xlsx`,
		"--log-format=xml":        "--log-format",
		"--log-level=loud":        "--log-level",
		"--login-source=" + long:  "more than 20 characters",
		"--client=OC/TOMA":        "--client",
		"--client=OC TOMA":        "--client",
		"--state=":                "--state: the folder has no name",
		"--url=controller":        "--url: the address does not begin with https://",
		"--url=ftp://a.org":       "does not begin with https://",
		"--url=https://:8080":     "does not begin with https://",
		"--url=https://a.org?x=1": "after ? or #",
		"--url=http://a.org":      "--url: http://a.org would send the token where others can read it",
	} {
		newPlace(t).wantError([]string{arg}, want)
	}
	newPlace(t, "OPSCOM_YES=perhaps").wantError(nil, `OPSCOM_YES: "perhaps" is neither true nor false`)
	newPlace(t, "OPSCOM_WORKERS=none").wantError([]string{"--rate=x"}, "--rate", "OPSCOM_WORKERS")

	_, err := newPlace(t).load("--url=https://ada:s3cr3t@a.org")
	if err == nil || !strings.Contains(err.Error(), "user name or password") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("an address with a password: %v", err)
	}
}

func TestSettingsThatAreTaken(t *testing.T) {
	for _, tc := range []struct {
		args  []string
		check func(Settings) bool
	}{
		{[]string{"--rate=0"}, func(s Settings) bool { return s.Rate == 0 }},
		{[]string{"--rate=2.5"}, func(s Settings) bool { return s.Rate == 2.5 }},
		{[]string{"--rate=10 / s"}, func(s Settings) bool { return s.Rate == 10 }},
		{[]string{"--rate=3600/h"}, func(s Settings) bool { return s.Rate == 1 }},
		{[]string{"--timeout=45"}, func(s Settings) bool { return s.Timeout == 45*time.Second }},
		{[]string{"--delimiter=;"}, func(s Settings) bool { return s.Delimiter == ';' }},
		{[]string{`--delimiter=\t`}, func(s Settings) bool { return s.Delimiter == '\t' }},
		{[]string{"--delimiter=§"}, func(s Settings) bool { return s.Delimiter == '§' }},
		{[]string{"--encoding=cp850"}, func(s Settings) bool { return s.Encoding == "IBM850" }},
		{[]string{"--encoding=UTF-8"}, func(s Settings) bool { return s.Encoding == "utf-8" }},
		{[]string{"--max-bad=off"}, func(s Settings) bool { return !s.MaxBad.Set }},
		{[]string{"--client=OC-TOMA.2"}, func(s Settings) bool { return s.Client == "OC-TOMA.2" }},
		{[]string{"--url=http://localhost:8480/"}, func(s Settings) bool { return s.URL == "http://localhost:8480" }},
		{[]string{"--url=http://127.0.0.2:1"}, func(s Settings) bool { return s.URL == "http://127.0.0.2:1" }},
		{[]string{"--url=http://[::1]:1"}, func(s Settings) bool { return s.URL == "http://[::1]:1" }},
		{[]string{"--url=http://a.org", "--insecure-http"}, func(s Settings) bool { return s.URL == "http://a.org" }},
		{[]string{"--url=http://a.org", "--sandbox"}, func(s Settings) bool { return s.Sandbox }},
		{[]string{"--yes"}, func(s Settings) bool { return s.Yes }},
	} {
		if s := newPlace(t).mustLoad(tc.args...); !tc.check(s) {
			t.Errorf("%v: %+v", tc.args, s)
		}
	}
	if s := newPlace(t, "OPSCOM_YES=On").mustLoad(); !s.Yes {
		t.Error("OPSCOM_YES=On is not taken for true")
	}
}

func TestDefaultState(t *testing.T) {
	for _, tc := range []struct {
		goos    string
		environ []string
		want    string
	}{
		{"linux", []string{"HOME=/home/ada"}, "/home/ada/.local/state/opscom-import"},
		{"linux", []string{"HOME=/home/ada", "XDG_STATE_HOME=/state"}, "/state/opscom-import"},
		{"linux", []string{"HOME=/home/ada", "XDG_STATE_HOME=relative"}, "/home/ada/.local/state/opscom-import"},
		{"linux", nil, ""},
		{"darwin", []string{"HOME=/Users/ada", "XDG_STATE_HOME="}, "/Users/ada/Library/Application Support/opscom-import"},
		{"windows", []string{`LOCALAPPDATA=/c/ada/AppData/Local`, "HOME=/x"}, "/c/ada/AppData/Local/opscom-import"},
		{"windows", []string{"HOME=/x"}, ""},
	} {
		if got := filepath.ToSlash(defaultState(Environment{OS: tc.goos, Variables: tc.environ})); got != tc.want {
			t.Errorf("defaultState(%s, %v) = %q, want %q", tc.goos, tc.environ, got, tc.want)
		}
	}
	p := newPlace(t)
	p.Variables = nil
	if err := p.mustLoad().CheckState(); err == nil || !strings.Contains(err.Error(), "no home folder") || !strings.Contains(err.Error(), "--state") {
		t.Errorf("without a home folder: %v", err)
	}
	if s := p.mustLoad("--state", "/s"); s.State != "/s" || s.CheckState() != nil {
		t.Errorf("%+v", s)
	}
}

func TestFlagHelp(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(flags)
	help := flags.FlagUsages()
	for _, want := range []string{
		"--url URL", `(default "https://controller.operationscommander.io")`, "--client CODE", "--rate RATE", `(default "10/s")`, "--config PATH", "--yes ",
	} {
		if !strings.Contains(help, want) {
			t.Errorf("the help lacks %q", want)
		}
	}
	if strings.Index(help, "--url") > strings.Index(help, "--client") || strings.Index(help, "--rate") > strings.Index(help, "--max-bad") {
		t.Error("the help is not in the table's order")
	}
	if strings.Contains(help, "`") {
		t.Error("a backquote is left in the help")
	}
}

// A trial should not take minutes, and what is asked for counts all the same.
func TestRateOfTheSandbox(t *testing.T) {
	if s := newPlace(t).mustLoad("--sandbox"); s.Rate != sandboxRate {
		t.Errorf("the sandbox takes %v requests a second by default, want %v", s.Rate, sandboxRate)
	}
	if s := newPlace(t).mustLoad("--sandbox", "--rate=3"); s.Rate != 3 {
		t.Errorf("the sandbox takes %v requests a second, want the 3 that were asked for", s.Rate)
	}
	if s := newPlace(t).mustLoad(); s.Rate != 10 {
		t.Errorf("a Controller takes %v requests a second by default, want 10", s.Rate)
	}
}

func TestParseDays(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"90d": 90 * day, "12w": 84 * day, "2160h": 90 * day, "1h30m": 90 * time.Minute, "36500d": 36500 * day, "-1d": -day,
	} {
		if got, err := ParseDays(text); got != want || err != nil {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "w", "90", "1.5d", "90 d", "90D", "d90", "36501d", "5215w", "9223372036854775807d", "forever", "1d12h"} {
		if got, err := ParseDays(text); err == nil {
			t.Errorf("%q: %s", text, got)
		}
	}
	for text, want := range map[string]string{
		"23h": `"23h" is less than a day; give at least 1d, or forever`, "0": `"0" is less than a day`, "-90d": "is less than a day", "90": `"90" is not a time such as 90d`,
	} {
		if got, err := parseKeep(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"forever", "Forever"} {
		if got, err := parseKeep(text); got != 0 || err != nil {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}
