package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"opscom-import/cmd/opscom-import/internal/config"
)

// shownSettings are those whose text is shown as it was given: numbers, switches, words
// of the program, and where profiles go. Of any other only that it was given is shown.
func shownSettings() []string {
	return []string{
		"url", "client", "sandbox", "insecure_http", "insecure_journal", "header_row", "delimiter", "encoding", "format", "min_age", "rate", "burst", "workers",
		"max_attempts", "timeout", "max_pause", "only_changes", "max_bad", "max_changed", "min_rows", "max_failures", "yes", "fresh", "json",
		"quiet", "no_progress", "log_format", "log_level", "keep_keys", "max_leavers", "keep", "listen", "insecure_journal",
	}
}

func (e Env) supportSettings(t *supportText) {
	s := e.Settings
	t.line("SETTING", "VALUE", "FROM")
	for _, given := range s.Given() {
		from := given.Origin
		if from == "" {
			from = "default"
		}
		t.line(given.Key, e.settingText(given), from)
	}
	t.line()
	configFile := "none"
	if s.ConfigFile != "" {
		configFile = maskPath(s.ConfigFile, s.Home()) + " (" + s.ConfigFrom + ")"
	}
	t.line("config file", configFile)
	t.line("token", e.tokenSource())
	proxy := strings.Join(s.ProxyVariables(), ", ")
	if proxy == "" {
		proxy = "none"
	}
	t.line("proxy variables", proxy)
	for _, target := range s.Notify {
		_, place, _ := strings.Cut(strings.TrimPrefix(target.Origin, s.ConfigFile), ":")
		line, _, _ := strings.Cut(place, ":")
		secret := "needs no secret"
		if target.SecretFile() != "" {
			secret = "its secret can be read"
			if target.CheckSecret() != nil {
				secret = "its secret cannot be used"
			}
		}
		events := make([]string, len(target.On))
		for i, event := range target.On {
			events[i] = string(event)
		}
		t.line("notify", target.Kind(), "config file, line "+line, secret, "on "+strings.Join(events, " "))
	}
	for i, job := range s.Jobs {
		e.supportJob(t, i, job)
	}
}

// supportJob adds a job, without its name, and the settings that are its own.
func (e Env) supportJob(t *supportText, i int, job config.Job) {
	t.line()
	t.line("job", i+1)
	if job.Folder != "" {
		t.line("folder", maskPath(job.Folder, e.Settings.Home())+mode(job.Folder), fmt.Sprintf("%d patterns, %s, settle %v", len(job.Files), job.Complete, job.Settle))
	} else {
		t.line("file", maskPath(job.File, e.Settings.Home())+mode(job.File))
	}
	if job.At != nil {
		t.line("at", job.At)
	}
	if job.NotAfter != nil {
		t.line("not_after", job.NotAfter)
	}
	if job.ExpectedBy != nil {
		t.line("expected_by", job.ExpectedBy)
	}
	t.line("time zone", job.TimeZone, "jitter "+job.Jitter.String())
	everybody := e.Settings.Given()
	e.Settings = job.Settings
	for k, given := range job.Settings.Given() {
		if given.Text != everybody[k].Text {
			t.line(given.Key, e.settingText(given), given.Origin)
		}
	}
}

// settingText returns what may be shown of a setting.
func (e Env) settingText(given config.Given) string {
	switch {
	case given.Text == "", given.Key == "yes" && given.Origin == "--yes": // that is the command's own
		return "-"
	case given.Path && given.Text != "-", given.Key == "state":
		return maskPath(given.Text, e.Settings.Home())
	case given.Path, given.Origin == "", slices.Contains(shownSettings(), given.Key):
		return given.Text
	default:
		return "(given)"
	}
}

// tokenSource says where the token is looked for first. It is not read.
func (e Env) tokenSource() string {
	switch s := e.Settings; {
	case s.Sandbox:
		return "the sandbox's own"
	case s.TokenFile != "" && s.Origin("token_file") == "--token-file":
		return "a file" + mode(s.TokenFile)
	case s.TokenFolder != "" && s.Origin("token_folder") == "--token-folder":
		return "a folder" + mode(s.TokenFolder)
	case strings.TrimSpace(s.SandboxToken()) != "":
		return config.TokenVariable
	case s.TokenFile != "":
		return "a file" + mode(s.TokenFile)
	case s.TokenFolder != "":
		return "a folder" + mode(s.TokenFolder)
	case len(s.TokenCommand) > 0:
		return "a program"
	default:
		return "the keyring, if it has one"
	}
}

// usualNames are the parts of paths that say nothing about anybody.
func usualNames() []string {
	return []string{
		"", ".", "..", "~", "etc", "opt", "srv", "tmp", "usr", "var", "bin", "lib", "local", "share", "state", "run", "log", "home", "mnt", "media", "data", "root",
		"Users", "Library", "Application Support", "AppData", "Local", "Roaming", "Program Files", "ProgramData", ".local", ".config",
		"opscom", "opscom-import", "opscom-import.yaml", "export", "exports", "import", "imports", "done", "failed", "inbox",
	}
}

// usualEndings are the endings of names of files that are kept.
func usualEndings() []string {
	return []string{".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".html", ".gz", ".zip", ".yaml", ".yml", ".json", ".pem", ".key", ".crt", ".results", ".problems", ".fix", ".mapping", ".summary"}
}

// maskPath returns a path in which names of files and folders are shapes, but for usual
// ones, and the home folder is ~.
func maskPath(path, home string) string {
	if home != "" && home != string(filepath.Separator) {
		if rest, ok := strings.CutPrefix(path, strings.TrimRight(home, `/\`)); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
			path = "~" + rest
		}
	}
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
	for i, part := range parts {
		if !slices.Contains(usualNames(), part) {
			parts[i] = maskName(part)
		}
	}
	masked := strings.Join(parts, "/")
	if strings.HasPrefix(path, "/") {
		masked = "/" + masked
	}
	return masked
}

// maskName returns the shape of a file's name with its endings.
func maskName(name string) string {
	endings := ""
	for {
		ending := filepath.Ext(name)
		if ending == "" || !slices.Contains(usualEndings(), strings.ToLower(ending)) {
			break
		}
		name, endings = strings.TrimSuffix(name, ending), strings.ToLower(ending)+endings
	}
	return shapeOf(name) + endings
}

// mode returns who may do what with a file, without its owner's name.
func mode(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return " that cannot be read"
	}
	return " (mode " + strconv.FormatUint(uint64(info.Mode().Perm()), 8) + ")"
}
